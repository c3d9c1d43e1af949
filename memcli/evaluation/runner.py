"""Asks the archives of a data set its questions.

Everything goes the way it goes for a person: an export on disk, the importer, a database, and the
stages of `mem ask`, which the runner is handed.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Protocol

from memcli.evaluation.datasets import (
    Dataset,
    DatasetArchive,
    DatasetQuestion,
    Layout,
    Observation,
)
from memcli.evaluation.journal import Journal
from memcli.lazy_dataclasses import dataclass, field
from memcli.store import Store
from memcli.temporary import temporary_folder

RankedGrain = Literal["session", "turn"]
# Imports an export, and its observations; raises InputError.
Fill = Callable[[Store, Path, Layout, Iterable[Observation]], None]

DEPTH = 50  # places ranked for a question; gold further down counts as not found


@dataclass(frozen=True, slots=True)
class StageRanking:
    """The ranking of one stage for one question."""

    places: tuple[str, ...]  # best first: ids of sessions, or of turns ("s_4f:3")
    seconds: float  # from the question to this ranking
    found: bool | None = None  # the verdict; None of a stage that gives none


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """The rankings of all stages for one question, and its gold."""

    category: str
    gold: frozenset[str]  # places that answer and are there; empty for a stranger's archive
    stages: Mapping[str, StageRanking]  # by name, in the order they build on one another
    abstention: bool = False  # True if nothing answers
    stranger: bool = False  # True if it was put to another archive than its own
    answer_scores: Mapping[str, float] = field(default_factory=dict)  # of a chat model's answers


class AskableArchive(Protocol):
    """An archive that ranks and answers."""

    def rank(self, question: DatasetQuestion) -> Mapping[str, StageRanking]:
        """Return each stage's ranking, first stage first."""
        ...

    def score_answers(
        self, question: DatasetQuestion, stages: Mapping[str, StageRanking]
    ) -> Mapping[str, float]:
        """Return scores of a chat model's answers; empty without such a model."""
        ...


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """A run over the questions of a data set.

    Args:
        fill: imports the export of an archive into its database.
        open_archive: wraps a database as an archive that ranks.
        grain: the unit that is ranked.
        wanted: ids of the questions to ask; None for all.
        strangers: whether each question is also put to the archive before its own.
    """

    fill: Fill
    open_archive: Callable[[Store], AskableArchive]
    grain: RankedGrain = "session"
    wanted: AbstractSet[str] | None = None
    strangers: bool = False

    def run(self, dataset: Dataset, journal: Journal) -> Iterator[QuestionResult]:
        """Ask the questions that are not in the journal, an archive at a time, and record them.

        Yields:
            A result for every question, earlier runs' too, as they come.

        Raises:
            InputError: the data set is damaged.
            BackendError: a model failed. Earlier results are kept.
        """
        for number, archive in enumerate(dataset.archives()):
            tasks = [(question, False) for question in self._wanted_of(archive.questions)]
            if self.strangers:
                next_one = dataset.questions[(number + 1) % len(dataset.questions)]
                tasks += [(question, True) for question in self._wanted_of(next_one)]
            left = [task for task in tasks if _journal_key(*task) not in journal]
            yield from (
                _from_record(journal[_journal_key(*task)]) for task in tasks if task not in left
            )
            if left:
                yield from self._ask_archive(dataset.layout, archive, left, journal)

    def count(self, dataset: Dataset) -> int:
        """Return the number of results of a run."""
        questions = sum(len(self._wanted_of(each)) for each in dataset.questions)
        return questions * (2 if self.strangers else 1)

    def _wanted_of(self, questions: tuple[DatasetQuestion, ...]) -> list[DatasetQuestion]:
        return [one for one in questions if self.wanted is None or one.id in self.wanted]

    def _ask_archive(
        self,
        layout: Layout,
        archive: DatasetArchive,
        tasks: list[tuple[DatasetQuestion, bool]],
        journal: Journal,
    ) -> Iterator[QuestionResult]:
        with temporary_folder() as folder, Store(Path(folder, "db")) as store:
            export = Path(folder, "export.json")
            export.write_text(json.dumps(archive.export), encoding="utf-8")
            self.fill(store, export, layout, archive.observations())
            askable = self.open_archive(store)
            for question, stranger in tasks:
                gold = frozenset() if stranger else self._gold(store, layout, question)
                stages = askable.rank(question)
                scores = {} if stranger else askable.score_answers(question, stages)
                result = QuestionResult(
                    category=question.category,
                    gold=gold,
                    stages=stages,
                    abstention=question.abstention,
                    stranger=stranger,
                    answer_scores=scores,
                )
                journal.keep(_journal_key(question, stranger), _to_record(result))
                yield result

    def _gold(self, store: Store, layout: Layout, question: DatasetQuestion) -> frozenset[str]:
        """Return the places that answer, by the ids that rankings have."""
        heads = {key: store.conversations.get(layout, key) for key in question.sessions}
        sessions = {
            (key, session)
            for key, head in heads.items()
            if head
            for session in store.sessions.overlapping(head.number, None, None)
        }
        if self.grain == "session":
            return frozenset(session.id for _, session in sessions)
        return frozenset(
            f"{session.id}:{position}"
            for key, session in sessions
            for position, turn in enumerate(session.turns, start=1)
            if (key, turn.key) in question.turns
        )


def _journal_key(question: DatasetQuestion, stranger: bool) -> str:
    return f"{question.id} of a stranger" if stranger else question.id


def _to_record(result: QuestionResult) -> dict[str, Any]:  # Any: as JSON has it
    """Return a result as the journal keeps it."""
    return {**asdict(result), "gold": sorted(result.gold)}


def _from_record(record: Mapping[str, Any]) -> QuestionResult:
    """Return the result of a journal's record."""
    stages = {
        name: StageRanking(tuple(stage["places"]), stage["seconds"], stage["found"])
        for name, stage in record["stages"].items()
    }
    return QuestionResult(**{**record, "gold": frozenset(record["gold"]), "stages": stages})
