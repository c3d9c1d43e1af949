"""Models that write, as safetensors: what the llama backend does, by the same rules."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from memcli.backends.generation.chat import Answering
from memcli.backends.generation.generator import Writer
from memcli.backends.generation.sifter import Sifting
from memcli.backends.generation.tool_caller import Calling
from memcli.backends.torch_bf16.causal_lm import LanguageModel, Tape
from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.tokenizer import Vocabulary
from memcli.protocols import Sampling


class TorchWriter(Writer):
    """A causal model as a hub has it: checked when it is opened, loaded when there is work.

    Args:
        folder: of safetensors.
        context: tokens that everything read and written shares, at most.
        sampling: how tokens are drawn.
        device: as torch names it; None is the fastest there is.

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
        self._model = LanguageModel(folder, device)

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    @property
    def words(self) -> Vocabulary:
        """The tokenizer that lies beside the weights."""
        return self._model.vocabulary

    @contextmanager
    def tape(self, prompt: Sequence[int], room: int, seed: int = 0) -> Iterator[Tape]:
        """Lend a tape that has read a prompt; see `Writer`. It grows as it is written on."""
        tape = Tape(self._model, replace(self._sampling, seed=self._sampling.seed + seed))
        tape.feed(prompt)
        yield tape


class TorchSifter(TorchWriter, Sifting):
    """A model that thinks before it ranks, as safetensors. Implements `protocols.Sifter`."""


class TorchReader(TorchWriter, Calling):
    """A model that thinks before it calls a tool, as safetensors. Implements `protocols.Reader`."""


class TorchChat(TorchWriter, Answering):
    """A model that answers in words, as safetensors. Implements `protocols.Chat`."""
