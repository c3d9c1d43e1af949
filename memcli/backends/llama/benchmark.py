"""Measurements for `mem bench --speed`: llama.cpp itself, and a plain loop of reranking."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.batches import MAX_BATCH_TOKENS
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.reranker import LlamaReranker
from memcli.backends.yes_no import yes_probability
from memcli.callbacks import NoteCallback, ignore

REPLY_TOKENS = 32  # tokens that are generated at a time


class ModelBenchmark:
    """A model that reads a prompt as long as a batch, and generates a short reply to it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: it is damaged, or there is no memory for it.
    """

    def __init__(
        self, path: Path, *, gpu_layers: int | None = None, note: NoteCallback = ignore
    ) -> None:
        check_gguf(path)
        self._model = LlamaModel(path, gpu_layers=gpu_layers, note=note)
        self._context = LlamaContext(self._model, MAX_BATCH_TOKENS + REPLY_TOKENS)
        text = "What was said about it? " * MAX_BATCH_TOKENS
        self._prompt = self._model.encode(text)[:MAX_BATCH_TOKENS]

    def read_prompt(self) -> int:
        """Read the prompt; return its number of tokens."""
        self._context.restart(0)
        self._context.feed([TokenRun(self._prompt)])
        return len(self._prompt)

    def generate_reply(self) -> int:
        """Generate any reply to the prompt; return its number of tokens."""
        self._context.restart(len(self._prompt))
        token = self._prompt[-1]
        for position in range(len(self._prompt), len(self._prompt) + REPLY_TOKENS):
            self._context.feed([TokenRun([token], start=position)])
            token = self._context.sample()
        return REPLY_TOKENS

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class NaiveReranker:
    """A reranker without our tricks: it reads each whole prompt, one after the other.

    The prompts are the same as the reranker's, and so are the model and its threads. The context
    is kept, too.
    """

    def __init__(self, reranker: LlamaReranker, tokens: int) -> None:
        self._reranker = reranker
        self._context = LlamaContext(reranker.model, tokens, threads=reranker.threads)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) in the order given."""
        model, context = self._reranker.model, self._context
        answers = (model.encode_single("yes"), model.encode_single("no"))
        for index, prompt in enumerate(self._reranker.encode_prompts(question, passages)):
            context.truncate(0, 0)
            context.feed([TokenRun(prompt)])
            yield index, yes_probability(*context.logits(-1, answers))
