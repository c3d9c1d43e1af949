"""`mem bench`: retrieval quality and speed of memcli on this machine."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from memcli.cli.ask_session import open_stage_models
from memcli.cli.bench.bench_stages import (
    MODEL_STAGES,
    SESSION_STAGES,
    STAGES,
    WITHOUT_LANGUAGE_MODEL,
)
from memcli.cli.bench.dataset_view import print_dataset_report
from memcli.cli.bench.measure_dataset import DatasetBenchmark, measure_dataset
from memcli.cli.bench.measure_speed import SpeedBenchmark, measure_speed
from memcli.cli.bench.scale_view import measure_commands
from memcli.cli.bench.speed_view import print_speed
from memcli.cli.json_output.serialize import serialize_value
from memcli.cli.models.open import open_chat
from memcli.cli.option_groups import ModelOptions, StageOptions
from memcli.cli.options import ChatName, Json, Quiet
from memcli.cli.output.console import print_json, write_line
from memcli.cli.output.progress import resume_hint
from memcli.cli.parsing.parameters import Argument, Option
from memcli.cli.typed_values import parse_text
from memcli.errors import UsageError
from memcli.protocols import Chat as ChatModel
from memcli.search.stages import RankingModels


class RankedUnit(StrEnum):
    """The unit that is ranked."""

    SESSION = "session"
    TURN = "turn"


def _parse_stages(text: str) -> frozenset[str]:
    """Parse a list of stages, separated by commas.

    Raises:
        UsageError: one is unknown.
    """
    names = {name.strip() for name in text.split(",")}
    if unknown := names - set(STAGES):
        raise UsageError(
            f"not a stage: `{parse_text(min(unknown))}`", hint=f"`--stages {','.join(STAGES)}`"
        )
    return frozenset(names)


DatasetsOption = Annotated[
    list[Path] | None,
    Argument(
        metavar="[DATASET...]",
        show_default=False,
        help="Files in the layout of LoCoMo or LongMemEval: questions and the places of answers.",
    ),
]
StagesOption = Annotated[
    frozenset[str] | None,
    Option(
        "--stages",
        parser=_parse_stages,
        show_default=False,
        metavar="LIST",
        help=f"Stages to compare, each with the one before, of `{','.join(STAGES)}`; by default"
        " those that need no language model.",
    ),
]
GrainOption = Annotated[RankedUnit, Option("--grain", help="Rank whole sessions, or turns.")]
PooledOption = Annotated[
    bool, Option("--pooled", help="Put all sessions into one archive, each once.")
]
StrangersOption = Annotated[
    bool,
    Option(
        "--strangers",
        help="Put each question to somebody else's archive, too: the verdict should be that nothing"
        " is relevant.",
    ),
]
LimitOption = Annotated[
    int | None,
    Option(
        "--limit",
        "-n",
        min=1,
        metavar="N",
        show_default=False,
        help="Ask at most N questions of each data set, a proportional share of each category.",
    ),
]
OutcomeOption = Annotated[
    bool,
    Option(
        "--outcome",
        help="Score the answers of a chat model that reads the first sessions of the last stage.",
    ),
]
AgainOption = Annotated[
    bool, Option("--again", help="Ask every question again, also those of an earlier run.")
]
SpeedOption = Annotated[
    bool, Option("--speed", help="Measure how fast models, commands and imports are.")
]
PassagesOption = Annotated[
    int | None,
    Option(
        "--passages",
        min=1,
        metavar="N",
        show_default=False,
        help="With `--speed`: passages of each length to judge; by default 32, or as many as there"
        " is time for.",
    ),
]
ImportMegabytesOption = Annotated[
    float,
    Option(
        "--import-mb",
        min=0.1,
        metavar="N",
        help="With `--speed`: size of the exports to import, in millions of bytes.",
    ),
]
ArchiveSizeOption = Annotated[
    int | None,
    Option(
        "--sessions",
        min=30,
        metavar="N",
        show_default=False,
        help="With `--speed`: measure every command on a generated archive of about N sessions"
        " instead.",
    ),
]
CompareOption = Annotated[
    Path | None,
    Option(
        "--compare",
        metavar="LAST",
        show_default=False,
        help="With `--sessions`: compare with a report that `--json` printed earlier.",
    ),
]


def bench(
    datasets: DatasetsOption = None,
    *,
    stages: StagesOption = None,
    grain: GrainOption = RankedUnit.SESSION,
    pooled: PooledOption = False,
    strangers: StrangersOption = False,
    outcome: OutcomeOption = False,
    limit: LimitOption = None,
    again: AgainOption = False,
    speed: SpeedOption = False,
    passages: PassagesOption = None,
    import_mb: ImportMegabytesOption = 20.0,
    sessions: ArchiveSizeOption = None,
    compare: CompareOption = None,
    models: ModelOptions,
    chat: ChatName = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure retrieval quality or speed.

    Every question of a data set is asked about its archive, stage by stage, and the rankings are
    compared with the sessions that are known to have the answer. Results are saved as they come: a
    run that was interrupted continues where it stopped.

    With `--speed`, it measures how fast models load, read and write; how many passages a second are
    scored, compared with a plain loop of one whole prompt per passage through the same library and
    file, and with llama-server if it is at hand; how settings and ways that memcli does not use
    compare with its own; how long `mem ingest`, `mem search` and `mem ask` take on the archive of
    `mem demo`; and how fast large exports are imported, and in how much memory. Other programs that
    run at the same time slow it down; ratios are affected least.

    With `--speed --sessions N`, it measures the processor time and memory of every command on a
    generated archive, beside programs that do no more than they must, and the bytes on the disk.
    It needs some 30 KB of temporary disk for each session, and seconds for each hundred.
    """
    _check_usage(datasets or [], sessions, compare, speed=speed)
    if sessions:
        measure_commands(sessions, compare, as_json=as_json, quiet=quiet)
        return
    if speed:
        speeds = SpeedBenchmark(
            models.reranker,
            models.sifter,
            passages,
            import_mb,
            gpu_layers=models.gpu_layers,
            quiet=quiet,
        )
        _measure_speed(speeds, as_json=as_json)
        return
    compared = tuple(one for one in STAGES if one in (stages or WITHOUT_LANGUAGE_MODEL))
    benchmark = DatasetBenchmark(
        compared, grain.value, pooled, strangers, limit=limit, again=again, quiet=quiet
    )
    opened = _open_models(benchmark, models)
    chat_model = _open_chat(benchmark, chat, models.gpu_layers) if outcome else None
    _measure_datasets(datasets or [], benchmark, opened, chat_model, as_json=as_json)


