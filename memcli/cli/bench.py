"""`mem bench`: what this machine makes of memcli."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from memcli.catalog import ModelRole
from memcli.cli.bench_view import Figures, print_speed, speed_shape
from memcli.cli.opening import NO_MODEL, House, catalog, is_address, open_embedder
from memcli.cli.options import GpuLayers, Json, Quiet, Reranker, Sifter
from memcli.cli.output import note, print_json
from memcli.errors import UsageError
from memcli.evaluation.import_speed import KINDS, ImportSpeed, measure_import
from memcli.evaluation.latency import ArchiveSpeed, archive_speed
from memcli.evaluation.speed import (
    LENGTHS,
    PROMPT,
    Contest,
    ModelSpeed,
    Stopwatch,
    contest,
    embedder_speed,
    rate,
)

THINK = "64"  # tokens that `mem ask` thinks here

Tell = Callable[[str], None]

Speed = Annotated[bool, typer.Option("--speed", help="Measure how fast models and commands are.")]
Passages = Annotated[
    int | None,
    typer.Option(
        "--passages",
        min=1,
        metavar="N",
        show_default=False,
        help="Passages of each length to judge; 32 by default, or as many as there is time for.",
    ),
]
ImportMegabytes = Annotated[
    float,
    typer.Option(
        "--import-mb",
        min=0.1,
        metavar="N",
        help="Size of the exports to import, in millions of bytes.",
    ),
]


def bench(
    speed: Speed = False,
    reranker: Reranker = None,
    sifter: Sifter = None,
    passages: Passages = None,
    import_mb: ImportMegabytes = 20.0,
    gpu_layers: GpuLayers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure memcli on this machine.

    With `--speed`: how fast the models load, read and write; how many passages a second are
    judged, beside a plain loop of one whole prompt per passage through the same library and file;
    how long `mem ingest`, `mem search` and `mem ask` take on the archive of `mem demo`; how fast
    large exports are imported, and in how much memory. Whatever else runs meanwhile slows it down;
    ratios suffer least.
    """
    if not speed:
        raise UsageError("nothing to measure was named", hint="`mem bench --speed`")
    tell: Tell = (lambda _: None) if quiet else note
    judging = _file("reranker", reranker, tell)
    sifting = _file("sifter", sifter, tell)
    figures = Figures(
        reranker=_model_speed(judging, gpu_layers, tell) if judging else None,
        reranking=tuple(_contests(judging, passages, gpu_layers, tell)) if judging else (),
        sifter=_model_speed(sifting, gpu_layers, tell) if sifting else None,
        embedder=embedder_speed(open_embedder),
        archive=_archive_speed(judging, sifting, gpu_layers, tell),
        imports=tuple(_import_speed(kind, import_mb, tell) for kind in KINDS),
    )
    if as_json:
        print_json(speed_shape(figures))
    else:
        print_speed(figures)


def _file(role: ModelRole, named: str | None, tell: Tell) -> Path | None:
    """Return the GGUF file of a role, if there is one on this machine."""
    chosen = House().chosen(role, named)
    if chosen is None:
        if named != NO_MODEL:
            tell(f"no {role} is on this machine: `--{role} FILE.gguf` names one to measure")
        return None
    path = None if is_address(chosen) else catalog().locate(chosen, role).path
    if path is None or path.is_dir():
        raise UsageError(
            f"`mem bench --speed` measures GGUF files, and {chosen} is none",
            hint=f"`--{role} FILE.gguf`, or `--{role} none`",
        )
    return path


def _model_speed(path: Path, gpu_layers: int | None, tell: Tell) -> ModelSpeed:
    from memcli.backends.llama.gauge import Gauge

    tell(f"{path.stem}: loading, reading, writing")
    watch = Stopwatch()
    gauge = Gauge(path, gpu_layers=gpu_layers, note=note)
    load = watch.spent.seconds
    try:
        return ModelSpeed(path.stem, load, read=rate(gauge.read), write=rate(gauge.write))
    finally:
        gauge.close()


def _contests(
    path: Path, passages: int | None, gpu_layers: int | None, tell: Tell
) -> Iterator[Contest]:
    from memcli.backends.llama import open_reranker
    from memcli.backends.llama.gauge import OneByOne

    reranker = open_reranker(path, PROMPT, gpu_layers=gpu_layers)
    try:
        plain = OneByOne(reranker, PROMPT.context)
        for tokens in LENGTHS:
            tell(f"{path.stem}: judging passages of {tokens} tokens in turns with a plain loop")
            yield contest(
                reranker.judge, plain.judge, reranker.count, tokens=tokens, passages=passages
            )
    finally:
        reranker.close()


def _archive_speed(
    judging: Path | None, sifting: Path | None, gpu_layers: int | None, tell: Tell
) -> ArchiveSpeed:
    import memcli.demo
    from memcli.demo.questions import QUESTIONS

    tell("the archive of `mem demo`: `mem ingest`, `mem search`, `mem ask`")
    options = ["--reranker", str(judging or NO_MODEL), "--sifter", str(sifting or NO_MODEL)]
    options += ["--think", THINK]
    if gpu_layers is not None:
        options += ["--gpu-layers", str(gpu_layers)]
    exports = Path(memcli.demo.__file__).parent / "exports"
    return archive_speed(exports, QUESTIONS[0].question, options, zone="Europe/Lisbon")


def _import_speed(kind: str, megabytes: float, tell: Tell) -> ImportSpeed:
    from memcli.pipeline.ingest import ingest

    tell(f"an export of {kind} with {megabytes:g} MB: parsing, storing, indexing")
    return measure_import(kind, megabytes, ingest, open_embedder)
