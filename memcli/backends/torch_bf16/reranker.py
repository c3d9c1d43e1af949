"""Yes or no about each passage, many passages at a time.

Passages of about the same length share a batch, padded on the left. The prefix that all prompts of
a question share is computed once.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.torch_bf16.causal_lm import TorchLanguageModel, repeat_cache
from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.torch_imports import OutOfMemoryError, inference
from memcli.backends.yes_no import (
    check_prompt,
    shared_prefix_length,
    tokenize_prompts,
    yes_probability,
)
from memcli.domain import fingerprint
from memcli.protocols import RerankPrompt

_BATCH_TOKENS = {"cpu": 2048, "mps": 4096, "cuda": 16_384}  # padding included
_MAX_ROWS = 64  # rows of a batch: each has a copy of the prefix's keys and values


class TorchReranker:
    """A yes/no reranker as safetensors. Implements `protocols.Reranker`.

    The folder is checked when it is opened, and loaded when there is a passage to judge.

    Args:
        folder: a causal model as a hub has it.
        prompt: the prompt that the model was trained on.
        device: torch's name of a device; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged, or the prompt does not end with the document.
    """

    def __init__(self, folder: Path, prompt: RerankPrompt, *, device: str | None = None) -> None:
        check_prompt(prompt)
        checked = check_folder(folder)
        self.name = folder.name
        self.fingerprint = fingerprint("rerank", checked.digest, prompt)
        self._prompt = prompt
        self._context = min(prompt.context, checked.context or prompt.context)
        self.model = TorchLanguageModel(folder, device)
        self._max_tokens = 1 << 30  # smaller once the memory has turned out to be small

    def close(self) -> None:
        """Free the model."""
        self.model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self.model.tokenizer.encode(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), short passages first, batch by batch.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        if not passages:
            return
        tokenizer = self.model.tokenizer
        answers = (tokenizer.encode_single("yes"), tokenizer.encode_single("no"))
        *prompts, empty = self.encode_prompts(question, [*passages, ""])
        length = shared_prefix_length([*prompts, empty])
        branches = [prompt[length:] for prompt in prompts]
        cache = self._read_prefix(empty[:length])
        waiting = sorted(range(len(branches)), key=lambda index: len(branches[index]))
        while waiting:
            batch = self._next_batch(waiting, branches)
            try:
                pairs = self._logits(cache, [branches[index] for index in batch], answers)
            except OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self._max_tokens = len(batch) * len(branches[batch[-1]]) // 2
                continue
            del waiting[: len(batch)]
            for index, (yes, no) in zip(batch, pairs, strict=True):
                yield index, yes_probability(yes, no)

    def encode_prompts(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each passage's whole prompt, only the passage cut to fit.

        Raises:
            BackendError: prefix, question and suffix alone fill the context.
        """
        return tokenize_prompts(
            self.model.tokenizer,
            self._prompt,
            context=self._context,
            question=question,
            passages=passages,
        )

    def _next_batch(self, waiting: Sequence[int], branches: Sequence[Sequence[int]]) -> list[int]:
        """Return the first of the waiting indices, short branches first, that fit one batch."""
        device = self.model.device.type
        most = min(self._max_tokens, _BATCH_TOKENS.get(device, _BATCH_TOKENS["cpu"]))
        rows = 1
        while (
            rows < min(len(waiting), _MAX_ROWS)
            and (rows + 1) * len(branches[waiting[rows]]) <= most
        ):
            rows += 1
        return list(waiting[:rows])

    def _read_prefix(self, tokens: Sequence[int]) -> Any:  # Any: of transformers
        """Return the keys and values of the prefix that all prompts share."""
        if not tokens:
            return None
        with inference(self.model.folder):
            return self.model.read([tokens])[1]

    def _logits(
        self,
        cache: Any,  # Any: of transformers
        branches: Sequence[Sequence[int]],
        tokens: Sequence[int],
    ) -> list[list[float]]:
        """Return the logits of these tokens after the prefix and each of the branches."""
        with inference(self.model.folder):
            repeated = None if cache is None else repeat_cache(cache, len(branches))
            states, _ = self.model.read(branches, repeated)
            pairs: list[list[float]] = self.model.logits(states, tokens).tolist()
        return pairs
