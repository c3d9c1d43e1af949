"""What models that write have in common, whatever they write."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.context import Context
from memcli.backends.llama.model import Model
from memcli.backends.llama.offload import Note, unheard
from memcli.backends.llama.template import dialogue, tokenised
from memcli.domain import fingerprint
from memcli.protocols import Message, Sampling, Tool


class LlamaWriter:
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

    task: ClassVar[str]  # tells fingerprints apart

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
        self.name = path.stem
        checked = checked or check_gguf(path)
        self.fingerprint = fingerprint(self.task, checked.digest, sampling)
        self.context = min(context, checked.context or context)
        self._path, self._sampling = path, sampling
        self._gpu_layers, self._threads, self._note = gpu_layers, threads, note

    def close(self) -> None:
        """Free the model and what it has read."""
        if "_model" in self.__dict__:
            self._model.close()

    def count(self, text: str) -> int:
        """Return how many tokens a text takes inside a message."""
        return len(self._model.plain(text))

    def prompt(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[int]:
        """Return the tokens of the whole prompt, up to where the reply begins.

        Raises:
            BackendError: the model's chat template fails.
        """
        model = self._model
        parts = dialogue(
            model.template, model.marks, self._path, messages, tools, thinking=self._thinks
        )
        return tokenised(model, parts)

    def _room(self, tokens: int) -> Context:
        """Return a context of so many tokens."""
        return Context(self._model, tokens, threads=self._threads, sampling=self._sampling)

    @property
    def _thinks(self) -> bool:
        return True

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers, note=self._note)
