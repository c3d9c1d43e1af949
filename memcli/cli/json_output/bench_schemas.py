"""The shape of what `mem bench` prints; see `schemas`."""

from typing import Annotated, Literal, NotRequired, TypedDict

from memcli.cli.json_output.kinds import Count


class Machine(TypedDict):
    """What was measured on."""

    system: str
    processor: str
    cores: int
    python: str
    llama_cpp_python: str


class Generation(TypedDict):
    """How fast a model reads and writes."""

    model: str
    prompt_tokens_per_second: float
    new_tokens_per_second: float


class Ratio(TypedDict):
    """How many times as long the other way took."""

    median: float
    least: float
    most: float


class Reranking(TypedDict):
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


class EmbedderSpeed(TypedDict):
    """How fast the embedder is."""

    name: str
    load: Annotated[float, "Seconds, with its library."]
    texts: Annotated[float, "Of 64 words, per second."]


class Latency(TypedDict):
    """Seconds that a command takes."""

    cold: Annotated[float, "The first time."]
    warm: Annotated[float, "Median of the next ones."]


class ArchiveSpeed(TypedDict):
    """What commands take on the archive of `mem demo`."""

    sessions: int
    turns: int
    ingest: Annotated[float, "Seconds."]
    search: Latency
    ask: Latency


class ImportStage(TypedDict):
    """How fast an import is up to a stage."""

    megabytes_per_second: float
    cpu_megabytes_per_second: Annotated[float, "By the processor's time."]
    peak_bytes: Annotated[int, "Most memory that it took."]


class ImportSpeed(TypedDict):
    """How fast a format is imported, from the beginning up to each stage."""

    format: str
    megabytes: float
    parsed: NotRequired[ImportStage]
    stored: NotRequired[ImportStage]
    indexed: NotRequired[ImportStage]


_Imported = TypedDict("_Imported", {"import": list[ImportSpeed]})


class Speed(_Imported):
    """What this machine makes of memcli."""

    schema: Literal["mem.speed/1"]
    machine: Machine
    load_seconds: Annotated[dict[str, float], "By model."]
    generation: list[Generation]
    reranking: list[Reranking]
    embedder: EmbedderSpeed
    archive: ArchiveSpeed


Figures = Annotated[dict[str, float], "By metric."]


class Percentiles(TypedDict):
    """Milliseconds that a question takes."""

    p50: float
    p95: float


class Against(TypedDict):
    """A stage beside another one."""

    stage: Annotated[str, "The other one."]
    difference: dict[str, float]
    p: Annotated[dict[str, float], "Of the difference, by metric."]


class MeasuredStage(TypedDict):
    """How good the ranking of a stage is."""

    overall: Figures
    by_category: dict[str, dict[str, float]]
    latency_ms: Percentiles
    interval: Annotated[dict[str, list[float]], "By metric: lower and upper end."]
    against: NotRequired[Against]


class VerdictFigures(TypedDict):
    """How good "nothing relevant" is."""

    answerable: int
    found: int
    unanswerable: int
    nothing: int
    precision: float
    recall: float
    f1: float


class Bench(TypedDict):
    """How good the stages are on a data set."""

    schema: Literal["mem.bench/1"]
    dataset: str
    shape: str
    protocol: str
    grain: str
    questions: Count
    questions_by_category: dict[str, int]
    without_gold: Count
    models: Annotated[dict[str, str], "By role."]
    stages: dict[str, MeasuredStage]
    verdicts: dict[str, dict[str, VerdictFigures]]
    outcome: NotRequired[Annotated[dict[str, float], "Scores of a chat model's answers."]]
    published: NotRequired[
        Annotated[list[dict[str, str | float | None]], "With `--compare`: other systems."]
    ]
