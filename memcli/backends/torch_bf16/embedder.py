"""Vectors of texts through sentence-transformers, many texts at a time."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memcli.backends.torch_bf16.model_folder import check_folder
from memcli.backends.torch_bf16.torch_imports import (
    OutOfMemoryError,
    inference,
    select_device,
    sentence_transformers,
    translate_load_errors,
)
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.text.chunking import WINDOW_TURNS

if TYPE_CHECKING:
    from memcli.protocols import Vectors

_BATCH_TEXTS = 32
_CHARACTERS_PER_TOKEN = 64  # a text is cut to so many per token of the context
_LIBRARY_PREFIX = "sentence_transformers."


class TorchEmbedder:
    """An embedder as safetensors. Implements `protocols.Embedder`.

    The folder is checked when it is opened, and loaded when there is a text to embed.

    Args:
        folder: a sentence-transformers model as a hub has it.
        name: the name of the embedder.
        revision: of the weights' repository.
        context: tokens of a text that are seen, special ones included; the model may allow fewer.
        question_prefix: the text that the model was trained to read before a question.
        passage_prefix: the text that it was trained to read before a passage.
        device: torch's name of a device; None is the fastest there is.

    Raises:
        ModelNotFoundError: there is no such model.
        BackendError: a file is damaged, or the model wants to run a program of its own.
    """

    window_turns = WINDOW_TURNS

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str,
        context: int,
        question_prefix: str = "",
        passage_prefix: str = "",
        device: str | None = None,
    ) -> None:
        checked = check_folder(folder)
        _check_modules(folder)
        if checked.dimensions is None:
            raise BackendError(f"{folder} cannot embed: it does not say how many dimensions it has")
        self.name, self.revision = name, revision
        self.dimensions = checked.dimensions
        self._prefixes = passage_prefix, question_prefix
        self.fingerprint = fingerprint("embed", checked.digest, context, *self._prefixes)
        self._folder, self._context = folder, context
        self._device = device
        self._batch_texts = _BATCH_TEXTS

    def close(self) -> None:
        """Free the model."""
        self.__dict__.pop("_model", None)

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> "Vectors":
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: the model failed.
        """
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        most = self._context * _CHARACTERS_PER_TOKEN
        prefixed = [self._prefixes[questions] + text[:most] for text in texts]
        vectors: Vectors = self._encode(
            [text.encode("utf-8", "replace").decode() for text in prefixed]
        )
        if vectors.shape != (len(texts), self.dimensions):
            raise BackendError(
                f"{self._folder} gives {vectors.shape[-1]} dimensions, not {self.dimensions}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise BackendError(f"{self._folder} gives invalid vectors: it is damaged")
        vectors /= lengths
        return vectors

    def _encode(self, texts: Sequence[str]) -> Any:  # Any: an array, as the library returns it
        while True:
            try:
                with inference(self._folder):
                    found = self._model.encode(
                        texts,
                        batch_size=self._batch_texts,
                        show_progress_bar=False,
                        convert_to_tensor=True,
                    )
                    return found.float().cpu().numpy()
            except OutOfMemoryError:
                if self._batch_texts == 1:
                    raise
                self._batch_texts //= 2

    @cached_property
    def _model(self) -> Any:  # Any: its modules depend on the folder
        device, dtype = select_device(self._device)
        with translate_load_errors(self._folder):
            model = sentence_transformers().SentenceTransformer(
                str(self._folder),
                device=str(device),
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": dtype, "use_safetensors": True},
            )
        model.tokenizer.split_special_tokens = True  # a text that spells one is still a text
        model.max_seq_length = min(self._context, model.max_seq_length or self._context)
        return model.to(dtype)


def _check_modules(folder: Path) -> None:
    """Check that a model has only the library's own modules: others would be programs to run."""
    path = folder / "modules.json"
    try:
        kinds = [str(module["type"]) for module in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return
    except OSError as error:
        raise BackendError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise BackendError(f"{path} cannot be used: it describes no modules") from error
    foreign = next((kind for kind in kinds if not kind.startswith(_LIBRARY_PREFIX)), None)
    if foreign:
        raise BackendError(f"{folder} needs to run `{foreign}`, a program of its own")
