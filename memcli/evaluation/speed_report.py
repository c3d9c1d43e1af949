"""The report that `mem bench --speed` prints."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

from memcli.evaluation.import_speed import ImportSpeed
from memcli.evaluation.latency import ArchiveSpeed
from memcli.evaluation.speed import (
    HEAD,
    EmbedderSpeed,
    ModelSpeed,
    Ratio,
    RerankComparison,
    WorkComparison,
)
from memcli.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that was measured on."""

    system: str
    processor: str
    cores: int
    python: str
    llama_cpp_python: str


@dataclass(frozen=True, slots=True)
class GenerationJson:
    """The speed at which a model reads and writes."""

    model: str
    prompt_tokens_per_second: float
    new_tokens_per_second: float


@dataclass(frozen=True, slots=True)
class RerankingJson:
    """Passages judged by memcli and by a plain loop, in turns."""

    model: str
    head_tokens: Annotated[int, "Tokens before the passage, the same for all."]
    passage_tokens: int
    passages: Annotated[int, "Judged by each."]
    ours_per_second: float
    plain_loop_per_second: float
    ratio: Annotated[float, "Median of `ratios`."]
    ratios: Annotated[Ratio, "By the clock."]
    cpu_ratios: Annotated[Ratio, "By the processor's time."]
    most_apart: Annotated[float, "Most by which two probabilities of one passage differ."]


@dataclass(frozen=True, slots=True)
class SettingTrialJson:
    """A setting or a way that memcli does not use, beside its own, in turns."""

    model: str
    setting: str
    ratio: Annotated[float, "Of times, by the processor; above 1 our way is faster."]
    ratios: Annotated[Ratio, "By the clock."]
    cpu_ratios: Annotated[Ratio, "By the processor's time."]


@dataclass(frozen=True, slots=True)
class ServerRerankingJson:
    """Passages judged by memcli and by llama-server on the same file, in turns."""

    model: str
    passage_tokens: int
    passages: Annotated[int, "Judged by each."]
    ratio: Annotated[float, "Median of `ratios`; above 1 memcli is faster."]
    ratios: Annotated[Ratio, "By the clock: the server's processor time is not seen from here."]


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """The speed of memcli on this machine."""

    schema: Literal["mem.speed/1"] = field(default="mem.speed/1", init=False)
    machine: Machine
    load_seconds: Annotated[dict[str, float], "By model."]
    generation: list[GenerationJson]
    reranking: list[RerankingJson]
    llama_server: Annotated[list[ServerRerankingJson], "Empty where it is not installed."]
    settings: list[SettingTrialJson]
    embedder: EmbedderSpeed
    archive: ArchiveSpeed
    import_: list[ImportSpeed]


def speed_report(  # noqa: PLR0913  # one argument for each part of the report
    reranker: ModelSpeed | None,
    sifter: ModelSpeed | None,
    comparisons: Sequence[RerankComparison],
    embedder: EmbedderSpeed,
    archive: ArchiveSpeed,
    imports: Sequence[ImportSpeed],
    *,
    servers: Sequence[RerankComparison],
    settings: Sequence[WorkComparison],
    cores: int,
) -> SpeedReport:
    """Return what was measured, as one report.

    Args:
        reranker: its speed; None without one.
        sifter: its speed; None without one.
        comparisons: the reranker beside a plain loop, for each length of passages.
        embedder: its speed.
        archive: the latency of commands.
        imports: the speed of imports.
        servers: the reranker beside llama-server, for each length of passages.
        settings: comparisons of settings and ways that memcli does not use.
        cores: physical cores of this machine.
    """
    models = {each.name: each for each in (reranker, sifter) if each}
    return SpeedReport(
        machine=Machine(
            system=platform.platform(),
            processor=platform.machine(),
            cores=cores,
            python=platform.python_version(),
            llama_cpp_python=_llama_version(),
        ),
        load_seconds={name: each.load for name, each in models.items()},
        generation=[GenerationJson(name, each.read, each.write) for name, each in models.items()],
        reranking=[_reranking(reranker.name, one) for one in comparisons if reranker],
        llama_server=[
            ServerRerankingJson(
                reranker.name, one.tokens, one.passages, one.times.median, one.times
            )
            for one in servers
            if reranker
        ],
        settings=[
            SettingTrialJson(one.model, one.name, one.cpu_times.median, one.times, one.cpu_times)
            for one in settings
        ],
        embedder=embedder,
        archive=archive,
        import_=list(imports),
    )


def _reranking(model: str, comparison: RerankComparison) -> RerankingJson:
    passages = comparison.passages
    return RerankingJson(
        model=model,
        head_tokens=HEAD,
        passage_tokens=comparison.tokens,
        passages=passages,
        ours_per_second=passages / comparison.ours.seconds,
        plain_loop_per_second=passages / comparison.plain.seconds,
        ratio=comparison.times.median,
        ratios=comparison.times,
        cpu_ratios=comparison.cpu_times,
        most_apart=comparison.apart,
    )


def _llama_version() -> str:
    try:
        return version("llama-cpp-python")
    except PackageNotFoundError:  # the extra `llama` is not installed
        return "not installed"
