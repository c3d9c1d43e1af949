"""Merges the stored turns of a conversation with those of an export.

Everything here is a function of the messages alone, never of the end of a file or a batch, so that
exports which overlap, in any order, result in the same turns.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from memcli.domain import Turn, fingerprint
from memcli.lazy_dataclasses import dataclass, replace

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The turns of a conversation, and counts of the changes."""

    turns: tuple[Turn, ...]
    new: int
    changed: int
    unchanged: int
    replaced: tuple[Turn, ...]  # turns whose words changed, as they were


def merge(
    stored: Sequence[Turn],
    incoming: Sequence[Turn],
    *,
    newer: bool = True,
    whole: bool = False,
    revisions: Collection[str] = (),
) -> MergeResult:
    """Join the stored turns of a conversation with those of an export, by their keys.

    No stored turn is lost. Of two turns with the same key the later edited one counts,
    else the one in the newer copy; but an empty text never replaces words, and a known older
    revision never replaces the newer one. The newer copy says which branch was kept. Turns that
    nobody said, such as service notices and calls, are kept but not counted.

    Args:
        stored: the stored turns, in order.
        incoming: the turns of the export, in order; of turns with the same key the first counts.
        newer: whether the export is not older than the stored turns.
        whole: whether both hold the conversation from its beginning to their own end, so that
            a turn that the newer one lacks is missing from it.
        revisions: the `turn_digest` of everything the stored turns were before.
    """
    known = {turn.key: turn for turn in stored}
    chosen: dict[str, Turn] = {}
    new = changed = unchanged = 0
    replaced: list[Turn] = []
    for turn in incoming:
        key = turn.key
        if key in chosen:
            continue
        count = turn.kind.is_message
        before = known.get(key)
        if before is None:
            new += count
            chosen[key] = turn
            continue
        turn = _choose_turn(before, turn, newer=newer, revisions=revisions)
        chosen[turn.key] = turn
        if turn == before:
            unchanged += count
        else:
            changed += count
            if turn_digest(turn) != turn_digest(before) and turn.included == before.included:
                replaced.append(before)
    turns = _interleave(stored, chosen)
    if whole:
        turns = _mark_missing(turns, set(chosen) if newer else set(known))
    return MergeResult(tuple(turns), new, changed, unchanged, tuple(replaced))


def _choose_turn(before: Turn, turn: Turn, *, newer: bool, revisions: Collection[str]) -> Turn:
    """Return the words of the turn that counts, at its place in the newer copy."""
    edited, now = before.edited_at or _NEVER, turn.edited_at or _NEVER
    if before.included != turn.included:
        keep_stored = before.included  # the other one may have been cut
    elif bool(before.text) != bool(turn.text):
        keep_stored = bool(before.text)
    elif edited != now:
        keep_stored = edited > now
    else:
        keep_stored = not newer or turn_digest(turn) in revisions
    words, copy = before if keep_stored else turn, turn if newer else before
    return replace(words, active=copy.active, parent=copy.parent, missing=copy.missing)


def _mark_missing(turns: Sequence[Turn], newest: Collection[str]) -> list[Turn]:
    """Mark the turns that the newest copy lacks; they are inactive if it took another branch."""
    continued = {
        turn.parent for turn in turns if turn.key in newest and turn.active and turn.parent
    }
    marked: dict[str, Turn] = {}
    for turn in turns:
        if turn.key not in newest:
            parent = marked.get(turn.parent or "")
            abandoned = turn.parent in continued or (parent is not None and not parent.active)
            turn = replace(turn, missing=True, active=turn.active and not abandoned)
        marked[turn.key] = turn
    return list(marked.values())


def turn_digest(turn: Turn) -> str:
    """Return a digest of a turn's words, speaker and time, but not of its branch."""
    at = turn.sent_at.astimezone(UTC).isoformat() if turn.sent_at else ""
    return fingerprint(turn.key, turn.text, turn.speaker, turn.role, turn.kind, at)


def _interleave(stored: Sequence[Turn], incoming: dict[str, Turn]) -> list[Turn]:
    """Merge two orders: turns in both stand as they come in, the others by time."""
    places = {turn.key: place for place, turn in enumerate(stored)}
    merged: dict[str, Turn] = {}
    at = 0  # an index in `stored`: all turns before it are placed, or come in later
    for turn in incoming.values():
        place = places.get(turn.key)
        while at < len(stored):
            left = stored[at]
            if place is not None:
                passed = at <= place
            else:
                passed = left.key in merged or (
                    left.key not in incoming and not _is_later(left, turn)
                )
            if not passed:
                break
            if left.key not in incoming:
                merged[left.key] = left
            at += 1
        merged[turn.key] = turn
    return [*merged.values(), *(left for left in stored[at:] if left.key not in incoming)]


def _is_later(one: Turn, other: Turn) -> bool:
    """Return whether one turn was said after another; False if a time is missing."""
    return bool(one.sent_at and other.sent_at and one.sent_at > other.sent_at)
