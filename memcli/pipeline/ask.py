"""The three stages in a row: retrieve, rerank, sift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from memcli.domain import Passage, Session, Turn
from memcli.errors import BackendError
from memcli.pipeline.rerank import RELEVANT, Judged, rerank
from memcli.pipeline.retrieve import MOST_EVIDENCE, Candidate, retrieve
from memcli.pipeline.sift import sift
from memcli.protocols import Embedder, Reranker, Sifter
from memcli.store import Filters, Store, searched

CANDIDATES = 30  # sessions the second and third stages look at
LEAST = 0.2  # score of the best session, below which nothing is thought relevant


@dataclass(frozen=True, slots=True)
class Quote:
    """A turn as evidence."""

    position: int  # from 1
    turn: Turn


@dataclass(frozen=True, slots=True)
class Result:
    """A session, what each stage says of it, and the turns that earned it."""

    session: Session
    retrieve: float  # in [0, 1]: 1 is best by every measure, with all of the question
    rerank: float | None  # in [0, 1], the probability that it answers; None if not judged
    sift_rank: int | None  # from 1; None if not ranked
    parts: dict[str, float]  # what each measure adds to `retrieve`
    terms: tuple[str, ...]  # of the question, that the session has
    evidence: tuple[Quote, ...]  # best first


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that was run."""

    name: Literal["retrieve", "rerank", "sift"]
    model: str
    seconds: float
    candidates: int  # sessions it looked at


@dataclass(frozen=True, slots=True)
class Answer:
    """A ranking of sessions, best first, and how it came about."""

    question: str
    verdict: Literal["found", "nothing"]
    results: tuple[Result, ...]
    stages: tuple[Stage, ...]
    trace: str  # the sifter's thought; without one, what was counted
    stopped: BackendError | KeyboardInterrupt | None = None  # what ended it before its last stage


@dataclass(frozen=True, slots=True)
class Models:
    """The models a question is put to; the stages without one are left out."""

    embedder: Embedder
    reranker: Reranker | None = None
    sifter: Sifter | None = None
    sift_wording: str = ""
    thought_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Listener:
    """Told how it goes, while it goes."""

    ranked: Callable[[Answer], None] = lambda _answer: None  # after each stage
    judged: Callable[[int, int], None] = lambda _done, _of: None  # passages
    thought: Callable[[str], None] = lambda _piece: None


def ask(
    question: str,
    store: Store,
    models: Models,
    filters: Filters,
    *,
    limit: int,
    least: float = LEAST,
    listener: Listener | None = None,
) -> Answer:
    """Rank the sessions that may answer, by as many stages as there are models.

    Returns:
        At most `limit` sessions. The verdict is "nothing" where the reranker finds no session
        likelier than not to answer; without one, where the best session scores below `least`.

    A model that fails, and Ctrl-C, end it with what there is: see `Answer.stopped`.
    """
    course = _Course(question, store, listener or Listener(), limit)
    course.retrieve(models.embedder, filters, least)
    try:
        if course.answer.results and models.reranker:
            course.rerank(models.reranker)
        if course.found and models.sifter:
            course.sift(models.sifter, models.sift_wording, models.thought_tokens)
    except (BackendError, KeyboardInterrupt) as stopped:
        return replace(course.answer, stopped=stopped)
    return course.answer


