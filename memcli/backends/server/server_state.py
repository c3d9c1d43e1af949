"""Facts about servers, remembered for a day between runs. Losing them costs a few requests."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from memcli.backends.server.endpoint import Endpoint
from memcli.files import atomic_write

VALID = timedelta(days=1)
_MAX_ENTRIES = 64


class StateFile:
    """A small JSON file of entries by key.

    Args:
        path: of the file; None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:  # Any: the file may hold anything
        """Return all entries; none if the file cannot be read."""
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def put(self, key: str, entry: Mapping[str, Any] | None) -> None:
        """Remember an entry, or with None forget it; the oldest ones make room."""
        if self._path is None:
            return
        known = self.read()
        known.pop(key, None)
        if entry:
            known[key] = dict(entry)
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_write(self._path, OSError) as part:
                part.write_text(json.dumps(dict([*known.items()][-_MAX_ENTRIES:])), "utf-8")


def is_fresh(at: object) -> bool:
    """Return whether a time, UTC in ISO 8601, is less than a day ago."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(str(at))
    except (ValueError, TypeError):
        return False
    return timedelta(0) <= age < VALID


class RefusedFields:
    """The fields of requests that a server refused, by names of our own.

    They are not sent again for a day; then the server may have been started otherwise.

    Args:
        path: of the file that remembers them; None remembers them as long as this object lives.
        endpoint: of the server.
    """

    def __init__(self, path: Path | None, endpoint: Endpoint) -> None:
        self._file, self._key = StateFile(path), f"{endpoint.url}#{endpoint.model}"
        self._names: set[str] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._load()

    def add(self, *names: str) -> None:
        """Remember refused fields, once a request without them was answered."""
        if set(names) <= self._load():
            return
        self._names = {*self._load(), *names}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._file.put(self._key, {"at": at, "refused": sorted(self._names)})

    def _load(self) -> set[str]:
        if self._names is None:
            found = self._file.read().get(self._key)
            entry = found if isinstance(found, dict) and is_fresh(found.get("at")) else {}
            names = entry.get("refused")
            self._names = set(map(str, names)) if isinstance(names, list) else set()
        return self._names
