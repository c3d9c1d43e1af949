"""Earlier questions: a question may go on where the last one ended.

The dialogue is stored in the database, in the cache of model outputs, so `mem forget` removes it,
too.
"""

from memcli.domain import fingerprint
from memcli.lazy_dataclasses import dataclass
from memcli.search.results import Ranking
from memcli.store import ModelCache

MOST_EXCHANGES = 4  # that are remembered, the latest
MOST_TITLES = 3  # of the best sessions, in the reply of an exchange
_KEY = fingerprint("dialogue")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its reply."""

    question: str
    reply: str  # the answer, or the sessions that were found, in words


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The exchanges before the question at hand, oldest first."""

    exchanges: tuple[Exchange, ...] = ()

    @property
    def questions(self) -> str:
        """The earlier questions, one on each line; empty if there were none."""
        return "\n".join(exchange.question for exchange in self.exchanges)

    def question_in_context(self, question: str) -> str:
        """Return a question as models judge by it: after the exchanges before it."""
        if not self.exchanges:
            return question
        lines = []
        for exchange in self.exchanges:
            lines += [f"user: {exchange.question}", f"assistant: {exchange.reply}"]
        return "\n".join([*lines, f"user: {question}"])

    def with_exchange(self, answer: Ranking, reply: str = "") -> "Dialogue":
        """Return the dialogue with one more exchange.

        Args:
            answer: the ranking of its question.
            reply: the answer to it; by default the sessions that were found.
        """
        exchanges = (*self.exchanges, Exchange(answer.question, reply or _describe(answer)))
        return Dialogue(exchanges[-MOST_EXCHANGES:])


def load_dialogue(cache: ModelCache) -> Dialogue:
    """Return the dialogue that was saved last; an empty one if none is known."""
    saved = cache.get(_KEY)
    try:
        exchanges = [Exchange(str(question), str(reply)) for question, reply in saved]
    except (TypeError, ValueError):  # the cache has nothing, or nonsense
        return Dialogue()
    return Dialogue(tuple(exchanges))


def save_dialogue(cache: ModelCache, dialogue: Dialogue) -> None:
    """Save a dialogue in place of the one before."""
    cache.put({_KEY: [[one.question, one.reply] for one in dialogue.exchanges]})


def _describe(answer: Ranking) -> str:
    """Name the best sessions of a ranking by title and day."""
    results = answer.results[:MOST_TITLES] if answer.verdict == "found" else ()
    sessions = [result.session for result in results]
    titles = [
        f"{one.title} ({one.started_at:%Y-%m-%d})" if one.started_at else one.title
        for one in sessions
    ]
    return f"I found {'; '.join(titles)}." if titles else "I found nothing."
