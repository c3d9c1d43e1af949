"""`mem bench --speed`: the speed of models, commands and imports on this machine."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.catalog import ModelRole
from memcli.cli.bench.speed_view import SpeedFigures
from memcli.cli.models.open import choose_layers, open_embedder
from memcli.cli.models.resolve import ModelResolver, is_address, load_catalog
from memcli.cli.output.console import note
from memcli.errors import UsageError
from memcli.evaluation.import_speed import SYNTHETIC_FORMATS, ImportSpeed, measure_import
from memcli.evaluation.latency import ArchiveSpeed, measure_archive
from memcli.evaluation.llama_server import running_llama_server
from memcli.evaluation.speed import (
    LENGTHS,
    PROMPT,
    JudgePassages,
    ModelSpeed,
    RerankComparison,
    Stopwatch,
    WorkComparison,
    compare_reranking,
    compare_work,
    measure_embedder,
    measure_rate,
)
from memcli.lazy_dataclasses import dataclass
from memcli.settings import NO_MODEL

if TYPE_CHECKING:
    from memcli.backends.llama import LlamaReranker
    from memcli.backends.llama.benchmark import ModelBenchmark
    from memcli.backends.torch_bf16 import TorchReranker
    from memcli.backends.torch_bf16.benchmark import TorchBenchmark

THINK = "64"  # tokens that `mem ask` thinks here

_READ_AGAIN = "all of a dialogue read again, not its new half alone"
Announce = Callable[[str], None]  # tells a person what is measured next


@dataclass(frozen=True, slots=True)
class SpeedBenchmark:
    """The options of a speed benchmark."""

    reranker: str | None
    sifter: str | None
    passages: int | None  # of each length; None for as many as there is time for
    import_megabytes: float
    gpu_layers: int | None
    quiet: bool


def measure_speed(benchmark: SpeedBenchmark) -> SpeedFigures:
    """Measure models, commands and imports.

    Raises:
        UsageError: a model is served.
        ModelNotFoundError: a file is not on this machine.
        BackendError: a model or a command failed.
    """
    announce: Announce = (lambda _: None) if benchmark.quiet else note
    judging = _locate_model("reranker", benchmark.reranker, announce)
    sifting = _locate_model("sifter", benchmark.sifter, announce)
    layers = choose_layers(benchmark.gpu_layers)
    passages = benchmark.passages
    comparisons = _compare(judging, passages, layers, announce) if judging else ()
    file = judging if judging and not judging.is_dir() else None
    return SpeedFigures(
        reranker=_measure_model(judging, layers, announce) if judging else None,
        comparisons=tuple(comparisons),
        sifter=_measure_model(sifting, layers, announce) if sifting else None,
        servers=tuple(_compare_with_server(file, passages, layers, announce) if file else ()),
        settings=tuple(_compare_settings([judging, sifting], layers, announce)),
        embedder=measure_embedder(open_embedder),
        archive=_measure_demo(judging, sifting, layers, announce),
        imports=tuple(
            _measure_import(name, benchmark.import_megabytes, announce)
            for name in SYNTHETIC_FORMATS
        ),
    )


def _locate_model(role: ModelRole, name: str | None, announce: Announce) -> Path | None:
    """Return the GGUF file or the folder of a role's model, if there is one on this machine."""
    selected = ModelResolver().select(role, name)
    if selected is None:
        if name != NO_MODEL:
            announce(f"no {role} is on this machine: `--{role} FILE.gguf` names one to measure")
        return None
    path = None if is_address(selected) else load_catalog().locate(selected, role).path
    if path is None:
        raise UsageError(
            f"`mem bench --speed` measures models on this machine, and {selected} is served",
            hint=f"`--{role} FILE.gguf`, or `--{role} none`",
        )
    return path


def _measure_model(path: Path, gpu_layers: int | None, announce: Announce) -> ModelSpeed:
    announce(f"{path.stem}: loading, reading, writing")
    watch = Stopwatch()
    gauge = _open_benchmark(path, gpu_layers)
    load = watch.elapsed.seconds
    try:
        read, write = measure_rate(gauge.read_prompt), measure_rate(gauge.generate_reply)
        return ModelSpeed(path.stem, load, read=read, write=write)
    finally:
        gauge.close()


def _open_benchmark(path: Path, gpu_layers: int | None) -> "TorchBenchmark | ModelBenchmark":
    if path.is_dir():
        from memcli.backends.torch_bf16.benchmark import TorchBenchmark

        return TorchBenchmark(path)
    from memcli.backends.llama.benchmark import ModelBenchmark

    return ModelBenchmark(path, gpu_layers=gpu_layers, note=note)


