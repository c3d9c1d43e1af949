"""Generators of text as safetensors: sifter, reader and chat, by the rules of the llama backend."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from memcli.backends.generation.chat import ChatGenerator
from memcli.backends.generation.generator import TextGenerator
from memcli.backends.generation.sifter import RankingGenerator
from memcli.backends.generation.tool_caller import ToolCallGenerator
from memcli.backends.torch_bf16.causal_lm import TorchLanguageModel, TorchSequence
from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.tokenizer import TorchTokenizer
from memcli.protocols import Sampling


class TorchGenerator(TextGenerator):
    """A causal model as a hub has it: checked when it is opened, loaded when there is work.

    Args:
        folder: a model as a hub has it.
        context: tokens that everything read and generated shares, at most.
        sampling: how tokens are sampled.
        device: torch's name of a device; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged.
    """

    def __init__(
        self, folder: Path, *, context: int, sampling: Sampling, device: str | None = None
    ) -> None:
        checked = check_folder(folder)
        super().__init__(
            folder,
            name=folder.name,
            digest=checked.digest,
            context=min(context, checked.context or context),
            sampling=sampling,
        )
        self._model = TorchLanguageModel(folder, device)

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    @property
    def tokenizer(self) -> TorchTokenizer:
        """The tokenizer beside the weights."""
        return self._model.tokenizer

    @contextmanager
    def open_sequence(
        self,
        prompt: Sequence[int],
        room: int,  # noqa: ARG002  # torch's cache grows as it is filled
        seed: int = 0,
    ) -> Iterator[TorchSequence]:
        """Open a sequence that begins with a prompt; see `TextGenerator`. It grows as needed."""
        sequence = TorchSequence(self._model, self._sampling)
        sequence.restart(prompt, seed)
        yield sequence


class TorchSifter(TorchGenerator, RankingGenerator):
    """A model that thinks before it ranks, as safetensors. Implements `protocols.Sifter`."""


class TorchReader(TorchGenerator, ToolCallGenerator):
    """A model that thinks before it calls a tool, as safetensors. Implements `protocols.Reader`.

    It keeps the tokens that it has read: the next call over the same dialogue, grown by a few
    messages, reads only the new ones. The same dialogue and seed give the same call, whatever was
    read before.
    """

    _kept: TorchSequence | None = None

    def close(self) -> None:
        """Free the model and the kept tokens."""
        self._kept = None
        super().close()

    @contextmanager
    def open_sequence(
        self,
        prompt: Sequence[int],
        room: int,  # noqa: ARG002  # as above
        seed: int = 0,
    ) -> Iterator[TorchSequence]:
        """Open the kept sequence, or a new one; it is kept again unless the work fails."""
        sequence, self._kept = self._kept, None  # another thread must not get it meanwhile
        sequence = sequence or TorchSequence(self._model, self._sampling)
        sequence.restart(prompt, seed)
        yield sequence
        self._kept = sequence


class TorchChat(TorchGenerator, ChatGenerator):
    """A model that answers in words, as safetensors. Implements `protocols.Chat`."""
