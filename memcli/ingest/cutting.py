"""Cuts conversations into sessions that one would read as a conversation.

A chat is cut where it is quiet by its own rhythm, but a few messages alone are no conversation:
they are joined with those of the next days, or with the talk before them. All of it is decided from
left to right and anew from the first turn of each session, so that new messages change only the
sessions beside them, and exports that overlap, in any order, result in the same sessions.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median_low

from memcli.domain import Role, Session, SessionId, Turn, participants, public_id
from memcli.lazy_dataclasses import dataclass, field

CUT_RULE = 2  # a number of the rules below; what was cut by a lower one is cut again

QUIET = timedelta(hours=6)  # no shorter gap ends a session
LONGEST_QUIET = timedelta(days=1)  # a longer gap ends a session, however slow the chat is
RHYTHM = 3  # a gap is quiet if it is that many times as long as the middle one of the session
ENOUGH = 8  # messages that are something to read
FEW_DAYS = timedelta(days=3)  # the time within which messages are joined until there are enough
LONGEST = 200  # most turns of a session

_NEVER = datetime.min.replace(tzinfo=UTC)


def cut_sessions(
    source: str, conversation: str, title: str, turns: Sequence[Turn], *, endless: bool
) -> list[Session]:
    """Cut a conversation into sessions.

    One that is not endless is one session, unless it has no times and more than LONGEST turns.

    Args:
        source: of the conversation.
        conversation: its key.
        title: its title.
        turns: all of them, or for an endless chat those near the turns that changed, from the
            beginning of a session.
        endless: whether to cut at quiet gaps.
    """
    sessions = []
    for part in _split(turns, endless=endless):
        times = [turn.sent_at for turn in part if turn.sent_at]
        started, ended = min(times, default=None), max(times, default=None)
        session_id = _session_id(source, conversation, part[0].key)
        sessions.append(
            Session(session_id, source, title, tuple(part), started, ended, participants(part))
        )
    return sessions


def _split(turns: Sequence[Turn], *, endless: bool) -> list[Sequence[Turn]]:
    if not turns:
        return []
    if endless:
        return [part.turns for part in _join_leftovers(_talks(_sort_by_time(turns)))]
    if any(turn.sent_at for turn in turns):
        return [turns]
    return [turns[first : first + LONGEST] for first in range(0, len(turns), LONGEST)]


def _sort_by_time(turns: Sequence[Turn]) -> list[Turn]:
    """Order an endless chat by time, and turns of the same time by number, if they have numbers.

    A turn with neither stays after the one it follows.
    """
    places: list[tuple[datetime, int, str]] = []
    last = _NEVER
    for turn in turns:
        last, key = turn.sent_at or last, turn.key
        places.append((last, len(key), key) if key.isascii() and key.isdigit() else (last, 0, ""))
    return [turns[at] for at in sorted(range(len(turns)), key=places.__getitem__)]


@dataclass(slots=True)
class _Talk:
    """Turns of a chat without a quiet gap, as they are collected."""

    turns: list[Turn] = field(default_factory=list)
    messages: int = 0
    gaps: list[timedelta] = field(default_factory=list)  # between the turns that have times
    started: datetime | None = None
    ended: datetime | None = None
    with_assistant: bool = False  # True if an assistant speaks: each prompt is another matter

    def add(self, turn: Turn) -> None:
        """Append a turn."""
        self.turns.append(turn)
        self.messages += turn.kind.is_message
        self.with_assistant |= turn.role is Role.ASSISTANT
        if turn.sent_at:
            if self.ended:
                self.gaps.append(turn.sent_at - self.ended)
            self.started = self.started or turn.sent_at
            self.ended = turn.sent_at

    @property
    def is_enough(self) -> bool:
        """True if there is something to read."""
        return self.messages >= ENOUGH

    def ends_before(self, turn: Turn) -> bool:
        """Return whether a turn is the first of the next talk."""
        if len(self.turns) >= LONGEST:
            return True
        if not (turn.sent_at and self.started and self.ended):
            return False
        gap = turn.sent_at - self.ended
        if gap <= QUIET or self._is_answered_by(turn):
            return False
        if self.with_assistant or turn.sent_at - self.started > FEW_DAYS:
            return True
        return self.is_enough and gap > self._quiet_gap()

    def _quiet_gap(self) -> timedelta:
        """Return the longest gap that does not end the talk, by its own rhythm."""
        return min(max(QUIET, RHYTHM * median_low(self.gaps)), LONGEST_QUIET)

    def _is_answered_by(self, turn: Turn) -> bool:
        return turn.parent is not None and any(turn.parent == one.key for one in self.turns)

    def is_followed_by(self, leftover: "_Talk") -> bool:
        """Return whether a talk that is too short to be read alone belongs to this one."""
        if not (self.ended and leftover.started and self.is_enough):
            return False
        return (
            not leftover.is_enough
            and not (self.with_assistant or leftover.with_assistant)
            and leftover.started - self.ended <= FEW_DAYS
            and len(self.turns) + len(leftover.turns) <= LONGEST
        )


def _talks(turns: Sequence[Turn]) -> Iterator[_Talk]:
    """Split turns at quiet gaps, unless a reply to a turn before the gap ends it."""
    talk = _Talk()
    for turn in turns:
        if talk.turns and talk.ends_before(turn):
            yield talk
            talk = _Talk()
        talk.add(turn)
    yield talk


def _join_leftovers(talks: Iterator[_Talk]) -> Iterator[_Talk]:
    """Append each talk that is too short to be read alone to the talk before it."""
    last: _Talk | None = None
    for talk in talks:
        if last and last.is_followed_by(talk):
            last.turns += talk.turns
            yield last
            last = None
            continue
        if last:
            yield last
        last = talk
    if last:
        yield last


def _session_id(source: str, conversation: str, first: str) -> SessionId:
    """Return the id of the session that begins with this turn: 50 bits of a digest."""
    return SessionId(public_id("s_", source, conversation, first))
