"""Yes or no about each passage, many passages at a time.

Prefix, instruction and question are the same in every prompt of a question: their keys and values
are computed once, and the passages, one sequence each, continue from there.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.batches import MAX_BATCH_TOKENS, compute_in_halves, pack_batches
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.gpu_offload import LlamaMemoryError
from memcli.backends.llama.model import LlamaModel
from memcli.backends.yes_no import (
    check_prompt,
    shared_prefix_length,
    tokenize_prompts,
    yes_probability,
)
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.protocols import RerankPrompt

_MIN_BRANCHES = 16  # a context has as many, so that questions with fewer share one
_MAX_SPARE = 4  # a context is used again unless it is larger than needed by this factor


class LlamaReranker:
    """A yes/no reranker as a GGUF file. Implements `protocols.Reranker`.

    The file is checked when it is opened, and loaded when there is a passage to judge.

    Args:
        path: a causal model.
        prompt: the prompt that the model was trained on.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: is called with a sentence if the model cannot run as requested.
        checked: the result of checking the file; None checks it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged, or the prompt does not end with the document.
    """

    def __init__(
        self,
        path: Path,
        prompt: RerankPrompt,
        *,
        gpu_layers: int | None = None,
        threads: int | None = None,
        note: NoteCallback = ignore,
        checked: CheckedFile | None = None,
    ) -> None:
        check_prompt(prompt)
        checked = checked or check_gguf(path)
        self.name = path.stem
        self.fingerprint = fingerprint("rerank", checked.digest, prompt)
        self._path, self._prompt = path, prompt
        self.threads = threads
        self._gpu_layers, self._note = gpu_layers, note
        self._prefix_context: _PrefixContext | None = None  # the one of the last question

    def close(self) -> None:
        """Free the model."""
        if "model" in self.__dict__:
            self.model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self.model.encode(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), short passages first, batch by batch.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        if not passages:
            return
        model = self.model
        answers = (model.encode_single("yes"), model.encode_single("no"))
        *prompts, empty = self.encode_prompts(question, [*passages, ""])
        # With the empty passage, the prefix is the same for the question's next passages.
        length = shared_prefix_length([*prompts, empty])
        prefix, branches = empty[:length], [prompt[length:] for prompt in prompts]
        batches = list(pack_batches(list(map(len, branches)), longest_first=False))
        tokens = length + max(sum(len(branches[index]) for index in batch) for batch in batches)
        for batch in batches:
            context = self._context_for(tokens, max(map(len, batches)))
            pairs = context.logits(prefix, [branches[index] for index in batch], answers)
            for index, (yes, no) in zip(batch, pairs, strict=True):
                yield index, yes_probability(yes, no)

    def encode_prompts(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each passage's whole prompt, only the passage cut to fit.

        Raises:
            BackendError: prefix, question and suffix alone fill the context.
        """
        context = min(self._prompt.context, self.model.trained_context)
        return tokenize_prompts(
            self.model, self._prompt, context=context, question=question, passages=passages
        )

    @cached_property
    def model(self) -> LlamaModel:
        """The model, loaded when it is first needed."""
        return LlamaModel(self._path, gpu_layers=self._gpu_layers, note=self._note)

    def _context_for(self, tokens: int, branches: int) -> "_PrefixContext":
        """Return a context with this much room: the last one if it fits, or else a new one."""
        if self._prefix_context is None or not self._prefix_context.fits(tokens, branches):
            if self._prefix_context:
                self._prefix_context.close()
            # This room is enough for most questions.
            tokens = max(tokens, MAX_BATCH_TOKENS + MAX_BATCH_TOKENS // 2)
            self._prefix_context = _PrefixContext(
                self.model, tokens, branches=max(branches, _MIN_BRANCHES), threads=self.threads
            )
        return self._prefix_context


class _PrefixContext:
    """A context in which many branches continue one prefix, which it keeps for the next batch."""

    def __init__(
        self, model: LlamaModel, tokens: int, *, branches: int, threads: int | None
    ) -> None:
        self._context = LlamaContext(model, tokens, sequences=branches + 1, threads=threads)
        self._prefix: list[int] = []  # the tokens in sequence 0

    def close(self) -> None:
        """Free the memory."""
        self._context.close()

    def fits(self, tokens: int, branches: int) -> bool:
        """Return whether there is room for so many tokens, and not for far too many."""
        enough = tokens <= self._context.tokens and branches < self._context.sequences
        return enough and self._context.tokens <= _MAX_SPARE * max(tokens, MAX_BATCH_TOKENS)

    def logits(
        self, prefix: list[int], branches: Sequence[list[int]], tokens: Sequence[int]
    ) -> list[list[float]]:
        """Return the logits of these tokens after the prefix and each of the branches.

        Where memory gives out, fewer branches are computed at a time, and then less of the model
        runs on the GPU.

        Raises:
            BackendError: llama.cpp failed.
        """

        def shrink(error: LlamaMemoryError) -> None:
            self._context.reopen_smaller(error)
            self._prefix = []

        return compute_in_halves(
            branches, lambda some: self._compute_logits(prefix, some, tokens), shrink
        )

    def _compute_logits(
        self, prefix: list[int], branches: Sequence[list[int]], tokens: Sequence[int]
    ) -> list[list[float]]:
        """Return the logits of all branches, computed in one batch.

        Between two calls the context holds only a prefix: an interrupted call leaves no trace.
        """
        self._read_prefix(prefix)
        context = self._context
        context.copy_prefix(len(branches))
        try:
            context.feed(
                [
                    TokenRun(branch, start=len(prefix), sequence=number)
                    for number, branch in enumerate(branches, start=1)
                ]
            )
            return [context.logits(run, tokens) for run in range(len(branches))]
        finally:
            for sequence in range(1, len(branches) + 1):
                context.truncate(sequence, 0)

    def _read_prefix(self, prefix: list[int]) -> None:
        """Compute the prefix in one piece, so that answers depend on nothing else."""
        if prefix == self._prefix:
            return
        self._prefix = []  # the computation may fail
        self._context.truncate(0, 0)
        self._context.feed([TokenRun(prefix)])
        self._prefix = prefix
