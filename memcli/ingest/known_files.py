"""What is known of a file that was read before, and how a source is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memcli import __version__
from memcli.domain import Kind, fingerprint
from memcli.errors import InputError
from memcli.formats import Format, Mark, Reading, load
from memcli.store import File, Sources

HEAD = 4096  # bytes that tell whether a file that grew is still the same

Shapes = list[dict[str, Any]]  # reports, as they are kept


@dataclass(frozen=True, slots=True)
class Way:
    """How a source is read."""

    reading: Reading
    forced: Format | None = None

    def options(self) -> dict[str, Any]:
        """Return it as it is kept."""
        zone = self.reading.timezone
        return {
            "timezone": "UTC" if zone is UTC else getattr(zone, "key", None),
            "me": self.reading.me,
            "included": sorted(self.reading.included),
            "format": self.forced and self.forced.name,
        }

    @classmethod
    def from_options(cls, options: Mapping[str, Any], here: Reading) -> "Way":
        """Return it as it was kept; what was not said then is as it is here and now.

        Raises:
            InputError: it was kept by a memcli that knew more.
        """
        try:
            zone = ZoneInfo(options["timezone"]) if options["timezone"] else here.timezone
            included = frozenset(map(Kind, options["included"]))
        except (ZoneInfoNotFoundError, ValueError, KeyError) as error:
            raise InputError(f"a source cannot be read as it was before: {error}") from error
        reading = Reading(zone, options.get("me"), included, here.aliases)
        return cls(reading, load(options["format"]) if options.get("format") else None)

    def fingerprint(self) -> str:
        """Return what stands for all that a file's reports depend on beside the file."""
        here = (self.reading.timezone, self.reading.aliases)
        return fingerprint(__version__, sorted(self.options().items()), *here)


class Known:
    """A file, and what the store knows of it."""

    def __init__(self, path: Path, way: Way, sources: Sources) -> None:
        self._path, self._sources = str(path.absolute()), sources
        status = path.stat()
        self._head = _head(path, way)
        self._state = fingerprint(self._head, status.st_size, status.st_mtime_ns)
        self._before = sources.file(self._path)
        self._mark = Mark()
        before = self._before
        if before and before.head == self._head and before.offset <= status.st_size:
            self._mark = Mark(before.offset, before.line)

    @property
    def unchanged(self) -> Shapes | None:
        """What it gave, if it has not changed since and is read in the same way; else None."""
        same = self._before is not None and self._before.state == self._state
        return self._before.reports if same and self._before else None

    def mark(self) -> Mark:
        """Return how far it was read, if it is a log that has only grown since."""
        return self._mark

    def keep(self, reports: Shapes) -> None:
        """Remember what it was like before it was read, and what it gave."""
        mark = self._mark
        file = File(self._state, self._head, mark.offset, mark.line, reports)
        self._sources.read(self._path, file)


def _head(path: Path, way: Way) -> str:
    with path.open("rb") as stream:
        return fingerprint(way.fingerprint(), stream.read(HEAD).hex())
