"""Files that were read before, and the options that a source is read with."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memcli import __version__
from memcli.domain import Kind, fingerprint
from memcli.errors import InputError
from memcli.formats import Format, LogPosition, ParseOptions, load_format
from memcli.ingest.import_counts import ImportReport
from memcli.lazy_dataclasses import dataclass, replace
from memcli.store import FileState, SourceTable

HEAD = 4096  # bytes that tell whether a file that grew is still the same


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options that a source is read with."""

    parse_options: ParseOptions
    forced: Format | None = None

    def to_record(self) -> dict[str, Any]:  # Any: as JSON has it
        """Return the options as the store keeps them."""
        zone = self.parse_options.timezone
        return {
            "timezone": "UTC" if zone is UTC else getattr(zone, "key", None),
            "me": self.parse_options.me,
            "included": sorted(self.parse_options.included_kinds),
            "format": self.forced and self.forced.name,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], here: ParseOptions) -> "SourceOptions":
        """Return the options that the store kept; those it lacks are this run's.

        Raises:
            InputError: a newer memcli kept them, with values that this one does not know.
        """
        try:
            zone = ZoneInfo(record["timezone"]) if record["timezone"] else here.timezone
            included = frozenset(map(Kind, record["included"]))
        except (ZoneInfoNotFoundError, ValueError, KeyError) as error:
            raise InputError(
                f"a source cannot be read with the options it was imported with: {error}"
            ) from error
        parse_options = ParseOptions(zone, record.get("me"), included, here.aliases)
        return cls(parse_options, load_format(record["format"]) if record.get("format") else None)

    def fingerprint(self) -> str:
        """Return a fingerprint of everything but the file that its reports depend on."""
        here = (self.parse_options.timezone, self.parse_options.aliases)
        return fingerprint(__version__, sorted(self.to_record().items()), *here)


class KnownFile:
    """A file, and what the store knows of it."""

    def __init__(self, path: Path, options: SourceOptions, sources: SourceTable) -> None:
        self._file, self._path, self._sources = path, str(path.absolute()), sources
        status = path.stat()
        self._head = _head_fingerprint(path, options)
        self._state = fingerprint(self._head, status.st_size, status.st_mtime_ns)
        self._content: str | None = None
        self._before = sources.file_state(self._path)
        self._mark = LogPosition()
        before = self._before
        if before and before.head == self._head and before.offset <= status.st_size:
            self._mark = LogPosition(before.offset, before.line)

    def unchanged_reports(self) -> list[ImportReport] | None:
        """Return the reports of the file, if it has not changed and the options are the same.

        A file that has the same content at another time, because it was copied or unpacked again,
        has not changed either. Its content is read before it is parsed: if another process writes
        to it meanwhile, the next import reads it again.
        """
        before = self._before
        if before is None or before.state != self._state:
            if not self._mark.offset:  # the content of a log that has grown is new
                self._content = _content_digest(self._file)
            if before is None or before.head != self._head:
                return None
            if not self._content or before.content != self._content:
                return None
            self._sources.set_file_state(self._path, replace(before, state=self._state))
        return [ImportReport.from_record(record) for record in before.reports]

    def mark(self) -> LogPosition:
        """Return the position up to which it was read, if it is a log that has only grown."""
        return self._mark

    def keep(self, reports: Sequence[ImportReport]) -> None:
        """Remember the state of the file before it was read, and its reports."""
        mark = self._mark
        records = [report.to_record() for report in reports]
        file = FileState(self._state, self._head, mark.offset, mark.line, self._content, records)
        self._sources.set_file_state(self._path, file)


def _content_digest(path: Path) -> str:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return f"{stream.tell()} {digest}"


def _head_fingerprint(path: Path, options: SourceOptions) -> str:
    with path.open("rb") as stream:
        return fingerprint(options.fingerprint(), stream.read(HEAD).hex())
