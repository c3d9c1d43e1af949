"""The decision which of several memories with one key is current.

It depends on the times at which the memories were said, never on when they were read.
"""

from collections.abc import Sequence

from memcli.domain import MemoryId
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """The facts about a memory that decide whether it is the current one of its key."""

    id: MemoryId
    value: str  # normalized, as values are compared
    said_at: int | None  # UTC, ms
    accepted: bool  # True if the person accepted or wrote it
    trusted: bool  # True if it is accepted, or its sources support all of it
    by_user: bool  # True if the person wrote it
    edited_into: MemoryId | None = None


@dataclass(frozen=True, slots=True)
class SupersessionStatus:
    """The memory that supersedes one, and the current memories that contradict it."""

    superseded_by: MemoryId | None = None
    conflicts: tuple[MemoryId, ...] = ()


def decide_supersession(candidates: Sequence[KeyCandidate]) -> dict[MemoryId, SupersessionStatus]:
    """Return the status of each of the memories with one key; their order does not matter.

    A memory that the person edited is superseded by the edit. Any other memory is superseded by
    the first trusted one that was said after it; a memory that the person wrote, only by one that
    they accepted. Memories that are current and trusted conflict if their values differ.
    """
    successors = {one.id: one.edited_into or _successor(one, candidates) for one in candidates}
    current = sorted(
        (one for one in candidates if successors[one.id] is None and one.trusted),
        key=lambda one: one.id,
    )
    return {
        one.id: SupersessionStatus(
            successors[one.id],
            tuple(other.id for other in current if other.value != one.value)
            if one in current
            else (),
        )
        for one in candidates
    }


def _successor(one: KeyCandidate, candidates: Sequence[KeyCandidate]) -> MemoryId | None:
    later = [
        (other.said_at, other.id)
        for other in candidates
        if one.said_at is not None
        and other.said_at is not None
        and other.said_at > one.said_at
        and other.trusted
        and (other.accepted or not one.by_user)
    ]
    return min(later)[1] if later else None
