"""The stages that `mem bench` compares: what the runner is handed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter

from memcli.domain import Fact, KeptMemory, KeptSource, MemoryType
from memcli.errors import InputError
from memcli.evaluation.answer_quality import STEPS as OUTCOME_STEPS
from memcli.evaluation.answer_quality import Answer, task_outcome
from memcli.evaluation.datasets import Observation, Question, Shape
from memcli.evaluation.metrics import by_score
from memcli.evaluation.runner import DEPTH, Grain, Ranked
from memcli.formats import Reading, load
from memcli.ingest.ingest import ingest
from memcli.ingest.progress import Progress, unheard
from memcli.ingest.restore import Restoring
from memcli.prompts import history
from memcli.protocols import Embedder
from memcli.search.query import SignalWeights
from memcli.search.results import Answer as Ranking
from memcli.search.results import Listener
from memcli.search.retrieve import retrieve
from memcli.search.stages import LEAST, Models, ask
from memcli.search.turn_search import retrieve_turns
from memcli.store import Filters, Found, Store, asked

# Each is compared with the one before; `memories` is `retrieve` led by memories, too.
STAGES = ("vectors", "bm25", "retrieve", "memories", "rerank", "sift")
WITHOUT_LANGUAGE_MODEL = STAGES[:3]
OF_SESSIONS = STAGES[3:]  # turns they do not rank
THINKING = STAGES[4:]
SHOWN = 10  # sessions that the stages with a language model are asked for, as by `mem ask -n 10`
_PLACES = 400  # passages by meaning: several are of one session

Places = dict[tuple[int, int], float]  # scores by number of session and position; 0 is all of it
Rank = Callable[[Question], Ranked]


def fill(
    store: Store,
    export: Path,
    shape: Shape,
    observations: Iterable[Observation],
    *,
    embedder: Embedder,
    remembering: bool = False,
    progress: Progress = unheard,
) -> None:
    """Bring the export of an archive into its database, and what was noted of it as memories.

    Raises:
        InputError: a part of it cannot be read.
    """
    [report] = ingest([export], store, embedder, Reading(), forced=load(shape), progress=progress)
    if report.damaged:
        raise InputError(f"the {shape} data is damaged: {report.warnings[0]}")
    if remembering:
        kept = [_memory(one, shape) for one in observations]
        Restoring(store, embedder).take(kept)  # what no turn here supports is none


def _memory(observation: Observation, shape: Shape) -> KeptMemory:
    fact = Fact(observation.text, MemoryType.LONG_TERM, observation.text, (observation.person,))
    return KeptMemory(
        fact,
        tuple(
            KeptSource(shape, observation.session, turn, "the data set")
            for turn in sorted(observation.turns)
        ),
    )


@dataclass(frozen=True, slots=True)
class Archive:
    """A database that answers by the stages named.

    A stage with a language model ranks what `mem ask` would print, and leaves the others in the
    order of the first stage.
    """

    store: Store
    models: Models
    names: Collection[str]
    grain: Grain
    answer: Answer | None = None  # a chat model, which answers from what the last stage ranks

    def rank(self, question: Question) -> dict[str, Ranked]:
        """Return what each stage makes of a question, in the order of STAGES."""
        ways: Mapping[str, Rank] = {
            "vectors": self._by_vectors,
            "bm25": self._by_words,
            "retrieve": partial(self._retrieved, weights=SignalWeights(memories=0))
            if self.grain == "session"
            else self._turns_retrieved,
            "memories": self._retrieved,
        }
        found = {name: ways[name](question) for name in ways if name in self.names}
        thinking = [name for name in THINKING if name in self.names]
        if thinking:
            first = found.get("memories") or found.get("retrieve") or self._retrieved(question)
            found |= self._thought_about(question.text, first, thinking)
        return found

    def told(self, question: Question, stages: Mapping[str, Ranked]) -> dict[str, float]:
        """Return what the last stage's ranking is worth to a chat model."""
        if not (self.answer and question.answer) or question.abstention:
            return {}
        last = list(stages.values())[-1]
        sessions = [self.store.sessions.get(one) for one in last.places[: OUTCOME_STEPS[-1]]]
        texts = [history([(one, range(1, len(one.turns) + 1))]) for one in sessions]
        return task_outcome(question.text, question.answer, texts, self.answer)

    def _by_words(self, question: Question) -> Ranked:
        began = perf_counter()
        found = self.store.index.with_words(self.grain, asked(question.text), Filters(), DEPTH)
        seconds = perf_counter() - began
        return Ranked(self._named(self._scored(found)), seconds)

    def _by_vectors(self, question: Question) -> Ranked:
        began = perf_counter()
        # Not `question_vector`, which would remember it for the stage that is measured next.
        [vector] = self.models.embedder.embed([question.text], questions=True)
        raw = vector.astype("<f4").tobytes()
        found = self.store.index.nearest(raw, self.models.embedder, Filters(), _PLACES)
        seconds = perf_counter() - began
        return Ranked(self._named(self._scored(found)), seconds)

    def _scored(self, found: Iterable[Found]) -> Places:
        return (_sessions if self.grain == "session" else _turns)(found)

    def _retrieved(self, question: Question, weights: SignalWeights | None = None) -> Ranked:
        began = perf_counter()
        found = retrieve(
            *(question.text, self.store, self.models.embedder, Filters()),
            limit=DEPTH,
            now=question.asked_at,
            weights=weights,
        )
        seconds = perf_counter() - began
        relevant = bool(found) and found[0].score >= LEAST
        return Ranked(tuple(one.session.id for one in found), seconds, relevant)

    def _turns_retrieved(self, question: Question) -> Ranked:
        began = perf_counter()
        found = retrieve_turns(
            *(question.text, self.store, self.models.embedder, Filters()),
            limit=DEPTH,
            now=question.asked_at,
        )
        seconds = perf_counter() - began
        return Ranked(tuple(f"{one.session}:{one.position}" for one in found), seconds)

    def _thought_about(
        self, question: str, first: Ranked, names: Collection[str]
    ) -> dict[str, Ranked]:
        heard: dict[str, Ranking] = {}

        def listen(answer: Ranking) -> None:
            heard[answer.stages[-1].name] = answer

        models = replace(
            self.models,
            reranker=self.models.reranker if "rerank" in names else None,
            sifter=self.models.sifter if "sift" in names else None,
        )
        answer = ask(
            question, self.store, models, Filters(), limit=SHOWN, listener=Listener(ranked=listen)
        )
        if answer.stopped:
            raise answer.stopped
        found: dict[str, Ranked] = {}
        last = first  # a stage that had nothing to do leaves the ranking as it was
        for name in names:
            if name in heard:
                stage = _ranked(heard[name])
                rest = [place for place in first.places if place not in stage.places]
                seconds = last.seconds + heard[name].stages[-1].seconds
                last = Ranked((*stage.places, *rest), seconds, stage.found)
            found[name] = last
        return found

    def _named(self, scores: Mapping[tuple[int, int], float]) -> tuple[str, ...]:
        """Return the ids of the best places."""
        ids: dict[int, str] = {}
        named = []
        for number, position in by_score(scores)[:DEPTH]:
            if number not in ids:
                ids[number] = self.store.sessions.by_number(number).id
            named.append(f"{ids[number]}:{position}" if position else ids[number])
        return tuple(named)


def _sessions(found: Iterable[Found]) -> Places:
    """Give every session the best score of what was found in it."""
    best: Places = {}
    for one in found:
        key = (one.session, 0)
        best[key] = max(one.score, best.get(key, one.score))
    return best


def _turns(found: Iterable[Found]) -> Places:
    """Give every turn of a passage its score, the best where passages overlap."""
    best: Places = {}
    for one in found:
        for position in range(one.place.first, one.place.last + 1) if one.place else ():
            key = (one.session, position)
            best[key] = max(one.score, best.get(key, one.score))
    return best


def _ranked(answer: Ranking) -> Ranked:
    return Ranked(
        tuple(result.session.id for result in answer.results),
        sum(stage.seconds for stage in answer.stages),
        answer.verdict == "found",
    )
