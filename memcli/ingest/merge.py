"""What is known of a conversation, and what another export says: made one.

Everything here is a function of the messages alone, never of where a file or a batch ends, so that
exports which overlap, in any order, end in the same sessions.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from memcli.domain import Session, SessionId, Turn, fingerprint, participants, public_id

QUIET = timedelta(hours=6)  # ends a session of an endless chat
LONGEST = 200  # turns of such a session

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merged:
    """A conversation's turns, and what happened to them."""

    turns: tuple[Turn, ...]
    new: int
    changed: int
    unchanged: int
    replaced: tuple[Turn, ...]  # turns that say something else now, as they were


def merge(
    stored: Sequence[Turn],
    incoming: Sequence[Turn],
    *,
    newer: bool = True,
    whole: bool = False,
    revisions: Collection[str] = (),
) -> Merged:
    """Join the stored turns of a conversation with those of an export, by their keys.

    Nothing that is stored is lost. Of two turns with the same key the later edited one counts,
    else the one in the newer copy; but an empty text never replaces words, and what is known as
    an older revision never replaces the newer one. The newer copy says which branch was kept.
    What nobody said, such as service notices and calls, is kept but not counted.

    Args:
        stored: what is known, in order.
        incoming: what the export has, in order; of turns with the same key the first counts.
        newer: whether the export is not older than what is stored.
        whole: whether both hold the conversation from its beginning to their own end, so that
            what the newer one lacks is missing from it.
        revisions: `revision` of everything the stored turns were before.
    """
    known = {turn.key: turn for turn in stored}
    taken: dict[str, Turn] = {}
    new = changed = unchanged = 0
    replaced: list[Turn] = []
    for turn in incoming:
        key = turn.key
        if key in taken:
            continue
        counted = turn.kind.said
        before = known.get(key)
        if before is None:
            new += counted
            taken[key] = turn
            continue
        turn = _chosen(before, turn, newer=newer, revisions=revisions)
        taken[turn.key] = turn
        if turn == before:
            unchanged += counted
        else:
            changed += counted
            if revision(turn) != revision(before) and turn.included == before.included:
                replaced.append(before)
    turns = _woven(stored, taken)
    if whole:
        turns = _without_what_was_dropped(turns, set(taken) if newer else set(known))
    return Merged(tuple(turns), new, changed, unchanged, tuple(replaced))


def _chosen(before: Turn, turn: Turn, *, newer: bool, revisions: Collection[str]) -> Turn:
    """Return the turn that counts: the words of one of the two, and its place in the newer."""
    edited, now = before.edited_at or _NEVER, turn.edited_at or _NEVER
    if before.included != turn.included:
        kept = before.included  # the other one may have been cut
    elif bool(before.text) != bool(turn.text):
        kept = bool(before.text)
    elif edited != now:
        kept = edited > now
    else:
        kept = not newer or revision(turn) in revisions
    words, copy = before if kept else turn, turn if newer else before
    return replace(words, active=copy.active, parent=copy.parent, missing=copy.missing)


def _without_what_was_dropped(turns: Sequence[Turn], newest: Collection[str]) -> list[Turn]:
    """Mark the turns that the newest copy lacks, and leave them where it took another branch."""
    taken = {turn.parent for turn in turns if turn.key in newest and turn.active and turn.parent}
    marked: dict[str, Turn] = {}
    for turn in turns:
        if turn.key not in newest:
            parent = marked.get(turn.parent or "")
            left = turn.parent in taken or (parent is not None and not parent.active)
            turn = replace(turn, missing=True, active=turn.active and not left)
        marked[turn.key] = turn
    return list(marked.values())


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
    source: str, conversation: str, title: str, turns: Sequence[Turn], *, endless: bool
) -> list[Session]:
    """Cut a conversation into sessions; one that is not endless is one session.

    Args:
        source: of the conversation.
        conversation: its key.
        title: its title.
        turns: all of it, or for an endless chat everything near the turns that changed.
        endless: whether to cut at quiet gaps.
    """
    sessions = []
    for stretch in _stretches(_by_time(turns)) if endless else [list(turns)]:
        if not stretch:
            continue
        times = [turn.sent_at for turn in stretch if turn.sent_at]
        started, ended = min(times, default=None), max(times, default=None)
        number = _session_id(source, conversation, stretch[0].key)
        sessions.append(
            Session(number, source, title, tuple(stretch), started, ended, participants(stretch))
        )
    return sessions


def _by_time(turns: Sequence[Turn]) -> list[Turn]:
    """Order an endless chat by time, and what was said at one time by number, if it has numbers.

    What has neither stays after what it follows.
    """
    places: list[tuple[datetime, int, str]] = []
    last = _NEVER
    for turn in turns:
        last, key = turn.sent_at or last, turn.key
        places.append((last, len(key), key) if key.isascii() and key.isdigit() else (last, 0, ""))
    return [turns[at] for at in sorted(range(len(turns)), key=places.__getitem__)]


def _stretches(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Cut after a quiet time, unless it is ended by a reply to what was said before it."""
    stretches: list[list[Turn]] = []
    stretch: list[Turn] = []
    last: datetime | None = None
    for turn in turns:
        quiet = last and turn.sent_at and turn.sent_at - last > QUIET
        if not stretch or len(stretch) >= LONGEST or (quiet and not _answers(turn, stretch)):
            stretch = []
            stretches.append(stretch)
        stretch.append(turn)
        last = turn.sent_at or last
    return stretches


def _answers(turn: Turn, stretch: Sequence[Turn]) -> bool:
    return turn.parent is not None and any(turn.parent == one.key for one in stretch)


def _session_id(source: str, conversation: str, first: str) -> SessionId:
    """Return the id of the session that begins with this turn: 50 bits of a digest."""
    return SessionId(public_id("s_", source, conversation, first))
