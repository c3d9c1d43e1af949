"""How well a score tells questions that something answers from those that nothing does."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What comes of taking the scores from `least` on for "found"."""

    least: float
    found: float  # share of the questions with an answer that are taken so: recall, in [0, 1]
    stranger: float  # share of those without one that are, too, in [0, 1]
    precision: float  # share with an answer of those taken so; 1 where none is


def verdicts(
    answered: Sequence[float], unanswered: Sequence[float], least: Sequence[float]
) -> list[Verdicts]:
    """Return what each threshold makes of the best scores of questions.

    Args:
        answered: the score of the best session, for questions that a session answers; not empty.
        unanswered: the same for questions of strangers, or that abstain; not empty.
        least: thresholds; a score that equals one counts as found.
    """
    table = []
    for threshold in least:
        right = sum(score >= threshold for score in answered)
        wrong = sum(score >= threshold for score in unanswered)
        precision = right / (right + wrong) if right + wrong else 1.0
        table.append(Verdicts(threshold, right / len(answered), wrong / len(unanswered), precision))
    return table
