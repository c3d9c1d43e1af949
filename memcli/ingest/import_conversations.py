"""Into the database: what is new in each conversation, cut into sessions, indexed, embedded."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from memcli.domain import Conversation, Kind, Past, Session, SessionId, Turn, fingerprint
from memcli.ingest.index import index
from memcli.ingest.merge import QUIET, merge, revision, sessions_of
from memcli.memories.grounding import reground
from memcli.protocols import Embedder
from memcli.store import Head, Store
from memcli.text.sanitize import sound_conversation, whole_milliseconds

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of something were there, by what became of them."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.skipped + other.skipped,
        )


class Tally:
    """What became of conversations, as they are absorbed."""

    def __init__(self) -> None:
        self.conversations: set[int] = set()
        self.new: set[SessionId] = set()
        self.changed: set[SessionId] = set()
        self.unchanged: set[SessionId] = set()
        self.turns = Counts()

    def sessions(self, skipped: int) -> Counts:
        """Return how many sessions there were; each counts once, for the most that happened."""
        changed = self.changed - self.new
        unchanged = self.unchanged - self.new - changed
        return Counts(len(self.new), len(changed), len(unchanged), skipped)


class Absorber:
    """Takes conversations in, a batch a transaction.

    Args:
        store: where to.
        embedder: makes the vectors; without one nothing is indexed, and nothing is found.
        included: kinds of turns to search although nobody said them.
    """

    def __init__(
        self, store: Store, embedder: Embedder | None, included: Collection[Kind] = frozenset()
    ) -> None:
        self._store, self._embedder, self._included = store, embedder, included
        self._unindexed: dict[int, Session] = {}  # by number: stored in this batch
        self._restored: set[int] = set()  # conversations that hold only what a memory wrote down
        self._given: list[tuple[int, Collection[str]]] = []  # turns of which conversation

    def take(
        self,
        batch: Iterable[Conversation],
        tally: Tally,
        *,
        unique_keys: bool = False,
        threads: bool = False,
        partial: bool = False,
        told: Callable[[float], None] = lambda _share: None,
    ) -> None:
        """Store and index conversations, all or none.

        Args:
            batch: what exports say of them.
            tally: told what became of them.
            unique_keys: their turns' keys tell them apart over all conversations of the source.
            threads: threads of a chat are conversations of their own; see `formats.base.Format`.
            partial: they are not there from their beginning to their end.
            told: how much of it is done, from 0 to 1, while it takes its time.
        """
        self._unindexed.clear()
        with self._store.transaction():
            for conversation in batch:
                sound = self._remembered(sound_conversation(conversation, self._included))
                if not sound.turns:
                    continue
                if not self._restore(sound, tally):
                    left = self._apart(sound, tally) if threads else sound
                    if left:
                        self._absorb(left, tally, unique_keys=unique_keys, partial=partial)
                if sound.past:
                    self._keep_past(sound, sound.past)
            if self._embedder is not None:
                index(self._unindexed.items(), self._store, self._embedder, told)

    def _remembered(self, conversation: Conversation) -> Conversation:
        """Return a conversation without what was forgotten."""
        source, key, turns = conversation.source, conversation.key, conversation.turns
        forgetting, past = self._store.forgetting, conversation.past or Past()
        if forgetting.conversation(source, key):
            return replace(conversation, turns=())
        keys = [turn.key for turn in turns] + [one.key or "" for one in past.revisions]
        gone = forgetting.turns(source, key, keys)
        if not gone:
            return conversation
        left = Past(
            tuple(one for one in past.revisions if one.key not in gone),
            tuple(alias for alias in past.aliases if alias[1] not in gone),
        )
        return replace(
            conversation,
            turns=tuple(turn for turn in turns if turn.key not in gone),
            past=conversation.past and left,
        )

    def _restore(self, kept: Conversation, tally: Tally) -> bool:
        """Store a session as another memory had it, if its conversation is new here.

        Returns:
            Whether it was; else it has to be merged with what is known.
        """
        conversations = self._store.conversations
        head = conversations.get(kept.source, kept.key)
        if kept.past is None or (head and head.number not in self._restored):
            return False
        keys = [turn.key for turn in kept.turns]
        cut = sessions_of(*(kept.source, kept.key, kept.title, kept.turns), endless=kept.endless)
        whole = len(cut) == 1 and cut[0].turns == kept.turns and len(set(keys)) == len(keys)
        if not whole or (head and conversations.held(head.number, keys)):
            return False
        head = head or conversations.add(kept.source, kept.key, endless=kept.endless)
        if kept.updated_at:
            conversations.date(head.number, kept.updated_at)
        self._restored.add(head.number)
        tally.conversations.add(head.number)
        tally.turns += Counts(new=sum(turn.kind.said for turn in kept.turns))
        self._replace(head.number, [], cut, tally)
        return True

    def _keep_past(self, kept: Conversation, past: Past) -> None:
        """Keep what another memory knew of a session, beside what it says now."""
        head = self._store.conversations.get(kept.source, kept.key)
        if head is None:
            return
        for one in past.revisions:
            self._store.conversations.keep_revision(head.number, one.digest, one.text, one.key)
        for alias, key in past.aliases:
            self._store.sessions.rename(head.number, alias, key)

    def _absorb(
        self, conversation: Conversation, tally: Tally, *, unique_keys: bool, partial: bool
    ) -> None:
        conversations = self._store.conversations
        head = conversations.get(conversation.source, conversation.key)
        as_of = _as_of(conversation)
        if unique_keys:
            own = self._own(conversation, head, as_of, tally)
            conversation = replace(conversation, turns=own)
            if not own:
                return
        if head is None:
            endless = conversation.endless
            head = conversations.add(conversation.source, conversation.key, endless=endless)
            known: list[Session] = []
        else:
            known = self._touched(head.number, conversation)
        newer = conversation.endless or as_of >= (head.as_of or _NEVER)
        merged = merge(
            [turn for session in known for turn in session.turns],
            conversation.turns,
            newer=newer,
            whole=bool(known)
            and not partial
            and not conversation.endless
            and as_of != (head.as_of or _NEVER),
            revisions=conversations.revisions(head.number) if known else (),
        )
        for turn in merged.replaced:
            conversations.keep_revision(head.number, revision(turn), turn.text, turn.key)
        if as_of > (head.as_of or _NEVER):
            conversations.date(head.number, as_of)
        title = self._title(head.number, conversation.title, known, newer=newer)
        now = sessions_of(
            *(conversation.source, conversation.key, title, merged.turns),
            endless=conversation.endless,
        )
        for giver, keys in self._given:
            self._store.memory_sources.move(giver, keys, head.number)
            self._store.reads.move(giver, keys, head.number)
            self._store.sessions.move_aliases(giver, keys, head.number)
        self._given.clear()
        tally.conversations.add(head.number)
        tally.turns += Counts(merged.new, merged.changed, merged.unchanged)
        self._replace(head.number, known, now, tally)

    def _title(self, number: int, title: str, known: Sequence[Session], *, newer: bool) -> str:
        """Return the title that counts; one that is replaced is kept as a revision."""
        if not known or title == known[0].title:
            return title
        before, conversations = known[0].title, self._store.conversations
        known_before = fingerprint("title", title) in conversations.revisions(number)
        if before and (not title or not newer or known_before):
            return before
        conversations.keep_revision(number, fingerprint("title", before), before, None)
        return title

    def _own(
        self, conversation: Conversation, head: Head | None, as_of: datetime, tally: Tally
    ) -> tuple[Turn, ...]:
        """Return the turns that are not copies from another conversation.

        Of conversations that begin alike the one that ended first is the original; the others
        give up what they have in common with it.
        """
        conversations = self._store.conversations
        keys = [turn.key for turn in conversation.turns]
        copied: set[str] = set()
        for other in conversations.beginning_with(conversation.source, keys):
            if head is not None and other.number == head.number:
                continue
            shared = conversations.held(other.number, keys)
            if (other.as_of or _NEVER, other.key) < (as_of, conversation.key):
                copied |= shared
            else:
                self._give_up(other, conversation.source, shared, tally)
        return tuple(turn for turn in conversation.turns if turn.key not in copied)

    def _apart(self, conversation: Conversation, tally: Tally) -> Conversation | None:
        """Return a chat without the turns that began threads, or a thread as it is.

        A turn that began the thread is taken from the chat, where an older export had it.
        """
        source, key, turns = conversation.source, conversation.key, conversation.turns
        conversations, forgetting = self._store.conversations, self._store.forgetting
        keys = [turn.key for turn in turns]
        chat, thread, _ = key.rpartition("/")
        if not thread:
            began = conversations.threads(source, key, keys)
            tally.turns += Counts(unchanged=_said(turns, began))
            began |= {one for one in keys if forgetting.turns(source, f"{key}/{one}", [one])}
            return _without(conversation, began)
        head = conversations.get(source, chat)
        if head and (shared := conversations.held(head.number, keys)):
            self._take_out(head, source, shared, tally)
            known = _said(turns, shared)
            tally.turns += Counts(new=-known, unchanged=known)  # new in the thread alone
        return _without(conversation, forgetting.turns(source, chat, keys))

    def _take_out(self, chat: Head, source: str, keys: Collection[str], tally: Tally) -> None:
        """Take turns out of a chat, and cut anew what is left around them."""
        sessions = self._store.sessions
        touched = {one.id: one for one in sessions.holding(chat.number, list(keys))}
        began = [one.started_at for one in touched.values() if one.started_at]
        ended = [one.ended_at for one in touched.values() if one.ended_at]
        if began and ended:
            for beside in sessions.beside(chat.number, min(began)):
                touched.setdefault(beside.id, beside)
            there = {turn.key for one in touched.values() for turn in one.turns}
            self._follow(chat.number, touched, max(ended), there)
        known = sorted(touched.values(), key=_span)
        left = [turn for one in known for turn in one.turns if turn.key not in keys]
        now = sessions_of(source, chat.key, known[0].title, left, endless=True)
        self._given.append((chat.number, keys))
        self._replace(chat.number, known, now, tally)

    def _give_up(self, other: Head, source: str, shared: Collection[str], tally: Tally) -> None:
        known = self._store.sessions.near(other.number, None, None)
        left = [turn for session in known for turn in session.turns if turn.key not in shared]
        now = sessions_of(source, other.key, known[0].title, left, endless=False) if known else []
        self._given.append((other.number, shared))
        self._replace(other.number, known, now, tally)

    def _touched(self, number: int, conversation: Conversation) -> list[Session]:
        """Return the stored sessions that a conversation may change, earliest first."""
        sessions = self._store.sessions
        if not conversation.endless:
            return sessions.near(number, None, None)
        times = {turn.key: turn.sent_at for turn in conversation.turns}
        known = sessions.holding(number, list(times))
        began = [
            *filter(None, times.values()),
            *(one.started_at for one in known if one.started_at),
        ]
        ended = [*filter(None, times.values()), *(one.ended_at for one in known if one.ended_at)]
        if began:
            known += sessions.near(number, min(began), max(ended))
        touched = {session.id: session for session in known}
        stored = {turn.key: turn.sent_at for one in touched.values() for turn in one.turns}
        if began and any(key not in stored or stored[key] != times[key] for key in times):
            first = min([*began, *(one.started_at for one in known if one.started_at)])
            for before in sessions.beside(number, first):
                touched.setdefault(before.id, before)
            self._follow(number, touched, max(ended), stored.keys() | times.keys())
        return sorted(touched.values(), key=_span)

    def _follow(
        self, number: int, touched: dict[SessionId, Session], ended: datetime, keys: set[str]
    ) -> None:
        """Add the sessions up to the next firm end: a new turn moves where they are cut."""
        while True:
            ended = max([ended, *(one.ended_at for one in touched.values() if one.ended_at)])
            following = [
                session
                for session in self._store.sessions.beside(number, ended)
                if session.started_at and session.started_at > ended and session.id not in touched
            ]
            if not following:
                return
            [session] = following
            quiet = session.started_at is not None and session.started_at - ended > QUIET
            if quiet and session.turns[0].parent not in keys:
                return
            touched[session.id] = session
            keys |= {turn.key for turn in session.turns}

    def _replace(
        self, conversation: int, known: Sequence[Session], now: Sequence[Session], tally: Tally
    ) -> None:
        """Put sessions in the place of those known, where they differ."""
        sessions = self._store.sessions
        before = {session.id: session for session in known}
        differing = [session for session in now if before.get(session.id) != session]
        changed = {session.id for session in differing}
        gone = before.keys() - {session.id for session in now}
        for key in [*(changed & before.keys()), *gone]:
            number = sessions.number(key)
            assert number is not None, "it was just read"
            if self._unindexed.pop(number, None) is None:
                self._store.index.remove(number)
            sessions.remove(number)
        for session in differing:
            self._unindexed[sessions.add(conversation, session)] = session
        for key in gone:
            sessions.rename(conversation, key, before[key].turns[0].key)
        for session in differing if known else ():
            reground(session, self._store)
        tally.new |= changed - before.keys()
        tally.new -= gone
        tally.changed |= changed & before.keys()
        tally.changed -= gone
        tally.unchanged |= {session.id for session in now} - changed


def _without(conversation: Conversation, keys: Collection[str]) -> Conversation | None:
    """Return what is left of a conversation without some turns, if anything is."""
    left = tuple(turn for turn in conversation.turns if turn.key not in keys)
    return replace(conversation, turns=left) if left else None


def _said(turns: Sequence[Turn], keys: Collection[str]) -> int:
    """Return how many of the turns with these keys count."""
    return sum(turn.kind.said and turn.key in keys for turn in turns)


def _as_of(conversation: Conversation) -> datetime:
    """Return when a copy of a conversation ends."""
    times = [turn.sent_at for turn in conversation.turns if turn.sent_at]
    as_of = conversation.updated_at or max(times, default=_NEVER)
    return whole_milliseconds(as_of)


def _span(session: Session) -> tuple[float, float]:
    began, ended = session.started_at, session.ended_at
    return began.timestamp() if began else 0.0, ended.timestamp() if ended else 0.0
