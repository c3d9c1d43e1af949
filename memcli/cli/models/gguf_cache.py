"""GGUF files that were checked: one that has not changed since is not walked again.

A vocabulary of 150,000 words takes 0.1 s to walk past, and a question whose answer is remembered
takes little more. What was found is kept beside the speeds of models; losing it costs only time.
"""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.files import private_file
from memcli.settings import state_folder

MOST = 64  # files
SETTLED = 2_000_000_000  # ns; a younger file could change again without looking any different


def checked(path: Path) -> CheckedFile:
    """Return a GGUF file that is whole.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is no GGUF, or was cut short, or cannot be read.
    """
    place, name = state_folder() / "checked.json", str(path.absolute())
    looks = _looks(path)
    known = _read(place)
    match known.get(name):
        case [seen, str(digest), context, dimensions, layers] if seen == looks:
            return CheckedFile(path, digest, context, dimensions, layers)
    found = check_gguf(path)
    if looks and max(looks[-2:]) + SETTLED < time.time_ns():
        known.pop(name, None)
        known[name] = [looks, found.digest, found.context, found.dimensions, found.layers]
        _write(place, dict([*known.items()][-MOST:]))
    return found


def _looks(path: Path) -> list[int]:
    """Return what changes whenever a file does: no program can set the time of change back."""
    try:
        status = path.stat()
    except OSError:
        return []  # `check_gguf` says why
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _read(place: Path) -> dict[str, Any]:  # Any: whatever is in the file
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(place: Path, known: dict[str, Any]) -> None:
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with private_file(place, OSError) as part:
            part.write_text(json.dumps(known), "utf-8")
