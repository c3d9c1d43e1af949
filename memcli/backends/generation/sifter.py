"""Generation of a thought and a ranking from a message with sessions.

The thought is sampled freely and has a budget. The ranking is generated under a constraint: at
each step the model can only choose among the ids that are not in the list yet.
"""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.generator import TextGenerator, TokenSequence
from memcli.backends.generation.ranking_constraint import (
    RANKING_CLOSE,
    RANKING_OPEN,
    RankingConstraint,
)
from memcli.backends.generation.thought_stream import THINK_CLOSE, stream_thought
from memcli.errors import BackendError
from memcli.protocols import Message, SiftedOrder


class RankingGenerator(TextGenerator):
    """A generator of a thought and a ranking. Implements `protocols.Sifter`."""

    task = "sift"

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | SiftedOrder]:
        """Yield the thought in pieces as it is generated, and finally the Ranking.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        tokenizer = self.tokenizer
        ids = [tokenizer.encode(str(id)) for id in range(shown)]
        ranked = min(ranked, shown)
        if not ranked:
            yield SiftedOrder(())
            return
        prompt = self.encode_prompt([Message("user", message)])
        close = tokenizer.encode_markup(THINK_CLOSE + RANKING_OPEN)
        ranking_tokens = len(close) + ranked * (max(map(len, ids)) + 1)
        self._check_fits(len(prompt), thought_tokens, ranking_tokens)
        room = len(prompt) + thought_tokens + ranking_tokens
        with self.open_sequence(prompt, room) as sequence:
            closed = yield from stream_thought(sequence.generate(thought_tokens))
            constraint = RankingConstraint(
                ids,
                count=ranked,
                comma=tokenizer.encode_single(","),
                end=tokenizer.encode_markup(RANKING_CLOSE)[0],
            )
            opening = tokenizer.encode_markup(RANKING_OPEN) if closed else close
            _complete_ranking(constraint, sequence, opening)
        yield SiftedOrder(tuple(constraint.order))

    def _check_fits(self, prompt: int, thought: int, ranking: int) -> None:
        """Refuse numbers of tokens that exceed the context."""
        if prompt + thought + ranking > self.context:
            raise BackendError(
                f"the message takes {prompt:,} tokens, the thought {thought:,} and the ranking"
                f" {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )


def _complete_ranking(
    constraint: RankingConstraint, sequence: TokenSequence, opening: Sequence[int]
) -> None:
    """Complete the list with the most likely token at each step; run the model only at a choice."""
    waiting = list(opening)
    while not constraint.is_complete:
        allowed = constraint.allowed_tokens()
        token = allowed[0]
        if len(allowed) > 1:
            sequence.feed(waiting)
            waiting = []
            token = sequence.most_likely_of(allowed)
        constraint.accept(token)
        waiting.append(token)
