"""How what `mem bench DATASET` measured looks, to a person and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer

from memcli.cli.output.console import safe
from memcli.evaluation.confidence import CONFIDENCE
from memcli.evaluation.datasets import Shape
from memcli.evaluation.published import Protocol, published
from memcli.evaluation.runner import Grain
from memcli.evaluation.summary import Stage, Summary, Verdict

CHANCE = 0.05  # p below which a difference is marked
_LABELS = {"mrr": "MRR", "map": "MAP", "f1": "F1"}
_BY_CATEGORY = ("any@1", "any@5", "all@5", "recall@5", "mrr", "ndcg@10", "map")
_COMPARED = ("any@1", "any@5", "any@50", "all@5", "recall@5", "recall@10", "mrr", "map",
             "ndcg@10")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """A data set, how it was asked, and what came out."""

    dataset: str  # as it was named
    shape: Shape
    protocol: Protocol
    grain: Grain
    models: Mapping[str, str]  # by role
    summary: Summary


def print_report(report: Report, *, compare: bool) -> None:
    """Print tables that fit 80 columns."""
    summary = report.summary
    typer.echo(safe(report.dataset))
    how = "each in its own archive" if report.protocol == "haystack" else "in one archive"
    typer.echo(f"{report.shape}, {report.grain}s ranked; {summary.count:,} questions, {how}")
    if summary.without_gold:
        typer.echo(f"{summary.without_gold:,} more left out: what answers them is not there")
    if summary.stages:
        _print_stages(summary.stages)
        _print_categories(summary)
    for kind, verdicts in summary.verdicts.items():
        _print_verdicts(kind, verdicts)
    if summary.told:
        _print_told(summary.told)
    if compare:
        _print_comparison(report)


def _print_stages(stages: Mapping[str, Stage]) -> None:
    typer.echo(f"\n{'':8}" + "".join(f"{name:^14}" for name in stages).rstrip())
    for metric in next(iter(stages.values())).overall:
        cells = (_cell(stage, metric) for stage in stages.values())
        typer.echo(f"{_label(metric):8}" + "".join(cells).rstrip())
    for name, times in (
        ("ms, p50", [stage.p50 for stage in stages.values()]),
        ("ms, p95", [stage.p95 for stage in stages.values()]),
    ):
        typer.echo(f"{name:8}" + "".join(f"{time:6,.1f}        " for time in times).rstrip())
    typer.echo(
        f"± half of the {CONFIDENCE:.0%} bootstrap interval"
        + (f"; * p < {CHANCE} against the column before" if len(stages) > 1 else "")
    )


def _cell(stage: Stage, metric: str) -> str:
    half = (stage.high[metric] - stage.low[metric]) / 2
    differs = stage.against is not None and stage.against.p[metric] < CHANCE
    return f"{_share(stage.overall[metric])} ±{_share(half).strip()}{'*' if differs else ' '}  "


def _print_categories(summary: Summary) -> None:
    name, stage = list(summary.stages.items())[-1]
    width = max(map(len, summary.questions))
    typer.echo(f"\n{name:{width}}     n{_heads(_BY_CATEGORY)}")
    for category, figures in {**stage.by_category, "all": stage.overall}.items():
        count = summary.questions.get(category, summary.count)
        typer.echo(f"{category:{width}} {count:5}{_cells(figures, _BY_CATEGORY)}")


def _heads(metrics: Sequence[str]) -> str:
    return "".join(f" {_label(metric):>5}" for metric in metrics)


def _cells(figures: Mapping[str, float], metrics: Sequence[str]) -> str:
    """Return figures below their heads; nothing where there is none."""
    return "".join(
        " " + (_share(figures[one]) if one in figures else "").rjust(max(5, len(_label(one))))
        for one in metrics
    )


def _print_verdicts(kind: str, verdicts: Mapping[str, Verdict]) -> None:
    what = {
        "abstention": "questions that nothing answers",
        "strangers": "questions put to somebody else's archive",
    }[kind]
    typer.echo(f"\n`nothing relevant`, on {what}: {next(iter(verdicts.values())).unanswerable:,}")
    typer.echo(f"{'':8}  precision  recall      F1  found where there is an answer")
    for name, one in verdicts.items():
        precision = "   -" if one.precision is None else _share(one.precision)
        typer.echo(
            f"{name:8}  {precision:>9}  {_share(one.recall):>6}  {_share(one.f1):>6}"
            f"  {_share(one.found / one.answerable)}"
        )


def _print_told(told: Mapping[str, float]) -> None:
    steps = [name.partition("@")[2] for name in told if name.startswith("f1@")]
    typer.echo("\nanswers of a chat model that is shown the first sessions of the last stage")
    typer.echo(f"{'shown':12}" + "".join(f"{step:>7}" for step in steps))
    for label, kind in (("F1", "f1"), ("exact match", "exact_match"), ("utility", "utility")):
        cells = (told.get(f"{kind}@{step}") for step in steps)
        shown = ("" if cell is None else f"{cell:.3f}" for cell in cells)
        typer.echo(f"{label:12}" + "".join(f"{cell:>7}" for cell in shown))
    typer.echo(f"reward R    {told['reward']:7.3f}")


def _print_comparison(report: Report) -> None:
    rows = published(report.shape, report.protocol) if report.grain == "session" else ()
    if not rows:
        typer.echo("\nnobody published figures of this kind")
        return
    metrics = [one for one in _COMPARED if any(one in row.figures for row in rows)]
    ours = {f"mem, {name}": stage.overall for name, stage in report.summary.stages.items()}
    width = max(len(row.system) for row in rows)
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    typer.echo(f"\n{'':{width}}{_heads(metrics)}")
    for name, figures in ours.items():
        typer.echo(f"{name:{width}}{_cells(figures, metrics)}")
    for row in rows:
        mark = f" ({notes.index(row.note) + 1})" if row.note else ""
        typer.echo((f"{row.system:{width}}{_cells(row.figures, metrics)}{mark}").rstrip())
    for number, note in enumerate(notes, start=1):
        typer.echo(f"({number}) {note}")


def _share(value: float) -> str:
    """Return a share with three decimals, `.766` and `1.000`, in five columns."""
    return f"{value:.3f}".removeprefix("0").rjust(5)


def _label(metric: str) -> str:
    """Return how MemReranker's table calls a metric."""
    named = metric.replace("recall@", "R@").replace("ndcg", "NDCG")
    return _LABELS.get(named, named)


