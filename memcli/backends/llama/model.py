"""llama.cpp's low-level API, all of it that we use.

    Model      weights and vocabulary of one file: text to tokens and back
    Context    the memory of one job over a model: tokens in, logits or a drawn token out

Pointers never leave this file, and nothing llama.cpp says reaches the terminal.
"""

import ctypes
import signal
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from threading import current_thread, main_thread
from types import ModuleType, TracebackType
from typing import Any, Self

from memcli.backends.llama.cores import physical_cores
from memcli.backends.llama.plain_text import cutter
from memcli.errors import BackendError
from memcli.protocols import Sampling

BATCH = 512  # tokens computed in one go, and the longest that Ctrl-C has to wait for
SEQUENCES = 64  # that a context may hold beside its first

_ERROR = 4  # of llama.cpp's log levels
_ALL_LAYERS = 999
_errors: deque[str] = deque(maxlen=8)  # what llama.cpp said last


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens that follow each other in one sequence of a context."""

    tokens: Sequence[int]
    start: int = 0  # position of the first one
    sequence: int = 0


class Model:
    """A model file in memory.

    Raises:
        BackendError: llama.cpp cannot be loaded or refuses the file; with its reason.
    """

    def __init__(self, path: Path, *, gpu_layers: int | None = None) -> None:
        self.path = path
        self._llama = _llama()
        pointer = self._load(gpu_layers)
        self._freed = weakref.finalize(self, self._llama.llama_model_free, pointer)
        self._contexts: weakref.WeakSet[Context] = weakref.WeakSet()
        self._pointer = pointer
        self.trained_context: int = self._llama.llama_model_n_ctx_train(pointer)

    def _load(self, gpu_layers: int | None) -> Any:  # Any: an opaque pointer
        """Load with as many layers on the GPU as asked; None is all, or none if that fails."""
        offload = self._llama.llama_supports_gpu_offload()
        tries = [gpu_layers] if gpu_layers is not None else [_ALL_LAYERS, 0] if offload else [0]
        for layers in tries:
            params = self._llama.llama_model_default_params()
            params.n_gpu_layers = layers
            with _heard():
                pointer = self._llama.llama_model_load_from_file(bytes(self.path), params)
            if pointer:
                return pointer
        raise BackendError(f"llama.cpp cannot load {self.path}: {_reason()}")

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
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 8  # a token a byte, and what a vocabulary adds
        tokens = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(
            self._vocabulary, encoded, len(encoded), tokens, room, False, special
        )
        if count < 0:
            raise BackendError(f"llama.cpp cannot tokenise {len(encoded):,} bytes of text")
        return list(tokens[:count])


class Context:
    """Room for so many tokens in one sequence, or in several that share their beginning.

    Raises:
        BackendError: there is no memory for it.
    """

    def __init__(
        self,
        model: Model,
        tokens: int,
        *,
        sequences: int = 1,
        threads: int | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self.model = model
        self._llama = llama = _llama()
        params = llama.llama_context_default_params()
        params.n_ctx = tokens + -tokens % 256
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = sequences
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads or physical_cores()
        if hasattr(params, "n_outputs_max"):  # llama.cpp's younger versions can save memory
            params.n_outputs_max = sequences
        with _heard():
            pointer = llama.llama_init_from_model(model.pointer, params)
        if not pointer:
            raise BackendError(f"no context of {tokens:,} tokens for {model.path}: {_reason()}")
        self._pointer = pointer
        self._batch = llama.llama_batch_init(BATCH, 0, 1)
        self._sampler = _sampler(sampling or Sampling(temperature=0))
        self._rows: list[int] = []  # places in the last batch that logits were asked for
        self._freed = weakref.finalize(self, _free, pointer, self._batch, self._sampler)
        model._contexts.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory."""
        self._freed()

    def feed(self, runs: Sequence[Run]) -> None:
        """Compute these tokens, with logits at the last one of each run.

        One run may have any length; several together fit a batch.

        Raises:
            BackendError: llama.cpp failed.
        """
        entries = list(_entries(runs))
        if len(runs) > 1 and len(entries) > BATCH:
            raise ValueError(f"{len(entries)} tokens of several runs exceed a batch of {BATCH}")
        for first in range(0, len(entries), BATCH):
            self._decode(entries[first : first + BATCH])

    def _decode(self, entries: Sequence[tuple[int, int, int, bool]]) -> None:
        batch = self._batch
        self._rows = []
        for place, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[place] = token
            batch.pos[place] = position
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = sequence
            batch.logits[place] = wanted
            if wanted:
                self._rows.append(place)
        batch.n_tokens = len(entries)
        _errors.clear()
        status = self._llama.llama_decode(self._alive(), batch)
        if status != 0:
            raise BackendError(f"{self.model.path} failed to run: {_reason(f'status {status}')}")

    def share(self, sequences: int) -> None:
        """Let sequences 1 to this number begin with all that sequence 0 has now."""
        memory = self._llama.llama_get_memory(self._alive())
        for sequence in range(1, sequences + 1):
            self._llama.llama_memory_seq_cp(memory, 0, sequence, -1, -1)

    def forget(self, sequence: int, start: int) -> None:
        """Free a sequence's tokens from this position on."""
        memory = self._llama.llama_get_memory(self._alive())
        self._llama.llama_memory_seq_rm(memory, sequence, start, -1)

    def logits(self, run: int, tokens: Sequence[int]) -> list[float]:
        """Return the logits of these tokens after a run of the last feeding."""
        row = self._llama.llama_get_logits_ith(self._alive(), self._rows[run])
        if not row:
            raise BackendError(f"{self.model.path} gives no logits: it is no language model")
        return [row[token] for token in tokens]

    def draw(self) -> int:
        """Draw the token after the last one fed."""
        return int(self._llama.llama_sampler_sample(self._sampler, self._alive(), -1))

    def _alive(self) -> Any:  # Any: an opaque pointer
        if not self._freed.alive:
            raise BackendError(f"{self.model.path} was closed while it was at work")
        return self._pointer


