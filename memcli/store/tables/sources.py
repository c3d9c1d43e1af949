"""What was ingested from where."""

import json
import os
from dataclasses import dataclass
from typing import Any

from memcli.store.sqlite.connection import Database


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when it was last read."""

    state: str  # digest of all that tells whether it has changed since
    head: str  # digest of its beginning: where that is the same, a log has only grown
    offset: int  # how far a log was read, in bytes
    line: int  # and in lines
    reports: list[dict[str, Any]]  # what it gave, as whoever read it put it


class Sources:
    """The paths that were named, with their options, and the files that lay there."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def remember(self, path: str, options: dict[str, Any]) -> None:
        """Keep a path and how to read it."""
        self._db.rows(
            "insert into sources (path, options) values (?, ?)"
            " on conflict (path) do update set options = excluded.options"
            " where options != excluded.options",
            *(os.fsencode(path), json.dumps(options, sort_keys=True)),
        )

    def all(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every path and how to read it, by path."""
        rows = self._db.rows("select path, options from sources order by path")
        return [(os.fsdecode(path), json.loads(options)) for path, options in rows]

    def file(self, path: str) -> File | None:
        """Return what is known of a file, None where it was never read."""
        rows = self._db.rows(
            "select state, head, offset, line, reports from files where path = ?",
            os.fsencode(path),
        )
        if not rows:
            return None
        [(state, head, offset, line, reports)] = rows
        return File(state, head, offset, line, json.loads(reports))

    def read(self, path: str, file: File) -> None:
        """Keep what a file was like when it was read."""
        self._db.rows(
            "insert or replace into files (path, state, head, offset, line, reports)"
            " values (?, ?, ?, ?, ?, ?)",
            *(os.fsencode(path), file.state, file.head, file.offset, file.line),
            json.dumps(file.reports),
        )
