"""The tokens that a model has read and generated, and the reuse of their beginning."""

from collections.abc import Iterator, Sequence

from memcli.backends.generation.generator import common_prefix_length
from memcli.backends.generation.thought_stream import THINK_CLOSE
from memcli.backends.llama.batches import MAX_BATCH_TOKENS
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.gpu_offload import LlamaMemoryError


class LlamaSequence:
    """The one sequence of a context, and the tokens in it."""

    def __init__(self, context: LlamaContext) -> None:
        self.context = context
        self.tokens: list[int] = []
        self._prompt_tokens = 0  # tokens at the beginning that were read in whole batches

    def feed(self, tokens: Sequence[int]) -> None:
        """Add these tokens at the end; where memory gives out, with less of the model on the GPU.

        Raises:
            BackendError: llama.cpp failed.
        """
        run = TokenRun(tokens, start=len(self.tokens))
        while True:
            try:
                self.context.feed([run])
            except LlamaMemoryError as error:
                self.context.reopen_smaller(error)
                run = TokenRun([*self.tokens, *tokens])  # the new context is empty
                continue
            self.tokens += tokens
            return

    def restart(self, prompt: Sequence[int], seed: int = 0) -> None:
        """Begin anew with a prompt; the batches that it shares with the old tokens stay.

        Only whole batches stay, and none with sampled tokens: other batches would round otherwise,
        and the same dialogue with the same seed would depend on what came before it.
        """
        shared = common_prefix_length(self.tokens[: self._prompt_tokens], prompt[:-1])
        kept = shared // MAX_BATCH_TOKENS * MAX_BATCH_TOKENS
        if not self.context.restart(kept, seed):
            kept = 0
            self.context.restart(kept, seed)
        del self.tokens[kept:]
        self.feed(prompt[kept:])
        self._prompt_tokens = len(self.tokens)

    def generate(self, max_tokens: int) -> Iterator[bytes]:
        """Yield the text of each sampled token, until the model ends or `max_tokens` have come."""
        model = self.context.model
        for _ in range(max_tokens):
            token = self.context.sample()
            piece = model.decode_token(token)
            if model.is_end(token) and piece != THINK_CLOSE.encode():
                return
            self.feed([token])
            yield piece

    def sample_among(self, tokens: Sequence[int]) -> int:
        """Sample one of these tokens, as if there were no others."""
        return self.context.sample_among(tokens)

    def most_likely_of(self, tokens: Sequence[int]) -> int:
        """Return the most likely of these tokens."""
        likelihood = dict(zip(tokens, self.context.logits(0, tokens), strict=True))
        return max(tokens, key=likelihood.__getitem__)

    def most_likely(self, count: int) -> list[int]:
        """Return the most likely tokens of all, best first."""
        return self.context.most_likely(count)
