"""The meaning of a server's scores, told by its scores of pairs whose answers are known.

Servers send probabilities (vLLM, TEI, SGLang), logits (llama-server for cross-encoders), or the
sigmoid of a probability (a binding that applies it twice). No single reply tells them apart, for
logits may lie between 0 and 1, too; known pairs do.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

from memcli.backends.yes_no import sigmoid
from memcli.catalog.manifest import ReferenceRanking
from memcli.lazy_dataclasses import dataclass

ScoreScale: TypeAlias = Literal["probability", "logit", "double sigmoid"]
SCALES: tuple[ScoreScale, ...] = get_args(ScoreScale)
FaultKind: TypeAlias = Literal["constant", "swapped", "uncalibrated", "relative"]

LOGIT_TOLERANCE = 1.0  # of published scores: the server's quantization is unknown
MIN_SPREAD = 0.02  # raw scores nearer than this are one answer to everything
MIN_YES, MAX_NO = 0.5, 0.15  # probabilities of a clear answer, and of a clear non-answer
_LOW, _HIGH = sigmoid(0), sigmoid(1)  # the range of a sigmoid of a probability
_ROUNDING = 2e-3


@dataclass(frozen=True, slots=True)
class ScaleFinding:
    """The best explanation of scores, and its faults."""

    scale: ScoreScale
    loss: float  # mean of -log of the probability of the right answer; 0 is best
    fault: FaultKind | None  # None if the scores are right
    facts: tuple[str, ...]  # one line a pair
    probabilities: tuple[float, ...] = ()  # of all passages, in their order
    wrong: tuple[str, ...] = ()  # questions whose passages it does not tell apart
    wrong_facts: tuple[str, ...] = ()  # those of `facts` that are about them


def to_probability(score: float, scale: ScoreScale) -> float:
    """Return the probability that a score stands for, in [0, 1].

    Raises:
        ValueError: a score of this scale cannot have this value.
    """
    if scale == "logit":
        return sigmoid(score)
    if scale == "double sigmoid":
        if not _LOW - _ROUNDING <= score <= _HIGH + _ROUNDING:
            raise ValueError(score)
        score = math.log(score / (1 - score))
    elif not -_ROUNDING <= score <= 1 + _ROUNDING:
        raise ValueError(score)
    return min(max(score, 0.0), 1.0)


def find_scale(
    rankings: Sequence[ReferenceRanking], scores: Sequence[Sequence[float]], *, required: int
) -> ScaleFinding:
    """Return the scale under which the scores are right, or the likeliest one with its fault.

    Args:
        rankings: questions with their passages, best first.
        scores: raw scores of the passages of each.
        required: the first rankings, which must be right; of the others at least one must be, if
            there are any.
    """
    findings = []
    for scale in SCALES:
        try:
            probabilities = [[to_probability(one, scale) for one in each] for each in scores]
        except ValueError:
            continue
        findings.append(_examine(rankings, scores, probabilities, scale, required))
    right = [one for one in findings if not one.fault]
    return min(right, key=lambda one: one.loss) if right else findings[0]


def _examine(
    rankings: Sequence[ReferenceRanking],
    scores: Sequence[Sequence[float]],
    probabilities: Sequence[Sequence[float]],
    scale: ScoreScale,
    required: int,
) -> ScaleFinding:
    right = [_is_right(*one) for one in zip(rankings, probabilities, strict=True)]
    others = right[required:]
    passes = all(right[:required]) and (any(others) or not others)
    facts = [_facts(*one) for one in zip(rankings, scores, probabilities, strict=True)]
    wrong = [place for place, is_right in enumerate(right) if not is_right]
    return ScaleFinding(
        scale,
        _mean_loss(probabilities),
        None if passes else _fault_kind(scores),
        tuple(fact for each in facts for fact in each),
        tuple(one for each in probabilities for one in each),
        tuple(rankings[place].question for place in wrong),
        tuple(fact for place in wrong for fact in facts[place]),
    )


def _is_right(ranking: ReferenceRanking, probabilities: Sequence[float]) -> bool:
    if not all(better > worse for better, worse in pairwise(probabilities)):
        return False
    if ranking.scores:
        return all(
            abs(_logit(actual) - expected) <= LOGIT_TOLERANCE
            for actual, expected in zip(probabilities, ranking.scores, strict=True)
        )
    yes, no = probabilities[0], probabilities[-1]
    return yes >= MIN_YES and no <= MAX_NO and yes - no >= ranking.min_gap


def _fault_kind(scores: Sequence[Sequence[float]]) -> FaultKind:
    every = [score for each in scores for score in each]
    if max(every) - min(every) < MIN_SPREAD:
        return "constant"
    swapped = sum(each[0] < each[-1] for each in scores)
    return "swapped" if 2 * swapped > len(scores) else "uncalibrated"


def _mean_loss(probabilities: Sequence[Sequence[float]]) -> float:
    losses = [
        -math.log(max(right, 1e-9)) for each in probabilities for right in (each[0], 1 - each[-1])
    ]
    return math.fsum(losses) / len(losses)


def _facts(
    ranking: ReferenceRanking, scores: Sequence[float], probabilities: Sequence[float]
) -> list[str]:
    facts = []
    published = ranking.scores or [None] * len(scores)
    for passage, score, probability, expected in zip(
        ranking.passages, scores, probabilities, published, strict=True
    ):
        fact = f'"{ranking.question}" / "{passage}": score {score:.4g}, p(yes) {probability:.3f}'
        if expected is not None:
            fact += f", yes - no {_logit(probability):.2f}, published {expected:.2f}"
        facts.append(fact)
    return facts


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(clipped / (1 - clipped))
