"""A sifter's message in the words of its authors.

The file is theirs, YAML, and never part of memcli: it is fetched with the weights. Of YAML only
what such a file needs is understood: texts in literal blocks,

    key: |
      line
      line
"""

import os
from collections.abc import Iterator
from pathlib import Path

from memcli.errors import BackendError
from memcli.files import whole_file

FIELDS = ("{history}", "{current}")
_MOST = 1024 * 1024  # bytes
_SECONDS = 30


def fetch_wording(url: str, folder: Path, name: str) -> None:
    """Fetch the authors' wording of a model, unless it is there already.

    Args:
        url: of one version of the file, which never changes.
        folder: where weights are kept.
        name: of the model.

    Raises:
        BackendError: the person wants no network (HF_HUB_OFFLINE), the file cannot be had, or it
            holds no text with the two fields.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    place = _place(folder, name)
    if authors_wording(folder, name) is not None:
        return
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise BackendError("HF_HUB_OFFLINE forbids the network")
    try:
        asked = Request(url, headers={"User-Agent": "memcli"})
        with urlopen(asked, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise BackendError(f"{url} cannot be fetched: {reason}") from error
    if len(content) > _MOST or _wording(content) is None:
        raise BackendError(f"{url} holds no text with {' and '.join(FIELDS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(place) as part:
        part.write_bytes(content)


def authors_wording(folder: Path, name: str) -> str | None:
    """Return the wording that was fetched for a model, None where there is none."""
    try:
        return _wording(_place(folder, name).read_bytes())
    except OSError:
        return None


def remove_wording(folder: Path, name: str) -> None:
    """Remove what was fetched."""
    _place(folder, name).unlink(missing_ok=True)


def _place(folder: Path, name: str) -> Path:
    return folder / f"{name}.wording.yaml"


def _wording(content: bytes) -> str | None:
    """Return the one text that has each field once."""
    texts = _blocks(content.decode("utf-8", "replace").splitlines())
    return next((text for text in texts if all(text.count(field) == 1 for field in FIELDS)), None)


def _blocks(lines: list[str]) -> Iterator[str]:
    """Yield the text of every literal block: its lines without the indent of the first."""
    at = 0
    while at < len(lines):
        opens = lines[at].rstrip().endswith((": |", ": |-", ": |+"))
        outer = _indent(lines[at])
        at += 1
        if not opens:
            continue
        first = at
        while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) > outer):
            at += 1
        block = lines[first:at]
        indent = next((_indent(line) for line in block if line.strip()), 0)
        yield "\n".join(line[indent:] for line in block).rstrip("\n") + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
