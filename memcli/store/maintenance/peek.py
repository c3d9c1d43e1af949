"""Reads for shell completion: fast, without a trace in the folder, and without errors.

Pressing Tab must not create or migrate a database, wait for it, print an error, or ask for a key:
an encrypted database is read only if a key file has its key.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw

from memcli.errors import MemError
from memcli.store.encryption.connect import READ, connect
from memcli.store.encryption.database_key import DatabaseKey, encrypted_salt, read_file_header
from memcli.store.sqlite.migrations import APPLICATION_ID

MAX_VALUES = 100  # more than anybody reads


def complete_sessions(path: Path, beginning: str) -> list[tuple[str, str]]:
    """Return the ids with a beginning, with the sessions' titles, latest first."""
    return _rows(
        path,
        "select public, title from sessions where public >= ?1 and public < ?1 || '~'"
        " order by started_at desc nulls last limit ?2",
        *(beginning, MAX_VALUES),
    )


def complete_memories(path: Path, beginning: str) -> list[tuple[str, str]]:
    """Return the ids with a beginning, with the memories' values, latest first."""
    return _rows(
        path,
        "select public, value from memories where public >= ?1 and public < ?1 || '~'"
        " order by id desc limit ?2",
        *(beginning, MAX_VALUES),
    )


def list_sources(path: Path) -> list[tuple[str]]:
    """Return the sources of sessions."""
    return _rows(path, "select distinct source from conversations order by source")


def is_memcli_database(path: Path) -> bool:
    """Return whether a file is a database of memcli, by its header; or an encrypted database."""
    header = read_file_header(path)
    plain = header.startswith(b"SQLite format 3\0")
    return encrypted_salt(path) is not None or (
        plain and header[68:72] == APPLICATION_ID.to_bytes(4)
    )


def list_source_paths(path: Path) -> list[tuple[str]]:
    """Return the paths that were imported."""
    return _rows(path, "select cast(path as text) from sources order by path")


def list_speakers(path: Path) -> list[tuple[str]]:
    """Return the names of speakers, those in most sessions first."""
    return _rows(
        path,
        "select value from sessions, json_each(participants) group by value"
        " order by count(*) desc, value limit ?",
        MAX_VALUES,
    )


def _rows(path: Path, sql: str, *values: object) -> list[Any]:  # rows of SQLite
    # If no process has it open, SQLite would create files beside it, unless it is immutable.
    immutable = not Path(f"{path}-wal").exists()
    key: DatabaseKey | None = None
    try:
        if encrypted_salt(path) is not None:
            from memcli.store.encryption.key_sources import find_silent_key

            key = find_silent_key(path)
        with closing(connect(path, READ, key=key, immutable=immutable)) as database:
            return database.execute(sql, values).fetchall()
    except (apsw.Error, MemError, OSError, UnicodeError):
        return []
