"""The person's own changes to memories: their facts, their edits, and imports of memories.

Each fact that a person states is stored as a conversation of the source "you" with one turn, so
that it is found, quoted and forgotten like any other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from memcli.domain import (
    YOU,
    Clock,
    Conversation,
    Fact,
    Memory,
    MemoryId,
    Role,
    Session,
    SessionId,
    Turn,
    fingerprint,
    public_id,
)
from memcli.errors import NotFoundError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.lazy_dataclasses import dataclass
from memcli.memories.grounding import unsupported_details
from memcli.memories.remember import MemoryWriter, sanitize_fact
from memcli.protocols import Embedder
from memcli.store import Store, memory_id


@dataclass(frozen=True, slots=True)
class ExportedSource:
    """A source turn of an exported memory."""

    session: SessionId
    key: str  # of the turn
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedMemory:
    """A memory of an export; one that a person wrote by hand may have only a fact."""

    fact: Fact
    said_at: datetime | None = None
    by: str = YOU
    accepted: bool = False
    edited_into: MemoryId | None = None
    sources: tuple[ExportedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryImportCounts:
    """Counts of imported memories."""

    new: int = 0
    known: int = 0
    forgotten: int = 0  # forgotten before, and not imported again


class OwnFacts:
    """The person's own changes to the memories of a store."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._memories = MemoryWriter(store, embedder)
        self._importer = ConversationImporter(store, embedder)

    def add(self, fact: Fact, at: datetime) -> MemoryId:
        """Store a fact that the person states, as said at a time.

        Raises:
            InputError: it has no key or no value.
        """
        fact = sanitize_fact(fact)
        with self._store.transaction():
            # A clock that was set back must not let an older fact supersede this one.
            last = self._store.memories.last_stated_at(fact.key)
            if last is not None and last >= at:
                at = last + timedelta(milliseconds=1)
            self._store_own_fact(fact, _own_turn(fact, at))
        return memory_id(fact)

    def edit(self, memory: Memory, fact: Fact, at: datetime) -> MemoryId:
        """Store the person's correction of a memory: a new revision, with its sources.

        Raises:
            InputError: it has no key or no value.
        """
        fact = sanitize_fact(fact)
        with self._store.transaction():
            for session_id in dict.fromkeys(source.session for source in memory.sources):
                keys = [one.key for one in memory.sources if one.session == session_id]
                self._store_fact(fact, self._store.sessions.get(session_id), keys, by=YOU)
            edit = self.add(fact, at)
            self._store.memories.supersede(memory.id, edit)
        return edit

    def import_memories(
        self, memories: Sequence[ExportedMemory], now: datetime
    ) -> MemoryImportCounts:
        """Store memories that were exported, or that the person wrote; all or none.

        A memory whose source turns are in the database gets them again. One that has none of
        them here is the person's own from now on.

        Args:
            memories: in any order.
            now: the time of facts that have none.

        Raises:
            InputError: one has no key or no value.
        """
        with self._store.transaction():
            outcomes = [self._import_memory(memory, now) for memory in memories]
            for memory in memories:
                if memory.edited_into:
                    public = memory_id(sanitize_fact(memory.fact))
                    self._store.memories.restore_edit(public, memory.edited_into)
        return MemoryImportCounts(
            new=outcomes.count("new"),
            known=outcomes.count("known"),
            forgotten=outcomes.count("forgotten"),
        )

    def _import_memory(
        self, memory: ExportedMemory, now: datetime
    ) -> Literal["new", "known", "forgotten"]:
        fact = sanitize_fact(memory.fact)
        public = memory_id(fact)
        known = self._is_known(public)
        if known and not memory.sources and not memory.said_at:
            return "known"
        linked = [self._link_source(fact, source, memory.by) for source in memory.sources]
        if not any(linked) and (
            False in linked
            or not self._store_own_fact(fact, _own_turn(fact, memory.said_at or now))
        ):
            return "forgotten"
        if memory.accepted:
            self._store.memories.accept(public)
        return "known" if known else "new"

    def _link_source(self, fact: Fact, source: ExportedSource, by: str) -> bool | None:
        """Link a fact to its source; return False if that was forgotten, None if it is not here."""
        if source.session == _own_session_id(source.key):
            turn = Turn(source.key, Role.USER, source.text, sent_at=source.at)
            return self._store_own_fact(fact, turn, by=by)
        session = self._find_session(source.session)
        if session is None or all(turn.key != source.key for turn in session.turns):
            return None
        if self._store.deletion.is_memory_forgotten(memory_id(fact), session.id, [source.key]):
            return False
        self._store_fact(fact, session, [source.key], by=by)
        return True

    def _store_own_fact(self, fact: Fact, turn: Turn, *, by: str = YOU) -> bool:
        """Store a fact of the person's own turn; return False if the turn was forgotten."""
        clock = Clock.EXACT if turn.sent_at else Clock.NONE
        turn = Turn(turn.key, Role.USER, turn.text, sent_at=turn.sent_at, clock=clock)
        if self._find_session(_own_session_id(turn.key)) is None:
            conversation = Conversation(YOU, turn.key, fact.key, (turn,))
            self._importer.import_batch([conversation], ImportTally())
        session = self._find_session(_own_session_id(turn.key))
        if session is None:
            return False
        self._store_fact(fact, session, [turn.key], by=by)
        return True

    def _store_fact(self, fact: Fact, session: Session, keys: Sequence[str], *, by: str) -> None:
        sources = {
            turn.key: unsupported_details(fact, turn, session.participants)
            for turn in session.turns
            if turn.key in keys
        }
        self._memories.add(fact, session, sources, by=by)

    def _is_known(self, memory: MemoryId) -> bool:
        return bool(self._store.memories.numbers([memory]))

    def _find_session(self, session: SessionId) -> Session | None:
        """Return the session that has or had this id, or None."""
        if len(session) != len(_own_session_id("")):  # the beginning of an id names a session, too
            return None
        try:
            return self._store.sessions.get(session)
        except NotFoundError:
            return None


def _own_turn(fact: Fact, at: datetime) -> Turn:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return Turn(fingerprint(memory_id(fact), at.isoformat()), Role.USER, fact.value, sent_at=at)


def _own_session_id(key: str) -> SessionId:
    """Return the id of the session that holds one of the person's own turns."""
    return SessionId(public_id("s_", YOU, key, key))
