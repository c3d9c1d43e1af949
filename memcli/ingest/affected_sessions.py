"""Finds the stored sessions that an import may change.

Of a conversation that is not endless these are all; an endless chat has too many, so that only
those around the imported turns are read.
"""

from datetime import datetime

from memcli.domain import Conversation, Session, SessionId
from memcli.ingest.merge import QUIET
from memcli.store import Store


def affected_sessions(store: Store, number: int, conversation: Conversation) -> list[Session]:
    """Return the stored sessions that a conversation may change, earliest first.

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
    began = [*filter(None, times.values()), *(one.started_at for one in known if one.started_at)]
    ended = [*filter(None, times.values()), *(one.ended_at for one in known if one.ended_at)]
    if began:
        known += sessions.overlapping(number, min(began), max(ended))
    affected = {session.id: session for session in known}
    stored = {turn.key: turn.sent_at for one in affected.values() for turn in one.turns}
    if began and any(key not in stored or stored[key] != times[key] for key in times):
        first = min([*began, *(one.started_at for one in known if one.started_at)])
        for before in sessions.neighbours(number, first):
            affected.setdefault(before.id, before)
        extend_to_firm_end(store, number, affected, max(ended), stored.keys() | times.keys())
    return sorted(affected.values(), key=_span)


def sessions_around(store: Store, number: int, keys: list[str]) -> list[Session]:
    """Return the sessions that have turns with these keys, and those cut anew without them."""
    sessions = store.sessions
    affected = {one.id: one for one in sessions.with_turns(number, keys)}
    began = [one.started_at for one in affected.values() if one.started_at]
    ended = [one.ended_at for one in affected.values() if one.ended_at]
    if began and ended:
        for beside in sessions.neighbours(number, min(began)):
            affected.setdefault(beside.id, beside)
        stored = {turn.key for one in affected.values() for turn in one.turns}
        extend_to_firm_end(store, number, affected, max(ended), stored)
    return sorted(affected.values(), key=_span)


def extend_to_firm_end(
    store: Store,
    number: int,
    affected: dict[SessionId, Session],
    ended: datetime,
    keys: set[str],
) -> None:
    """Add the sessions up to the next firm end: a new turn moves the cuts that follow it.

    Args:
        store: the database.
        number: of the conversation.
        affected: the sessions found so far; those that follow are added.
        ended: the end of the last of them.
        keys: of all their turns; a reply to one of them is no firm end. More are added.
    """
    while True:
        ended = max([ended, *(one.ended_at for one in affected.values() if one.ended_at)])
        following = [
            session
            for session in store.sessions.neighbours(number, ended)
            if session.started_at and session.started_at > ended and session.id not in affected
        ]
        if not following:
            return
        [session] = following
        quiet = session.started_at is not None and session.started_at - ended > QUIET
        if quiet and session.turns[0].parent not in keys:
            return
        affected[session.id] = session
        keys |= {turn.key for turn in session.turns}


def _span(session: Session) -> tuple[float, float]:
    began, ended = session.started_at, session.ended_at
    return began.timestamp() if began else 0.0, ended.timestamp() if ended else 0.0
