"""Summarizes the results of single questions as the report of `mem bench DATASET`."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Annotated, Literal

from memcli.evaluation.confidence import confidence_interval, sign_flip
from memcli.evaluation.metrics import KS, ranking_metrics
from memcli.evaluation.runner import QuestionResult
from memcli.lazy_dataclasses import dataclass, field

MetricValues = dict[str, float]  # by name of the metric
POOLED_KS = (*KS, 50)  # deeper, where thousands of sessions compete


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds from a question to its ranking."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Against:
    """A stage compared with the stage before it, on the same questions."""

    stage: Annotated[str, "The stage before."]
    difference: MetricValues  # of the means; above 0 the later stage is better
    p: Annotated[MetricValues, "Probability of so large a difference by chance, by metric."]


@dataclass(frozen=True, slots=True)
class MeasuredStage:
    """The quality of a stage's rankings."""

    overall: Annotated[MetricValues, "By metric."]
    by_category: dict[str, MetricValues]
    latency_ms: Percentiles
    # Of the means, with `confidence.CONFIDENCE`.
    interval: Annotated[dict[str, list[float]], "By metric: lower and upper end."]
    against: Against | None = None


@dataclass(frozen=True, slots=True)
class VerdictFigures:
    """The quality of the verdict "nothing relevant", which is the positive class."""

    answerable: int  # questions
    found: int  # answerable questions with the verdict "found"
    unanswerable: int
    nothing: int  # unanswerable questions with the verdict "nothing"
    # In the schema a number, as recorded, although it is null where the verdict was never given.
    precision: Annotated[float | None, ("type", "number")]
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """The figures of a data set."""

    questions: dict[str, int]  # number of measured questions, by category
    without_gold: int  # number of questions left out: nothing that answers them is there
    stages: dict[str, MeasuredStage]
    verdicts: dict[str, dict[str, VerdictFigures]]  # of "abstention" and "strangers", by stage
    answer_scores: MetricValues = field(default_factory=dict)  # means of a chat model's answers

    @property
    def count(self) -> int:
        """The number of measured questions."""
        return sum(self.questions.values())


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """The quality of the stages on a data set."""

    schema: Literal["mem.bench/1"] = field(default="mem.bench/1", init=False)
    dataset: str  # as the person named it
    shape: str
    protocol: str  # "haystack" or "pooled"
    grain: str
    questions: Annotated[int, ("minimum", 0)]
    questions_by_category: dict[str, int]
    without_gold: Annotated[int, ("minimum", 0)]
    models: Annotated[dict[str, str], "By role."]
    stages: dict[str, MeasuredStage]
    verdicts: dict[str, dict[str, VerdictFigures]]
    outcome: Annotated[MetricValues, "Scores of a chat model's answers."] | None = None
    published: (
        Annotated[list[dict[str, str | float | None]], "No longer printed: other systems."] | None
    ) = None


def summarize(results: Sequence[QuestionResult], ks: Sequence[int] = KS) -> DatasetSummary:
    """Compute every figure. Abstentions and strangers count for the verdicts alone."""
    answerable = [one for one in results if not (one.abstention or one.stranger)]
    measured = [one for one in answerable if one.gold]
    categories = sorted({one.category for one in measured})
    unanswerable = {
        "abstention": [one for one in results if one.abstention and not one.stranger],
        "strangers": [one for one in results if one.stranger],
    }
    scores = [one.answer_scores for one in measured if one.answer_scores]
    return DatasetSummary(
        questions={name: sum(one.category == name for one in measured) for name in categories},
        without_gold=len(answerable) - len(measured),
        stages=_measure_stages(measured, ks) if measured else {},
        verdicts={
            kind: verdicts
            for kind, questions in unanswerable.items()
            if (verdicts := _measure_verdicts(measured, questions))
        },
        answer_scores={
            name: fmean(row[name] for row in scores if name in row) for name in _all_names(scores)
        },
    )


def _measure_stages(
    measured: Sequence[QuestionResult], ks: Sequence[int]
) -> dict[str, MeasuredStage]:
    import numpy as np

    stages: dict[str, MeasuredStage] = {}
    before = None
    for name in measured[0].stages:
        rows = [ranking_metrics(one.stages[name].places, one.gold, ks) for one in measured]
        metrics = list(rows[0])
        table = np.array([list(row.values()) for row in rows])
        low, high = (each.tolist() for each in confidence_interval(table))
        times = np.array([one.stages[name].seconds for one in measured])
        p50, p95 = (1000 * np.quantile(times, (0.5, 0.95))).tolist()
        against = None
        if before is not None:
            differences = (table - before).mean(axis=0).tolist()
            chances = sign_flip(table, before).tolist()
            against = Against(
                stage=list(stages)[-1],
                difference=dict(zip(metrics, differences, strict=True)),
                p=dict(zip(metrics, chances, strict=True)),
            )
        stages[name] = MeasuredStage(
            overall=mean_metrics(rows),
            by_category=_means_by_category([one.category for one in measured], rows),
            latency_ms=Percentiles(p50, p95),
            interval={
                metric: [least, most]
                for metric, least, most in zip(metrics, low, high, strict=True)
            },
            against=against,
        )
        before = table
    return stages


def _all_names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Return every name in any of the rows, those of the longest row first."""
    longest_first = sorted(rows, key=len, reverse=True)
    return list(dict.fromkeys(name for row in longest_first for name in row))


def mean_metrics(rows: Sequence[Mapping[str, float]]) -> MetricValues:
    """Return the mean of every metric."""
    return {metric: fmean(row[metric] for row in rows) for metric in rows[0]}


def _means_by_category(
    categories: Sequence[str], rows: Sequence[MetricValues]
) -> dict[str, MetricValues]:
    return {
        name: mean_metrics([row for row, own in zip(rows, categories, strict=True) if own == name])
        for name in sorted(set(categories))
    }


def _measure_verdicts(
    answerable: Sequence[QuestionResult], unanswerable: Sequence[QuestionResult]
) -> dict[str, VerdictFigures]:
    """Return the figures of each stage that gives a verdict."""
    if not (answerable and unanswerable):
        return {}
    return {
        name: verdict_figures(
            answerable=len(answerable),
            found=sum(one.stages[name].found is True for one in answerable),
            unanswerable=len(unanswerable),
            nothing=sum(one.stages[name].found is False for one in unanswerable),
        )
        for name, stage in answerable[0].stages.items()
        if stage.found is not None
    }


def verdict_figures(
    *, answerable: int, found: int, unanswerable: int, nothing: int
) -> VerdictFigures:
    """Compute precision, recall and F1 of the verdict "nothing relevant".

    Precision is the share of questions without an answer among those with the verdict, None where
    it was never given; recall the share of questions with the verdict among those without an
    answer; F1 is 2PR / (P + R).
    """
    given = nothing + answerable - found
    return VerdictFigures(
        answerable=answerable,
        found=found,
        unanswerable=unanswerable,
        nothing=nothing,
        precision=nothing / given if given else None,
        recall=nothing / unanswerable,
        f1=2 * nothing / (given + unanswerable),
    )
