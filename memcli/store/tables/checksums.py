"""Checksums of sessions with their turns, which tell text whose bits have changed on the disk."""

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from memcli.store.sqlite.connection import Database
from memcli.store.tables.session_rows import TURN_COLUMNS

_SESSION_COLUMNS = "public, title, started_at, ended_at, utc_offset, participants"
_TEXTS = (
    "public",
    "title",
    "participants",
    "key",
    "role",
    "text",
    "speaker",
    "clock",
    "kind",
    "parent",
)


def compute_checksum(database: Database, session: int) -> str:
    """Return the checksum of a stored session: of its own columns, and of its turns in order.

    Args:
        database: the database.
        session: the number of the session.
    """
    digest = blake2b(digest_size=16)
    rows = database.rows(
        f"select {_as_bytes(_SESSION_COLUMNS)} from sessions where id = ?", session
    )
    turns = f"select position, {_as_bytes(TURN_COLUMNS)} from turns where session_id = ?"
    for row in [*rows, *database.rows(f"{turns} order by position", session)]:
        digest.update(json.dumps([_to_text(value) for value in row]).encode())
    return digest.hexdigest()


def set_checksum(database: Database, session: int) -> None:
    """Store the checksum of a session."""
    database.rows(
        "update sessions set checksum = ? where id = ?",
        *(compute_checksum(database, session), session),
    )


def sessions_that_differ(database: Database) -> Iterator[str]:
    """Yield the public ids of the sessions that are not as they were written."""
    for number, public, checksum in database.rows(
        "select id, cast(public as blob), checksum from sessions where checksum not null"
        " order by id"
    ):
        if compute_checksum(database, number) != checksum:
            yield _to_text(public)


def sessions_without_checksum(database: Database) -> list[int]:
    """Return the numbers of the sessions that an older memcli stored."""
    return [number for (number,) in database.rows("select id from sessions where checksum is null")]


def _as_bytes(columns: str) -> str:
    """Return columns with their texts as bytes, which even damaged text can be read as."""
    names = [name.strip() for name in columns.split(",")]
    return ", ".join(f"cast({name} as blob)" if name in _TEXTS else name for name in names)


def _to_text(value: Any) -> Any:  # Any: as SQLite has it
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
