"""The weights and the vocabulary of one file in llama.cpp: text to tokens and back."""

import ctypes
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from memcli.backends.generation.plain_text import make_splitter
from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.abort import progress_callback
from memcli.backends.llama.gpu_offload import layer_attempts
from memcli.backends.llama.library import capture_errors, first_error, llama_cpp
from memcli.callbacks import NoteCallback, ignore
from memcli.deadline import check_deadline
from memcli.errors import BackendError
from memcli.settings import selected_gpu

if TYPE_CHECKING:
    from memcli.backends.llama.context import LlamaContext


class LlamaModel:
    """A model file in memory, with the requested part of it on the GPU, or as much as fits.

    Args:
        path: a GGUF file that was checked.
        gpu_layers: layers to run on the GPU; None is all.
        note: is called with a sentence if the model cannot run as requested.

    Raises:
        BackendError: llama.cpp cannot be loaded or refuses the file; with its reason.
    """

    def __init__(
        self, path: Path, *, gpu_layers: int | None = None, note: NoteCallback = ignore
    ) -> None:
        self.path = path
        self._llama = llama_cpp()
        self._note, self._noted_memory = note, False
        self._contexts: weakref.WeakSet[LlamaContext] = weakref.WeakSet()
        if not self._llama.llama_supports_gpu_offload():
            if gpu_layers:
                note(f"{path.stem} runs on the CPU: this llama.cpp was built without GPU support")
            gpu_layers = 0
        attempts = layer_attempts(gpu_layers, self._layers) if gpu_layers != 0 else [0]
        self._load(attempts)
        if self.gpu_layers != attempts[0]:
            self._note_layers()
        self.trained_context: int = self._llama.llama_model_n_ctx_train(self._pointer)

    def _load(self, attempts: Sequence[int]) -> None:
        """Load with the first of these numbers of layers on the GPU that fits."""
        for layers in attempts:
            params = self._llama.llama_model_default_params()
            params.n_gpu_layers = layers
            if (gpu := selected_gpu()) is not None:  # else llama.cpp splits the model over all
                params.split_mode = self._llama.LLAMA_SPLIT_MODE_NONE
                params.main_gpu = gpu
            params.progress_callback = progress_callback(self._llama)
            with capture_errors():
                pointer = self._llama.llama_model_load_from_file(bytes(self.path), params)
            if pointer:
                self._finalizer = weakref.finalize(self, self._llama.llama_model_free, pointer)
                self._pointer = pointer
                self.gpu_layers = layers
                return
            check_deadline()  # the deadline may have stopped it
        raise BackendError(f"llama.cpp cannot load {self.path}: {first_error()}")

    def offload_less(self) -> None:
        """Load again with at most half the layers on the GPU. Contexts over the model are closed.

        Raises:
            BackendError: there are none to take off, or llama.cpp refuses.
        """
        self.close()
        self._load(layer_attempts(self.gpu_layers, self._layers)[1:])
        self._note_layers()

    def _note_layers(self) -> None:
        on_gpu = f"{self.gpu_layers} of {self._layers + 1} layers" if self.gpu_layers else "nothing"
        self._note(f"{self.path.stem}: {on_gpu} on the GPU, more does not fit its memory")

    @cached_property
    def _layers(self) -> int:
        return check_gguf(self.path).layers or 0

    @cached_property
    def cache_bytes_per_token(self) -> int:
        """The bytes that the keys and values of one token take in all layers, at 16 bits each."""
        llama, pointer = self._llama, self.pointer
        default = llama.llama_model_n_embd(pointer) // max(llama.llama_model_n_head(pointer), 1)
        sizes = [
            self._architecture_number(f"attention.{part}_length") or default
            for part in ("key", "value")
        ]
        heads: int = llama.llama_model_n_head_kv(pointer)
        return 2 * heads * sum(sizes) * int(llama.llama_model_n_layer(pointer))

    @property
    def weight_bytes(self) -> int:
        """The bytes of the weights, which have to be in memory, mapped or not."""
        return int(self._llama.llama_model_size(self.pointer))

    def note_memory(self, tokens: int, free: int) -> None:
        """Tell the person, once, that weights and cache exceed the free memory."""
        if not self._noted_memory:
            self._noted_memory = True
            cache = tokens * self.cache_bytes_per_token
            self._note(
                f"{self.path.stem} takes {self.weight_bytes / 1e9:.1f} GB of weights and up to"
                f" {cache / 1e9:.1f} GB for {tokens:,} tokens, and {free / 1e9:.1f} GB of memory"
                " are free: it reads weights from the disk again and again, and is slow"
            )

    def _architecture_number(self, key: str) -> int:
        """Return a number from the metadata of the model's architecture; 0 if it has none."""
        return int(self._metadata(f"{self._metadata('general.architecture')}.{key}") or 0)

    def _metadata(self, key: str) -> str:
        """Return a value of the file's metadata as text; "" if it has none."""
        value = ctypes.create_string_buffer(64)
        get = self._llama.llama_model_meta_val_str
        found = get(self.pointer, key.encode(), value, len(value)) > 0
        return value.value.decode("utf-8", "replace") if found else ""

    @cached_property
    def _normalizes(self) -> bool:
        """True if Qwen's tokenizer composes letters and accents (NFC): llama.cpp's does not."""
        return self._metadata("tokenizer.ggml.pre") == "qwen2"

    def close(self) -> None:
        """Free the model and every context over it."""
        for context in list(self._contexts):
            context.close()
        self._finalizer()

    @property
    def pointer(self) -> Any:  # Any: an opaque pointer
        """The model in llama.cpp, for its contexts."""
        if not self._finalizer.alive:
            raise BackendError(f"{self.path} was closed")
        return self._pointer

    @property
    def _vocabulary(self) -> Any:  # Any: an opaque pointer
        return self._llama.llama_model_get_vocab(self.pointer)

    def encode_markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own markup: names of special tokens become them."""
        return self._tokenize(text, special=True)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a person's text: none is special, even if the text spells one."""
        text = normalize("NFC", text) if self._normalizes else text  # it may spell a name only then
        return [
            token for part in self._split(text) for token in self._tokenize(part, special=False)
        ]

    def encode_single(self, text: str) -> int:
        """Return the one token of a text.

        Raises:
            BackendError: the vocabulary spells it with several.
        """
        tokens = self.encode(text)
        if len(tokens) != 1:
            raise BackendError(f"the vocabulary of {self.path} has no token for {text!r}")
        return tokens[0]

    def decode_token(self, token: int) -> bytes:
        """Return the text of a token: a special token's name; maybe only a part of a letter."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            written = self._llama.llama_token_to_piece(
                self._vocabulary, token, buffer, size, 0, True
            )
            if written >= 0:
                return buffer.raw[:written]
            size = -written

    def is_end(self, token: int) -> bool:
        """Return whether a model that samples this token has finished, or begins a new message."""
        vocabulary = self._vocabulary
        return bool(
            self._llama.llama_vocab_is_eog(vocabulary, token)
            or self._llama.llama_vocab_is_control(vocabulary, token)
        )

    @cached_property
    def special_tokens(self) -> dict[int, str]:
        """Every special token, with the name that llama.cpp looks for in a text."""
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
    def bos_token(self) -> int | None:
        """The token that every prompt begins with; None if the vocabulary wants none."""
        if not self._llama.llama_vocab_get_add_bos(self._vocabulary):
            return None
        return int(self._llama.llama_vocab_bos(self._vocabulary))

    @property
    def template_variables(self) -> dict[str, str]:
        """The texts of the chat template's `bos_token` and `eos_token`."""
        tokens = {
            "bos_token": self._llama.llama_vocab_bos(self._vocabulary),
            "eos_token": self._llama.llama_vocab_eos(self._vocabulary),
        }
        return {name: self.special_tokens.get(token, "") for name, token in tokens.items()}

    @property
    def chat_template(self) -> str | None:
        """The chat template that came with the file."""
        template = self._llama.llama_model_chat_template(self.pointer, None)
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def _split(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        return make_splitter(self.special_tokens.values())

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        encoded = (normalize("NFC", text) if self._normalizes else text).encode("utf-8", "replace")
        room = len(encoded) + 8  # a token for each byte, and the vocabulary's own
        tokens = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(
            self._vocabulary, encoded, len(encoded), tokens, room, False, special
        )
        if count < 0:
            raise BackendError(f"llama.cpp cannot tokenize {len(encoded):,} bytes of text")
        return list(tokens[:count])
