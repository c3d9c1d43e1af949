"""Sessions in, a thought and a ranking out.

The thought is drawn freely and has a budget. The ranking is written under a constraint: whatever
the model would rather say, it can only choose among the ids not yet named.
"""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.generator import Tape, Writer
from memcli.backends.generation.ranking_constraint import Permutation
from memcli.backends.generation.thought_stream import CLOSED, thought
from memcli.errors import BackendError
from memcli.protocols import Message, Ranking

RANKING, RANKED = "<ranking>", "</ranking>"


class Sifting(Writer):
    """Thinks before it ranks: what `protocols.Sifter` asks for."""

    task = "sift"

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        words = self.words
        ids = [words.plain(str(id)) for id in range(shown)]
        ranked = min(ranked, shown)
        if not ranked:
            yield Ranking(())
            return
        prompt = self.prompt([Message("user", message)])
        close = words.markup(CLOSED + RANKING)
        ranking = len(close) + ranked * (max(map(len, ids)) + 1)
        self._check(len(prompt), thought_tokens, ranking)
        with self.tape(prompt, len(prompt) + thought_tokens + ranking) as tape:
            closed = yield from thought(tape.drawn(thought_tokens))
            permutation = Permutation(
                ids, ranked=ranked, comma=words.single(","), end=words.markup(RANKED)[0]
            )
            _write(permutation, tape, words.markup(RANKING) if closed else close)
        yield Ranking(tuple(permutation.order))

    def _check(self, prompt: int, thought: int, ranking: int) -> None:
        """Refuse what does not fit the context."""
        if prompt + thought + ranking > self.context:
            raise BackendError(
                f"the message takes {prompt:,} tokens, the thought {thought:,} and the ranking"
                f" {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )


def _write(permutation: Permutation, tape: Tape, tokens: Sequence[int]) -> None:
    """Complete the list, the likeliest token at each step; asks only where there is a choice."""
    waiting = list(tokens)
    while not permutation.complete:
        allowed = permutation.allowed()
        token = allowed[0]
        if len(allowed) > 1:
            tape.feed(waiting)
            waiting = []
            token = tape.best_of(allowed)
        permutation.take(token)
        waiting.append(token)