def _check_usage(
    datasets: Sequence[Path], sessions: int | None, compare: Path | None, *, speed: bool
) -> None:
    if speed == bool(datasets):
        raise UsageError(
            "give either data sets or `--speed`",
            hint="`mem bench locomo10.json`, or `mem bench --speed`",
        )
    if (sessions and not speed) or (compare and not sessions):
        raise UsageError(
            f"`{'--sessions' if sessions else '--compare'}` measures commands on an archive",
            hint="`mem bench --speed --sessions 1000 [--compare LAST.json]`",
        )


def _measure_speed(benchmark: SpeedBenchmark, *, as_json: bool) -> None:
    with resume_hint("`mem bench --speed` starts again from the beginning"):
        figures = measure_speed(benchmark)
    if as_json:
        print_json(serialize_value(figures.report()))
    else:
        print_speed(figures)


def _measure_datasets(
    datasets: Sequence[Path],
    benchmark: DatasetBenchmark,
    models: RankingModels,
    chat: ChatModel | None,
    *,
    as_json: bool,
) -> None:
    for number, path in enumerate(datasets):
        report = measure_dataset(path, benchmark, models, chat)
        if as_json:
            print_json(serialize_value(report))
            continue
        if number:
            write_line()
        print_dataset_report(report)


def _open_chat(benchmark: DatasetBenchmark, name: str | None, gpu_layers: int | None) -> ChatModel:
    if benchmark.grain == "turn":
        raise UsageError("`--outcome` needs whole sessions", hint="leave out `--grain turn`")
    return open_chat(name, gpu_layers=gpu_layers)


def _open_models(benchmark: DatasetBenchmark, options: ModelOptions) -> RankingModels:
    """Open the models of the selected stages.

    Raises:
        UsageError: turns are to be ranked by a stage that ranks sessions, or strangers' archives
            are to be asked where all sessions are in one.
        ModelNotFoundError: one is not on this machine.
    """
    session_stages = [name for name in SESSION_STAGES if name in benchmark.stages]
    if session_stages and benchmark.grain == "turn":
        raise UsageError(
            f"`{session_stages[0]}` ranks sessions, not turns", hint="leave out `--grain turn`"
        )
    if benchmark.strangers and benchmark.pooled:
        raise UsageError("`--pooled` makes one archive, and `--strangers` needs another one")
    stages = StageOptions(
        reranker=options.reranker,
        sifter=options.sifter,
        think=options.think,
        gpu_layers=options.gpu_layers,
        stages=frozenset(name for name in MODEL_STAGES if name in benchmark.stages),
    )
    return open_stage_models(stages)
