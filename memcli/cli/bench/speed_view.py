"""The tables of `mem bench --speed`."""

from memcli.cli.output.console import write_line
from memcli.evaluation.import_speed import ImportSpeed, ImportStage
from memcli.evaluation.latency import ArchiveSpeed, Latency
from memcli.evaluation.speed import (
    HEAD,
    EmbedderSpeed,
    ModelSpeed,
    Ratio,
    RerankComparison,
    WorkComparison,
)
from memcli.evaluation.speed_report import SpeedReport, speed_report
from memcli.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeedFigures:
    """All figures that were measured; None and empty without a model."""

    reranker: ModelSpeed | None
    comparisons: tuple[RerankComparison, ...]
    sifter: ModelSpeed | None
    servers: tuple[RerankComparison, ...]  # the reranker beside llama-server
    settings: tuple[WorkComparison, ...]
    embedder: EmbedderSpeed
    archive: ArchiveSpeed
    imports: tuple[ImportSpeed, ...]

    def report(self) -> SpeedReport:
        """Return the report that `--json` prints."""
        from memcli.backends.llama.host import physical_cores

        return speed_report(
            self.reranker,
            self.sifter,
            self.comparisons,
            self.embedder,
            self.archive,
            self.imports,
            servers=self.servers,
            settings=self.settings,
            cores=physical_cores(),
        )


def print_speed(figures: SpeedFigures) -> None:
    """Print figures as tables."""
    for role, model in (("reranker", figures.reranker), ("sifter", figures.sifter)):
        if model:
            write_line(
                f"{role} {model.name}: {model.load:.2f} s to load,"
                f" {model.read:,.0f} tokens/s read, {model.write:,.1f} tokens/s written"
            )
    if figures.comparisons:
        write_line(f"\npassages behind a head of {HEAD} tokens, ours and a plain loop in turns:")
        write_line("tokens  passages   ours/s  plain/s   times faster         by processor time")
        for one in figures.comparisons:
            write_line(_comparison_row(one))
        write_line("")
    _print_comparisons(figures)
    embedder, archive = figures.embedder, figures.archive
    write_line(
        f"embedder {embedder.name}: {embedder.load:.2f} s to load,"
        f" {embedder.texts:,.0f} texts/s of 64 words"
    )
    write_line(
        f"ingest  {archive.ingest:.2f} s for {archive.sessions} sessions, {archive.turns} turns"
    )
    write_line(f"search  {_latency_in_words(archive.search)}")
    write_line(f"ask     {_latency_in_words(archive.ask)}")
    write_line(
        f"rerank  all passages are {archive.stopping.ratio:.1f} times those that are judged,"
        f" {archive.stopping.sure_ratio:.2f} times those before five places are sure;"
        f" the same session is first in {archive.stopping.same_first:.0%}"
    )
    write_line("\nimport, each from its beginning     MB/s  by processor time  peak memory")
    for speed in figures.imports:
        for name, stage in _import_stages(speed):
            label = f"{speed.format}, {speed.megabytes:.1f} MB, {name}"
            write_line(
                f"{label:32}{stage.megabytes_per_second:8.1f}"
                f"  {stage.cpu_megabytes_per_second:17.1f}  {stage.peak_bytes / 1e6:8,.0f} MB"
            )


def _print_comparisons(figures: SpeedFigures) -> None:
    """Print the comparisons with llama-server, and with settings that memcli does not use."""
    for one in figures.servers:
        times = _ratio_in_words(one.times)
        write_line(f"llama-server takes {times} times as long, passages of {one.tokens} tokens")
    if figures.servers:
        write_line("")
    if figures.settings:
        write_line("what memcli does not do, in turns with what it does; above 1 ours is faster:")
        write_line(f"{'':54}by the clock         by processor time")
        for each in figures.settings:
            times, cpu_times = _ratio_in_words(each.times), _ratio_in_words(each.cpu_times)
            write_line(f"{each.name:54}{times}   {cpu_times}")
        write_line("")


def _import_stages(speed: ImportSpeed) -> list[tuple[str, ImportStage]]:
    stages = {"parsed": speed.parsed, "stored": speed.stored, "indexed": speed.indexed}
    return [(name, stage) for name, stage in stages.items() if stage]


def _comparison_row(one: RerankComparison) -> str:
    ours, plain = (one.passages / each.seconds for each in (one.ours, one.plain))
    return (
        f"{one.tokens:6}  {one.passages:8}  {ours:7.2f}  {plain:7.2f}"
        f"   {_ratio_in_words(one.times)}   {_ratio_in_words(one.cpu_times)}"
    )


def _ratio_in_words(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} ({ratio.least:.2f} - {ratio.most:.2f})"


def _latency_in_words(latency: Latency) -> str:
    return f"{latency.cold:.2f} s at first, {latency.warm:.2f} s again"
