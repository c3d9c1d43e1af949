"""Yes or no about each passage, many passages at a time.

Passages of about the same length share a batch, padded on the left. What all prompts of a
question begin with is computed once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.torch_bf16.causal_lm import LanguageModel, copies
from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.torch_imports import OutOfMemoryError, running
from memcli.backends.yes_no import check_prompt, probability, prompts_of, shared
from memcli.domain import fingerprint
from memcli.protocols import RerankPrompt

_BATCH = {"cpu": 2048, "mps": 4096, "cuda": 16_384}  # tokens in a batch, padding included
_ROWS = 64  # in a batch: each has a copy of the beginning's keys and values


def open_reranker(
    folder: Path, prompt: RerankPrompt, *, device: str | None = None
) -> "TorchReranker":
    """Check a model and return its reranker; it is loaded when it has something to judge.

    Args:
        folder: a causal model as a hub has it.
        prompt: how the model was taught to be asked.
        device: as torch names it; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged, or the prompt does not end with the document.
    """
    check_prompt(prompt)
    return TorchReranker(folder, prompt, device=device)


class TorchReranker:
    """A yes/no reranker as safetensors. Implements `protocols.Reranker`."""

    def __init__(self, folder: Path, prompt: RerankPrompt, *, device: str | None) -> None:
        self.name = folder.name
        checked = check_folder(folder)
        self.fingerprint = fingerprint("rerank", checked.digest, prompt)
        self._prompt = prompt
        self._context = min(prompt.context, checked.context or prompt.context)
        self._model = LanguageModel(folder, device)
        self._most = 1 << 30  # tokens in a batch, once the memory has turned out to be small

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self._model.vocabulary.plain(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), short passages first, batch by batch.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        if not passages:
            return
        model = self._model
        answers = (model.vocabulary.single("yes"), model.vocabulary.single("no"))
        *prompts, bare = self.prompts(question, [*passages, ""])
        begin = shared([*prompts, bare])
        tails = [prompt[begin:] for prompt in prompts]
        before = self._head(bare[:begin])
        waiting = sorted(range(len(tails)), key=lambda index: len(tails[index]))
        while waiting:
            batch = self._batch(waiting, tails)
            try:
                pairs = self._logits(before, [tails[index] for index in batch], answers)
            except OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self._most = len(batch) * len(tails[batch[-1]]) // 2
                continue
            del waiting[: len(batch)]
            for index, (yes, no) in zip(batch, pairs, strict=True):
                yield index, probability(yes, no)

    def prompts(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each passage's whole prompt, only the passage cut to fit.

        Raises:
            BackendError: prefix, question and suffix alone fill the context.
        """
        words = self._model.vocabulary
        return prompts_of(words, self._prompt, self._context, question, passages)

    def _batch(self, waiting: Sequence[int], tails: Sequence[Sequence[int]]) -> list[int]:
        """Return how many of those waiting, short ones first, are computed together."""
        most = min(self._most, _BATCH.get(self._model.device.type, _BATCH["cpu"]))
        rows = 1
        while rows < min(len(waiting), _ROWS) and (rows + 1) * len(tails[waiting[rows]]) <= most:
            rows += 1
        return list(waiting[:rows])

    def _head(self, tokens: Sequence[int]) -> Any:  # Any: of transformers
        """Return keys and values of what all prompts begin with."""
        if not tokens:
            return None
        with running(self._model.folder):
            return self._model.read([tokens])[1]

    def _logits(
        self,
        head: Any,  # Any: of transformers
        tails: Sequence[Sequence[int]],
        tokens: Sequence[int],
    ) -> list[list[float]]:
        """Return the logits of these tokens after the head and each of the tails."""
        with running(self._model.folder):
            before = None if head is None else copies(head, len(tails))
            states, _ = self._model.read(tails, before)
            pairs: list[list[float]] = self._model.logits(states, tokens).tolist()
        return pairs
