"""From what came out for each question to figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from memcli.evaluation.confidence import interval, sign_flip
from memcli.evaluation.metrics import KS, scores
from memcli.evaluation.runner import Outcome

Figures = dict[str, float]  # by name of the metric
POOLED_KS = (*KS, 50)  # deeper, where thousands of sessions compete


@dataclass(frozen=True, slots=True)
class Against:
    """A stage compared with the stage before it, on the same questions."""

    stage: str  # the one before
    difference: Figures  # of the means; more than 0 is better than before
    p: Figures  # how probable so large a difference is by chance


@dataclass(frozen=True, slots=True)
class Stage:
    """How good a stage's rankings are."""

    overall: Figures
    low: Figures  # bounds of the means, with statistics.CONFIDENCE
    high: Figures
    by_category: dict[str, Figures]
    p50: float  # milliseconds from the question to the ranking
    p95: float
    against: Against | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a stage tells questions that nothing answers; "nothing" is the positive class."""

    answerable: int  # questions
    found: int  # of them, so judged
    unanswerable: int
    nothing: int  # of them, so judged

    @property
    def precision(self) -> float | None:
        """Of those it says nothing answers, the share that nothing answers; None without any."""
        said = self.nothing + self.answerable - self.found
        return self.nothing / said if said else None

    @property
    def recall(self) -> float:
        """Of those that nothing answers, the share it says so of."""
        return self.nothing / self.unanswerable

    @property
    def f1(self) -> float:
        """2PR / (P + R) of the two."""
        return 2 * self.nothing / (self.nothing + self.answerable - self.found + self.unanswerable)


@dataclass(frozen=True, slots=True)
class Summary:
    """What came out for a data set."""

    questions: dict[str, int]  # measured, by category
    without_gold: int  # questions left out: nothing that answers them is there
    stages: dict[str, Stage]
    verdicts: dict[str, dict[str, Verdict]]  # of "abstention" and "strangers", by stage
    told: Figures = field(default_factory=dict)  # means of what a chat model's answers scored

    @property
    def count(self) -> int:
        """Return how many questions were measured."""
        return sum(self.questions.values())


def summarise(outcomes: Sequence[Outcome], ks: Sequence[int] = KS) -> Summary:
    """Compute every figure. Abstentions and strangers count for the verdicts alone."""
    answerable = [one for one in outcomes if not (one.abstention or one.stranger)]
    measured = [one for one in answerable if one.gold]
    categories = sorted({one.category for one in measured})
    told = [one.told for one in measured if one.told]
    return Summary(
        {name: sum(one.category == name for one in measured) for name in categories},
        len(answerable) - len(measured),
        _stages(measured, ks) if measured else {},
        {
            name: verdicts
            for name, unanswerable in (
                ("abstention", [one for one in outcomes if one.abstention and not one.stranger]),
                ("strangers", [one for one in outcomes if one.stranger]),
            )
            if (verdicts := _verdicts(measured, unanswerable))
        },
        {name: fmean(one[name] for one in told if name in one) for name in _names(told)},
    )


def _stages(measured: Sequence[Outcome], ks: Sequence[int]) -> dict[str, Stage]:
    import numpy as np

    stages: dict[str, Stage] = {}
    before = None
    for name in measured[0].stages:
        rows = [scores(one.stages[name].places, one.gold, ks) for one in measured]
        metrics = list(rows[0])
        table = np.array([list(row.values()) for row in rows])
        low, high = (dict(zip(metrics, each.tolist(), strict=True)) for each in interval(table))
        times = np.array([one.stages[name].seconds for one in measured])
        p50, p95 = (1000 * np.quantile(times, (0.5, 0.95))).tolist()
        against = None
        if before is not None:
            previous = list(stages)[-1]
            chances = sign_flip(table, before).tolist()
            differences = (table - before).mean(axis=0).tolist()
            against = Against(
                previous,
                dict(zip(metrics, differences, strict=True)),
                dict(zip(metrics, chances, strict=True)),
            )
        by_category = _by_category([one.category for one in measured], rows)
        stages[name] = Stage(means(rows), low, high, by_category, p50, p95, against)
        before = table
    return stages


def _names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Return every name in any of the rows, those of the longest row first."""
    longest_first = sorted(rows, key=len, reverse=True)
    return list(dict.fromkeys(name for row in longest_first for name in row))


def means(rows: Sequence[Mapping[str, float]]) -> Figures:
    """Return the mean of every metric."""
    return {metric: fmean(row[metric] for row in rows) for metric in rows[0]}


def _by_category(categories: Sequence[str], rows: Sequence[Figures]) -> dict[str, Figures]:
    return {
        name: means([row for row, own in zip(rows, categories, strict=True) if own == name])
        for name in sorted(set(categories))
    }


def _verdicts(answerable: Sequence[Outcome], unanswerable: Sequence[Outcome]) -> dict[str, Verdict]:
    """Return the verdict of each stage that gives one."""
    if not (answerable and unanswerable):
        return {}
    return {
        name: Verdict(
            len(answerable),
            sum(one.stages[name].found is True for one in answerable),
            len(unanswerable),
            sum(one.stages[name].found is False for one in unanswerable),
        )
        for name, stage in answerable[0].stages.items()
        if stage.found is not None
    }