def _entries(runs: Sequence[Run]) -> Iterator[tuple[int, int, int, bool]]:
    """Yield (token, position, sequence, whether its logits are wanted)."""
    for run in runs:
        last = len(run.tokens) - 1
        for place, token in enumerate(run.tokens):
            yield token, run.start + place, run.sequence, place == last


def _sampler(sampling: Sampling) -> Any:  # Any: an opaque pointer
    """Return a chain that draws as transformers does: temperature before top_p."""
    llama = _llama()
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    if sampling.temperature <= 0:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
        return chain
    seed = sampling.seed & 0x7FFFFFFF  # the largest 32-bit number would mean any seed
    for part in (
        llama.llama_sampler_init_top_k(sampling.top_k),
        llama.llama_sampler_init_temp(sampling.temperature),
        llama.llama_sampler_init_top_p(sampling.top_p, 1),
        llama.llama_sampler_init_dist(seed),
    ):
        llama.llama_sampler_chain_add(chain, part)
    return chain


def _free(pointer: Any, batch: Any, sampler: Any) -> None:  # Any: opaque pointers
    llama = _llama()
    llama.llama_sampler_free(sampler)
    llama.llama_batch_free(batch)
    llama.llama_free(pointer)


@cache
def _llama() -> ModuleType:
    """Import llama.cpp and silence it; its errors are kept for our own."""
    try:
        import llama_cpp as llama
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f"llama.cpp cannot be loaded: {error}", hint="`pip install llama-cpp-python`"
        ) from error

    llama.llama_log_set(_listeners(llama)[0], ctypes.c_void_p(0))
    llama.llama_backend_init()
    module: ModuleType = llama
    return module


@cache
def _listeners(llama: ModuleType) -> tuple[Any, Any]:  # Any: ctypes makes their type as it runs
    """Return what hears nothing, and what keeps errors. Kept for good: llama.cpp calls them."""

    def hear(level: int, text: bytes | None, _: object) -> None:
        if level == _ERROR and text:
            _errors.append(text.decode("utf-8", "replace").strip())

    # A function of the interpreter that does nothing and needs nothing: it may be called at any
    # time, even after Python has gone.
    deaf = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value or 0
    return llama.llama_log_callback(deaf), llama.llama_log_callback(hear)


@contextmanager
def _heard() -> Iterator[None]:
    """Keep what llama.cpp says meanwhile; what was kept before is forgotten.

    Ctrl-C waits until the end: raised where llama.cpp calls Python, it would be lost.
    """
    llama = _llama()
    mute, listener = _listeners(llama)
    pressed: list[int] = []
    ours = (
        current_thread() is main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    _errors.clear()
    if ours:
        signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    llama.llama_log_set(listener, ctypes.c_void_p(0))
    try:
        yield
    finally:
        llama.llama_log_set(mute, ctypes.c_void_p(0))
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


def _reason(otherwise: str = "it gives no reason") -> str:
    """Return the first of the last errors, which names the cause, without the function's name."""
    return _errors[0].removeprefix("llama_model_load: ") if _errors else otherwise
