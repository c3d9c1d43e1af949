"""What `mem bench` measures of llama.cpp itself, and what it compares our reranking with."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.context import BATCH, Context, Run
from memcli.backends.llama.gpu_offload import Note, unheard
from memcli.backends.llama.model import Model
from memcli.backends.llama.reranker import LlamaReranker
from memcli.backends.yes_no import probability

WRITTEN = 32  # tokens drawn at a time


class Gauge:
    """A model that reads a prompt of a batch, and writes a short reply to it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: it is damaged, or there is no memory for it.
    """

    def __init__(self, path: Path, *, gpu_layers: int | None = None, note: Note = unheard) -> None:
        check_gguf(path)
        self._model = Model(path, gpu_layers=gpu_layers, note=note)
        self._context = Context(self._model, BATCH + WRITTEN)
        self._prompt = (self._model.plain("What was said about it? ") * BATCH)[:BATCH]

    def read(self) -> int:
        """Read the prompt; return how many tokens that were."""
        self._context.restart(0)
        self._context.feed([Run(self._prompt)])
        return len(self._prompt)

    def write(self) -> int:
        """Write after the prompt, whatever comes; return how many tokens that were."""
        self._context.restart(len(self._prompt))
        token = self._prompt[-1]
        for place in range(len(self._prompt), len(self._prompt) + WRITTEN):
            self._context.feed([Run([token], start=place)])
            token = self._context.draw()
        return WRITTEN

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class OneByOne:
    """Judges passages as one would at first: each with its whole prompt, one after the other.

    The prompts are the same as the reranker's, and so are the model and its threads. The context
    is kept, too.
    """

    def __init__(self, reranker: LlamaReranker, tokens: int) -> None:
        self._reranker = reranker
        self._context = Context(reranker.model, tokens, threads=reranker.threads)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) in the order given."""
        model, context = self._reranker.model, self._context
        answers = (model.single("yes"), model.single("no"))
        for index, prompt in enumerate(self._reranker.prompts(question, passages)):
            context.forget(0, 0)
            context.feed([Run(prompt)])
            yield index, probability(*context.logits(-1, answers))
