"""Imports conversations: merges them with the stored ones, cuts, indexes and embeds sessions.

The steps of one conversation, in the order of `ConversationImporter.import_batch`:

1. sanitize it, and leave out forgotten turns;
2. restore it whole, if another database exported it and it is new here;
3. else give turns that several conversations share to one of them (`shared_turns`),
4. find the stored sessions it may change (`recut`), merge their turns with its own
   (`merge`), and replace the sessions that differ (`session_writer`);
5. keep the revisions and former ids that another database exported with it.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from memcli.callbacks import ignore
from memcli.domain import Conversation, Kind, Session, SessionHistory, fingerprint
from memcli.ingest.cutting import CUT_RULE, cut_sessions
from memcli.ingest.import_counts import ImportCounts, ImportTally
from memcli.ingest.merge import merge, turn_digest
from memcli.ingest.recut import Cutter, affected_sessions, cut_again
from memcli.ingest.session_writer import SessionWriter, index_sessions
from memcli.ingest.shared_turns import NEVER, without_copied_turns, without_thread_turns
from memcli.lazy_dataclasses import replace
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.text.sanitize import floor_to_milliseconds, sanitize_conversation


class ConversationImporter:
    """Imports conversations; each batch is one database transaction.

    Args:
        store: the database.
        embedder: makes the vectors; without one nothing is indexed, and nothing is found.
        included: kinds of turns to index although nobody said them.
    """

    def __init__(
        self, store: Store, embedder: Embedder | None, included: Collection[Kind] = frozenset()
    ) -> None:
        self._store, self._embedder, self._included = store, embedder, included
        self._restored: set[int] = set()  # conversations that hold only restored sessions

    @property
    def has_restored(self) -> bool:
        """True if it stored sessions as another database had cut them."""
        return bool(self._restored)

    def import_batch(
        self,
        batch: Iterable[Conversation],
        tally: ImportTally,
        *,
        unique_keys: bool = False,
        threads: bool = False,
        partial: bool = False,
        on_progress: Callable[[float], None] = ignore,
    ) -> None:
        """Store and index conversations, all or none.

        Args:
            batch: as exports have them.
            tally: counts the effects.
            unique_keys: whether their turns' keys are unique in all conversations of the source.
            threads: whether threads of a chat are conversations of their own; see `Format`.
            partial: whether they may lack their beginning or their end.
            on_progress: takes the share of the work that is done, from 0 to 1.
        """
        writer = SessionWriter(self._store, tally)
        with self._store.transaction():
            for raw in batch:
                clean = sanitize_conversation(raw, self._included)
                conversation = without_forgotten(clean, self._store)
                tally.count_parsed(clean, conversation)
                if not conversation.turns:
                    continue
                if not self._restore(conversation, writer):
                    rest: Conversation | None = conversation
                    if threads:
                        rest = without_thread_turns(conversation, self._store, writer)
                    if rest:
                        merge_conversation(
                            rest, self._store, writer, unique_keys=unique_keys, partial=partial
                        )
                if conversation.history:
                    keep_history(conversation, conversation.history, self._store)
            if self._embedder is not None:
                index_sessions(writer.unindexed.items(), self._store, self._embedder, on_progress)

    def _restore(self, conversation: Conversation, writer: SessionWriter) -> bool:
        """Store a session as another database exported it, if its conversation is new here.

        Returns:
            True if it was stored; else it has to be merged with what is known.
        """
        store = self._store
        head = store.conversations.get(conversation.source, conversation.key)
        if conversation.history is None or (head and head.number not in self._restored):
            return False
        keys = [turn.key for turn in conversation.turns]
        sessions = _cutter(conversation, conversation.title)(conversation.turns)
        whole = len(sessions) == 1 and sessions[0].turns == conversation.turns
        if not whole or len(set(keys)) != len(keys):
            return False
        if head and store.conversations.existing_turns(head.number, keys):
            return False
        number = head.number if head else _add_conversation(conversation, store, cut_rule=0)
        if conversation.updated_at:
            store.conversations.set_newest_copy(number, conversation.updated_at)
        self._restored.add(number)
        writer.tally.conversations.add(number)
        writer.tally.turns += ImportCounts(
            new=sum(turn.kind.is_message for turn in conversation.turns)
        )
        writer.replace(number, [], sessions)
        return True


def without_forgotten(conversation: Conversation, store: Store) -> Conversation:
    """Return a conversation without the turns, revisions and former ids that were forgotten."""
    source, key, turns = conversation.source, conversation.key, conversation.turns
    forgetting, past = store.deletion, conversation.history or SessionHistory()
    if forgetting.is_conversation_forgotten(source, key):
        return replace(conversation, turns=())
    keys = [turn.key for turn in turns] + [one.key or "" for one in past.revisions]
    gone = forgetting.forgotten_turns(source, key, keys) | forgetting.forgotten_copies(turns)
    if not gone:
        return conversation
    left = SessionHistory(
        tuple(one for one in past.revisions if one.key not in gone),
        tuple(alias for alias in past.aliases if alias[1] not in gone),
    )
    return replace(
        conversation,
        turns=tuple(turn for turn in turns if turn.key not in gone),
        history=conversation.history and left,
    )


def merge_conversation(
    conversation: Conversation,
    store: Store,
    writer: SessionWriter,
    *,
    unique_keys: bool,
    partial: bool,
) -> None:
    """Merge a conversation with the stored one, and replace the sessions that differ."""
    head = store.conversations.get(conversation.source, conversation.key)
    as_of = _end_of(conversation)
    if unique_keys:
        original = without_copied_turns(conversation, head, as_of, store, writer)
        if original is None:
            return
        conversation = original
    number = head.number if head else _add_conversation(conversation, store)
    stored_as_of = (head.as_of if head else None) or NEVER
    known = affected_sessions(store, number, conversation) if head else []
    newer = conversation.endless or as_of >= stored_as_of
    merged = merge(
        [turn for session in known for turn in session.turns],
        conversation.turns,
        newer=newer,
        whole=bool(known) and not partial and not conversation.endless and as_of != stored_as_of,
        revisions=store.conversations.revision_digests(number) if known else (),
    )
    for turn in merged.replaced:
        store.conversations.add_revision(number, turn_digest(turn), turn.text, turn.key)
    if as_of > stored_as_of:
        store.conversations.set_newest_copy(number, as_of)
    title = _choose_title(number, conversation.title, known, store, newer=newer)
    cut = _cutter(conversation, title)
    sessions = cut(merged.turns)
    if conversation.endless:
        known, sessions = cut_again(store, number, known, sessions, cut)
    writer.attach_turns(number)
    writer.tally.conversations.add(number)
    writer.tally.turns += ImportCounts(merged.new, merged.changed, merged.unchanged)
    writer.replace(number, known, sessions)


def keep_history(conversation: Conversation, past: SessionHistory, store: Store) -> None:
    """Keep the revisions and former ids that another database exported with a session."""
    head = store.conversations.get(conversation.source, conversation.key)
    if head is None:
        return
    for one in past.revisions:
        store.conversations.add_revision(head.number, one.digest, one.text, one.key)
    for alias, key in past.aliases:
        store.sessions.add_alias(head.number, alias, key)


def _choose_title(
    number: int, title: str, known: Sequence[Session], store: Store, *, newer: bool
) -> str:
    """Return the title to show; one that is replaced is kept as a revision."""
    if not known or title == known[0].title:
        return title
    before = known[0].title
    is_older = fingerprint("title", title) in store.conversations.revision_digests(number)
    if before and (not title or not newer or is_older):
        return before
    store.conversations.add_revision(number, fingerprint("title", before), before, None)
    return title


def _add_conversation(conversation: Conversation, store: Store, *, cut_rule: int = CUT_RULE) -> int:
    return store.conversations.add(
        conversation.source, conversation.key, endless=conversation.endless, cut_rule=cut_rule
    ).number


def _cutter(conversation: Conversation, title: str) -> Cutter:
    """Return the function that cuts turns of a conversation into sessions with this title."""
    source, key, endless = conversation.source, conversation.key, conversation.endless
    return functools.partial(cut_sessions, source, key, title, endless=endless)


def _end_of(conversation: Conversation) -> datetime:
    """Return the time at which a copy of a conversation ends."""
    times = [turn.sent_at for turn in conversation.turns if turn.sent_at]
    as_of = conversation.updated_at or max(times, default=NEVER)
    return floor_to_milliseconds(as_of)