class _Course:
    """A question on its way through the stages."""

    def __init__(self, question: str, store: Store, listener: Listener, limit: int) -> None:
        self._question, self._store, self._listener = question, store, listener
        self._limit = limit
        self._candidates: list[Candidate] = []
        self._results: dict[int, Result] = {}  # by number of the session
        self._stages: list[Stage] = []
        self._thought: str | None = None
        self.found = False

    @property
    def answer(self) -> Answer:
        """The ranking so far."""
        shown = self._candidates[: self._limit]
        results = tuple(self._results[candidate.number] for candidate in shown)
        trace = plain_trace(results) if self._thought is None else self._thought
        verdict: Literal["found", "nothing"] = "found" if self.found else "nothing"
        return Answer(self._question, verdict, results, tuple(self._stages), trace)

    def retrieve(self, embedder: Embedder, filters: Filters, least: float) -> None:
        began = monotonic()
        limit = max(self._limit, CANDIDATES)
        self._candidates = retrieve(self._question, self._store, embedder, filters, limit=limit)
        for one in self._candidates:
            self._results[one.number] = Result(
                one.session, one.score, None, None, one.parts, one.terms, _quotes(one)
            )
        self.found = bool(self._candidates) and self._candidates[0].score >= least
        self._end(Stage("retrieve", embedder.name, monotonic() - began, len(self._candidates)))

    def rerank(self, reranker: Reranker) -> None:
        began = monotonic()
        judged = rerank(
            self._question,
            self._candidates,
            reranker,
            self._store,
            progress=self._listener.judged,
        )
        self._candidates.sort(key=lambda one: _by_probability(one, judged))
        for one in self._candidates:
            if verdict := judged.get(one.number):
                self._results[one.number] = replace(
                    self._results[one.number],
                    rerank=verdict.probability,
                    evidence=_quotes(one, verdict.passage),
                )
        self.found = any(verdict.probability >= RELEVANT for verdict in judged.values())
        self._end(Stage("rerank", reranker.name, monotonic() - began, len(judged)))

    def sift(self, sifter: Sifter, wording: str, thought_tokens: int) -> None:
        began = monotonic()
        sifted = sift(
            self._question,
            self._candidates,
            sifter,
            wording,
            self._store,
            thought_tokens=thought_tokens,
            thought=self._listener.thought,
        )
        places = {number: rank for rank, number in enumerate(sifted.order, start=1)}
        last = len(self._candidates)
        self._candidates.sort(key=lambda one: places.get(one.number, last))
        for number, rank in places.items():
            self._results[number] = replace(self._results[number], sift_rank=rank)
        self._thought = sifted.thought
        self._end(Stage("sift", sifter.name, monotonic() - began, sifted.shown))

    def _end(self, stage: Stage) -> None:
        self._stages.append(stage)
        self._listener.ranked(self.answer)


def plain_trace(results: Sequence[Result]) -> str:
    """Say how sessions were ranked where no model thought about them: words, turns, scores."""
    lines = ["No model thought about this. Sessions were ranked by words and meaning:"]
    for rank, result in enumerate(results, start=1):
        parts = " + ".join(f"{name} {part:.2f}" for name, part in result.parts.items())
        words = ", ".join(result.terms) or "none"
        turns = ", ".join(str(quote.position) for quote in result.evidence)
        judged = "" if result.rerank is None else f"; p(yes) {result.rerank:.2f}"
        lines.append(
            f"{rank}. {result.session.id}: {parts} = {result.retrieve:.2f}{judged};"
            f" words: {words}; turns: {turns}"
        )
    return "\n".join(lines)


def _by_probability(candidate: Candidate, judged: dict[int, Judged]) -> tuple[bool, float]:
    """Return what sorts judged candidates by probability, and the others after them as they are."""
    verdict = judged.get(candidate.number)
    return (verdict is None, -verdict.probability if verdict else 0.0)


def _quotes(candidate: Candidate, passage: Passage | None = None) -> tuple[Quote, ...]:
    """Return the turns to quote: those with the question's words, of the best passage if known."""
    positions = [evidence.position for evidence in candidate.evidence]
    if passage:
        inside = range(passage.first, passage.last + 1)
        positions = [position for position in positions if position in inside] or [
            position for position in inside if searched(candidate.session.turns[position - 1])
        ]
    turns = candidate.session.turns
    return tuple(Quote(position, turns[position - 1]) for position in positions[:MOST_EVIDENCE])
