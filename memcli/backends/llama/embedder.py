"""Texts to vectors, many texts at a time."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.backends.gguf_check import CheckedFile, check_gguf
from memcli.backends.llama.context import BATCH, SEQUENCES
from memcli.backends.llama.embedding_context import EmbeddingContext, Pooling, Vocabulary
from memcli.backends.llama.model import Model
from memcli.domain import fingerprint
from memcli.errors import BackendError

if TYPE_CHECKING:
    from memcli.protocols import Vectors

_TEXTS = 1024  # tokenised and sorted by length at a time
_LETTERS = 64  # per token of the context: what comes later in a text is not even tokenised


def open_embedder(
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
) -> "LlamaEmbedder":
    """Check a model file and return its embedder; it is loaded when it has something to embed.

    Args:
        path: a GGUF file: an encoder, or a causal model that was taught to embed.
        name: what the embedder is called.
        revision: of the weights' repository.
        pooling: which vector stands for a text: that of its first token, the mean, the last one's.
        context: tokens of a text that are seen, special ones included; the model may allow fewer.
        question_prefix: what the model was taught to read before a question.
        passage_prefix: and before what may answer one.
        gpu_layers: layers to offload; None is as many as the build of llama.cpp can.
        threads: None is one per physical core.
        checked: what checking the file has given; None checks it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: the file is damaged, or names no dimensions.
    """
    return LlamaEmbedder(
        checked or check_gguf(path),
        name=name,
        revision=revision,
        pooling=pooling,
        context=context,
        prefixes=(passage_prefix, question_prefix),
        gpu_layers=gpu_layers,
        threads=threads,
    )


class LlamaEmbedder:
    """An embedder as a GGUF file. Implements `protocols.Embedder`."""

    def __init__(
        self,
        file: CheckedFile,
        *,
        name: str,
        revision: str,
        pooling: Pooling,
        context: int,
        prefixes: tuple[str, str],
        gpu_layers: int | None,
        threads: int | None,
    ) -> None:
        path = file.path
        if file.dimensions is None:
            raise BackendError(f"{path} cannot embed: it does not say how many dimensions it has")
        self.name, self.revision = name, revision
        self.dimensions = file.dimensions
        self.fingerprint = fingerprint("embed", file.digest, pooling, context, *prefixes)
        self._path, self._pooling, self._prefixes = path, pooling, prefixes
        self._context_wanted = context
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
        for first in range(0, len(texts), _TEXTS):
            some = texts[first : first + _TEXTS]
            tokens = [self.tokens(text, questions=questions) for text in some]
            for batch in _packed([len(text) for text in tokens]):
                found = self._roomy(tokens, batch).embed([tokens[index] for index in batch])
                vectors[[first + index for index in batch]] = found
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise BackendError(f"{self._path} gives vectors without a length: it may be damaged")
        vectors /= lengths
        return vectors

    def tokens(self, text: str, *, questions: bool = False) -> list[int]:
        """Return what the model sees of a text: prefix, text and special tokens, cut to fit."""
        most = min(self._context_wanted, self._model.trained_context)
        prefixed = self._prefixes[questions] + text[: most * _LETTERS]
        return self._vocabulary.framed(prefixed, most)

    def _roomy(self, tokens: Sequence[Sequence[int]], batch: Sequence[int]) -> EmbeddingContext:
        """Return a context that the batch fits into: the one at hand, or else a larger one."""
        size = max(BATCH, sum(len(tokens[index]) for index in batch))
        if self._context is None or self._context.tokens < size:
            if self._context is not None:
                self._context.close()
            self._context = EmbeddingContext(
                self._model, size, pooling=self._pooling, threads=self._threads
            )
        return self._context

    @cached_property
    def _model(self) -> Model:
        return Model(self._path, gpu_layers=self._gpu_layers)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._model, self._pooling)


def _packed(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices in batches, long ones first, so that the first batch needs the most room."""
    batch: list[int] = []
    tokens = 0
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        if batch and (tokens + sizes[index] > BATCH or len(batch) == SEQUENCES):
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += sizes[index]
    if batch:
        yield batch
