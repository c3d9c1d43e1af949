"""A dialogue in, a thought and an answer in words out."""

from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.context import Context
from memcli.backends.llama.model import Model
from memcli.backends.llama.offload import Note, unheard
from memcli.backends.llama.tape import Tape
from memcli.backends.llama.template import OPEN, dialogue, tokenised
from memcli.backends.llama.thought import CLOSED, thought, words
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Message, Sampling, Thought


def open_chat(
    path: Path,
    *,
    context: int,
    sampling: Sampling,
    gpu_layers: int | None = None,
    threads: int | None = None,
    note: Note = unheard,
) -> "LlamaChat":
    """Check a model file and return what talks to it; it is loaded when it has something to read.

    Args:
        path: a GGUF file of a causal model.
        context: tokens that messages, thought and answer share, at most.
        sampling: how thought and answer are drawn.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: told what runs otherwise than was asked.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged.
    """
    return LlamaChat(
        path,
        context=context,
        sampling=sampling,
        gpu_layers=gpu_layers,
        threads=threads,
        note=note,
    )


class LlamaChat:
    """A model that answers in words, as a GGUF file. Implements `protocols.Chat`.

    It thinks first if its chat template knows thoughts.
    """

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
        self.fingerprint = fingerprint("chat", checked.digest, sampling)
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

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought and then the answer, in pieces as they are written.

        Raises:
            BackendError: the model failed, or everything together exceeds the context.
        """
        model = self._model
        prompt = self.prompt(messages)
        close = model.markup(f"\n{CLOSED}\n\n") if self._thinks else []
        room = len(prompt) + len(close) + answer_tokens + thought_tokens * self._thinks
        if room > self.context:
            raise BackendError(
                f"the question takes {len(prompt):,} tokens and its answer up to"
                f" {room - len(prompt):,}: more than the context of {self.context:,}",
                hint="let it think less with `--think`",
            )
        with Context(model, room, threads=self._threads, sampling=self._sampling) as context:
            tape = Tape(context)
            tape.feed(prompt)
            if self._thinks and not (yield from _told(thought(tape.drawn(thought_tokens)))):
                tape.feed(close)
            yield from words(tape.drawn(answer_tokens))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of the whole prompt, up to where the thought or the answer begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        model = self._model
        parts = dialogue(model.template, model.marks, self._path, messages, thinking=self._thinks)
        return tokenised(model, parts)

    @property
    def _thinks(self) -> bool:
        return OPEN in (self._model.template or "")

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers, note=self._note)


def _told(pieces: Generator[str, None, bool]) -> Generator[Thought, None, bool]:
    """Yield the pieces of a thought as such; return whether the model closed it."""
    while True:
        try:
            yield Thought(next(pieces))
        except StopIteration as end:
            return bool(end.value)
