"""Putting the questions of a data set to its archives.

Everything goes the way it goes for a person: an export on disk, the importer, a database, and the
stages of `mem ask`, which the runner is handed.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol

from memcli.evaluation.datasets import Archive, Dataset, Observation, Question, Shape
from memcli.evaluation.journal import Journal
from memcli.store import Store

Grain = Literal["session", "turn"]
# Brings in an export, and what was noted of it; raises InputError.
Fill = Callable[[Store, Path, Shape, Iterable[Observation]], None]

DEPTH = 50  # places ranked for a question; gold further down counts as not found


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a stage makes of a question."""

    places: tuple[str, ...]  # best first: ids of sessions, or of turns ("s_4f:3")
    seconds: float  # from the question to this ranking
    found: bool | None = None  # whether it says that anything is relevant; None: it never says


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for a question."""

    category: str
    gold: frozenset[str]  # places that answer and are there; none where a stranger was asked
    stages: Mapping[str, Ranked]  # by name, in the order they build on one another
    abstention: bool = False  # nothing answers
    stranger: bool = False  # it was put to an archive that knows nothing of it
    told: Mapping[str, float] = field(default_factory=dict)  # scores of a chat model's answers


class Asked(Protocol):
    """An archive that can be asked."""

    def rank(self, question: Question) -> Mapping[str, Ranked]:
        """Return what each stage makes of a question, first stage first."""
        ...

    def told(self, question: Question, stages: Mapping[str, Ranked]) -> Mapping[str, float]:
        """Return scores of what a chat model answers; none without one."""
        ...


@dataclass(frozen=True, slots=True)
class Course:
    """How the questions of a data set are asked.

    Args:
        fill: brings the export of an archive into its database.
        opened: makes a database one that can be asked.
        grain: what is ranked.
        wanted: ids of the questions to ask; None for all.
        strangers: whether each question is put to the archive before its own, too.
    """

    fill: Fill
    opened: Callable[[Store], Asked]
    grain: Grain = "session"
    wanted: AbstractSet[str] | None = None
    strangers: bool = False

    def run(self, dataset: Dataset, journal: Journal) -> Iterator[Outcome]:
        """Ask what the journal does not have yet, an archive at a time, and keep what comes out.

        Yields:
            An outcome for every question, earlier runs' too, as they are there.

        Raises:
            InputError: the data set is damaged.
            BackendError: a model failed. What came out before is kept.
        """
        for number, archive in enumerate(dataset.archives()):
            asked = [(question, False) for question in self._chosen(archive.questions)]
            if self.strangers:
                next_one = dataset.questions[(number + 1) % len(dataset.questions)]
                asked += [(question, True) for question in self._chosen(next_one)]
            left = [one for one in asked if _key(*one) not in journal]
            yield from (_outcome(journal[_key(*one)]) for one in asked if one not in left)
            if left:
                yield from self._asked(dataset.shape, archive, left, journal)

    def count(self, dataset: Dataset) -> int:
        """Return how many outcomes there will be."""
        questions = sum(len(self._chosen(asked)) for asked in dataset.questions)
        return questions * (2 if self.strangers else 1)

    def _chosen(self, questions: tuple[Question, ...]) -> list[Question]:
        return [one for one in questions if self.wanted is None or one.id in self.wanted]

    def _asked(
        self, shape: Shape, archive: Archive, left: list[tuple[Question, bool]], journal: Journal
    ) -> Iterator[Outcome]:
        with TemporaryDirectory(prefix="mem-bench-") as folder, Store(Path(folder, "db")) as store:
            export = Path(folder, "export.json")
            export.write_text(json.dumps(archive.export), encoding="utf-8")
            self.fill(store, export, shape, archive.observations())
            asked = self.opened(store)
            for question, stranger in left:
                gold = frozenset() if stranger else self._gold(store, shape, question)
                stages = asked.rank(question)
                told = {} if stranger else asked.told(question, stages)
                outcome = Outcome(
                    *(question.category, gold, stages, question.abstention, stranger, told)
                )
                journal.keep(_key(question, stranger), _record(outcome))
                yield outcome

    def _gold(self, store: Store, shape: Shape, question: Question) -> frozenset[str]:
        """Return the places that answer, by the ids that rankings have."""
        heads = {key: store.conversations.get(shape, key) for key in question.sessions}
        sessions = {
            (key, session)
            for key, head in heads.items()
            if head
            for session in store.sessions.near(head.number, None, None)
        }
        if self.grain == "session":
            return frozenset(session.id for _, session in sessions)
        return frozenset(
            f"{session.id}:{position}"
            for key, session in sessions
            for position, turn in enumerate(session.turns, start=1)
            if (key, turn.key) in question.turns
        )


def _key(question: Question, stranger: bool) -> str:
    return f"{question.id} of a stranger" if stranger else question.id


def _record(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as it is kept."""
    return {**asdict(outcome), "gold": sorted(outcome.gold)}


def _outcome(record: Mapping[str, Any]) -> Outcome:
    """Return a kept outcome."""
    stages = {
        name: Ranked(tuple(stage["places"]), stage["seconds"], stage["found"])
        for name, stage in record["stages"].items()
    }
    return Outcome(**{**record, "gold": frozenset(record["gold"]), "stages": stages})
