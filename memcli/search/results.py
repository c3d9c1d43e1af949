"""What comes out of a question: a ranking with its evidence, and how it came about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from memcli.domain import Passage, Session, Turn
from memcli.errors import BackendError
from memcli.search.budget import Plan
from memcli.search.retrieve import MOST_EVIDENCE, Candidate

PLAIN = "No model thought about this. Sessions were ranked by words and meaning"

StageName = Literal["retrieve", "rerank", "sift", "answer"]


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

    @property
    def score(self) -> float:
        """What it is judged by, in [0, 1]: the probability that it answers, where that is known."""
        return self.retrieve if self.rerank is None else self.rerank


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that was run, and what it cost."""

    name: StageName
    model: str
    seconds: float
    candidates: int  # sessions it looked at
    passages: int = 0  # it judged, those remembered included
    remembered: int = 0  # answers it did not have to work for
    load: float = 0.0  # seconds of it that the model took to load
    read: int = 0  # tokens
    written: int = 0  # tokens

    @property
    def tokens_per_second(self) -> float:
        """How fast it worked, once the model was loaded; 0 where it had nothing to do."""
        working = self.seconds - self.load
        return (self.read + self.written) / working if working > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A ranking of sessions, best first, and how it came about."""

    question: str
    verdict: Literal["found", "nothing"]
    results: tuple[Result, ...]
    stages: tuple[Stage, ...]
    thought: str | None  # the sifter's; None where no model thought
    plan: Plan | None = None  # what there was time for; None before the second stage
    left_out: tuple[str, ...] = ()  # what there was no time for, in words
    out_of_time: bool = False  # whether a stage was stopped by the deadline
    stopped: BackendError | KeyboardInterrupt | None = None  # what ended it before its last stage

    @property
    def trace(self) -> str:
        """How it was ranked: the sifter's thought; without one, what was counted."""
        return plain_trace(self.results) if self.thought is None else self.thought


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done, for those who wait."""

    doing: str  # "judging passages"
    seconds: float | None = None  # that it will take from now on, as far as is known
    done: int = 0
    of: int = 0  # 0 where it cannot be counted


@dataclass(frozen=True, slots=True)
class Listener:
    """Told how it goes, while it goes."""

    ranked: Callable[[Answer], None] = lambda _answer: None  # after each stage
    working: Callable[[Work], None] = lambda _work: None
    thought: Callable[[str], None] = lambda _piece: None


def plain_trace(results: Sequence[Result]) -> str:
    """Say how sessions were ranked where no model thought about them: words, turns, scores."""
    lines = [f"{PLAIN}:"]
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


def quotes(candidate: Candidate, passage: Passage | None = None) -> tuple[Quote, ...]:
    """Return the turns to quote: those with the question's words, of the best passage if known."""
    positions = [evidence.position for evidence in candidate.evidence]
    if passage:
        inside = range(passage.first, passage.last + 1)
        positions = [position for position in positions if position in inside] or [
            position for position in inside if candidate.session.turns[position - 1].searched
        ]
    turns = candidate.session.turns
    return tuple(Quote(position, turns[position - 1]) for position in positions[:MOST_EVIDENCE])
