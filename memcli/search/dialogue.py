"""What was asked before: a question may go on where the last one ended.

It is kept in the database, beside what models said before: `mem forget` takes it along.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from memcli.domain import fingerprint
from memcli.search.results import Answer
from memcli.search.retrieve import MOST_EVIDENCE, MOST_PASSAGES, Candidate
from memcli.store import Cache

MOST_EXCHANGES = 4  # that are remembered, the latest
MOST_NAMED = 3  # sessions of an exchange, the best
EARLIER = 0.4  # what the words of earlier questions weigh, against 1 of the last
_KEY = fingerprint("dialogue")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and what came of it."""

    question: str
    reply: str  # the answer, or the sessions that were found, in words


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was asked before the question at hand, oldest first."""

    exchanges: tuple[Exchange, ...] = ()

    @property
    def questions(self) -> str:
        """All that was asked, a line a question; empty where nothing was."""
        return "\n".join(exchange.question for exchange in self.exchanges)

    def current(self, question: str) -> str:
        """Return the chat context that models judge by: what was asked, and the question last."""
        if not self.exchanges:
            return question
        lines = []
        for exchange in self.exchanges:
            lines += [f"user: {exchange.question}", f"assistant: {exchange.reply}"]
        return "\n".join([*lines, f"user: {question}"])

    def grown(self, answer: Answer, reply: str = "") -> "Dialogue":
        """Return the dialogue with one more question and its reply, by default what was found."""
        exchanges = (*self.exchanges, Exchange(answer.question, reply or _found(answer)))
        return Dialogue(exchanges[-MOST_EXCHANGES:])


def last_dialogue(cache: Cache) -> Dialogue:
    """Return what was asked last; nothing where it is not known."""
    kept = cache.get(_KEY)
    try:
        exchanges = [Exchange(str(question), str(reply)) for question, reply in kept]
    except (TypeError, ValueError):  # there is nothing, or nonsense
        return Dialogue()
    return Dialogue(tuple(exchanges))


def keep_dialogue(cache: Cache, dialogue: Dialogue) -> None:
    """Remember what was asked last, in place of what was before."""
    cache.put({_KEY: [[one.question, one.reply] for one in dialogue.exchanges]})


def followed(now: Iterable[Candidate], earlier: Iterable[Candidate]) -> list[Candidate]:
    """Merge what a question finds with what the ones before it found, best first.

    Scores stay in [0, 1]: a session that is best by every measure for all of them has 1.
    """
    first = {one.number: _weighed(one, 1.0) for one in now}
    for one in earlier:
        less = _weighed(one, EARLIER)
        first[one.number] = _both(first[one.number], less) if one.number in first else less
    return sorted(first.values(), key=lambda one: (-one.score, one.number))


def _found(answer: Answer) -> str:
    """Name the best sessions by title and day."""
    results = answer.results[:MOST_NAMED] if answer.verdict == "found" else ()
    sessions = [result.session for result in results]
    named = [
        f"{one.title} ({one.started_at:%Y-%m-%d})" if one.started_at else one.title
        for one in sessions
    ]
    return f"I found {'; '.join(named)}." if named else "I found nothing."


def _weighed(one: Candidate, weight: float) -> Candidate:
    share = weight / (1 + EARLIER)
    parts = {name: part * share for name, part in one.parts.items()}
    return replace(one, score=one.score * share, parts=parts)


def _both(one: Candidate, other: Candidate) -> Candidate:
    known = {evidence.position for evidence in one.evidence}
    more = [evidence for evidence in other.evidence if evidence.position not in known]
    names = dict.fromkeys([*one.parts, *other.parts])
    return replace(
        one,
        score=one.score + other.score,
        parts={name: one.parts.get(name, 0.0) + other.parts.get(name, 0.0) for name in names},
        terms=tuple(dict.fromkeys([*one.terms, *other.terms])),
        passages=tuple(dict.fromkeys([*one.passages, *other.passages]))[:MOST_PASSAGES],
        evidence=(*one.evidence, *more)[:MOST_EVIDENCE],
    )
