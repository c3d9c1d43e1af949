"""Which of several memories about one key is current: by when they were said, never when read."""

from collections.abc import Sequence
from dataclasses import dataclass

from memcli.domain import MemoryId


@dataclass(frozen=True, slots=True)
class Claim:
    """What decides between memories about one key."""

    id: MemoryId
    value: str  # as values are compared
    said_at: int | None  # UTC, ms
    accepted: bool  # by the person, or theirs
    trusted: bool  # accepted, or its sources have all that it says
    yours: bool  # the person's own
    edited_into: MemoryId | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of one of them."""

    superseded_by: MemoryId | None = None
    conflicts: tuple[MemoryId, ...] = ()


def standings(claims: Sequence[Claim]) -> dict[MemoryId, Standing]:
    """Decide between memories about one key; the order they are given in plays no part.

    What the person edited is superseded by the edit. Else a memory is superseded by the first
    that was said after it, if that is trusted; the person's own only by one they accepted. What
    is current and trusted conflicts with whatever else is, and says something else.
    """
    after = {one.id: one.edited_into or _successor(one, claims) for one in claims}
    current = sorted(
        (one for one in claims if after[one.id] is None and one.trusted), key=lambda one: one.id
    )
    return {
        one.id: Standing(
            after[one.id],
            tuple(other.id for other in current if other.value != one.value)
            if one in current
            else (),
        )
        for one in claims
    }


def _successor(one: Claim, claims: Sequence[Claim]) -> MemoryId | None:
    later = [
        (other.said_at, other.id)
        for other in claims
        if one.said_at is not None
        and other.said_at is not None
        and other.said_at > one.said_at
        and other.trusted
        and (other.accepted or not one.yours)
    ]
    return min(later)[1] if later else None