def report_shape(report: Report, *, compare: bool) -> dict[str, object]:
    """Return `mem bench --json`."""
    summary = report.summary
    shape: dict[str, object] = {
        "schema": "mem.bench/1",
        "dataset": report.dataset,
        "shape": report.shape,
        "protocol": report.protocol,
        "grain": report.grain,
        "questions": summary.count,
        "questions_by_category": summary.questions,
        "without_gold": summary.without_gold,
        "models": report.models,
        "stages": {name: _stage_shape(stage) for name, stage in summary.stages.items()},
        "verdicts": {
            kind: {name: _verdict_shape(one) for name, one in verdicts.items()}
            for kind, verdicts in summary.verdicts.items()
        },
    }
    if summary.told:
        shape["outcome"] = summary.told
    if compare:
        rows = published(report.shape, report.protocol) if report.grain == "session" else ()
        shape["published"] = [
            {"system": row.system, "note": row.note, **row.figures} for row in rows
        ]
    return shape


def _stage_shape(stage: Stage) -> dict[str, object]:
    shape: dict[str, object] = {
        "overall": stage.overall,
        "by_category": stage.by_category,
        "latency_ms": {"p50": stage.p50, "p95": stage.p95},
        "interval": {metric: [stage.low[metric], stage.high[metric]] for metric in stage.overall},
    }
    if stage.against:
        shape["against"] = {
            "stage": stage.against.stage,
            "difference": stage.against.difference,
            "p": stage.against.p,
        }
    return shape


def _verdict_shape(one: Verdict) -> dict[str, object]:
    return {
        "answerable": one.answerable,
        "found": one.found,
        "unanswerable": one.unanswerable,
        "nothing": one.nothing,
        "precision": one.precision,
        "recall": one.recall,
        "f1": one.f1,
    }
