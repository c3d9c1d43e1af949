"""`mem bench --speed`: how fast models, commands and imports are on this machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from memcli.catalog import ModelRole
from memcli.cli.bench.speed_view import Figures
from memcli.cli.models.open import open_embedder
from memcli.cli.models.resolve import ModelResolver, is_address, load_catalog
from memcli.cli.output.console import note
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
from memcli.settings import NO_MODEL

THINK = "64"  # tokens that `mem ask` thinks here

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SpeedWish:
    """What a person wants measured, and how."""

    reranker: str | None
    sifter: str | None
    passages: int | None  # of each length; None for as many as there is time for
    import_megabytes: float
    gpu_layers: int | None
    quiet: bool


def measure_speed(wish: SpeedWish) -> Figures:
    """Measure it all.

    Raises:
        UsageError: a model is no GGUF file.
        ModelNotFoundError: a file is not on this machine.
        BackendError: a model or a command failed.
    """
    tell: Tell = (lambda _: None) if wish.quiet else note
    judging = _file("reranker", wish.reranker, tell)
    sifting = _file("sifter", wish.sifter, tell)
    layers = wish.gpu_layers
    return Figures(
        reranker=_model_speed(judging, layers, tell) if judging else None,
        reranking=tuple(_contests(judging, wish.passages, layers, tell)) if judging else (),
        sifter=_model_speed(sifting, layers, tell) if sifting else None,
        embedder=embedder_speed(open_embedder),
        archive=_archive_speed(judging, sifting, layers, tell),
        imports=tuple(_import_speed(kind, wish.import_megabytes, tell) for kind in KINDS),
    )


def _file(role: ModelRole, named: str | None, tell: Tell) -> Path | None:
    """Return the GGUF file of a role, if there is one on this machine."""
    chosen = ModelResolver().select(role, named)
    if chosen is None:
        if named != NO_MODEL:
            tell(f"no {role} is on this machine: `--{role} FILE.gguf` names one to measure")
        return None
    path = None if is_address(chosen) else load_catalog().locate(chosen, role).path
    if path is None or path.is_dir():
        raise UsageError(
            f"`mem bench --speed` measures GGUF files, and {chosen} is none",
            hint=f"`--{role} FILE.gguf`, or `--{role} none`",
        )
    return path


def _model_speed(path: Path, gpu_layers: int | None, tell: Tell) -> ModelSpeed:
    from memcli.backends.llama.benchmark import Gauge

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
    from memcli.backends.llama.benchmark import OneByOne

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
    from memcli.ingest.ingest import ingest

    tell(f"an export of {kind} with {megabytes:g} MB: parsing, storing, indexing")
    return measure_import(kind, megabytes, ingest, open_embedder)
