"""Arithmetic that makes one score of several."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def scale_by_maximum(scores: Mapping[Key, float]) -> dict[Key, float]:
    """Divide scores >= 0 by the greatest one, so that the best has 1."""
    greatest = max(scores.values(), default=0.0)
    return {key: score / greatest for key, score in scores.items()} if greatest > 0 else {}


def scale_by_range(scores: Mapping[Key, float]) -> dict[Key, float]:
    """Stretch scores so that the worst has 0 and the best 1; a lone score becomes 1."""
    if not scores:
        return {}
    least, greatest = min(scores.values()), max(scores.values())
    width = greatest - least
    return {key: (score - least) / width if width else 1.0 for key, score in scores.items()}


def weighted_sum(parts: Sequence[tuple[float, Mapping[Key, float]]]) -> dict[Key, float]:
    """Add scores in [0, 1] by weight; a key that a part lacks gets 0 from that part.

    Args:
        parts: weights, each with the scores that it applies to.

    Returns:
        Scores in [0, 1]; a key that is best in every part has 1.
    """
    total = sum(weight for weight, _ in parts)
    fused: dict[Key, float] = {}
    for weight, scores in parts:
        for key, score in scores.items():
            fused[key] = fused.get(key, 0.0) + weight * score / total
    return fused
