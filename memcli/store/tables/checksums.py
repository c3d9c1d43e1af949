"""Checksums of sessions with their turns, which tell text whose bits have changed on the disk."""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.tables.session_rows import TURN_COLUMNS

SESSION_COLUMNS = "public, title, started_at, ended_at, utc_offset, participants"
_GIVEN = "(select value from json_each(?))"
_SESSIONS_AT_ONCE = 32  # more take longer: their rows leave the processor's cache
_encode = json.JSONEncoder(check_circular=False).encode
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
    return blake2b(_encode(rows).encode() + packed, digest_size=16).hexdigest()


def compute_checksum(database: Database, session: int) -> str:
    """Return the checksum of a stored session.

    Args:
        database: the database.
        session: the number of the session.
    """
    return compute_checksums(database, [session])[session]


def compute_checksums(database: Database, sessions: Sequence[int]) -> dict[int, str]:
    """Return the checksums of stored sessions, by their numbers."""
    statement = f"select session_id, packed from texts where session_id in {_GIVEN}"
    packed: dict[int, bytes] = dict(database.rows(statement, json.dumps(sessions)))
    try:
        rows = _rows(database, sessions, SESSION_COLUMNS, TURN_COLUMNS)
    except StoreError:  # text that is not UTF-8 any more is read as bytes
        as_bytes = _rows(database, sessions, _as_bytes(SESSION_COLUMNS), _as_bytes(TURN_COLUMNS))
        rows = {
            number: [[_to_text(value) for value in row] for row in of_session]
            for number, of_session in as_bytes.items()
        }
    return {number: checksum_of(rows[number], packed.get(number, b"")) for number in sessions}


def _rows(
    database: Database, sessions: Sequence[int], own: str, of_turns: str
) -> dict[int, list[Any]]:
    """Return the values of each session, and then those of its turns in order, by its number."""
    wanted = json.dumps(sessions)
    rows: dict[int, list[Any]] = {number: [] for number in sessions}
    for statement in (
        f"select id, {own} from sessions where id in {_GIVEN}",
        f"select session_id, position, {of_turns} from turns where session_id in {_GIVEN}"
        " order by session_id, position",
    ):
        for number, of_session in groupby(database.rows(statement, wanted), itemgetter(0)):
            rows[number] += [row[1:] for row in of_session]
    return rows


def set_checksum(database: Database, session: int) -> None:
    """Store the checksum of a session."""
    database.rows(
        "update sessions set checksum = ? where id = ?",
        *(compute_checksum(database, session), session),
    )


def sessions_that_differ(database: Database) -> Iterator[str]:
    """Yield the public ids of the sessions that are not as they were written."""
    rows = database.rows(
        "select id, cast(public as blob), checksum from sessions where checksum not null"
        " order by id"
    )
    for start in range(0, len(rows), _SESSIONS_AT_ONCE):
        batch = rows[start : start + _SESSIONS_AT_ONCE]
        found = compute_checksums(database, [number for number, *_ in batch])
        for number, public, checksum in batch:
            if found[number] != checksum:
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
