"""A cache of checked GGUF files: a file that has not changed since is not read again.

Reading past a vocabulary of 150,000 words takes 0.1 s, and a question whose answer is remembered
takes little more. The cache lies beside the speeds of models; losing it costs only time.
"""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.files import atomic_write
from memcli.settings import state_folder

MAX_FILES = 64
SETTLED = 2_000_000_000  # ns; a file changed more recently could change again unnoticed


def check_cached(path: Path) -> CheckedFile:
    """Return the facts of a GGUF file, once it is known to be whole; see `check_gguf`.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is not a GGUF file, was cut short, or cannot be read.
    """
    cache_file, name = state_folder() / "checked.json", str(path.absolute())
    identity = _file_identity(path)
    known = _read(cache_file)
    match known.get(name):
        case [cached, str(digest), context, dimensions, layers] if cached == identity:
            return CheckedFile(path, digest, context, dimensions, layers)
    found = check_gguf(path)
    if identity and max(identity[-2:]) + SETTLED < time.time_ns():
        known.pop(name, None)
        known[name] = [identity, found.digest, found.context, found.dimensions, found.layers]
        _write(cache_file, dict([*known.items()][-MAX_FILES:]))
    return found


def _file_identity(path: Path) -> list[int]:
    """Return numbers that change with the file: no program can set the time of change back."""
    try:
        status = path.stat()
    except OSError:
        return []  # `check_gguf` gives the reason
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _read(cache_file: Path) -> dict[str, Any]:  # Any: the file may hold anything
    try:
        found = json.loads(cache_file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(cache_file: Path, known: dict[str, Any]) -> None:
    with suppress(OSError):
        cache_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_write(cache_file, OSError) as part:
            part.write_text(json.dumps(known), "utf-8")
