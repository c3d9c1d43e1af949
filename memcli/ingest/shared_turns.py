"""Gives each turn to one conversation, where several hold it: copies of chats, and threads."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial

from memcli.domain import Conversation, Turn
from memcli.ingest.cutting import cut_sessions
from memcli.ingest.import_counts import ImportCounts
from memcli.ingest.recut import cut_again, sessions_around
from memcli.ingest.session_writer import SessionWriter
from memcli.lazy_dataclasses import replace
from memcli.store import ConversationInfo, Store

NEVER = datetime.min.replace(tzinfo=UTC)  # stands for a missing time in comparisons


def without_copied_turns(
    conversation: Conversation,
    head: ConversationInfo | None,
    as_of: datetime,
    store: Store,
    writer: SessionWriter,
) -> Conversation | None:
    """Return a conversation without the turns that are copies from another one, if any is left.

    Of conversations that begin alike the one that ended first is the original; the others lose the
    turns that they share with it.

    Args:
        conversation: as it is imported.
        head: what the database has of it; None if it is new.
        as_of: the time it ends.
        store: the database.
        writer: removes turns from conversations that are copies of this one.
    """
    keys = [turn.key for turn in conversation.turns]
    copied: set[str] = set()
    for other in store.conversations.beginning_with(conversation.source, keys):
        if head is not None and other.number == head.number:
            continue
        shared = store.conversations.existing_turns(other.number, keys)
        if (other.as_of or NEVER, other.key) < (as_of, conversation.key):
            copied |= shared
        else:
            _remove_from_copy(other, conversation.source, shared, store, writer)
    return without_turns(conversation, copied)


def without_thread_turns(
    conversation: Conversation, store: Store, writer: SessionWriter
) -> Conversation | None:
    """Return a chat without the turns that began threads, or a thread as it is; None if empty.

    A turn that began the thread is removed from the chat, where an older export had it.
    """
    source, key, turns = conversation.source, conversation.key, conversation.turns
    tally, forgetting = writer.tally, store.deletion
    keys = [turn.key for turn in turns]
    chat, thread, _ = key.rpartition("/")
    if not thread:
        began = store.conversations.thread_starters(source, key, keys)
        tally.turns += ImportCounts(unchanged=_count_messages(turns, began))
        began |= {one for one in keys if forgetting.forgotten_turns(source, f"{key}/{one}", [one])}
        return without_turns(conversation, began)
    head = store.conversations.get(source, chat)
    if head and (shared := store.conversations.existing_turns(head.number, keys)):
        _remove_from_chat(head, source, shared, store, writer)
        known = _count_messages(turns, shared)
        tally.turns += ImportCounts(new=-known, unchanged=known)  # they are new in the thread alone
    return without_turns(conversation, forgetting.forgotten_turns(source, chat, keys))


def without_turns(conversation: Conversation, keys: Collection[str]) -> Conversation | None:
    """Return a conversation without the turns that have these keys; None if none is left."""
    left = tuple(turn for turn in conversation.turns if turn.key not in keys)
    return replace(conversation, turns=left) if left else None


def _remove_from_chat(
    chat: ConversationInfo, source: str, keys: Collection[str], store: Store, writer: SessionWriter
) -> None:
    """Remove turns from an endless chat, and cut the turns around them anew."""
    known = sessions_around(store, chat.number, keys)
    left = [turn for one in known for turn in one.turns if turn.key not in keys]
    cut = partial(cut_sessions, source, chat.key, known[0].title, endless=True)
    known, remaining = cut_again(store, chat.number, known, cut(left), cut)
    writer.remove_turns(chat.number, keys, known, remaining)


def _remove_from_copy(
    copy: ConversationInfo, source: str, keys: Collection[str], store: Store, writer: SessionWriter
) -> None:
    known = store.sessions.overlapping(copy.number, None, None)
    left = [turn for session in known for turn in session.turns if turn.key not in keys]
    title = known[0].title if known else ""
    remaining = cut_sessions(source, copy.key, title, left, endless=False) if known else []
    writer.remove_turns(copy.number, keys, known, remaining)


def _count_messages(turns: Sequence[Turn], keys: Collection[str]) -> int:
    """Return the number of people's and assistants' messages among the turns with these keys."""
    return sum(turn.kind.is_message and turn.key in keys for turn in turns)
