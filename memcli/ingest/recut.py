"""Finds the stored sessions that an import may change, and cuts stored sessions again.

Of a conversation that is not endless these are all; an endless chat has too many, so that only
those around the imported turns are read. Whole conversations are cut again where older rules had
cut them, or where another database's export was restored.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from memcli.domain import Conversation, Session, Turn
from memcli.ingest.cutting import CUT_RULE, cut_sessions
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.session_writer import SessionWriter, index_sessions
from memcli.protocols import Embedder
from memcli.store import ConversationInfo, Store

WINDOW = 100  # sessions that are read at once

Cutter = Callable[[Sequence[Turn]], list[Session]]


def affected_sessions(store: Store, number: int, conversation: Conversation) -> list[Session]:
    """Return the stored sessions that the turns of a conversation may belong to, earliest first.

    Args:
        store: the database.
        number: of the conversation in it.
        conversation: as it is imported.
    """
    sessions = store.sessions
    if not conversation.endless:
        return sessions.overlapping(number, None, None)
    times = {turn.key: turn.sent_at for turn in conversation.turns}
    known = sessions.with_turns(number, list(times))
    began = [*filter(None, times.values()), *_starts(known)]
    ended = [*filter(None, times.values()), *(one.ended_at for one in known if one.ended_at)]
    if began:
        known += sessions.overlapping(number, min(began), max(ended))
    stored = {turn.key: turn.sent_at for one in known for turn in one.turns}
    has_changed = any(key not in stored or stored[key] != times[key] for key in times)
    if (
        began
        and has_changed
        and (before := sessions.before(number, min([*began, *_starts(known)])))
    ):
        known.append(before)
    return _in_order(known)


def sessions_around(store: Store, number: int, keys: Collection[str]) -> list[Session]:
    """Return the sessions that have turns with these keys, and the one before them."""
    known = store.sessions.with_turns(number, list(keys))
    if (starts := _starts(known)) and (before := store.sessions.before(number, min(starts))):
        known.append(before)
    return _in_order(known)


def cut_again(
    store: Store, number: int, known: Sequence[Session], sessions: Sequence[Session], cut: Cutter
) -> tuple[list[Session], list[Session]]:
    """Return sessions of an endless chat, with those that follow and begin elsewhere now.

    Sessions are cut from left to right: if the next stored session still is one when it is cut
    together with the turns before it, all that follow it are unchanged.

    Args:
        store: the database.
        number: of the conversation.
        known: the stored sessions whose turns were cut.
        sessions: the sessions that these turns make now.
        cut: cuts turns into sessions.

    Returns:
        The stored sessions that change, and those that take their place.
    """
    known, sessions = list(known), list(sessions)
    while sessions and (ended := sessions[-1].ended_at):
        following = store.sessions.after(number, ended, [one.id for one in known])
        if following is None:
            break
        last = sessions.pop()
        sessions += cut([*last.turns, *following.turns])
        if sessions[-1].turns == following.turns:
            sessions.pop()
            break
        known.append(following)
    return known, sessions


def _starts(sessions: Sequence[Session]) -> list[datetime]:
    return [session.started_at for session in sessions if session.started_at]


def _in_order(sessions: Sequence[Session]) -> list[Session]:
    """Return each session once, earliest first."""
    return sorted({session.id: session for session in sessions}.values(), key=_span)


def _span(session: Session) -> tuple[float, float]:
    began, ended = session.started_at, session.ended_at
    return began.timestamp() if began else 0.0, ended.timestamp() if ended else 0.0


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
