"""Sessions, memories and readings, with all that another database needs to be the same."""

import json
from collections.abc import Generator

from memcli.domain import (
    Conversation,
    Fact,
    MemoryId,
    MemoryType,
    PortableMemory,
    PortableReading,
    PortableSource,
    PortableTurn,
    ReadingOutcome,
    Revision,
    SessionHistory,
    SessionId,
    Tombstone,
)
from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.times import to_datetime
from memcli.store.tables.sessions import SessionTable
from memcli.store.tables.tombstones import TombstoneTable

_SESSIONS_AT_ONCE = 16  # in memory
_OF_SESSION = "key in (select key from turns where session_id = ?)"
_OF_NO_SESSION = (  # revisions of titles, and of turns that another conversation has now
    "(key is null or not exists (select 1 from turns where turns.conversation_id ="
    " revisions.conversation_id and turns.key = revisions.key))"
)


class StoreExport:
    """The content of the database as `mem export` writes it."""

    def __init__(self, database: Database, sessions: SessionTable) -> None:
        self._db, self._sessions = database, sessions

    def sessions(self, filters: Filters) -> Generator[tuple[SessionId, Conversation], None, None]:
        """Yield the sessions that pass the filters, each as a conversation with its history.

        They are ordered by conversation, then by time, so that the same content has the same order,
        no matter when and in which order it was imported. All are read from one state of the
        database.
        """
        where, values = filters.where()
        with self._db.snapshot():
            rows = self._db.rows(
                "select sessions.id, conversation_id, key, endless, as_of from sessions"
                f" join conversations on conversations.id = conversation_id where {where}"
                " order by source, key, started_at nulls first, ended_at, public",
                *values,
            )
            with_history = self._db.rows(
                "select conversation_id from revisions union select conversation_id from aliases"
            )
            changed = {number for (number,) in with_history}
            previous = None
            for start in range(0, len(rows), _SESSIONS_AT_ONCE):
                batch = rows[start : start + _SESSIONS_AT_ONCE]
                sessions = self._sessions.by_numbers([number for number, *_ in batch])
                for number, conversation, key, endless, as_of in batch:
                    history = SessionHistory()
                    if conversation in changed:
                        first = conversation != previous
                        history = self._history(number, conversation, first=first)
                    previous, session = conversation, sessions[number]
                    yield (
                        session.id,
                        Conversation(
                            source=session.source,
                            key=key,
                            title=session.title,
                            turns=session.turns,
                            endless=bool(endless),
                            updated_at=to_datetime(as_of),
                            history=history,
                        ),
                    )

    def memories(self) -> Generator[tuple[MemoryId, PortableMemory], None, None]:
        """Yield every memory, after the one that it was edited into.

        Apart from that they are ordered by id, and the sources of each by name, so that the same
        content has the same order, no matter in which order it was imported.
        """
        with self._db.snapshot():
            for number, public, edit, *words, tags, accepted in self._db.rows(
                "with recursive edited (id, depth) as (select id, 0 from memories"
                " where edited_into is null union all select memories.id, depth + 1 from memories"
                " join edited on edited_into = edited.id)"
                " select memories.id, public, (select public from memories as edits"
                " where edits.id = memories.edited_into), key, type, value, tags, accepted"
                " from memories join edited using (id) order by depth, public"
            ):
                key, kind, value = words
                try:
                    fact = Fact(key, MemoryType(kind), value, tuple(json.loads(tags)))
                except ValueError as error:  # SQLite can read the row, but memcli never wrote it
                    raise StoreError(f"{self._db.path} is damaged in memory {public}") from error
                sources = tuple(PortableSource(*row) for row in self._sources(number))
                yield MemoryId(public), PortableMemory(fact, sources, bool(accepted), edit)

    def readings(self) -> Generator[PortableReading, None, None]:
        """Yield the readings in the order in which they were made."""
        with self._db.snapshot():
            for number, way, model, outcome, reason, trace in self._db.rows(
                "select id, way, model, outcome, reason, trace from readings order by id"
            ):
                rows = self._db.rows(
                    "select source, conversations.key, read_turns.key, digest, stop from read_turns"
                    " join conversations on conversations.id = conversation_id"
                    " where reading_id = ? order by 1, 2, 3",
                    number,
                )
                memories = self._db.rows(
                    "select memory from reading_memories where reading_id = ? order by 1", number
                )
                try:
                    reading = PortableReading(
                        turns=tuple(PortableTurn(*row) for row in rows),
                        way=way,
                        model=model,
                        outcome=ReadingOutcome(outcome),
                        reason=reason,
                        memories=tuple(MemoryId(memory) for (memory,) in memories),
                        trace=None if trace is None else tuple(json.loads(trace)),
                    )
                except ValueError as error:  # SQLite can read the row, but memcli never wrote it
                    raise StoreError(f"{self._db.path} is damaged in a reading") from error
                yield reading

    def tombstones(self) -> list[Tombstone]:
        """Return the digests of everything that was forgotten."""
        return TombstoneTable(self._db).list_all()

    def count(self, filters: Filters) -> int:
        """Return the number of sessions that pass the filters."""
        where, values = filters.where()
        [(count,)] = self._db.rows(f"select count(*) from sessions where {where}", *values)
        return int(count)

    def _history(self, number: int, conversation: int, *, first: bool) -> SessionHistory:
        revisions = self._revisions(number, conversation, first=first)
        return SessionHistory(revisions, self._aliases(number))

    def _revisions(self, number: int, conversation: int, *, first: bool) -> tuple[Revision, ...]:
        """Return the revisions of a session; its conversation's first one also has the titles."""
        condition = f"({_OF_SESSION} or {_OF_NO_SESSION})" if first else _OF_SESSION
        rows = self._db.rows(
            "select key, text, digest from revisions where conversation_id = ?"
            f" and {condition} order by id",
            *(conversation, number),
        )
        return tuple(Revision(*row) for row in rows)

    def _sources(self, memory: int) -> list[tuple[str, str, str, str]]:
        return self._db.rows(
            "select source, key, turn, by from memory_sources join conversations"
            " on conversations.id = conversation_id where memory_id = ? order by 1, 2, 3",
            memory,
        )

    def _aliases(self, number: int) -> tuple[tuple[SessionId, str], ...]:
        rows = self._db.rows(
            "select public, aliases.key from aliases join turns using (conversation_id, key)"
            " where session_id = ? order by public",
            number,
        )
        return tuple((SessionId(public), key) for public, key in rows)
