"""llama.cpp's low-level API for embedding: what `model.py` is for language models.

Vocabulary        how an embedder was taught to see a text: its words between special tokens
EmbeddingContext  the memory of embedding: some texts' tokens in, a vector each out
"""

import ctypes
import weakref
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from memcli.backends.generation.plain_text import cutter
from memcli.backends.llama.context import SEQUENCES
from memcli.backends.llama.host import physical_cores
from memcli.backends.llama.library import heard, llama_cpp, reason
from memcli.backends.llama.model import Model
from memcli.backends.llama.wordpiece import WordPieces
from memcli.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pooling = Literal["cls", "mean", "last"]

_MARK = "▁"
_BERT_UNKNOWN = 100  # [UNK], where a file does not say
_STEP = 4 * SEQUENCES  # tokens; contexts have so many, or a multiple


class Vocabulary:
    """How an embedder was taught to see a text."""

    def __init__(self, model: Model, pooling: Pooling) -> None:
        self._model = model
        self._llama = llama = llama_cpp()
        pointer = self._pointer
        self.begin: list[int] = []
        self.end: list[int] = []
        if llama.llama_vocab_get_add_bos(pointer):
            self.begin = self._existing(llama.llama_vocab_bos(pointer))
        if llama.llama_vocab_get_add_sep(pointer):
            self.end = self._existing(llama.llama_vocab_sep(pointer))
        elif llama.llama_vocab_get_add_eos(pointer) or pooling == "last":
            self.end = self._existing(llama.llama_vocab_eos(pointer))

    @property
    def _pointer(self) -> Any:  # Any: an opaque pointer
        return self._llama.llama_model_get_vocab(self._model.pointer)

    def _existing(self, token: int) -> list[int]:
        return [token] if token >= 0 else []

    def framed(self, text: str, most: int) -> list[int]:
        """Return a text's tokens between the special ones, its end cut off to leave `most` in all.

        Nothing in the text becomes a special token. There is at least one token.
        """
        room = max(most - len(self.begin) - len(self.end), 0)
        return [*self.begin, *self.words(text)[:room], *self.end] or [0]

    def words(self, text: str) -> list[int]:
        """Return the tokens of a text, none of them special."""
        if self._word_pieces is not None:
            return self._word_pieces.tokens(text)
        # Not by `Model.plain`: it cuts inside all special tokens' names, which changes nothing in
        # a byte-level vocabulary, but here a cut counts as a space.
        return [
            token for part in self._cut(text) for token in self._model._tokens(part, special=False)
        ]

    @cached_property
    def _cut(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        found = self._llama.LLAMA_TOKEN_ATTR_USER_DEFINED
        return cutter(name for token, name in self._model.special.items() if self._is(token, found))

    @cached_property
    def _word_pieces(self) -> WordPieces | None:
        """BERT's own way, if the vocabulary is BERT's: where a word begins, a piece has a mark."""
        llama, vocabulary = self._llama, self._pointer
        if llama.llama_vocab_type(vocabulary) != llama.LLAMA_VOCAB_TYPE_WPM:
            return None
        beginnings, endings = dict[str, int](), dict[str, int]()
        for token in range(llama.llama_vocab_n_tokens(vocabulary)):
            if self._is(token, llama.LLAMA_TOKEN_ATTR_NORMAL):
                piece = llama.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")
                pieces = beginnings if piece.startswith(_MARK) else endings
                pieces[piece.removeprefix(_MARK)] = token
        unknown = int(self._metadata(b"tokenizer.ggml.unknown_token_id") or _BERT_UNKNOWN)
        cased = self._metadata(b"tokenizer.ggml.normalizer.lowercase") == b"false"
        return WordPieces(beginnings, endings, unknown=unknown, uncased=not cased)

    def _is(self, token: int, attribute: int) -> bool:
        return bool(self._llama.llama_vocab_get_attr(self._pointer, token) & attribute)

    def _metadata(self, key: bytes) -> bytes:
        value = ctypes.create_string_buffer(16)
        self._llama.llama_model_meta_val_str(self._model.pointer, key, value, len(value))
        return value.value


class EmbeddingContext:
    """Room to embed so many tokens at a time, each text in a sequence of its own.

    Raises:
        BackendError: there is no memory for it.
    """

    def __init__(
        self, model: Model, tokens: int, *, pooling: Pooling, threads: int | None = None
    ) -> None:
        self.model = model
        # llama.cpp plans for equally long texts, and aborts where that leaves tokens over.
        self.tokens = tokens = tokens + -tokens % _STEP
        self._llama = llama = llama_cpp()
        self._dimensions: int = llama.llama_model_n_embd(model.pointer)
        params = llama.llama_context_default_params()
        # An encoder's tokens see each other both ways, so that all are computed in one go.
        params.n_ctx = params.n_batch = params.n_ubatch = tokens
        params.n_seq_max = SEQUENCES
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads or physical_cores()
        params.embeddings = True
        params.pooling_type = {
            "cls": llama.LLAMA_POOLING_TYPE_CLS,
            "mean": llama.LLAMA_POOLING_TYPE_MEAN,
            "last": llama.LLAMA_POOLING_TYPE_LAST,
        }[pooling]
        self._pointer = pointer = self._allocated(params)
        self._memory = llama.llama_get_memory(pointer)  # none in an encoder
        self._batch = llama.llama_batch_init(tokens, 0, 1)
        self._freed = weakref.finalize(self, _free, pointer, self._batch)

    def _allocated(self, params: Any) -> Any:  # Any: a struct, an opaque pointer
        """Return a context, if need be with less of the model on the GPU."""
        while True:
            with heard():
                pointer = self._llama.llama_init_from_model(self.model.pointer, params)
            if pointer:
                return pointer
            if not self.model.gpu_layers:
                raise BackendError(
                    f"no context of {self.tokens:,} tokens for {self.model.path}: {reason()}"
                )
            self.model.offload_less()

    def close(self) -> None:
        """Free the memory."""
        self._freed()

    def embed(self, texts: Sequence[Sequence[int]]) -> "NDArray[np.float32]":
        """Return the pooled vector of each text, of any length.

        Args:
            texts: their tokens; at most SEQUENCES texts, in all at most the context's tokens,
                none of them empty.

        Returns:
            float32, shape (texts, dimensions).

        Raises:
            BackendError: llama.cpp failed.
        """
        import numpy as np

        if not self._freed.alive:
            raise BackendError(f"{self.model.path} was closed while it was at work")
        self._fill(texts)
        status = self._run()
        if status != 0:
            raise BackendError(f"{self.model.path} failed to run: llama.cpp's status is {status}")
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        for sequence in range(len(texts)):
            found = self._llama.llama_get_embeddings_seq(self._pointer, sequence)
            if not found:
                raise BackendError(f"{self.model.path} gives no embeddings")
            vectors[sequence] = np.ctypeslib.as_array(found, (self._dimensions,))
        return vectors

    def _fill(self, texts: Sequence[Sequence[int]]) -> None:
        batch, place = self._batch, 0
        if len(texts) > SEQUENCES or sum(map(len, texts)) > self.tokens:
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

    def _run(self) -> int:
        if not self._memory:
            return int(self._llama.llama_encode(self._pointer, self._batch))
        self._llama.llama_memory_clear(self._memory, False)
        return int(self._llama.llama_decode(self._pointer, self._batch))


def _free(pointer: Any, batch: Any) -> None:  # Any: opaque pointers
    llama = llama_cpp()
    llama.llama_batch_free(batch)
    llama.llama_free(pointer)
