"""Keeps results as they come, so that a run that was stopped can go on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from memcli.errors import MemError

MOST_FILES = 20  # the oldest are deleted


class Journal:
    """Records by key, one line of JSON each in a file; without a file, in memory alone.

    A record that was cut off as it was written is dropped, and written anew by the next run.

        with Journal(path) as journal:
            if "17" not in journal:
                journal.keep("17", {"rank": 1})

    Args:
        path: of the file; its folder is made.
        again: delete the records of earlier runs.

    Raises:
        MemError: from any method: the file cannot be read or written.
    """

    def __init__(self, path: Path | None = None, *, again: bool = False) -> None:
        self._records: dict[str, Mapping[str, Any]] = {}
        self._path, self._stream = path, None if path is None else self._open(path, again)

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, key: str) -> Mapping[str, Any]:  # Any: as JSON has it
        return self._records[key]

    def keep(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record; it replaces an earlier one of this key."""
        self._records[key] = record
        if self._stream:
            line = json.dumps([key, record], separators=(",", ":")).encode() + b"\n"
            try:
                self._stream.write(line)  # The stream is unbuffered: records survive this process.
            except OSError as error:
                raise self._storage_error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream:
            self._stream.close()

    def _open(self, path: Path, again: bool) -> BinaryIO:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "ab+", 0)
            stream.seek(0)
            stream.truncate(0 if again else self._read(stream.read()))
            _delete_oldest(path.parent)
        except OSError as error:
            self._path = path
            raise self._storage_error(error) from error
        return stream

    def _read(self, raw: bytes) -> int:
        """Read the records; return the number of bytes of the whole ones."""
        whole = 0
        for line in raw.splitlines(keepends=True):
            try:
                key, record = json.loads(line)
            except (ValueError, TypeError):
                return whole
            if not (isinstance(record, dict) and line.endswith(b"\n")):
                return whole
            self._records[str(key)] = record
            whole += len(line)
        return whole

    def _storage_error(self, error: OSError) -> MemError:
        return MemError(f"results cannot be kept in {self._path}: {error.strerror}")


def _delete_oldest(folder: Path) -> None:
    newest = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest[MOST_FILES:]:
        path.unlink(missing_ok=True)
