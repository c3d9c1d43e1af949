"""The paths that were imported, and the state of their files when they were last read."""

import json
import os
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import Any

from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database

_BELOW = "(path = ?1 or substr(path, 1, length(?2)) = ?2)"  # a path, or a file in that folder


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file when it was last read."""

    state: str  # a digest of size, time and beginning: it differs if the file has changed
    head: str  # a digest of its beginning: while it is equal, a log has only grown
    offset: int  # number of bytes of a log that were read
    line: int  # number of lines of a log that were read
    content: str | None  # a digest of size and content; None of a log that was read on
    reports: list[dict[str, Any]]  # the results of reading it, in the form of the importer


class SourceTable:
    """The tables of imported paths with their options, and of the files found there."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, path: str, options: dict[str, Any]) -> None:
        """Store a path and the options to read it with."""
        self._db.rows(
            "insert into sources (path, options) values (?, ?)"
            " on conflict (path) do update set options = json_patch(options, excluded.options)"
            " where options != json_patch(options, excluded.options)",
            *(os.fsencode(path), json.dumps(options, sort_keys=True)),
        )

    def remove_named_after(self, names: Collection[str]) -> None:
        """Delete the paths whose last part has one of these names: of a chat, or of a person."""
        patterns = "|".join(re.escape(name.casefold()) for name in names if len(name.strip()) > 1)
        named = re.compile(rf"(?<!\w)(?:{patterns})(?!\w)") if patterns else None
        for path, _ in self.list_paths():
            if named and named.search(unicodedata.normalize("NFC", Path(path).name).casefold()):
                self._db.rows("delete from sources where path = ?", os.fsencode(path))

    def list_paths(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every path with its options, ordered by path."""
        rows = self._db.rows("select path, options from sources order by path")
        return [(os.fsdecode(path), json.loads(options)) for path, options in rows]

    def set_read_at(self, path: str, moment: float) -> None:
        """Store when a path was last read, in seconds since 1970; an unknown path is no error."""
        self._db.rows(
            "update sources set options = json_set(options, '$.read_at', ?) where path = ?",
            *(moment, os.fsencode(path)),
        )

    def remove(self, path: str) -> None:
        """Forget a path and the state of the files there; sessions stay."""
        self._db.rows("delete from sources where path = ?", os.fsencode(path))
        self._db.rows(
            f"delete from files where {_BELOW}", *(os.fsencode(path), os.fsencode(f"{path}/"))
        )

    def move(self, path: str, new_path: str) -> None:
        """Store the new place of a path and of the files there, so that they are not read again."""
        old, new = os.fsencode(path), os.fsencode(new_path)
        self._db.rows("delete from sources where path = ?", new)
        self._db.rows("update sources set path = ? where path = ?", new, old)
        moved = self._db.rows(
            f"select path from files where {_BELOW}", old, os.fsencode(f"{path}/")
        )
        for (file,) in moved:
            self._db.rows(
                "update or replace files set path = ? where path = ?", new + file[len(old) :], file
            )

    def file_reports(self, path: str) -> list[dict[str, Any]]:
        """Return the results of reading the files at a path, in the form of the importer."""
        rows = self._db.rows(
            f"select reports from files where {_BELOW} order by path",
            *(os.fsencode(path), os.fsencode(f"{path}/")),
        )
        return [report for (reports,) in rows for report in json.loads(reports)]

    def file_state(self, path: str) -> FileState | None:
        """Return the state of a file, or None if it was never read."""
        rows = self._db.rows(
            "select state, head, offset, line, content, reports from files where path = ?",
            os.fsencode(path),
        )
        if not rows:
            return None
        [(state, head, offset, line, content, reports)] = rows
        return FileState(state, head, offset, line, content, json.loads(reports))

    def set_file_state(self, path: str, file: FileState) -> None:
        """Store the state of a file that was read."""
        self._db.rows(
            "insert or replace into files (path, state, head, offset, line, content, reports)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            *(os.fsencode(path), file.state, file.head, file.offset, file.line, file.content),
            json.dumps(file.reports),
        )
