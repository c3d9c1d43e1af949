"""`mem bench`: how well memcli finds, and how fast it is, on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from memcli.cli.bench.dataset import Wish, measure_dataset
from memcli.cli.bench.speed import SpeedWish, measure_speed
from memcli.cli.bench.speed_view import print_speed, speed_shape
from memcli.cli.bench.stages import OF_SESSIONS, STAGES, THINKING, WITHOUT_LANGUAGE_MODEL
from memcli.cli.bench.table import Report, print_report, report_shape
from memcli.cli.models.open import open_chat, open_models
from memcli.cli.options import Chat, GpuLayers, Json, Quiet, Reranker, Sifter, Think, words
from memcli.cli.output.console import print_json
from memcli.cli.output.progress import resumable
from memcli.errors import ModelNotFoundError, UsageError
from memcli.protocols import Chat as ChatModel
from memcli.search.stages import Models
from memcli.settings import NO_MODEL


class Ranking(StrEnum):
    """What is ranked."""

    SESSION = "session"
    TURN = "turn"


def _stages(text: str) -> frozenset[str]:
    """Return the stages of a list.

    Raises:
        UsageError: one is unknown.
    """
    named = {name.strip() for name in text.split(",")}
    if unknown := named - set(STAGES):
        raise UsageError(
            f"`{words(min(unknown))}` is no stage", hint=f"`--stages {','.join(STAGES)}`"
        )
    return frozenset(named)


Datasets = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[DATASET...]",
        show_default=False,
        help="Files laid out as LoCoMo's or LongMemEval's: questions, and where their answers are.",
    ),
]
Stages = Annotated[
    frozenset[str] | None,
    typer.Option(
        "--stages",
        parser=_stages,
        show_default=False,
        metavar="LIST",
        help=f"What to compare, each with the one before, of `{','.join(STAGES)}`; by default what"
        " needs no language model.",
    ),
]
Grain = Annotated[
    Ranking, typer.Option("--grain", help="What is ranked: whole sessions, or turns.")
]
Pooled = Annotated[
    bool, typer.Option("--pooled", help="Put all sessions into one archive, each once.")
]
Strangers = Annotated[
    bool,
    typer.Option("--strangers", help="Put each question to somebody else's archive, too: the"
                 " verdict should be that nothing is relevant."),
]  # fmt: skip
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", min=1, metavar="N", show_default=False,
        help="Ask so many questions of each data set, of every category its share.",
    ),
]  # fmt: skip
Outcome = Annotated[
    bool,
    typer.Option(
        "--outcome",
        help="Let a chat model answer from the first sessions of the last stage: what they are"
        " worth to it.",
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Begin anew, not where an earlier run was stopped.")
]
Compare = Annotated[
    bool, typer.Option("--compare", help="Print what others publish, and by which protocol.")
]
Speed = Annotated[
    bool, typer.Option("--speed", help="Measure how fast models, commands and imports are.")
]
Passages = Annotated[
    int | None,
    typer.Option(
        "--passages",
        min=1,
        metavar="N",
        show_default=False,
        help="With `--speed`: passages of each length to judge; 32 by default, or as many as there"
        " is time for.",
    ),
]
ImportMegabytes = Annotated[
    float,
    typer.Option(
        "--import-mb",
        min=0.1,
        metavar="N",
        help="With `--speed`: size of the exports to import, in millions of bytes.",
    ),
]


def bench(
    datasets: Datasets = None,
    stages: Stages = None,
    grain: Grain = Ranking.SESSION,
    pooled: Pooled = False,
    strangers: Strangers = False,
    outcome: Outcome = False,
    limit: Limit = None,
    again: Again = False,
    compare: Compare = False,
    speed: Speed = False,
    passages: Passages = None,
    import_mb: ImportMegabytes = 20.0,
    reranker: Reranker = None,
    sifter: Sifter = None,
    chat: Chat = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure how well what answers is found, or how fast.

    Every question of a data set is put to the archive it belongs to, stage by stage, and the
    rankings are compared with what is known to answer. Results are kept as they come: a run that
    was stopped goes on where it was.

    With `--speed`: how fast the models load, read and write; how many passages a second are
    judged, beside a plain loop of one whole prompt per passage through the same library and file;
    how long `mem ingest`, `mem search` and `mem ask` take on the archive of `mem demo`; how fast
    large exports are imported, and in how much memory. Whatever else runs meanwhile slows it down;
    ratios suffer least.
    """
    if speed == bool(datasets):
        raise UsageError(
            "one thing is measured at a time: name data sets, or `--speed`",
            hint="`mem bench locomo10.json`, or `mem bench --speed`",
        )
    if speed:
        _print_speed(
            SpeedWish(reranker, sifter, passages, import_mb, gpu_layers, quiet), as_json=as_json
        )
        return
    compared = tuple(one for one in STAGES if one in (stages or WITHOUT_LANGUAGE_MODEL))
    wish = Wish(compared, grain.value, pooled, strangers, limit, again, quiet)
    models = _models(wish, reranker, sifter, gpu_layers=gpu_layers, think=think)
    answering = _chat(wish, chat, gpu_layers) if outcome else None
    for number, path in enumerate(datasets or []):
        report = measure_dataset(path, wish, models, answering)
        if number and not as_json:
            typer.echo()
        _print(report, as_json=as_json, compare=compare)


def _print_speed(wish: SpeedWish, *, as_json: bool) -> None:
    with resumable("`mem bench --speed` begins anew"):
        figures = measure_speed(wish)
    if as_json:
        print_json(speed_shape(figures))
    else:
        print_speed(figures)


def _print(report: Report, *, as_json: bool, compare: bool) -> None:
    if as_json:
        print_json(report_shape(report, compare=compare))
    else:
        print_report(report, compare=compare)


def _chat(wish: Wish, named: str | None, gpu_layers: int | None) -> ChatModel:
    if wish.grain == "turn":
        raise UsageError("`--outcome` needs whole sessions", hint="leave out `--grain turn`")
    return open_chat(named, gpu_layers=gpu_layers)


def _models(
    wish: Wish, reranker: str | None, sifter: str | None, *, gpu_layers: int | None, think: int
) -> Models:
    """Open the models of the stages asked for.

    Raises:
        UsageError: turns are to be ranked by what ranks sessions, or an archive is alone.
        ModelNotFoundError: one is not on this machine.
    """
    thinking = [name for name in THINKING if name in wish.stages]
    of_sessions = [name for name in OF_SESSIONS if name in wish.stages]
    if of_sessions and wish.grain == "turn":
        raise UsageError(f"`{of_sessions[0]}` ranks sessions", hint="leave out `--grain turn`")
    if wish.strangers and wish.pooled:
        raise UsageError("`--pooled` makes one archive: there is no stranger's to ask")
    models = open_models(
        reranker if "rerank" in thinking else NO_MODEL,
        sifter if "sift" in thinking else NO_MODEL,
        gpu_layers=gpu_layers,
        think=think,
    )
    for stage, model in (("rerank", models.reranker), ("sift", models.sifter)):
        if stage in thinking and model is None:
            raise ModelNotFoundError(
                f"no model on this machine can {stage}", hint="`mem models pull` fetches one"
            )
    return models
