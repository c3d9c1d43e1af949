"""What a model has read and written so far, and what of it need not be read again."""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.thought_stream import CLOSED
from memcli.backends.llama.context import BATCH, Context, Run


class Tape:
    """The one sequence of a context, and the tokens in it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.tokens: list[int] = []
        self._read = 0  # of the tokens, how many came in whole batches

    def feed(self, tokens: Sequence[int]) -> None:
        """Let these tokens follow."""
        self.context.feed([Run(tokens, start=len(self.tokens))])
        self.tokens += tokens

    def rewrite(self, prompt: Sequence[int], seed: int = 0) -> None:
        """Begin anew with a prompt; the batches that it shares with what is there stay.

        Only whole batches do, and none with tokens that were drawn: other batches would round
        otherwise, and the same dialogue with the same seed would depend on what came before it.
        """
        same = _shared(self.tokens[: self._read], prompt[:-1])
        kept = same // BATCH * BATCH
        if not self.context.restart(kept, seed):
            kept = 0
            self.context.restart(kept, seed)
        del self.tokens[kept:]
        self.feed(prompt[kept:])
        self._read = len(self.tokens)

    def drawn(self, most: int) -> Iterator[bytes]:
        """Yield what each token drawn writes, until the model ends or `most` have come."""
        model = self.context.model
        for _ in range(most):
            token = self.context.draw()
            piece = model.piece(token)
            if model.ends(token) and piece != CLOSED.encode():
                return
            self.feed([token])
            yield piece

    def draw_among(self, tokens: Sequence[int]) -> int:
        """Draw one of these tokens, as if there were no others."""
        return self.context.draw_among(tokens)

    def best_of(self, tokens: Sequence[int]) -> int:
        """Return the likeliest of these tokens."""
        likelihood = dict(zip(tokens, self.context.logits(0, tokens), strict=True))
        return max(tokens, key=likelihood.__getitem__)

    def likeliest(self, count: int) -> list[int]:
        """Return the likeliest tokens of all, the likeliest first."""
        return self.context.likeliest(count)


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next(
        (place for place, (left, right) in pairs if left != right), min(len(one), len(other))
    )
