"""How what `mem bench --speed` measured looks, to a person and as JSON."""

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version

import typer

from memcli.evaluation.import_speed import ImportSpeed, Stage
from memcli.evaluation.latency import ArchiveSpeed, Latency
from memcli.evaluation.speed import HEAD, Contest, EmbedderSpeed, ModelSpeed, Ratio


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured; None and nothing where there is no model."""

    reranker: ModelSpeed | None
    reranking: tuple[Contest, ...]
    sifter: ModelSpeed | None
    embedder: EmbedderSpeed
    archive: ArchiveSpeed
    imports: tuple[ImportSpeed, ...]


def print_speed(figures: Figures) -> None:
    """Print figures as tables."""
    for role, model in (("reranker", figures.reranker), ("sifter", figures.sifter)):
        if model:
            typer.echo(
                f"{role} {model.name}: {model.load:.2f} s to load,"
                f" {model.read:,.0f} tokens/s read, {model.write:,.1f} tokens/s written"
            )
    if figures.reranking:
        typer.echo(f"\npassages behind a head of {HEAD} tokens, ours and a plain loop in turns:")
        typer.echo("tokens  passages   ours/s  plain/s   times faster         by processor time")
        for one in figures.reranking:
            typer.echo(_line(one))
        typer.echo("")
    embedder, archive = figures.embedder, figures.archive
    typer.echo(
        f"embedder {embedder.name}: {embedder.load:.2f} s to load,"
        f" {embedder.texts:,.0f} texts/s of 64 words"
    )
    typer.echo(
        f"ingest  {archive.ingest:.2f} s for {archive.sessions} sessions, {archive.turns} turns"
    )
    typer.echo(f"search  {_told(archive.search)}")
    typer.echo(f"ask     {_told(archive.ask)}")
    typer.echo("\nimport, each from its beginning     MB/s  by processor time  peak memory")
    for each in figures.imports:
        for name, stage in _stages(each):
            typer.echo(
                f"{f'{each.kind}, {each.megabytes:.1f} MB, {name}':32}{stage.megabytes:8.1f}"
                f"  {stage.cpu_megabytes:17.1f}  {stage.peak / 1e6:8,.0f} MB"
            )


def speed_shape(figures: Figures) -> dict[str, object]:
    """Return `mem bench --speed --json`."""
    from memcli.backends.llama.host import physical_cores

    models = {each.name: each for each in (figures.reranker, figures.sifter) if each}
    return {
        "schema": "mem.speed/1",
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": physical_cores(),
            "python": platform.python_version(),
            "llama_cpp_python": version("llama-cpp-python"),
        },
        "load_seconds": {name: each.load for name, each in models.items()},
        "generation": [
            {
                "model": name,
                "prompt_tokens_per_second": each.read,
                "new_tokens_per_second": each.write,
            }
            for name, each in models.items()
        ],
        "reranking": [
            {"model": figures.reranker.name, **_contest_shape(one)}
            for one in figures.reranking
            if figures.reranker
        ],
        "embedder": asdict(figures.embedder),
        "archive": asdict(figures.archive),
        "import": [_import_shape(one) for one in figures.imports],
    }


def _contest_shape(one: Contest) -> dict[str, object]:
    return {
        "head_tokens": HEAD,
        "passage_tokens": one.tokens,
        "passages": one.passages,
        "ours_per_second": one.passages / one.ours.seconds,
        "plain_loop_per_second": one.passages / one.plain.seconds,
        "ratio": one.times.median,
        "ratios": asdict(one.times),
        "cpu_ratios": asdict(one.cpu_times),
        "most_apart": one.apart,
    }


def _import_shape(one: ImportSpeed) -> dict[str, object]:
    stages = {
        name: {
            "megabytes_per_second": stage.megabytes,
            "cpu_megabytes_per_second": stage.cpu_megabytes,
            "peak_bytes": stage.peak,
        }
        for name, stage in _stages(one)
    }
    return {"format": one.kind, "megabytes": one.megabytes, **stages}


def _stages(one: ImportSpeed) -> list[tuple[str, Stage]]:
    stages = {"parsed": one.parsed, "stored": one.stored, "indexed": one.indexed}
    return [(name, stage) for name, stage in stages.items() if stage]


def _line(one: Contest) -> str:
    ours, plain = (one.passages / each.seconds for each in (one.ours, one.plain))
    return (
        f"{one.tokens:6}  {one.passages:8}  {ours:7.2f}  {plain:7.2f}"
        f"   {_ratio(one.times)}   {_ratio(one.cpu_times)}"
    )


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} ({ratio.least:.2f} - {ratio.most:.2f})"


def _told(latency: Latency) -> str:
    return f"{latency.cold:.2f} s at first, {latency.warm:.2f} s again"
