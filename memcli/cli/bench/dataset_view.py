"""The tables of `mem bench DATASET`."""

from collections.abc import Mapping, Sequence

from memcli.cli.output.console import printable, write_line
from memcli.evaluation.confidence import CONFIDENCE
from memcli.evaluation.summary import DatasetReport, MeasuredStage, VerdictFigures

CHANCE = 0.05  # p below which a difference is marked
_LABELS = {"mrr": "MRR", "map": "MAP", "f1": "F1"}
_BY_CATEGORY = ("any@1", "any@5", "all@5", "recall@5", "mrr", "ndcg@10", "map")


def print_dataset_report(report: DatasetReport) -> None:
    """Print tables that fit 80 columns."""
    write_line(printable(report.dataset))
    archives = "each in its own archive" if report.protocol == "haystack" else "in one archive"
    write_line(
        f"{report.shape}, {report.grain}s ranked; {report.questions:,} questions, {archives}"
    )
    if report.without_gold:
        write_line(f"{report.without_gold:,} more left out: what answers them is not there")
    if report.stages:
        _print_stages(report.stages)
        _print_categories(report)
    for kind, verdicts in report.verdicts.items():
        _print_verdicts(kind, verdicts)
    if report.outcome:
        _print_answer_scores(report.outcome)


def _print_stages(stages: Mapping[str, MeasuredStage]) -> None:
    write_line(f"\n{'':8}" + "".join(f"{name:^14}" for name in stages).rstrip())
    for metric in next(iter(stages.values())).overall:
        cells = (_stage_cell(stage, metric) for stage in stages.values())
        write_line(f"{_label(metric):8}" + "".join(cells).rstrip())
    for name, times in (
        ("ms, p50", [stage.latency_ms.p50 for stage in stages.values()]),
        ("ms, p95", [stage.latency_ms.p95 for stage in stages.values()]),
    ):
        write_line(f"{name:8}" + "".join(f"{time:6,.1f}        " for time in times).rstrip())
    write_line(
        f"± half of the {CONFIDENCE:.0%} bootstrap interval"
        + (f"; * p < {CHANCE} against the column before" if len(stages) > 1 else "")
    )


def _stage_cell(stage: MeasuredStage, metric: str) -> str:
    low, high = stage.interval[metric]
    differs = stage.against is not None and stage.against.p[metric] < CHANCE
    half = _share((high - low) / 2).strip()
    return f"{_share(stage.overall[metric])} ±{half}{'*' if differs else ' '}  "


def _print_categories(report: DatasetReport) -> None:
    name, stage = list(report.stages.items())[-1]
    width = max(map(len, report.questions_by_category))
    heads = "".join(f" {_label(metric):>5}" for metric in _BY_CATEGORY)
    write_line(f"\n{name:{width}}     n{heads}")
    for category, figures in {**stage.by_category, "all": stage.overall}.items():
        count = report.questions_by_category.get(category, report.questions)
        write_line(f"{category:{width}} {count:5}{_category_cells(figures, _BY_CATEGORY)}")


def _category_cells(figures: Mapping[str, float], metrics: Sequence[str]) -> str:
    """Return figures below their heads; spaces where there is none."""
    return "".join(
        " " + (_share(figures[one]) if one in figures else "").rjust(max(5, len(_label(one))))
        for one in metrics
    )


def _print_verdicts(kind: str, verdicts: Mapping[str, VerdictFigures]) -> None:
    questions = {
        "abstention": "questions that nothing answers",
        "strangers": "questions put to somebody else's archive",
    }[kind]
    count = next(iter(verdicts.values())).unanswerable
    write_line(f"\n`nothing relevant`, on {questions}: {count:,}")
    write_line(f"{'':8}  precision  recall      F1  found where there is an answer")
    for name, one in verdicts.items():
        precision = "   -" if one.precision is None else _share(one.precision)
        write_line(
            f"{name:8}  {precision:>9}  {_share(one.recall):>6}  {_share(one.f1):>6}"
            f"  {_share(one.found / one.answerable)}"
        )


def _print_answer_scores(scores: Mapping[str, float]) -> None:
    steps = [name.partition("@")[2] for name in scores if name.startswith("f1@")]
    write_line("\nanswers of a chat model that is shown the first sessions of the last stage")
    write_line(f"{'shown':12}" + "".join(f"{step:>7}" for step in steps))
    for label, kind in (("F1", "f1"), ("exact match", "exact_match"), ("utility", "utility")):
        cells = (scores.get(f"{kind}@{step}") for step in steps)
        texts = ("" if cell is None else f"{cell:.3f}" for cell in cells)
        write_line(f"{label:12}" + "".join(f"{text:>7}" for text in texts))
    write_line(f"reward R    {scores['reward']:7.3f}")


def _share(value: float) -> str:
    """Return a share with three decimals, `.766` and `1.000`, in five columns."""
    return f"{value:.3f}".removeprefix("0").rjust(5)


def _label(metric: str) -> str:
    """Return the name of a metric in MemReranker's table."""
    name = metric.replace("recall@", "R@").replace("ndcg", "NDCG")
    return _LABELS.get(name, name)
