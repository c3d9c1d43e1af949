"""Yes or no about each passage, many passages at a time.

Prefix, instruction and question are the same in every prompt of a question: their keys and values
are computed once, and the passages, one sequence each, go on from there.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.context import BATCH, SEQUENCES, Context, Run
from memcli.backends.llama.gpu_offload import Note, unheard
from memcli.backends.llama.model import Model
from memcli.backends.yes_no import check_prompt, probability, prompts_of, shared
from memcli.domain import fingerprint
from memcli.protocols import RerankPrompt

_BRANCHES = 16  # a context has at least so many: another number needs no other context
_SPARE = 4  # a context is used again unless it is larger than needed by this factor


def open_reranker(
    path: Path,
    prompt: RerankPrompt,
    *,
    gpu_layers: int | None = None,
    threads: int | None = None,
    note: Note = unheard,
    checked: CheckedFile | None = None,
) -> "LlamaReranker":
    """Check a model file and return its reranker; it is loaded when it has something to judge.

    Args:
        path: a GGUF file of a causal model.
        prompt: how the model was taught to be asked.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: told what runs otherwise than was asked.
        checked: what checking the file has given; None checks it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged, or the prompt does not end with the document.
    """
    check_prompt(prompt)
    return LlamaReranker(
        checked or check_gguf(path), prompt, gpu_layers=gpu_layers, threads=threads, note=note
    )


class LlamaReranker:
    """A yes/no reranker as a GGUF file. Implements `protocols.Reranker`."""

    def __init__(
        self,
        file: CheckedFile,
        prompt: RerankPrompt,
        *,
        gpu_layers: int | None,
        threads: int | None,
        note: Note,
    ) -> None:
        self.name = file.path.stem
        self.fingerprint = fingerprint("rerank", file.digest, prompt)
        self._path, self._prompt = file.path, prompt
        self.threads = threads
        self._gpu_layers, self._note = gpu_layers, note
        self._fork: _Fork | None = None  # from the last question

    def close(self) -> None:
        """Free the model."""
        if "model" in self.__dict__:
            self.model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a prompt."""
        return len(self.model.plain(text))

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]), short passages first, batch by batch.

        Raises:
            BackendError: the model failed, or the question leaves no room for a passage.
        """
        if not passages:
            return
        model = self.model
        answers = (model.single("yes"), model.single("no"))
        *prompts, bare = self.prompts(question, [*passages, ""])
        begin = shared([*prompts, bare])  # the same for the next passages of this question
        head, tails = bare[:begin], [prompt[begin:] for prompt in prompts]
        batches = list(_packed({index: len(tail) for index, tail in enumerate(tails)}))
        room = begin + max(sum(len(tails[index]) for index in batch) for batch in batches)
        for batch in batches:
            fork = self._forked(room, max(map(len, batches)))
            pairs = fork.logits(head, [tails[index] for index in batch], answers)
            for index, (yes, no) in zip(batch, pairs, strict=True):
                yield index, probability(yes, no)

    def prompts(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each passage's whole prompt, only the passage cut to fit.

        Raises:
            BackendError: prefix, question and suffix alone fill the context.
        """
        context = min(self._prompt.context, self.model.trained_context)
        return prompts_of(self.model, self._prompt, context, question, passages)

    @cached_property
    def model(self) -> Model:
        """The file, loaded when it is first asked for."""
        return Model(self._path, gpu_layers=self._gpu_layers, note=self._note)

    def _forked(self, tokens: int, branches: int) -> "_Fork":
        """Return a context with so much room: the one of the last batch or question if it fits."""
        if self._fork is None or not self._fork.fits(tokens, branches):
            if self._fork:
                self._fork.close()
            room = max(tokens, BATCH + BATCH // 2)  # as much as most questions need
            self._fork = _Fork(self.model, room, max(branches, _BRANCHES), self.threads)
        return self._fork


class _Fork:
    """A context in which many texts go on from one beginning, which it keeps for the next batch."""

    def __init__(self, model: Model, tokens: int, branches: int, threads: int | None) -> None:
        self._context = Context(model, tokens, sequences=branches + 1, threads=threads)
        self._head: list[int] = []  # what sequence 0 holds

    def close(self) -> None:
        """Free the memory."""
        self._context.close()

    def fits(self, tokens: int, branches: int) -> bool:
        """Return whether there is room for so many tokens, and not for far too many."""
        enough = tokens <= self._context.tokens and branches < self._context.sequences
        return enough and self._context.tokens <= _SPARE * max(tokens, BATCH)

    def logits(
        self, head: list[int], tails: Sequence[list[int]], tokens: Sequence[int]
    ) -> list[list[float]]:
        """Return the logits of these tokens after the head and each of the tails.

        Between two calls there is nothing but a head: whoever stops in between leaves no trace.
        """
        self._hold(head)
        context = self._context
        context.share(len(tails))
        try:
            context.feed(
                [Run(tail, start=len(head), sequence=at) for at, tail in enumerate(tails, start=1)]
            )
            return [context.logits(at, tokens) for at in range(len(tails))]
        finally:
            for sequence in range(1, len(tails) + 1):
                context.forget(sequence, 0)

    def _hold(self, head: list[int]) -> None:
        """Make sequence 0 hold the head, computed in one piece: answers depend on nothing else."""
        if head == self._head:
            return
        self._head = []  # should the rest fail
        self._context.forget(0, 0)
        self._context.feed([Run(head)])
        self._head = head


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
