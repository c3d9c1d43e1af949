"""Models that write, as GGUF files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from memcli.backends.generation.chat import Answering
from memcli.backends.generation.generator import Writer
from memcli.backends.generation.sifter import Sifting
from memcli.backends.generation.tool_caller import Calling
from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.context import Context
from memcli.backends.llama.gpu_offload import Note, unheard
from memcli.backends.llama.model import Model
from memcli.backends.llama.sequence import Tape
from memcli.protocols import Sampling


class LlamaWriter(Writer):
    """A causal model as a GGUF file: checked when it is opened, loaded when there is work.

    Args:
        path: the file.
        context: tokens that everything read and written shares, at most.
        sampling: how tokens are drawn.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        note: told what runs otherwise than was asked.
        checked: what checking the file has given; None checks it.

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
        note: Note = unheard,
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
        """Free the model and what it has read."""
        if "words" in self.__dict__:
            self.words.close()

    @cached_property
    def words(self) -> Model:
        """The file, loaded when it is first asked for."""
        return Model(self._path, gpu_layers=self._gpu_layers, note=self._note)

    @contextmanager
    def tape(self, prompt: Sequence[int], room: int, seed: int = 0) -> Iterator[Tape]:
        """Lend a tape that has read a prompt; see `Writer`."""
        with self._context(room) as context:
            tape = Tape(context)
            tape.rewrite(prompt, seed)
            yield tape

    def _context(self, tokens: int) -> Context:
        return Context(self.words, tokens, threads=self._threads, sampling=self._sampling)


class LlamaSifter(LlamaWriter, Sifting):
    """A model that thinks before it ranks, as a GGUF file. Implements `protocols.Sifter`."""


class LlamaChat(LlamaWriter, Answering):
    """A model that answers in words, as a GGUF file. Implements `protocols.Chat`."""


class LlamaReader(LlamaWriter, Calling):
    """A model that thinks before it calls a tool, as a GGUF file. Implements `protocols.Reader`.

    It keeps what it has read: the next call over the same dialogue, grown by a few messages, reads
    only what is new. The same dialogue and seed give the same call, whatever was read before.
    """

    _kept: Tape | None = None

    @contextmanager
    def tape(self, prompt: Sequence[int], room: int, seed: int = 0) -> Iterator[Tape]:
        """Lend the tape that was kept, or a longer one; it is kept again if all goes well."""
        tape, self._kept = self._kept, None  # nobody else gets it meanwhile
        if tape is None or tape.context.tokens < room:
            if tape:
                tape.context.close()
            # Each step of a dialogue needs more.
            tape = Tape(self._context(min(room + room // 2, self.context)))
        try:
            tape.rewrite(prompt, seed)
            yield tape
        except BaseException:
            tape.context.close()
            raise
        if self._kept:
            self._kept.context.close()
        self._kept = tape
