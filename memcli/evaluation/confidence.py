"""Confidence intervals of means and tests of their differences, by resampling from a fixed seed."""

from itertools import product
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MetricTable: TypeAlias = "NDArray[np.float64]"  # shape (questions, metrics)
MetricRow: TypeAlias = "NDArray[np.float64]"  # shape (metrics,)

RESAMPLES = 2_000
FLIPS = 10_000
EXACT = 12  # most questions that differ for which every flip is tried: 4,096 ways
CONFIDENCE = 0.95
_BATCH_NUMBERS = 1_000_000  # random numbers drawn at once: 8 MB
_ROUNDING = 1e-12  # difference of two sums of the same numbers in another order


def confidence_interval(table: MetricTable) -> tuple[MetricRow, MetricRow]:
    """Return lower and upper bounds of the mean of each metric, with CONFIDENCE.

    Questions are drawn anew, as many as there are, RESAMPLES times; the bounds are percentiles
    of the means. Questions of one conversation are drawn apart, so the bounds are of these
    conversations, not of people's in general; where all questions score alike there is no width,
    though the next one may differ.

    Args:
        table: at least one question.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    import numpy as np

    questions = len(table)
    draws = np.random.default_rng(0)
    even = np.full(questions, 1 / questions)
    means = np.concatenate(
        [
            draws.multinomial(questions, even, size) @ table / questions
            for size in _batch_sizes(RESAMPLES, questions)
        ]
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (tail, 1 - tail), axis=0)
    return low, high


def sign_flip(table: MetricTable, before: MetricTable) -> MetricRow:
    """Return the probability p of so large a difference of means by chance, for each metric.

    Two-sided. Were there no difference, each question's could as well have the other sign; p is
    the share of ways to set the signs that give a mean as far from 0. All ways are tried where
    few questions differ in any metric, else FLIPS random ones, the one that happened counted in.

    Args:
        table: of the one, a row a question.
        before: of the other, the same questions in the same order.

    Source:
        Smucker, Allan and Carterette, CIKM 2007: Fisher's randomization test.
    """
    import numpy as np

    differences = table - before
    differences = differences[np.any(differences != 0, axis=1)]
    found = np.abs(differences.sum(axis=0)) - _ROUNDING
    if len(differences) <= EXACT:
        signs = np.array(list(product((-1, 1), repeat=len(differences))), dtype=float)
        sums = signs.reshape(2 ** len(differences), len(differences)) @ differences
        return np.asarray((np.abs(sums) >= found).mean(axis=0), dtype=np.float64)
    draws = np.random.default_rng(0)
    as_far = np.ones(table.shape[1])
    for size in _batch_sizes(FLIPS, len(differences)):
        signs = draws.integers(0, 2, size=(size, len(differences))) * 2.0 - 1.0
        as_far += (np.abs(signs @ differences) >= found).sum(axis=0)
    return as_far / (1 + FLIPS)


def _batch_sizes(rounds: int, width: int) -> list[int]:
    """Cut rounds of so many numbers each into batches that fit the memory."""
    size = max(1, _BATCH_NUMBERS // max(width, 1))
    full, rest = divmod(rounds, size)
    return [size] * full + ([rest] if rest else [])
