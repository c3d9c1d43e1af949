"""Generators of text as GGUF files: sifter, reader and chat."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from memcli.backends.generation.chat import ChatGenerator
from memcli.backends.generation.generator import TextGenerator
from memcli.backends.generation.sifter import RankingGenerator
from memcli.backends.generation.tool_caller import ToolCallGenerator
from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.context import LlamaContext
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.sequence import LlamaSequence
from memcli.callbacks import NoteCallback, ignore
from memcli.protocols import Sampling


class LlamaGenerator(TextGenerator):
    """A causal model as a GGUF file: checked when it is opened, loaded when there is work.

    Args:
        path: the file.
        context: tokens that everything read and generated shares, at most.
        sampling: how tokens are sampled.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: is called with a sentence if the model cannot run as requested.
        checked: the result of checking the file; None checks it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        sampling: Sampling,
        gpu_layers: int | None = None,
        threads: int | None = None,
        note: NoteCallback = ignore,
        checked: CheckedFile | None = None,
    ) -> None:
        checked = checked or check_gguf(path)
        super().__init__(
            path,
            name=path.stem,
            digest=checked.digest,
            context=min(context, checked.context or context),
            sampling=sampling,
        )
        self._gpu_layers, self._threads, self._note = gpu_layers, threads, note

    def close(self) -> None:
        """Free the model and its contexts."""
        if "tokenizer" in self.__dict__:
            self.tokenizer.close()

    @cached_property
    def tokenizer(self) -> LlamaModel:
        """The model, loaded when it is first needed."""
        return LlamaModel(self._path, gpu_layers=self._gpu_layers, note=self._note)

    @contextmanager
    def open_sequence(
        self, prompt: Sequence[int], room: int, seed: int = 0
    ) -> Iterator[LlamaSequence]:
        """Open a sequence that begins with a prompt; see `TextGenerator`."""
        with self._create_context(room) as context:
            sequence = LlamaSequence(context)
            sequence.restart(prompt, seed)
            yield sequence

    def _create_context(self, tokens: int) -> LlamaContext:
        return LlamaContext(self.tokenizer, tokens, threads=self._threads, sampling=self._sampling)


class LlamaSifter(LlamaGenerator, RankingGenerator):
    """A model that thinks before it ranks, as a GGUF file. Implements `protocols.Sifter`."""


class LlamaChat(LlamaGenerator, ChatGenerator):
    """A model that answers in words, as a GGUF file. Implements `protocols.Chat`."""


class LlamaReader(LlamaGenerator, ToolCallGenerator):
    """A model that thinks before it calls a tool, as a GGUF file. Implements `protocols.Reader`.

    It keeps the tokens that it has read: the next call over the same dialogue, grown by a few
    messages, reads only the new ones. The same dialogue and seed give the same call, whatever was
    read before.
    """

    _kept: LlamaSequence | None = None

    @contextmanager
    def open_sequence(
        self, prompt: Sequence[int], room: int, seed: int = 0
    ) -> Iterator[LlamaSequence]:
        """Open the kept sequence, or a longer one; it is kept again unless the work fails."""
        sequence, self._kept = self._kept, None  # another thread must not get it meanwhile
        if sequence is None or sequence.context.tokens < room:
            if sequence:
                sequence.context.close()
            # Each step of a dialogue needs more room.
            room = min(room + room // 2, self.context)
            sequence = LlamaSequence(self._create_context(room))
        try:
            sequence.restart(prompt, seed)
            yield sequence
        except BaseException:
            sequence.context.close()
            raise
        if self._kept:
            self._kept.context.close()
        self._kept = sequence
