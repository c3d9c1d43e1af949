"""Readings: which turns a reader model read, with what outcome, and why."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from memcli.domain import (
    YOU,
    MemoryId,
    PortableReading,
    ReadingOutcome,
    SessionId,
    fingerprint,
)
from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.tables.session_rows import SEARCHABLE
from memcli.store.tables.session_texts import load_texts

# How far the text of each turn with a digest was read, by the readings that meet a condition.
_READ_UP_TO = (
    "select session_id, turns.key, position, digest, max(stop) from read_turns"
    " join readings on readings.id = reading_id join turns"
    " on turns.conversation_id = read_turns.conversation_id and turns.key = read_turns.key"
    " where {} group by turns.id, digest"
)

_OF_SESSION = "session_id = (select id from sessions where public = ?)"


@dataclass(frozen=True, slots=True)
class SegmentReading:
    """The reading of one segment."""

    reader_digest: str  # a digest of the reader model and its settings
    model: str  # the name of the reader model
    outcome: ReadingOutcome
    reason: str  # in the words of the reader; the error if it failed
    turns: tuple[tuple[str, int], ...]  # the key of each, and its characters read so far
    memories: tuple[MemoryId, ...] = ()  # memories that it added or found to exist
    trace: list[dict[str, Any]] | None = None  # thoughts, calls, results; None if not kept


@dataclass(frozen=True, slots=True)
class UnreadSession:
    """A session with turns that were not read, or not to their end."""

    session: SessionId
    characters: int  # number of characters that were not read


class ReadingTable:
    """The tables of readings, by turn, so that they survive when a session is cut anew."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def unread_sessions(
        self, filters: Filters, *, reader_digest: str | None
    ) -> list[UnreadSession]:
        """Return the sessions with text that is not settled, earliest first.

        Args:
            filters: which sessions count.
            reader_digest: the reader whose readings settle text, unless they failed. None: those of
                all readers do, even those that failed.
        """
        where, values = filters.where()
        rows = self._db.rows(
            "select sessions.id, public, sum(characters) from sessions"
            f" join turns on session_id = sessions.id where {where} and {SEARCHABLE}"
            " and turns.conversation_id not in (select id from conversations where source = ?)"
            " group by sessions.id order by started_at is null, started_at, public",
            *(*values, YOU),  # the person's own notes are memories already
        )
        condition, condition_values = _settled_condition(reader_digest)
        read = self._characters_read(f"{condition} and {SEARCHABLE}", condition_values)
        unread = (
            UnreadSession(SessionId(public), total - sum(read.get(number, {}).values()))
            for number, public, total in rows
        )
        return [each for each in unread if each.characters > 0]

    def settled_characters(
        self, session: SessionId, *, reader_digest: str | None
    ) -> dict[str, int]:
        """Return how many characters of each turn are settled, by key; see `unread_sessions`."""
        return self._characters_read_of(session, *_settled_condition(reader_digest))

    def buffered_characters(self, session: SessionId, *, reader_digest: str) -> dict[str, int]:
        """Return how many characters of a session's turns were ever buffered, by key."""
        condition = "way = ? and outcome = 'buffered'"
        return self._characters_read_of(session, condition, [reader_digest])

    def add(self, session: SessionId, reading: SegmentReading) -> None:
        """Store the reading of a segment of a session."""
        number = self._add(
            reading.reader_digest,
            reading.model,
            reading.outcome.value,
            reading.reason,
            reading.trace,
        )
        turns = self._db.rows(
            f"select session_id, key, conversation_id, position from turns where {_OF_SESSION}",
            session,
        )
        texts = load_texts(self._db, turns[0][0]) if turns else []
        stops = dict(reading.turns)
        self._db.many(
            "insert into read_turns (reading_id, conversation_id, key, digest, stop)"
            " values (?, ?, ?, ?, ?)",
            [
                (number, conversation, key, fingerprint(texts[position - 1]), stops[key])
                for _, key, conversation, position in turns
                if key in stops
            ],
        )
        self._db.many(
            "insert or ignore into reading_memories (reading_id, memory) values (?, ?)",
            [(number, memory) for memory in reading.memories],
        )

    def restore(self, reading: PortableReading) -> None:
        """Store a reading from another database, unless it is known or a turn of it is missing."""
        from dataclasses import astuple

        turns = json.dumps([astuple(turn) for turn in reading.turns])
        rows = self._db.rows(
            "select conversation_id, turns.key, each.value ->> 3, each.value ->> 4"
            " from json_each(?) as each join conversations on source = each.value ->> 0"
            " and conversations.key = each.value ->> 1 join turns"
            " on conversation_id = conversations.id and turns.key = each.value ->> 2",
            turns,
        )
        if not rows or len(rows) < len(reading.turns) or self._is_known(reading, rows):
            return
        number = self._add(
            reading.way, reading.model, reading.outcome, reading.reason, reading.trace
        )
        self._db.many(
            "insert into read_turns (reading_id, conversation_id, key, digest, stop)"
            " values (?, ?, ?, ?, ?)",
            [(number, *row) for row in rows],
        )
        self._db.many(
            "insert or ignore into reading_memories (reading_id, memory)"
            " select ?, public from memories where public = ?",
            [(number, memory) for memory in reading.memories],
        )

    def _is_known(self, reading: PortableReading, turns: Sequence[Sequence[object]]) -> bool:
        """Return whether a reading of these turns by this reader, with this outcome, is stored."""
        rows = self._db.rows(
            "select 1 from readings where way = ? and outcome = ? and not exists (select 1"
            " from json_each(?) as each where not exists (select 1 from read_turns"
            " where reading_id = readings.id and conversation_id = each.value ->> 0"
            " and key = each.value ->> 1 and digest = each.value ->> 2"
            " and stop = each.value ->> 3)) limit 1",
            *(reading.way, reading.outcome, json.dumps(list(turns))),
        )
        return bool(rows)

    def _add(
        self,
        reader_digest: str,
        model: str,
        outcome: str,
        reason: str,
        trace: Sequence[object] | None,
    ) -> int:
        [(number,)] = self._db.rows(
            "insert into readings (way, model, outcome, reason, trace) values (?, ?, ?, ?, ?)"
            " returning id",
            *(reader_digest, model, outcome, reason),
            None if trace is None else json.dumps(trace, ensure_ascii=False),
        )
        return int(number)

    def move_turns(self, conversation: int, turns: Iterable[str], to: int) -> None:
        """Let the readings of turns follow them into another conversation."""
        self._db.rows(
            "update read_turns set conversation_id = ?"
            " where conversation_id = ? and key in (select value from json_each(?))",
            *(to, conversation, json.dumps(list(turns))),
        )

    def of_memory(self, memory: MemoryId) -> list[SegmentReading]:
        """Return the readings that a memory came from, in the order in which they were made."""
        rows = self._db.rows(
            "select id, way, model, outcome, reason, trace from readings"
            " join reading_memories on reading_id = id where memory = ? order by id",
            memory,
        )
        return [self._reading(row) for row in rows]

    def _reading(self, row: Sequence[Any]) -> SegmentReading:
        number, reader_digest, model, outcome, reason, trace = row
        turns = self._db.rows("select key, stop from read_turns where reading_id = ?", number)
        memories = self._db.rows("select memory from reading_memories where reading_id = ?", number)
        return SegmentReading(
            reader_digest=reader_digest,
            model=model,
            outcome=ReadingOutcome(outcome),
            reason=reason,
            turns=tuple((key, stop) for key, stop in turns),
            memories=tuple(MemoryId(memory) for (memory,) in memories),
            trace=None if trace is None else json.loads(trace),
        )

    def _characters_read_of(
        self, session: SessionId, condition: str, values: Sequence[object]
    ) -> dict[str, int]:
        """Return how many characters of a session were read, by key; see `_characters_read`."""
        read = self._characters_read(f"{condition} and {_OF_SESSION}", [*values, session])
        return next(iter(read.values()), {})

    def _characters_read(
        self, condition: str, values: Sequence[object]
    ) -> dict[int, dict[str, int]]:
        """Return how many characters the readings that meet a condition cover.

        A turn whose text has changed since it was read counts as unread.

        Returns:
            By the number of the session, by the key of the turn.
        """
        read: dict[int, dict[str, int]] = {}
        texts: list[str] = []
        for session, key, position, digest, stop in self._db.rows(
            f"{_READ_UP_TO.format(condition)} order by session_id", *values
        ):
            if session not in read:
                texts = load_texts(self._db, session)
            of_session = read.setdefault(session, {})
            if fingerprint(texts[position - 1]) == digest:
                of_session[key] = max(stop, of_session.get(key, 0))
        return read


def _settled_condition(reader_digest: str | None) -> tuple[str, list[object]]:
    """Return an SQL condition on readings that settle the text they are of, and its values."""
    if reader_digest is None:
        return "outcome != 'buffered'", []
    return "way = ? and outcome in ('added', 'ignored')", [reader_digest]
