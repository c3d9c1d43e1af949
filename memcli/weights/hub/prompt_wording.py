"""The prompt of a sifter in the words of its authors.

It is a text in their YAML file, which is never part of memcli: it is fetched with the weights.
"""

import os
from pathlib import Path

from memcli.errors import BackendError
from memcli.files import locked_atomic_write

FIELDS = ("{history}", "{current}")
_LARGEST_FILE = 1024 * 1024  # bytes
_TIMEOUT = 30  # seconds


def fetch_wording(url: str, folder: Path, name: str) -> None:
    """Fetch the authors' wording of a model's prompt, unless it was fetched before.

    Args:
        url: the address of one version of the file, which never changes.
        folder: the folder of weights.
        name: the name of the model.

    Raises:
        BackendError: HF_HUB_OFFLINE forbids the network, the file cannot be fetched, or it holds
            no text with the two fields.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    path = _path(folder, name)
    if authors_wording(folder, name) is not None:
        return
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise BackendError("HF_HUB_OFFLINE forbids the network")
    try:
        request = Request(url, headers={"User-Agent": "memcli"})
        with urlopen(request, timeout=_TIMEOUT) as response:
            content: bytes = response.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise BackendError(f"{url} cannot be fetched: {reason}") from error
    if len(content) > _LARGEST_FILE or _find_wording(content) is None:
        raise BackendError(f"{url} holds no text with {' and '.join(FIELDS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with locked_atomic_write(path) as part:
        part.write_bytes(content)


def authors_wording(folder: Path, name: str) -> str | None:
    """Return the wording that was fetched for a model, None if there is none."""
    try:
        return _find_wording(_path(folder, name).read_bytes())
    except OSError:
        return None


def remove_wording(folder: Path, name: str) -> None:
    """Remove the wording that was fetched for a model."""
    _path(folder, name).unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.wording.yaml"


def _find_wording(content: bytes) -> str | None:
    """Return the first text of a YAML file that has each field once, None if there is none."""
    import yaml

    try:
        # Events instead of values: they neither nest nor follow references, so no file is a bomb.
        for event in yaml.parse(content.decode("utf-8", "replace"), yaml.SafeLoader):
            if isinstance(event, yaml.ScalarEvent) and all(
                event.value.count(field) == 1 for field in FIELDS
            ):
                return event.value.rstrip("\n") + "\n"
    except yaml.YAMLError:
        pass
    return None
