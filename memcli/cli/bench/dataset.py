"""`mem bench DATASET`: how well sessions are found."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import memcli
from memcli.cli.bench.outcome import answering
from memcli.cli.bench.stages import Archive, fill
from memcli.cli.bench.table import Report
from memcli.cli.output.console import note
from memcli.cli.output.progress import bars, resumable
from memcli.domain import fingerprint
from memcli.errors import InputError, UsageError
from memcli.evaluation.datasets import Dataset, read_dataset, sample
from memcli.evaluation.journal import Journal
from memcli.evaluation.metrics import KS
from memcli.evaluation.published import Protocol
from memcli.evaluation.runner import Course, Grain, Outcome
from memcli.evaluation.summary import POOLED_KS, summarise
from memcli.ingest.progress import unheard
from memcli.protocols import Chat
from memcli.search.stages import Models
from memcli.settings import state_folder
from memcli.store import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants measured, and how."""

    stages: tuple[str, ...]  # in the order of bench_stages.STAGES
    grain: Grain = "session"
    pooled: bool = False
    strangers: bool = False
    limit: int | None = None  # questions; None for all
    again: bool = False  # whatever earlier runs left behind
    quiet: bool = False


def measure_dataset(path: Path, wish: Wish, models: Models, chat: Chat | None = None) -> Report:
    """Ask a data set's questions, or those that an earlier run did not come to.

    Args:
        path: of the data set.
        wish: what is measured, and how.
        models: of the stages.
        chat: answers from what the last stage ranks; without one nobody does.

    Raises:
        InputError: it cannot be read, or has no question that something in it answers.
        UsageError: it has but one archive, and nobody else's is asked for; or memories are to
            be measured and it has no observations.
    """
    dataset = read_dataset(path, pooled=wish.pooled)
    if wish.strangers and len(dataset.questions) < 2:
        raise UsageError(f"{path} has one archive: there is nobody else's to ask")
    if "memories" in wish.stages and not dataset.observed:
        raise UsageError(
            f"{path} has no observations to remember", hint="leave `memories` out of `--stages`"
        )
    models.embedder.embed(["loads the model"])
    with (
        resumable("the same command goes on where it stopped"),
        Journal(_journal_path(dataset, wish, models, chat), again=wish.again) as journal,
    ):
        outcomes = _outcomes(path.name, dataset, wish, models, chat, journal)
    summary = summarise(outcomes, POOLED_KS if wish.pooled else KS)
    if not (summary.count or summary.verdicts):
        raise InputError(f"{path} has no question that something in it answers")
    protocol: Protocol = "pooled" if wish.pooled else "haystack"
    return Report(str(path), dataset.shape, protocol, wish.grain, _names(models, chat), summary)


def _outcomes(
    name: str,
    dataset: Dataset,
    wish: Wish,
    models: Models,
    chat: Chat | None,
    journal: Journal,
) -> list[Outcome]:
    answer = answering(chat, thought_tokens=models.thought_tokens) if chat else None

    def opened(store: Store) -> Archive:
        return Archive(store, models, wish.stages, wish.grain, answer)

    if len(journal) and not wish.quiet:
        note(f"{name}: {len(journal):,} answers are an earlier run's; `--again` asks anew")
    chosen = None if wish.limit is None else sample(dataset, wish.limit)
    outcomes: list[Outcome] = []
    with bars(quiet=wish.quiet) as progress:
        filling = partial(progress, f"{name}, one archive") if dataset.pooled else unheard
        remembering = "memories" in wish.stages
        filled = partial(fill, embedder=models.embedder, remembering=remembering, progress=filling)
        course = Course(filled, opened, wish.grain, chosen, wish.strangers)
        total = course.count(dataset)
        for outcome in course.run(dataset, journal):
            outcomes.append(outcome)
            progress(f"{name}, questions", len(outcomes), total)
    return outcomes


def _journal_path(dataset: Dataset, wish: Wish, models: Models, chat: Chat | None) -> Path:
    """Return where the results are kept of these questions, asked in this way by this code."""
    digest = fingerprint(
        dataset.digest,
        _code(),
        *(wish.grain, wish.pooled, wish.stages),
        models.embedder.fingerprint,
        models.reranker and models.reranker.fingerprint,
        models.sifter and models.sifter.fingerprint,
        chat and chat.fingerprint,
        *(models.sift_wording, models.thought_tokens),
    )
    return state_folder() / "bench" / f"{digest}.jsonl"


def _code() -> str:
    """Return what stands for all of memcli: results of two versions never mix."""
    files = sorted(Path(memcli.__file__).parent.rglob("*.py"))
    return fingerprint(*(path.read_bytes() for path in files))


def _names(models: Models, chat: Chat | None) -> Mapping[str, str]:
    named = {
        "embedder": models.embedder,
        "reranker": models.reranker,
        "sifter": models.sifter,
        "chat": chat,
    }
    return {role: model.name for role, model in named.items() if model}