def _compare(
    path: Path, passages: int | None, gpu_layers: int | None, announce: Announce
) -> Iterator[RerankComparison]:
    """Yield comparisons with a loop of one whole prompt per passage."""
    reranker, judge_plainly = _open_rerankers(path, gpu_layers)
    try:
        for tokens in LENGTHS:
            announce(f"{path.stem}: judging passages of {tokens} tokens in turns with a plain loop")
            yield compare_reranking(
                reranker.judge, judge_plainly, reranker.count, tokens=tokens, passages=passages
            )
    finally:
        reranker.close()


def _open_rerankers(
    path: Path, gpu_layers: int | None
) -> "tuple[TorchReranker | LlamaReranker, JudgePassages]":
    """Open a reranker; return it and a plain loop over the same model."""
    if path.is_dir():
        from memcli.backends.torch_bf16 import TorchReranker
        from memcli.backends.torch_bf16.benchmark import NaiveTorchReranker

        torch_reranker = TorchReranker(path, PROMPT)
        return torch_reranker, NaiveTorchReranker(torch_reranker).judge
    from memcli.backends.llama import LlamaReranker
    from memcli.backends.llama.benchmark import NaiveReranker

    llama_reranker = LlamaReranker(path, PROMPT, gpu_layers=gpu_layers)
    return llama_reranker, NaiveReranker(llama_reranker, PROMPT.context).judge


def _compare_with_server(
    path: Path, passages: int | None, gpu_layers: int | None, announce: Announce
) -> Iterator[RerankComparison]:
    """Yield comparisons with llama-server, if it is installed."""
    from memcli.backends.llama import LlamaReranker
    from memcli.backends.llama.host import physical_cores

    threads = physical_cores()
    with running_llama_server(path, threads=threads, gpu_layers=gpu_layers) as judge:
        if judge is None:
            return
        reranker = LlamaReranker(path, PROMPT, gpu_layers=gpu_layers)
        try:
            for tokens in LENGTHS:
                announce(f"{path.stem}: passages of {tokens} tokens in turns with llama-server")
                yield compare_reranking(
                    reranker.judge, judge, reranker.count, tokens=tokens, passages=passages
                )
        finally:
            reranker.close()


def _compare_settings(
    paths: Sequence[Path | None], gpu_layers: int | None, announce: Announce
) -> Iterator[WorkComparison]:
    """Yield comparisons with what memcli does not do, for the first model of each library."""
    files = [path for path in paths if path and not path.is_dir()]
    folders = [path for path in paths if path and path.is_dir()]
    if files:
        from memcli.backends.llama.benchmark import setting_trials

        for trial in setting_trials(files[0], gpu_layers=gpu_layers):
            announce(f"in turns: {trial.name}")
            yield compare_work(files[0].stem, trial.name, trial.ours, trial.other)
    if folders:
        from memcli.backends.torch_bf16.benchmark import TorchBenchmark

        announce(f"in turns: {_READ_AGAIN}, by torch")
        gauge = TorchBenchmark(folders[0])
        yield compare_work(
            folders[0].stem, f"{_READ_AGAIN}, by torch", gauge.read_new, gauge.read_prompt
        )
        gauge.close()


def _measure_demo(
    judging: Path | None, sifting: Path | None, gpu_layers: int | None, announce: Announce
) -> ArchiveSpeed:
    import memcli.demo
    from memcli.demo.questions import DEMO_QUESTIONS

    announce("the archive of `mem demo`: `mem ingest`, `mem search`, `mem ask`")
    options = ["--reranker", str(judging or NO_MODEL), "--sifter", str(sifting or NO_MODEL)]
    options += ["--think", THINK]
    if gpu_layers is not None:
        options += ["--gpu-layers", str(gpu_layers)]
    exports = Path(memcli.demo.__file__).parent / "exports"
    return measure_archive(
        exports,
        DEMO_QUESTIONS[0].question,
        options,
        zone="Europe/Lisbon",
        embedder=open_embedder(),
    )


def _measure_import(format_name: str, megabytes: float, announce: Announce) -> ImportSpeed:
    from memcli.ingest.import_exports import import_exports

    announce(f"an export of {format_name} with {megabytes:g} MB: parsing, storing, indexing")
    return measure_import(format_name, megabytes, import_exports, open_embedder)
