"""llama.cpp's low-level API for embedding: the counterpart of `model` and `context`.

EmbeddingTokenizer  the tokens of a text between special ones, as an embedder was trained to see it
EmbeddingContext    the memory of embedding: the tokens of some texts in, a vector of each out
"""

import ctypes
import weakref
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from memcli.backends.generation.plain_text import make_splitter
from memcli.backends.llama.batches import MAX_SEQUENCES
from memcli.backends.llama.gpu_offload import compute_error
from memcli.backends.llama.host import physical_cores
from memcli.backends.llama.library import capture_errors, first_error, llama_cpp
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.wordpiece import WordPieceTokenizer
from memcli.catalog.manifest import Pooling
from memcli.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD_START = "▁"  # llama.cpp's mark of a piece that begins a word
_BERT_UNKNOWN = 100  # [UNK], if a file does not name it
_STEP = 4 * MAX_SEQUENCES  # tokens; the room of a context is a multiple


class EmbeddingTokenizer:
    """The tokenizer of an embedder, which puts a text between special tokens."""

    def __init__(self, model: LlamaModel, pooling: Pooling) -> None:
        self._model = model
        self._llama = llama = llama_cpp()
        pointer = self._pointer
        self.begin: list[int] = []
        self.end: list[int] = []
        if llama.llama_vocab_get_add_bos(pointer):
            self.begin = _existing(llama.llama_vocab_bos(pointer))
        if llama.llama_vocab_get_add_sep(pointer):
            self.end = _existing(llama.llama_vocab_sep(pointer))
        elif llama.llama_vocab_get_add_eos(pointer) or pooling == "last":
            self.end = _existing(llama.llama_vocab_eos(pointer))

    @property
    def _pointer(self) -> Any:  # Any: an opaque pointer
        return self._llama.llama_model_get_vocab(self._model.pointer)

    def encode_framed(self, text: str, max_tokens: int) -> list[int]:
        """Return a text's tokens between special ones, its end cut off to leave `max_tokens`.

        No part of the text becomes a special token. There is at least one token.
        """
        room = max(max_tokens - len(self.begin) - len(self.end), 0)
        return [*self.begin, *self.encode(text)[:room], *self.end] or [0]

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, none of them special."""
        if self._wordpiece is not None:
            return self._wordpiece.encode(text)
        # `LlamaModel.encode` splits inside the names of all special tokens, which changes nothing
        # in a byte-level vocabulary, but here a split counts as a space.
        return [
            token
            for part in self._split(text)
            for token in self._model._tokenize(part, special=False)
        ]

    @cached_property
    def _split(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        user_defined = self._llama.LLAMA_TOKEN_ATTR_USER_DEFINED
        return make_splitter(
            name
            for token, name in self._model.special_tokens.items()
            if self._has_attribute(token, user_defined)
        )

    @cached_property
    def _wordpiece(self) -> WordPieceTokenizer | None:
        """BERT's own tokenizer, if the vocabulary is BERT's."""
        llama, vocabulary = self._llama, self._pointer
        if llama.llama_vocab_type(vocabulary) != llama.LLAMA_VOCAB_TYPE_WPM:
            return None
        beginnings, endings = dict[str, int](), dict[str, int]()
        for token in range(llama.llama_vocab_n_tokens(vocabulary)):
            if self._has_attribute(token, llama.LLAMA_TOKEN_ATTR_NORMAL):
                piece = llama.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")
                pieces = beginnings if piece.startswith(_WORD_START) else endings
                pieces[piece.removeprefix(_WORD_START)] = token
        unknown = int(self._metadata(b"tokenizer.ggml.unknown_token_id") or _BERT_UNKNOWN)
        cased = self._metadata(b"tokenizer.ggml.normalizer.lowercase") == b"false"
        return WordPieceTokenizer(beginnings, endings, unknown=unknown, uncased=not cased)

    def _has_attribute(self, token: int, attribute: int) -> bool:
        return bool(self._llama.llama_vocab_get_attr(self._pointer, token) & attribute)

    def _metadata(self, key: bytes) -> bytes:
        value = ctypes.create_string_buffer(16)
        self._llama.llama_model_meta_val_str(self._model.pointer, key, value, len(value))
        return value.value


def _existing(token: int) -> list[int]:
    """Return a token as a list, empty if the vocabulary has no such token."""
    return [token] if token >= 0 else []


class EmbeddingContext:
    """Room to embed a number of tokens at a time, each text in a sequence of its own.

    Raises:
        BackendError: there is no memory for it.
    """

    def __init__(
        self, model: LlamaModel, tokens: int, *, pooling: Pooling, threads: int | None = None
    ) -> None:
        self.model = model
        # llama.cpp plans for equally long texts, and aborts if that leaves tokens over.
        self.tokens = tokens = tokens + -tokens % _STEP
        self._llama = llama = llama_cpp()
        self._dimensions: int = llama.llama_model_n_embd(model.pointer)
        params = llama.llama_context_default_params()
        # An encoder's tokens attend to each other both ways, so all are computed in one go.
        params.n_ctx = params.n_batch = params.n_ubatch = tokens
        params.n_seq_max = MAX_SEQUENCES
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads or physical_cores()
        params.embeddings = True
        params.pooling_type = {
            "cls": llama.LLAMA_POOLING_TYPE_CLS,
            "mean": llama.LLAMA_POOLING_TYPE_MEAN,
            "last": llama.LLAMA_POOLING_TYPE_LAST,
        }[pooling]
        self._pointer = pointer = self._allocate(params)
        self._memory = llama.llama_get_memory(pointer)  # an encoder has none
        self._batch = llama.llama_batch_init(tokens, 0, 1)
        self._finalizer = weakref.finalize(self, _free, pointer, self._batch)

    def _allocate(self, params: Any) -> Any:  # Any: a struct, an opaque pointer
        """Return a context, if need be with less of the model on the GPU."""
        while True:
            with capture_errors():
                pointer = self._llama.llama_init_from_model(self.model.pointer, params)
            if pointer:
                return pointer
            if not self.model.gpu_layers:
                raise BackendError(
                    f"no context of {self.tokens:,} tokens for {self.model.path}: {first_error()}"
                )
            self.model.offload_less()

    def close(self) -> None:
        """Free the memory."""
        self._finalizer()

    def embed(self, texts: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """Return the pooled vector of each text, of any length.

        Args:
            texts: their tokens; at most MAX_SEQUENCES texts, in all at most the context's tokens,
                none of them empty.

        Returns:
            float32, shape (texts, dimensions).

        Raises:
            BackendError: llama.cpp failed.
        """
        import numpy as np

        if not self._finalizer.alive:
            raise BackendError(f"{self.model.path} was closed while it was at work")
        self._fill_batch(texts)
        status = self._compute()
        if status != 0:
            raise compute_error(self.model.path, status, self.model.gpu_layers)
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        for sequence in range(len(texts)):
            found = self._llama.llama_get_embeddings_seq(self._pointer, sequence)
            if not found:
                raise BackendError(f"{self.model.path} gives no embeddings")
            vectors[sequence] = np.ctypeslib.as_array(found, (self._dimensions,))
        return vectors

    def _fill_batch(self, texts: Sequence[Sequence[int]]) -> None:
        batch, place = self._batch, 0
        if len(texts) > MAX_SEQUENCES or sum(map(len, texts)) > self.tokens:
            raise ValueError(f"{len(texts)} texts exceed a context of {self.tokens} tokens")
        for sequence, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[place] = token
                batch.pos[place] = position
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = sequence
                batch.logits[place] = True
                place += 1
        batch.n_tokens = place

    def _compute(self) -> int:
        if not self._memory:
            return int(self._llama.llama_encode(self._pointer, self._batch))
        self._llama.llama_memory_clear(self._memory, False)
        return int(self._llama.llama_decode(self._pointer, self._batch))


def _free(pointer: Any, batch: Any) -> None:  # Any: opaque pointers
    llama = llama_cpp()
    llama.llama_batch_free(batch)
    llama.llama_free(pointer)
