"""What was read for memories: which turns, by whom, what came of it and why."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from memcli.domain import YOU, KeptReading, MemoryId, Outcome, SessionId
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters

# As `Turn.searched` has it, but for rarer kinds of blanks.
_SEARCHED = (
    "active and (included or kind in ('text', 'media'))"
    " and trim(text, char(9, 10, 11, 12, 13, 32, 160)) != ''"
)
# A turn that has changed since is not read. The condition says whose readings count.
_MARKS = (
    "select max(stop) from read_turns join readings on readings.id = reading_id"
    " where read_turns.conversation_id = turns.conversation_id and read_turns.key = turns.key"
    " and digest = digest(turns.text) and {}"
)

_OF = "session_id = (select id from sessions where public = ?)"


@dataclass(frozen=True, slots=True)
class Reading:
    """One segment as it was read."""

    way: str  # digest of the reader and of how it is asked
    model: str  # name of the reader
    outcome: Outcome
    reason: str  # as the reader put it; of a failure, the error
    turns: tuple[tuple[str, int], ...]  # key; how many characters of it are read by now
    memories: tuple[MemoryId, ...] = ()  # that it added, or found to be there
    trace: list[dict[str, Any]] | None = None  # thoughts, calls and results; None if not kept


@dataclass(frozen=True, slots=True)
class Unread:
    """A session in which something was not read."""

    session: SessionId
    characters: int


class Reads:
    """Readings by the turns they were of, so that they outlive a session that is cut anew."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def unread(self, filters: Filters, *, way: str | None) -> list[Unread]:
        """Return the sessions in which something is not settled, earliest first.

        Args:
            filters: which sessions count.
            way: whose readings count, if they did not fail; None counts all.
        """
        where, values = filters.where()
        settled, by = _settled(way)
        rows = self._db.rows(
            "select public, sum(length(text) - coalesce("
            f"({_MARKS.format(settled)}), 0)) as unread from sessions"
            f" join turns on session_id = sessions.id where {where} and {_SEARCHED}"
            " and turns.conversation_id not in (select id from conversations where source = ?)"
            " group by sessions.id having unread > 0"
            " order by started_at is null, started_at, public",
            *(*by, *values, YOU),  # what the person wrote as a memory is one
        )
        return [Unread(SessionId(public), characters) for public, characters in rows]

    def settled(self, session: SessionId, *, way: str | None) -> dict[str, int]:
        """Return how many characters of a session's turns are settled, by key; see `unread`."""
        return self._stops(session, *_settled(way))

    def buffered(self, session: SessionId, *, way: str) -> dict[str, int]:
        """Return how many characters of a session's turns were buffered, if only for a while."""
        return self._stops(session, "way = ? and outcome = 'buffered'", [way])

    def keep(self, session: SessionId, reading: Reading) -> None:
        """Keep that a segment of a session was read."""
        at = self._add(
            reading.way, reading.model, reading.outcome.value, reading.reason, reading.trace
        )
        self._db.many(
            "insert into read_turns (reading_id, conversation_id, key, digest, stop)"
            " select ?, conversation_id, key, digest(text), ? from turns"
            f" where {_OF} and key = ?",
            [(at, stop, session, key) for key, stop in reading.turns],
        )
        self._db.many(
            "insert or ignore into reading_memories (reading_id, memory) values (?, ?)",
            [(at, memory) for memory in reading.memories],
        )

    def restore(self, kept: KeptReading) -> None:
        """Keep what another database had read, unless it is known, or not all of it is here."""
        turns = json.dumps([astuple(turn) for turn in kept.turns])
        rows = self._db.rows(
            "select conversation_id, turns.key, each.value ->> 3, each.value ->> 4"
            " from json_each(?) as each join conversations on source = each.value ->> 0"
            " and conversations.key = each.value ->> 1 join turns"
            " on conversation_id = conversations.id and turns.key = each.value ->> 2",
            turns,
        )
        if not rows or len(rows) < len(kept.turns) or self._knows(kept, rows):
            return
        at = self._add(kept.way, kept.model, kept.outcome, kept.reason, kept.trace)
        self._db.many(
            "insert into read_turns (reading_id, conversation_id, key, digest, stop)"
            " values (?, ?, ?, ?, ?)",
            [(at, *row) for row in rows],
        )
        self._db.many(
            "insert or ignore into reading_memories (reading_id, memory)"
            " select ?, public from memories where public = ?",
            [(at, memory) for memory in kept.memories],
        )

    def _knows(self, kept: KeptReading, turns: Sequence[Sequence[object]]) -> bool:
        """Return whether these turns were read in this way, with this outcome."""
        rows = self._db.rows(
            "select 1 from readings where way = ? and outcome = ? and not exists (select 1"
            " from json_each(?) as each where not exists (select 1 from read_turns"
            " where reading_id = readings.id and conversation_id = each.value ->> 0"
            " and key = each.value ->> 1 and digest = each.value ->> 2"
            " and stop = each.value ->> 3)) limit 1",
            *(kept.way, kept.outcome, json.dumps(list(turns))),
        )
        return bool(rows)

    def _add(
        self, way: str, model: str, outcome: str, reason: str, trace: Sequence[object] | None
    ) -> int:
        [(at,)] = self._db.rows(
            "insert into readings (way, model, outcome, reason, trace) values (?, ?, ?, ?, ?)"
            " returning id",
            *(way, model, outcome, reason),
            None if trace is None else json.dumps(trace, ensure_ascii=False),
        )
        return int(at)

    def move(self, conversation: int, turns: Iterable[str], to: int) -> None:
        """Let what was read of turns follow them into another conversation."""
        self._db.rows(
            "update read_turns set conversation_id = ?"
            " where conversation_id = ? and key in (select value from json_each(?))",
            *(to, conversation, json.dumps(list(turns))),
        )

    def behind(self, memory: MemoryId) -> list[Reading]:
        """Return the readings that a memory came from, the first one first."""
        rows = self._db.rows(
            "select id, way, model, outcome, reason, trace from readings"
            " join reading_memories on reading_id = id where memory = ? order by id",
            memory,
        )
        return [self._reading(*row) for row in rows]

    def _reading(self, at: int, way: str, model: str, outcome: str, *words: Any) -> Reading:
        reason, trace = words
        turns = self._db.rows("select key, stop from read_turns where reading_id = ?", at)
        added = self._db.rows("select memory from reading_memories where reading_id = ?", at)
        return Reading(
            way,
            model,
            Outcome(outcome),
            reason,
            tuple((key, stop) for key, stop in turns),
            tuple(MemoryId(memory) for (memory,) in added),
            None if trace is None else json.loads(trace),
        )

    def _stops(
        self, session: SessionId, condition: str, values: Sequence[object]
    ) -> dict[str, int]:
        rows = self._db.rows(
            f"select key, ({_MARKS.format(condition)}) as stop from turns"
            f" where {_OF} and stop is not null",
            *(*values, session),
        )
        return dict(rows)


def _settled(way: str | None) -> tuple[str, list[object]]:
    """Return the condition on readings that settle what they are of, and its values."""
    if way is None:
        return "outcome != 'buffered'", []
    return "way = ? and outcome in ('added', 'ignored')", [way]
