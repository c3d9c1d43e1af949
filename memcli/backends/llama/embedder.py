"""Vectors of texts, many texts at a time."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.batches import MAX_BATCH_TOKENS, compute_in_halves, pack_batches
from memcli.backends.llama.embedding_context import EmbeddingContext, EmbeddingTokenizer
from memcli.backends.llama.gpu_offload import LlamaMemoryError
from memcli.backends.llama.model import LlamaModel
from memcli.catalog.manifest import Pooling
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.text.chunking import WINDOW_TURNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from memcli.protocols import Vectors

_SORTED_TEXTS = 1024  # texts that are tokenized and sorted by length at a time
_CHARACTERS_PER_TOKEN = 64  # a text is cut to so many per token of the context


class LlamaEmbedder:
    """An embedder as a GGUF file. Implements `protocols.Embedder`.

    The file is checked when it is opened, and loaded when there is a text to embed.

    Args:
        path: an encoder, or a causal model that was trained to embed.
        name: the name of the embedder.
        revision: of the weights' repository.
        pooling: the source of a text's vector: its first token, the mean, or its last token.
        context: tokens of a text that are seen, special ones included; the model may allow fewer.
        question_prefix: the text that the model was trained to read before a question.
        passage_prefix: the text that it was trained to read before a passage.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        checked: the result of checking the file; None checks it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged, or names no dimensions.
    """

    window_turns = WINDOW_TURNS

    def __init__(  # noqa: PLR0913  # a manifest's facts, by name
        self,
        path: Path,
        *,
        name: str,
        revision: str,
        pooling: Pooling,
        context: int,
        question_prefix: str = "",
        passage_prefix: str = "",
        gpu_layers: int | None = None,
        threads: int | None = None,
        checked: CheckedFile | None = None,
    ) -> None:
        checked = checked or check_gguf(path)
        if checked.dimensions is None:
            raise BackendError(f"{path} cannot embed: it does not say how many dimensions it has")
        self.name, self.revision = name, revision
        self.dimensions = checked.dimensions
        self._prefixes = passage_prefix, question_prefix
        self.fingerprint = fingerprint("embed", checked.digest, pooling, context, *self._prefixes)
        self._path, self._pooling = path, pooling
        self._max_tokens = context
        self._gpu_layers, self._threads = gpu_layers, threads
        self._context: EmbeddingContext | None = None

    def close(self) -> None:
        """Free the model."""
        if self._context is not None:
            self._context.close()
        if "_model" in self.__dict__:
            self._model.close()

    def embed(self, texts: Sequence[str], *, questions: bool = False) -> "Vectors":
        """Return one unit vector per text, in the order given.

        Raises:
            BackendError: the model failed.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), _SORTED_TEXTS):
            group = texts[first : first + _SORTED_TEXTS]
            tokens = [self.encode(text, questions=questions) for text in group]
            for indices in pack_batches([len(text) for text in tokens], longest_first=True):
                vectors[[first + index for index in indices]] = compute_in_halves(
                    [tokens[index] for index in indices], self._embed_batch, self._shrink
                )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise BackendError(f"{self._path} gives invalid vectors: it may be damaged")
        vectors /= lengths
        return vectors

    def _embed_batch(self, batch: Sequence[list[int]]) -> "list[NDArray[np.float32]]":
        return list(self._context_for(sum(map(len, batch))).embed(batch))

    def _shrink(self, error: LlamaMemoryError) -> None:
        """Run less of the model on the GPU."""
        if not self._model.gpu_layers:
            raise error
        if self._context is not None:
            self._context.close()
            self._context = None
        self._model.offload_less()

    def encode(self, text: str, *, questions: bool = False) -> list[int]:
        """Return the tokens that the model sees: prefix, text and special ones, cut to fit."""
        most = min(self._max_tokens, self._model.trained_context)
        prefixed = self._prefixes[questions] + text[: most * _CHARACTERS_PER_TOKEN]
        return self._tokenizer.encode_framed(prefixed, most)

    def _context_for(self, tokens: int) -> EmbeddingContext:
        """Return a context with this much room: the one at hand, or else a larger one."""
        size = max(MAX_BATCH_TOKENS, tokens)
        if self._context is None or self._context.tokens < size:
            if self._context is not None:
                self._context.close()
            self._context = EmbeddingContext(
                self._model, size, pooling=self._pooling, threads=self._threads
            )
        return self._context

    @cached_property
    def _model(self) -> LlamaModel:
        return LlamaModel(self._path, gpu_layers=self._gpu_layers)

    @cached_property
    def _tokenizer(self) -> EmbeddingTokenizer:
        return EmbeddingTokenizer(self._model, self._pooling)
