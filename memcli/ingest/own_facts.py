"""The person's hand on memories: their own facts, their edits, and what they export and import.

What the person says of themselves is said in a turn, too: each fact of theirs is a conversation of
the source "you" with one turn, found, quoted and forgotten like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
from memcli.ingest.import_conversations import Absorber, Tally
from memcli.memories.grounding import lacking
from memcli.memories.remember import Memories, sound
from memcli.protocols import Embedder
from memcli.store import Store, memory_id


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """A source turn as an export has it."""

    session: SessionId
    key: str  # of the turn
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """A memory as an export has it; a fact somebody wrote down needs nothing but itself."""

    fact: Fact
    said_at: datetime | None = None
    by: str = YOU
    accepted: bool = False
    edited_into: MemoryId | None = None
    sources: tuple[RecordedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of records."""

    new: int = 0
    known: int = 0
    forgotten: int = 0  # before, and not taken in again


class OwnFacts:
    """What the person adds to the memories of a store."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._memories = Memories(store, embedder)
        self._absorber = Absorber(store, embedder)

    def add(self, fact: Fact, at: datetime) -> MemoryId:
        """Keep a fact that the person states, as said at a time.

        Raises:
            InputError: it has no key or no value.
        """
        fact = sound(fact)
        with self._store.transaction():
            self._keep_own(fact, _turn(fact, at))
        return memory_id(fact)

    def edit(self, memory: Memory, fact: Fact, at: datetime) -> MemoryId:
        """Keep what the person puts in a memory's place: a new revision, with its sources.

        Raises:
            InputError: it has no key or no value.
        """
        fact = sound(fact)
        with self._store.transaction():
            for session_id in dict.fromkeys(source.session for source in memory.sources):
                keys = [one.key for one in memory.sources if one.session == session_id]
                self._keep(fact, self._store.sessions.get(session_id), keys, by=YOU)
            edit = self.add(fact, at)
            self._store.memories.supersede(memory.id, edit)
        return edit

    def restore(self, records: Sequence[Record], now: datetime) -> Restored:
        """Take in what was exported, or what the person wrote down; all or nothing.

        A memory whose source turns are in the database gets them again. One that has none of
        them here is the person's own from now on.

        Args:
            records: in any order.
            now: when facts without a time are said.

        Raises:
            InputError: one has no key or no value.
        """
        outcomes = []
        with self._store.transaction():
            outcomes = [self._restore(record, now) for record in records]
            for record in records:
                if record.edited_into:
                    public = memory_id(sound(record.fact))
                    self._store.memories.restore_edit(public, record.edited_into)
        return Restored(*(outcomes.count(each) for each in ("new", "known", "forgotten")))

    def _restore(self, record: Record, now: datetime) -> str:
        fact = sound(record.fact)
        public = memory_id(fact)
        known = self._known(public)
        if known and not record.sources and not record.said_at:
            return "known"
        kept = [self._restore_source(fact, source, record.by) for source in record.sources]
        if not any(kept) and (
            False in kept or not self._keep_own(fact, _turn(fact, record.said_at or now))
        ):
            return "forgotten"
        if record.accepted:
            self._store.memories.accept(public)
        return "known" if known else "new"

    def _restore_source(self, fact: Fact, source: RecordedSource, by: str) -> bool | None:
        """Link a fact to its source again; False where that was forgotten, None where not here."""
        if source.session == _own_session(source.key):
            turn = Turn(source.key, Role.USER, source.text, sent_at=source.at)
            return self._keep_own(fact, turn, by=by)
        session = self._session(source.session)
        if session is None or all(turn.key != source.key for turn in session.turns):
            return None
        if self._store.forgetting.memory(memory_id(fact), session.id, [source.key]):
            return False
        self._keep(fact, session, [source.key], by=by)
        return True

    def _keep_own(self, fact: Fact, turn: Turn, *, by: str = YOU) -> bool:
        """Keep a fact that rests on a turn of the person's own; not, where that was forgotten."""
        clock = Clock.EXACT if turn.sent_at else Clock.NONE
        turn = Turn(turn.key, Role.USER, turn.text, sent_at=turn.sent_at, clock=clock)
        if self._session(_own_session(turn.key)) is None:
            self._absorber.take([Conversation(YOU, turn.key, fact.key, (turn,))], Tally())
        session = self._session(_own_session(turn.key))
        if session is None:
            return False
        self._keep(fact, session, [turn.key], by=by)
        return True

    def _keep(self, fact: Fact, session: Session, keys: Sequence[str], *, by: str) -> None:
        sources = {
            turn.key: lacking(fact, turn, session.participants)
            for turn in session.turns
            if turn.key in keys
        }
        self._memories.keep(fact, session, sources, by=by)

    def _known(self, memory: MemoryId) -> bool:
        return bool(self._store.memories.numbers([memory]))

    def _session(self, session: SessionId) -> Session | None:
        """Return the session that had this id once, or None."""
        if len(session) != len(_own_session("")):  # how one begins names it, too
            return None
        try:
            return self._store.sessions.get(session)
        except NotFoundError:
            return None


def _turn(fact: Fact, at: datetime) -> Turn:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return Turn(fingerprint(memory_id(fact), at.isoformat()), Role.USER, fact.value, sent_at=at)


def _own_session(key: str) -> SessionId:
    """Return the id of the session that one of the person's own turns is."""
    return SessionId(public_id("s_", YOU, key, key))
