"""The result of a question: a ranking with its evidence, and the stages that made it."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from memcli.domain import Memory, Passage, Session, Turn
from memcli.errors import MemError
from memcli.lazy_dataclasses import dataclass, field
from memcli.search.budget import StagePlan
from memcli.search.evidence.candidates import Candidate
from memcli.search.evidence.turns import MOST_EVIDENCE

StageName = Literal["retrieve", "rerank", "sift", "answer"]
StopCause: TypeAlias = MemError | KeyboardInterrupt  # of work that ended before its end


@dataclass(frozen=True, slots=True)
class QuotedTurn:
    """A turn as evidence."""

    position: int  # from 1
    turn: Turn


@dataclass(frozen=True, slots=True)
class RankedSession:
    """A ranked session with the score of each stage, and the turns that earned it."""

    session: Session
    retrieve: float  # in [0, 1]: 1 is best by every signal, with all of the question
    rerank: float | None  # in [0, 1], the probability that it answers; None if not judged
    sift_rank: int | None  # from 1; None if not ranked
    parts: dict[str, float]  # the part of `retrieve` that each signal adds, by its name
    terms: tuple[str, ...]  # terms of the question that the session has, and other words for them
    evidence: tuple[QuotedTurn, ...]  # best first
    reasons: tuple[str, ...] = ()  # of the first stage, in words

    @property
    def why(self) -> str:
        """The reasons for its place in one line: of the first stage, the reranker, the sifter."""
        reasons = list(self.reasons)
        if self.rerank is not None:
            reasons.append(f"the reranker gave {self.rerank:.2f}")
        if self.sift_rank is not None:
            reasons.append(f"the sifter ranked it {self.sift_rank}")
        return "; ".join(reasons)

    @property
    def score(self) -> float:
        """The score that thresholds apply to, in [0, 1]: `rerank` if it is known."""
        return self.retrieve if self.rerank is None else self.rerank


@dataclass(frozen=True, slots=True)
class AnsweringMemory:
    """A memory that answers a question, and the turns that it came from."""

    memory: Memory
    sources: tuple[QuotedTurn, ...]  # in the order of `memory.sources`


@dataclass(frozen=True, slots=True)
class StageReport:
    """A stage that ran, and its cost."""

    name: StageName
    model: str
    seconds: float
    candidates: int  # sessions that it looked at
    passages: int = 0  # that it judged, cached ones included
    cached: int = 0  # results that came from the cache
    load_seconds: float = 0.0  # seconds of `seconds` that the model took to load
    tokens_read: int = 0  # tokens
    tokens_written: int = 0  # tokens

    @property
    def tokens_per_second(self) -> float:
        """The speed of its work once the model was loaded; 0 if it had nothing to do."""
        working = self.seconds - self.load_seconds
        return (self.tokens_read + self.tokens_written) / working if working > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking of sessions, best first, and how it was made."""

    question: str
    verdict: Literal["found", "nothing"]
    results: tuple[RankedSession, ...]
    stages: tuple[StageReport, ...]
    thought: str | None  # the sifter's; None if no model thought
    plan: StagePlan | None = None  # what there was time for; None before the second stage
    left_out: tuple[str, ...] = ()  # work that there was no time for, in words
    out_of_time: bool = False  # True if the deadline stopped a stage
    stopped_by: StopCause | None = None  # the error or Ctrl-C that prevented later stages
    memories: tuple[AnsweringMemory, ...] = ()  # current ones first; they make the verdict "found"
    corrections: Mapping[str, str] = field(default_factory=dict)  # words searched for, by the typed
    missing_phrases: tuple[str, ...] = ()  # quoted phrases that no session has together

    @property
    def trace(self) -> str:
        """The reasons of the ranking: the sifter's thought, or else the plain trace."""
        return self._plain_trace() if self.thought is None else self.thought

    @property
    def trace_heading(self) -> str:
        """A sentence that says what ranked the sessions, if no model thought about it."""
        judging = [stage for stage in self.stages if stage.name == "rerank"]
        if not judging:
            return "No model thought about this. Sessions were ranked by words and meaning"
        [rerank] = judging
        passages = "1 passage" if rerank.passages == 1 else f"{rerank.passages} passages"
        sessions = "1 session" if rerank.candidates == 1 else f"{rerank.candidates} sessions"
        unjudged = any(result.rerank is None for result in self.results)
        rest = "; the others by words and meaning" if unjudged else ""
        return (
            f"No model thought about this. {rerank.model} judged {passages} of {sessions}, and"
            f" sessions were ranked by its probability that they answer{rest}"
        )

    def _plain_trace(self) -> str:
        """Describe a ranking that no model thought about: words, turns, scores."""
        lines = [f"{self.trace_heading}:"]
        for rank, result in enumerate(self.results, start=1):
            parts = " + ".join(f"{name} {part:.2f}" for name, part in result.parts.items())
            words = ", ".join(result.terms) or "none"
            turns = ", ".join(str(quote.position) for quote in result.evidence)
            probability = "" if result.rerank is None else f"; p(yes) {result.rerank:.2f}"
            lines.append(
                f"{rank}. {result.session.id}: {parts} = {result.retrieve:.2f}{probability};"
                f" words: {words}; turns: {turns}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Activity:
    """The activity of a stage, for those who wait."""

    name: str  # "judging passages"
    seconds: float | None = None  # that it will take from now on; None if unknown
    done: int = 0  # steps
    total: int = 0  # steps in all; 0 if they cannot be counted


def _ignore(_event: object) -> None:
    """Do nothing about an event."""


@dataclass(frozen=True, slots=True)
class RankingListener:
    """Callbacks for the progress of a question."""

    on_ranking: Callable[[Ranking], None] = _ignore  # called after each stage
    on_activity: Callable[[Activity], None] = _ignore
    on_thought: Callable[[str], None] = _ignore  # called with each piece of a model's thought


def quotes(candidate: Candidate, passage: Passage | None = None) -> tuple[QuotedTurn, ...]:
    """Return the turns to quote of a candidate: those with words of the question.

    Args:
        candidate: the session.
        passage: the only passage to quote from, if one is known to be best; all of its turns are
            quoted if none of them has a word of the question.
    """
    positions = [evidence.position for evidence in candidate.evidence]
    if passage:
        inside = range(passage.first, passage.last + 1)
        positions = [position for position in positions if position in inside] or [
            position for position in inside if candidate.session.turns[position - 1].is_searchable
        ]
    turns = candidate.session.turns
    return tuple(
        QuotedTurn(position, turns[position - 1]) for position in positions[:MOST_EVIDENCE]
    )
