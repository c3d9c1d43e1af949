"""`mem bench DATASET`: retrieval quality, stage by stage."""

from functools import partial
from pathlib import Path

import memcli
from memcli.callbacks import ignore
from memcli.cli.bench.bench_stages import StageArchive, fill_archive
from memcli.cli.bench.chat_answers import answer_function
from memcli.cli.output.console import note
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.domain import fingerprint
from memcli.errors import InputError, UsageError
from memcli.evaluation.datasets import Dataset, choose_sample, read_dataset
from memcli.evaluation.journal import Journal
from memcli.evaluation.metrics import KS
from memcli.evaluation.runner import BenchmarkRun, QuestionResult, RankedGrain
from memcli.evaluation.summary import POOLED_KS, DatasetReport, summarize
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Chat
from memcli.search.stages import RankingModels
from memcli.settings import state_folder
from memcli.store import Store


@dataclass(frozen=True, slots=True)
class DatasetBenchmark:
    """The options of a benchmark on data sets."""

    stages: tuple[str, ...]  # in the order of bench_stages.STAGES
    grain: RankedGrain = "session"
    pooled: bool = False
    strangers: bool = False
    limit: int | None = None  # questions; None for all
    again: bool = False  # whether to ignore the results of earlier runs
    quiet: bool = False


def measure_dataset(
    path: Path, benchmark: DatasetBenchmark, models: RankingModels, chat: Chat | None = None
) -> DatasetReport:
    """Ask a data set's questions, except those that an earlier run has asked.

    Args:
        path: of the data set.
        benchmark: its options.
        models: of the stages.
        chat: answers from the ranking of the last stage; None to measure no answers.

    Raises:
        InputError: it cannot be read, or has no question that something in it answers.
        UsageError: it has only one archive, and strangers' archives are wanted; or memories are
            to be measured and it has no observations.
    """
    dataset = read_dataset(path, pooled=benchmark.pooled)
    if benchmark.strangers and len(dataset.questions) < 2:
        raise UsageError(f"{path} has one archive, and `--strangers` needs two")
    if "memories" in benchmark.stages and not dataset.observed:
        raise UsageError(
            f"{path} has no observations to remember", hint="leave `memories` out of `--stages`"
        )
    models.embedder.embed(["loads the model"])
    with (
        resume_hint("the same command goes on where it stopped"),
        Journal(_journal_path(dataset, benchmark, models, chat), again=benchmark.again) as journal,
    ):
        results = _ask_questions(path.name, dataset, benchmark, models, chat, journal)
    summary = summarize(results, POOLED_KS if benchmark.pooled else KS)
    if not (summary.count or summary.verdicts):
        raise InputError(f"{path} has no question that something in it answers")
    return DatasetReport(
        dataset=str(path),
        shape=dataset.layout,
        protocol="pooled" if benchmark.pooled else "haystack",
        grain=benchmark.grain,
        questions=summary.count,
        questions_by_category=summary.questions,
        without_gold=summary.without_gold,
        models=_model_names(models, chat),
        stages=summary.stages,
        verdicts=summary.verdicts,
        outcome=summary.answer_scores or None,
    )


def _ask_questions(
    name: str,
    dataset: Dataset,
    benchmark: DatasetBenchmark,
    models: RankingModels,
    chat: Chat | None,
    journal: Journal,
) -> list[QuestionResult]:
    answer = answer_function(chat, thought_tokens=models.answer_thought_tokens) if chat else None

    def open_archive(store: Store) -> StageArchive:
        return StageArchive(store, models, benchmark.stages, benchmark.grain, answer)

    if len(journal) and not benchmark.quiet:
        note(f"{name}: {len(journal):,} answers are from an earlier run; `--again` asks again")
    wanted = None if benchmark.limit is None else choose_sample(dataset, benchmark.limit)
    results: list[QuestionResult] = []
    with progress_bars(quiet=benchmark.quiet) as progress:
        run = BenchmarkRun(
            fill=partial(
                fill_archive,
                embedder=models.embedder,
                with_memories="memories" in benchmark.stages,
                progress=partial(progress, f"{name}, one archive") if dataset.pooled else ignore,
            ),
            open_archive=open_archive,
            grain=benchmark.grain,
            wanted=wanted,
            strangers=benchmark.strangers,
        )
        total = run.count(dataset)
        for result in run.run(dataset, journal):
            results.append(result)
            progress(f"{name}, questions", len(results), total)
    return results


def _journal_path(
    dataset: Dataset, benchmark: DatasetBenchmark, models: RankingModels, chat: Chat | None
) -> Path:
    """Return the file for the results of these questions with these options and this code."""
    digest = fingerprint(
        dataset.digest,
        _code_fingerprint(),
        benchmark.grain,
        benchmark.pooled,
        benchmark.stages,
        models.embedder.fingerprint,
        models.reranker and models.reranker.fingerprint,
        models.sifter and models.sifter.fingerprint,
        chat and chat.fingerprint,
        models.sift_wording,
        models.thought_tokens,
    )
    return state_folder() / "bench" / f"{digest}.jsonl"


def _code_fingerprint() -> str:
    """Return a fingerprint of all of memcli: results of two versions never mix."""
    files = sorted(Path(memcli.__file__).parent.rglob("*.py"))
    return fingerprint(*(path.read_bytes() for path in files))


def _model_names(models: RankingModels, chat: Chat | None) -> dict[str, str]:
    by_role = {
        "embedder": models.embedder,
        "reranker": models.reranker,
        "sifter": models.sifter,
        "chat": chat,
    }
    return {role: model.name for role, model in by_role.items() if model}
