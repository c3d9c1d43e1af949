"""Sessions in, a thought and a ranking out.

The thought is drawn freely and has a budget. The ranking is written under a constraint: whatever
the model would rather say, it can only choose among the ids not yet named.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.context import Context
from memcli.backends.llama.model import Model
from memcli.backends.llama.offload import Note, unheard
from memcli.backends.llama.permutation import Permutation
from memcli.backends.llama.tape import Tape
from memcli.backends.llama.template import dialogue, tokenised
from memcli.backends.llama.thought import CLOSED, thought
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Message, Ranking, Sampling

RANKING, RANKED = "<ranking>", "</ranking>"


def open_sifter(
    path: Path,
    *,
    context: int,
    sampling: Sampling,
    gpu_layers: int | None = None,
    threads: int | None = None,
    note: Note = unheard,
) -> "LlamaSifter":
    """Check a model file and return its sifter; it is loaded when it has something to read.

    Args:
        path: a GGUF file of a causal model.
        context: tokens that message, thought and ranking share, at most.
        sampling: how the thought is drawn.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: told what runs otherwise than was asked.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged.
    """
    return LlamaSifter(
        path,
        context=context,
        sampling=sampling,
        gpu_layers=gpu_layers,
        threads=threads,
        note=note,
    )


class LlamaSifter:
    """A model that thinks before it ranks, as a GGUF file. Implements `protocols.Sifter`."""

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        sampling: Sampling,
        gpu_layers: int | None,
        threads: int | None,
        note: Note,
    ) -> None:
        self.name = path.stem
        checked = check_gguf(path)
        self.fingerprint = fingerprint("sift", checked.digest, sampling)
        self.context = min(context, checked.context or context)
        self._path, self._sampling = path, sampling
        self._gpu_layers, self._threads, self._note = gpu_layers, threads, note

    def close(self) -> None:
        """Free the model."""
        if "_model" in self.__dict__:
            self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self._model.plain(text))

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Raises:
            BackendError: the model failed, or message and reply exceed the context.
        """
        model = self._model
        ids = [model.plain(str(id)) for id in range(shown)]
        ranked = min(ranked, shown)
        if not ranked:
            yield Ranking(())
            return
        prompt = self.prompt(message)
        close = model.markup(CLOSED + RANKING)
        ranking = len(close) + ranked * (max(map(len, ids)) + 1)
        self._check(len(prompt), thought_tokens, ranking)
        room = len(prompt) + thought_tokens + ranking
        with Context(model, room, threads=self._threads, sampling=self._sampling) as context:
            tape = Tape(context)
            tape.feed(prompt)
            closed = yield from thought(tape.drawn(thought_tokens))
            permutation = Permutation(
                ids, ranked=ranked, comma=model.single(","), end=model.markup(RANKED)[0]
            )
            _write(permutation, tape, model.markup(RANKING) if closed else close)
        yield Ranking(tuple(permutation.order))

    def prompt(self, message: str) -> list[int]:
        """Return the tokens of the whole prompt, up to where the thought begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        model = self._model
        asked = [Message("user", message)]
        return tokenised(model, dialogue(model.template, model.marks, self._path, asked))

    def _check(self, prompt: int, thought: int, ranking: int) -> None:
        """Refuse what does not fit the context."""
        if prompt + thought + ranking > self.context:
            raise BackendError(
                f"the message takes {prompt:,} tokens, the thought {thought:,} and the ranking"
                f" {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers, note=self._note)


def _write(permutation: Permutation, tape: Tape, tokens: Sequence[int]) -> None:
    """Complete the list, the likeliest token at each step; asks only where there is a choice."""
    waiting = list(tokens)
    while not permutation.complete:
        allowed = permutation.allowed()
        token = allowed[0]
        if len(allowed) > 1:
            tape.feed(waiting)
            waiting = []
            likelihood = dict(zip(allowed, tape.context.logits(0, allowed), strict=True))
            token = max(allowed, key=likelihood.__getitem__)
        permutation.take(token)
        waiting.append(token)
