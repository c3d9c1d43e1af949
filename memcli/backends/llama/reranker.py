"""Yes or no about each passage, many passages at a time.

Prefix, instruction and question are the same in every prompt of a question: their keys and values
are computed once, and the passages, one sequence each, go on from there.
"""

import math
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.model import BATCH, SEQUENCES, Context, Model, Run
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import RerankPrompt

_FIELD = re.compile(r"\{(instruction|query|document)\}")


def open_reranker(
    path: Path,
    prompt: RerankPrompt,
    *,
    gpu_layers: int | None = None,
    threads: int | None = None,
) -> "LlamaReranker":
    """Check a model file and return its reranker; it is loaded when it has something to judge.

    Args:
        path: a GGUF file of a causal model.
        prompt: how the model was taught to be asked.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged, or the prompt does not end with the document.
    """
    if not prompt.body.endswith("{document}") or prompt.body.count("{document}") != 1:
        raise BackendError("a reranker's prompt shows {document} once, at the end of its body")
    return LlamaReranker(path, prompt, gpu_layers=gpu_layers, threads=threads)


class LlamaReranker:
    """A yes/no reranker as a GGUF file. Implements `protocols.Reranker`."""

    def __init__(
        self, path: Path, prompt: RerankPrompt, *, gpu_layers: int | None, threads: int | None
    ) -> None:
        self.name = path.stem
        self.fingerprint = fingerprint("rerank", check_gguf(path).digest, prompt)
        self._path, self._prompt = path, prompt
        self._gpu_layers, self._threads = gpu_layers, threads

    def close(self) -> None:
        """Free the model."""
        if "_model" in self.__dict__:
            self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self._model.plain(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), short passages first, batch by batch.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        if not passages:
            return
        model = self._model
        answers = (model.single("yes"), model.single("no"))
        prompts = self.prompts(question, passages)
        head = _shared(prompts)
        batches = list(_packed({index: len(p) - head for index, p in enumerate(prompts)}))
        most = max(map(len, batches))
        room = head + max(sum(len(prompts[index]) - head for index in b) for b in batches)
        with Context(model, room, sequences=most + 1, threads=self._threads) as context:
            if head:
                context.feed([Run(prompts[0][:head])])
                context.share(most)
            for batch in batches:
                context.feed(
                    [
                        Run(prompts[index][head:], start=head, sequence=number)
                        for number, index in enumerate(batch, start=1)
                    ]
                )
                for number, index in enumerate(batch, start=1):
                    yield index, _probability(*context.logits(number - 1, answers))
                    context.forget(number, head)

    def prompts(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each passage's whole prompt, only the passage cut to fit.

        Raises:
            BackendError: prefix, question and suffix alone fill the context.
        """
        prompt, model = self._prompt, self._model
        prefix, suffix = model.markup(prompt.prefix), model.markup(prompt.suffix)
        context = min(prompt.context, model.trained_context)
        room = context - len(prefix) - len(suffix)
        fields = {"instruction": prompt.instruction, "query": question, "document": ""}
        start = _FIELD.sub(lambda field: fields[field[1]], prompt.body)
        taken = len(model.plain(start))
        if taken >= room:
            raise BackendError(
                f"the question takes {taken:,} of {max(room, 0):,} tokens"
                " and leaves none for a passage",
                hint="ask in fewer words",
            )
        # One text, as in training: a space that ends `start` belongs to the passage's first word.
        return [prefix + model.plain(start + passage)[:room] + suffix for passage in passages]

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers)


def _shared(prompts: Sequence[list[int]]) -> int:
    """Return how many tokens all prompts begin with, leaving each at least one of its own."""
    if len(prompts) == 1:
        return 0
    # What the first and the last in sorted order share is what all share.
    first, last = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    return next((place for place in range(most) if first[place] != last[place]), most)


def _packed(sizes: dict[int, int]) -> Iterator[list[int]]:
    """Yield indices in batches, short ones first; whoever exceeds a batch is alone in his."""
    batch: list[int] = []
    tokens = 0
    for index, size in sorted(sizes.items(), key=lambda item: item[1]):
        if batch and (tokens + size > BATCH or len(batch) == SEQUENCES):
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += size
    yield batch


def _probability(yes: float, no: float) -> float:
    """Return the share of yes in the softmax over the two logits."""
    margin = yes - no
    if math.isnan(margin):
        raise BackendError("the reranker's answer is not a number: its file may be damaged")
    # Beyond 500 the exponential overflows, and the answer is 0 or 1 long before.
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, margin))))
