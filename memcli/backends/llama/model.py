"""Weights and vocabulary of one file in llama.cpp: text to tokens and back."""

import ctypes
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from memcli.backends.generation.plain_text import cutter
from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.abort import going_on
from memcli.backends.llama.gpu_offload import Note, ladder, unheard
from memcli.backends.llama.library import heard, llama_cpp, reason
from memcli.deadline import check_time
from memcli.errors import BackendError

if TYPE_CHECKING:
    from memcli.backends.llama.context import Context


class Model:
    """A model file in memory, as much of it on the GPU as asked and as fits.

    Args:
        path: a GGUF file that was checked.
        gpu_layers: layers to run on the GPU; None is all.
        note: told what runs otherwise than was asked.

    Raises:
        BackendError: llama.cpp cannot be loaded or refuses the file; with its reason.
    """

    def __init__(self, path: Path, *, gpu_layers: int | None = None, note: Note = unheard) -> None:
        self.path = path
        self._llama = llama_cpp()
        self._note = note
        self._contexts: weakref.WeakSet[Context] = weakref.WeakSet()
        if not self._llama.llama_supports_gpu_offload():
            if gpu_layers:
                note(f"{path.stem} runs on the CPU: this llama.cpp was built without GPU support")
            gpu_layers = 0
        tries = ladder(gpu_layers, self._layers) if gpu_layers != 0 else [0]
        self._load(tries)
        if self.gpu_layers != tries[0]:
            self._tell_layers()
        self.trained_context: int = self._llama.llama_model_n_ctx_train(self._pointer)

    def _load(self, tries: Sequence[int]) -> None:
        """Load with the first of these numbers of layers on the GPU that fits."""
        for layers in tries:
            params = self._llama.llama_model_default_params()
            params.n_gpu_layers = layers
            params.progress_callback = going_on(self._llama)
            with heard():
                pointer = self._llama.llama_model_load_from_file(bytes(self.path), params)
            if pointer:
                self._freed = weakref.finalize(self, self._llama.llama_model_free, pointer)
                self._pointer = pointer
                self.gpu_layers = layers
                return
            check_time()  # it may have been told to stop
        raise BackendError(f"llama.cpp cannot load {self.path}: {reason()}")

    def offload_less(self) -> None:
        """Load again with at most half the layers on the GPU. Contexts over the model are closed.

        Raises:
            BackendError: there are none to take off, or llama.cpp refuses.
        """
        self.close()
        self._load(ladder(self.gpu_layers, self._layers)[1:])
        self._tell_layers()

    def _tell_layers(self) -> None:
        on_gpu = f"{self.gpu_layers} of {self._layers + 1} layers" if self.gpu_layers else "nothing"
        self._note(f"{self.path.stem}: {on_gpu} on the GPU, more does not fit its memory")

    @cached_property
    def _layers(self) -> int:
        return check_gguf(self.path).layers or 0

    @cached_property
    def token_bytes(self) -> int:
        """What the keys and values of one token take in all layers together, at 16 bits each."""
        llama, pointer = self._llama, self.pointer
        each = llama.llama_model_n_embd(pointer) // max(llama.llama_model_n_head(pointer), 1)
        sizes = [self._size(f"attention.{part}_length") or each for part in ("key", "value")]
        heads: int = llama.llama_model_n_head_kv(pointer)
        return 2 * heads * sum(sizes) * int(llama.llama_model_n_layer(pointer))

    def _size(self, key: str) -> int:
        """Return a number that the file says of its architecture; 0 where it does not."""
        return int(self._says(f"{self._says('general.architecture')}.{key}") or 0)

    def _says(self, key: str) -> str:
        """Return what the file says, as text; "" where it says nothing."""
        value = ctypes.create_string_buffer(64)
        get = self._llama.llama_model_meta_val_str
        found = get(self.pointer, key.encode(), value, len(value)) > 0
        return value.value.decode("utf-8", "replace") if found else ""

    @cached_property
    def _composes(self) -> bool:
        """Whether letters and accents apart were one to the model: Qwen's tokeniser sees to it."""
        return self._says("tokenizer.ggml.pre") == "qwen2"

    def close(self) -> None:
        """Free the model and every context over it."""
        for context in list(self._contexts):
            context.close()
        self._freed()

    @property
    def pointer(self) -> Any:  # Any: an opaque pointer
        """The model, for its contexts."""
        if not self._freed.alive:
            raise BackendError(f"{self.path} was closed")
        return self._pointer

    @property
    def _vocabulary(self) -> Any:  # Any: an opaque pointer
        return self._llama.llama_model_get_vocab(self.pointer)

    def markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own text: names of special tokens become them."""
        return self._tokens(text, special=True)

    def plain(self, text: str) -> list[int]:
        """Return the tokens of somebody's words: none of them is special, whatever they spell."""
        text = normalize("NFC", text) if self._composes else text  # before it is cut
        return [token for part in self._cut(text) for token in self._tokens(part, special=False)]

    def single(self, text: str) -> int:
        """Return the one token of a text.

        Raises:
            BackendError: the vocabulary spells it with several.
        """
        tokens = self.plain(text)
        if len(tokens) != 1:
            raise BackendError(f"the vocabulary of {self.path} has no token for {text!r}")
        return tokens[0]

    def piece(self, token: int) -> bytes:
        """Return what a token writes: special tokens their names, others maybe half a letter."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            written = self._llama.llama_token_to_piece(
                self._vocabulary, token, buffer, size, 0, True
            )
            if written >= 0:
                return buffer.raw[:written]
            size = -written

    def ends(self, token: int) -> bool:
        """Return whether a model that draws this token has finished, or begins a new message."""
        vocabulary = self._vocabulary
        return bool(
            self._llama.llama_vocab_is_eog(vocabulary, token)
            or self._llama.llama_vocab_is_control(vocabulary, token)
        )

    @cached_property
    def special(self) -> dict[int, str]:
        """Every special token and its name, as llama.cpp looks for them in a text."""
        llama, vocabulary = self._llama, self._vocabulary
        kinds = (
            llama.LLAMA_TOKEN_ATTR_CONTROL
            | llama.LLAMA_TOKEN_ATTR_USER_DEFINED
            | llama.LLAMA_TOKEN_ATTR_UNKNOWN
        )
        return {
            token: llama.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")
            for token in range(llama.llama_vocab_n_tokens(vocabulary))
            if llama.llama_vocab_get_attr(vocabulary, token) & kinds
        }

    @property
    def begin(self) -> int | None:
        """The token that every prompt begins with, in vocabularies that want one."""
        if not self._llama.llama_vocab_get_add_bos(self._vocabulary):
            return None
        return int(self._llama.llama_vocab_bos(self._vocabulary))

    @property
    def marks(self) -> dict[str, str]:
        """What a chat template knows the first and the last token by."""
        marks = {
            "bos_token": self._llama.llama_vocab_bos(self._vocabulary),
            "eos_token": self._llama.llama_vocab_eos(self._vocabulary),
        }
        return {name: self.special.get(token, "") for name, token in marks.items()}

    @property
    def template(self) -> str | None:
        """The chat template that came with the file."""
        template = self._llama.llama_model_chat_template(self.pointer, None)
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def _cut(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        return cutter(self.special.values())

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        encoded = (normalize("NFC", text) if self._composes else text).encode("utf-8", "replace")
        room = len(encoded) + 8  # a token a byte, and what a vocabulary adds
        tokens = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(
            self._vocabulary, encoded, len(encoded), tokens, room, False, special
        )
        if count < 0:
            raise BackendError(f"llama.cpp cannot tokenise {len(encoded):,} bytes of text")
        return list(tokens[:count])
