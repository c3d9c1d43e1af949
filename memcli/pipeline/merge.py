"""What is known of a conversation, and what another export says: made one.

Everything here is a function of the messages alone, never of where a file or a batch ends, so that
exports which overlap, in any order, end in the same sessions.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from memcli.domain import Kind, Session, SessionId, Turn, fingerprint

QUIET = timedelta(hours=6)  # ends a session of an endless chat
LONGEST = 200  # turns of such a session


@dataclass(frozen=True, slots=True)
class Merged:
    """A conversation's turns, and what happened to them."""

    turns: tuple[Turn, ...]
    new: int
    changed: int
    unchanged: int
    replaced: tuple[Turn, ...]  # turns that say something else now, as they were


def merge(
    stored: Sequence[Turn], incoming: Sequence[Turn], revisions: Collection[str] = ()
) -> Merged:
    """Join the stored turns of a conversation with those of an export, by their keys.

    An incoming turn takes the place of the stored one, but an empty text never replaces words,
    and what is known as an older revision never replaces the newer one; nor does an export that
    ends before what is stored say which branch was kept. A stored turn that the export does not
    have stays. What nobody said, such as service notices and calls, is kept but
    not counted.

    Args:
        stored: what is known, in order.
        incoming: what the export has, in order; of turns with the same key the first counts.
        revisions: `revision` of everything the stored turns were before.
    """
    known = {turn.key: turn for turn in stored}
    outdated = _outdated(stored, incoming)
    taken: dict[str, Turn] = {}
    new = changed = unchanged = 0
    replaced: list[Turn] = []
    for turn in incoming:
        if turn.key in taken:
            continue
        before = known.get(turn.key)
        counted = turn.kind not in (Kind.SERVICE, Kind.CALL)
        if before is None:
            new += counted
            taken[turn.key] = turn
            continue
        if (before.text and not turn.text) or revision(turn) in revisions:
            turn = replace(before, active=turn.active, parent=turn.parent)
        if outdated:
            turn = replace(turn, active=before.active)
        taken[turn.key] = turn
        if turn == before:
            unchanged += counted
        else:
            changed += counted
            if revision(turn) != revision(before):
                replaced.append(before)
    return Merged(tuple(_woven(stored, taken)), new, changed, unchanged, tuple(replaced))


def _outdated(stored: Sequence[Turn], incoming: Sequence[Turn]) -> bool:
    """Tell whether everything incoming was said before the last that is stored."""
    last = max((turn.sent_at for turn in stored if turn.sent_at), default=None)
    return last is not None and all(turn.sent_at and turn.sent_at < last for turn in incoming)


def revision(turn: Turn) -> str:
    """Return what stands for what a turn says, who says it and when; not for its branch."""
    at = turn.sent_at.astimezone(UTC).isoformat() if turn.sent_at else ""
    return fingerprint(turn.key, turn.text, turn.speaker, turn.role, turn.kind, at)


def _woven(stored: Sequence[Turn], incoming: dict[str, Turn]) -> list[Turn]:
    """Put two orders together: turns both have stand as they come in, the others by time."""
    places = {turn.key: place for place, turn in enumerate(stored)}
    woven: dict[str, Turn] = {}
    at = 0  # in what is stored: all before it is placed, or comes in later
    for turn in incoming.values():
        place = places.get(turn.key)
        while at < len(stored):
            left = stored[at]
            if place is not None:
                passed = at <= place
            else:
                passed = left.key in woven or (left.key not in incoming and not _later(left, turn))
            if not passed:
                break
            if left.key not in incoming:
                woven[left.key] = left
            at += 1
        woven[turn.key] = turn
    return [*woven.values(), *(left for left in stored[at:] if left.key not in incoming)]


def _later(one: Turn, other: Turn) -> bool:
    """Tell whether one turn was said after another; not, where a time is missing."""
    return bool(one.sent_at and other.sent_at and one.sent_at > other.sent_at)


def sessions_of(
    source: str,
    conversation: str,
    title: str,
    turns: Sequence[Turn],
    *,
    endless: bool,
    known: Sequence[Session] = (),
) -> list[Session]:
    """Cut a conversation into sessions; one that is not endless is one session.

    Args:
        source: of the conversation.
        conversation: its key.
        title: its title.
        turns: all of it, or for an endless chat everything near the turns that changed.
        endless: whether to cut at quiet gaps.
        known: the sessions these turns were in before: where the turn that began one of them is
            in a new session, that keeps the id.
    """
    began = {session.turns[0].key: session.id for session in known if session.turns}
    given: set[SessionId] = set()
    sessions = []
    for stretch in _stretches(turns) if endless else [turns]:
        if not stretch:
            continue
        kept = (began[turn.key] for turn in stretch if turn.key in began)
        number = next((key for key in kept if key not in given), None)
        number = number or _session_id(source, conversation, stretch[0].key, given)
        given.add(number)
        times = [turn.sent_at for turn in stretch if turn.sent_at]
        started, ended = min(times, default=None), max(times, default=None)
        sessions.append(
            Session(number, source, title, tuple(stretch), started, ended, participants(stretch))
        )
    return sessions


def participants(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return who speaks, in the order they first do: names, or roles where nobody has a name."""
    return tuple(
        dict.fromkeys(
            turn.speaker or turn.role.value
            for turn in turns
            if turn.kind.value not in ("service", "call")
        )
    )


def _stretches(turns: Sequence[Turn]) -> list[list[Turn]]:
    stretches: list[list[Turn]] = []
    last: datetime | None = None
    for turn in turns:
        quiet = bool(last and turn.sent_at and turn.sent_at - last > QUIET)
        if not stretches or quiet or len(stretches[-1]) >= LONGEST:
            stretches.append([])
        stretches[-1].append(turn)
        last = turn.sent_at or last
    return stretches


def _session_id(
    source: str, conversation: str, first: str, given: Collection[SessionId]
) -> SessionId:
    """Return the id of the session that begins with this turn, but none that is given already."""
    digest = int(fingerprint(source, conversation, first), 16)
    letters = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: nothing that looks like another
    while True:
        number = SessionId("s_" + "".join(letters[digest >> 5 * at & 31] for at in range(10)))
        if number not in given:
            return number
        digest = int(fingerprint(digest), 16)
