"""What is kept, whole: sessions with all that another memory needs to be the same."""

import json
from collections.abc import Generator
from datetime import UTC, datetime

from memcli.domain import (
    Conversation,
    Fact,
    Forgotten,
    KeptMemory,
    KeptReading,
    KeptSource,
    KeptTurn,
    MemoryId,
    MemoryType,
    Outcome,
    Past,
    Revision,
    SessionId,
)
from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.tables.sessions import Sessions

_OF_SESSION = "key in (select key from turns where session_id = ?)"
_OF_NONE = (  # titles, and turns that another conversation has now
    "(key is null or not exists (select 1 from turns where turns.conversation_id ="
    " revisions.conversation_id and turns.key = revisions.key))"
)


class Archive:
    """Sessions as `mem export` writes them."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._db, self._sessions = database, sessions

    def sessions(self, filters: Filters) -> Generator[tuple[SessionId, Conversation], None, None]:
        """Yield the sessions that pass, each as a conversation with its past.

        They come by conversation, and within one in order of time: the same memory gives the same
        order, whenever and in whatever order it was filled. All are of one moment.
        """
        where, values = filters.where()
        with self._db.snapshot():
            numbers = self._db.rows(
                "select sessions.id, conversation_id from sessions join conversations"
                f" on conversations.id = conversation_id where {where} order by source, key,"
                " started_at nulls first, ended_at, public",
                *values,
            )
            before = None
            for number, conversation in numbers:
                yield self._kept(number, conversation, first=conversation != before)
                before = conversation

    def memories(self) -> Generator[tuple[MemoryId, KeptMemory], None, None]:
        """Yield every memory; what one was edited into comes before it.

        Where that leaves a choice they come by id, and the sources of one by name: the same
        memory gives the same order, in whatever order it was filled.
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
                except ValueError as error:  # SQLite read it, but nobody wrote it so
                    raise StoreError(f"{self._db.path} is damaged in memory {public}") from error
                sources = tuple(KeptSource(*row) for row in self._sources(number))
                yield MemoryId(public), KeptMemory(fact, sources, bool(accepted), edit)

    def readings(self) -> Generator[KeptReading, None, None]:
        """Yield what readers made of which turns, in the order they did."""
        with self._db.snapshot():
            for number, *words, trace in self._db.rows(
                "select id, way, model, outcome, reason, trace from readings order by id"
            ):
                way, model, outcome, reason = words
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
                    kept = KeptReading(
                        tuple(KeptTurn(*row) for row in rows),
                        *(way, model, Outcome(outcome), reason),
                        tuple(MemoryId(memory) for (memory,) in memories),
                        None if trace is None else tuple(json.loads(trace)),
                    )
                except ValueError as error:  # SQLite read it, but nobody wrote it so
                    raise StoreError(f"{self._db.path} is damaged in a reading") from error
                yield kept

    def forgotten(self) -> list[Forgotten]:
        """Return all that must not come back."""
        rows = self._db.rows("select digest from forgotten order by digest")
        return [Forgotten(digest) for (digest,) in rows]

    def count(self, filters: Filters) -> int:
        """Return how many sessions pass."""
        where, values = filters.where()
        [(count,)] = self._db.rows(f"select count(*) from sessions where {where}", *values)
        return int(count)

    def _kept(
        self, number: int, conversation: int, *, first: bool
    ) -> tuple[SessionId, Conversation]:
        session = self._sessions.by_number(number)
        [(key, endless, as_of)] = self._db.rows(
            "select key, endless, as_of from conversations where id = ?", conversation
        )
        return session.id, Conversation(
            *(session.source, key, session.title, session.turns, bool(endless)),
            updated_at=None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC),
            past=Past(self._revisions(number, conversation, first=first), self._aliases(number)),
        )

    def _revisions(self, number: int, conversation: int, *, first: bool) -> tuple[Revision, ...]:
        """Return what a session said before; the first of a conversation has its titles, too."""
        which = f"({_OF_SESSION} or {_OF_NONE})" if first else _OF_SESSION
        rows = self._db.rows(
            "select key, text, digest from revisions where conversation_id = ?"
            f" and {which} order by id",
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
