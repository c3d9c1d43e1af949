"""Checksums of sessions with their turns, which tell text whose bits have changed on the disk."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any

from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.tables.session_rows import TURN_COLUMNS

SESSION_COLUMNS = "public, title, started_at, ended_at, utc_offset, participants"
_TEXTS = (
    "public",
    "title",
    "participants",
    "key",
    "role",
    "speaker",
    "clock",
    "kind",
    "parent",
)


def checksum_of(rows: Sequence[Sequence[Any]], packed: bytes) -> str:
    """Return the checksum of a session in the form in which it is stored.

    Args:
        rows: its own values, then those of each of its turns in order.
        packed: their texts.
    """
    return blake2b(json.dumps(rows).encode() + packed, digest_size=16).hexdigest()


def compute_checksum(database: Database, session: int) -> str:
    """Return the checksum of a stored session.

    Args:
        database: the database.
        session: the number of the session.
    """
    found = database.rows("select packed from texts where session_id = ?", session)
    packed: bytes = found[0][0] if found else b""
    with suppress(StoreError):
        return checksum_of(_rows(database, session, SESSION_COLUMNS, TURN_COLUMNS), packed)
    # Text that is not UTF-8 any more is read as bytes.
    columns = _as_bytes(SESSION_COLUMNS), _as_bytes(TURN_COLUMNS)
    rows = _rows(database, session, *columns)
    return checksum_of([[_to_text(value) for value in row] for row in rows], packed)


def _rows(database: Database, session: int, own: str, of_turns: str) -> list[Any]:
    return [
        *database.rows(f"select {own} from sessions where id = ?", session),
        *database.rows(
            f"select position, {of_turns} from turns where session_id = ? order by position",
            session,
        ),
    ]


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
