"""Cuts conversations again that older rules cut into sessions, or that an export restored."""

from collections.abc import Iterator

from memcli.domain import Session
from memcli.ingest.cutting import CUT_RULE, cut_sessions
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.index_sessions import index_sessions
from memcli.ingest.session_writer import SessionWriter
from memcli.protocols import Embedder
from memcli.store import ConversationInfo, Store

WINDOW = 100  # sessions that are read at once


def recut_and_index(store: Store, embedder: Embedder | None) -> None:
    """Cut outdated conversations again, each in one transaction, and index their new sessions.

    Args:
        store: the database.
        embedder: makes the vectors; without one nothing is indexed.
    """
    for conversation in store.conversations.cut_before(CUT_RULE):
        with store.transaction():
            writer = SessionWriter(store, ImportTally())
            recut(conversation, store, writer)
            if embedder is not None:
                index_sessions(writer.unindexed.items(), store, embedder)


def recut_all(store: Store) -> None:
    """Cut outdated conversations again; the caller indexes all sessions afterwards."""
    for conversation in store.conversations.cut_before(CUT_RULE):
        recut(conversation, store, SessionWriter(store, ImportTally()))


def recut(conversation: ConversationInfo, store: Store, writer: SessionWriter) -> None:
    """Cut a conversation into sessions by the present rules; former ids stand for the new ones.

    The last session of a window is cut again with the sessions of the next one.
    """
    number = conversation.number
    last: list[Session] = []
    for window in _windows(store.sessions.in_order(number)):
        known = last + [store.sessions.by_number(session) for session in window]
        turns = [turn for session in known for turn in session.turns]
        sessions = cut_sessions(
            conversation.source,
            conversation.key,
            known[-1].title,
            turns,
            endless=conversation.endless,
        )
        writer.replace(number, known, sessions)
        last = sessions[-1:]
    store.conversations.set_cut_rule(number, CUT_RULE)


def _windows(numbers: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(numbers), WINDOW):
        yield numbers[first : first + WINDOW]
