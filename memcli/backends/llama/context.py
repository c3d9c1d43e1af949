"""The memory of one job over a model: tokens in, logits or a sampled token out."""

import ctypes
import weakref
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from memcli.backends.llama.abort import decode_batch
from memcli.backends.llama.batches import MAX_BATCH_TOKENS
from memcli.backends.llama.gpu_offload import (
    cache_types,
    compute_error,
    is_short_of_memory,
)
from memcli.backends.llama.host import free_memory, physical_cores
from memcli.backends.llama.library import capture_errors, first_error, llama_cpp
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.sampler import create_sampler, reseed
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Sampling

_BLOCK_TOKENS = 256  # llama.cpp computes in blocks of this many tokens


@dataclass(frozen=True, slots=True)
class TokenRun:
    """Tokens that follow each other in one sequence of a context."""

    tokens: Sequence[int]
    start: int = 0  # position of the first token
    sequence: int = 0


class LlamaContext:
    """Room for a number of tokens in one sequence, or in several that share their beginning.

    Args:
        model: the model.
        tokens: the room.
        sequences: the number of sequences.
        threads: None is one per physical core.
        sampling: how tokens are sampled; None takes the likeliest.
        settings: llama.cpp's parameters of a context that are to differ from ours, by name.

    Raises:
        BackendError: there is no memory for it.
    """

    def __init__(
        self,
        model: LlamaModel,
        tokens: int,
        *,
        sequences: int = 1,
        threads: int | None = None,
        sampling: Sampling | None = None,
        settings: Mapping[str, int] | None = None,
    ) -> None:
        self.model = model
        self.sequences = sequences
        self._settings = {"n_batch": MAX_BATCH_TOKENS, **(settings or {})}
        self._batch_tokens = self._settings["n_batch"]
        self.tokens = tokens = tokens + -tokens % _BLOCK_TOKENS
        self._llama = llama = llama_cpp()
        params = llama.llama_context_default_params()
        params.n_ctx = tokens
        params.n_ubatch = self._batch_tokens
        params.n_seq_max = sequences
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads or physical_cores()
        if hasattr(params, "n_outputs_max"):  # younger versions can save memory
            params.n_outputs_max = sequences
        for name, value in self._settings.items():
            setattr(params, name, value)
        self._params, self._sampling = params, sampling or Sampling(temperature=0)
        self._rows: list[int] = []  # places in the last batch that have logits
        self._open()

    def _open(self) -> None:
        self._pointer = pointer = self._allocate(self._params)
        self._batch = self._llama.llama_batch_init(self._batch_tokens, 0, 1)
        self._sampler = create_sampler(self._sampling)
        self._finalizer = weakref.finalize(self, _free, pointer, self._batch, self._sampler)
        self.model._contexts.add(self)

    def reopen_smaller(self, error: BackendError) -> None:
        """Open the context again, empty, with less of the model on the GPU.

        Args:
            error: is raised if nothing is on the GPU any more.
        """
        if not self.model.gpu_layers:
            raise error
        self.model.offload_less()  # closes this context, too
        self._open()

    def _allocate(self, params: Any) -> Any:  # Any: a struct, an opaque pointer
        """Return a context for which there is memory, if need be with less of the model on the GPU.

        llama.cpp would promise more than the machine has, and the process would be killed when the
        memory is used.
        """
        model = self.model
        while True:
            free = free_memory()
            if free is not None and is_short_of_memory(model, self.tokens, free):
                model.note_memory(self.tokens, free)
            wanted = self._settings.get("type_k")
            for kind in [wanted] if wanted else cache_types(model, self.tokens, free):
                params.type_k = params.type_v = kind
                with capture_errors():
                    pointer = self._llama.llama_init_from_model(model.pointer, params)
                if pointer:
                    return pointer
            if not model.gpu_layers:
                raise BackendError(
                    f"no context of {self.tokens:,} tokens for {model.path}: {first_error()}"
                )
            model.offload_less()

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
        self._finalizer()

    def feed(self, runs: Sequence[TokenRun]) -> None:
        """Compute these tokens, with logits at the last token of each run.

        Args:
            runs: one of any length, or several that fit a batch together.

        Raises:
            BackendError: llama.cpp failed.
        """
        entries = list(_entries(runs))
        size = self._batch_tokens
        if len(runs) > 1 and len(entries) > size:
            raise ValueError(f"{len(entries)} tokens of several runs exceed one batch")
        for first in range(0, len(entries), size):
            self._decode(entries[first : first + size])

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
        status = decode_batch(self._llama, self._live_pointer(), batch)
        if status != 0:
            raise compute_error(self.model.path, status, self.model.gpu_layers)

    def copy_prefix(self, sequences: int) -> None:
        """Let sequences 1 to this number begin with all that sequence 0 has now."""
        memory = self._llama.llama_get_memory(self._live_pointer())
        for sequence in range(1, sequences + 1):
            self._llama.llama_memory_seq_cp(memory, 0, sequence, -1, -1)

    def truncate(self, sequence: int, start: int) -> None:
        """Free a sequence's tokens from this position on."""
        memory = self._llama.llama_get_memory(self._live_pointer())
        self._llama.llama_memory_seq_rm(memory, sequence, start, -1)

    def logits(self, run: int, tokens: Sequence[int]) -> list[float]:
        """Return the logits of these tokens after one of the runs that were fed last."""
        row = self._llama.llama_get_logits_ith(self._live_pointer(), self._rows[run])
        if not row:
            raise BackendError(f"{self.model.path} gives no logits: it is not a language model")
        return [row[token] for token in tokens]

    def sample(self) -> int:
        """Sample the token after the last one fed."""
        return int(self._llama.llama_sampler_sample(self._sampler, self._live_pointer(), -1))

    def sample_among(self, tokens: Sequence[int]) -> int:
        """Sample one of these tokens, as if there were no others."""
        llama = self._llama
        entries = (llama.llama_token_data * len(tokens))(
            *zip(tokens, self.logits(-1, tokens), [0.0] * len(tokens), strict=True)
        )
        choice = llama.llama_token_data_array(entries, len(tokens), -1, False)
        llama.llama_sampler_apply(self._sampler, ctypes.byref(choice))
        llama.llama_sampler_accept(self._sampler, choice.data[choice.selected].id)
        return int(choice.data[choice.selected].id)

    def most_likely(self, count: int) -> list[int]:
        """Return the most likely tokens after the last one fed, best first."""
        import numpy as np

        row = self._llama.llama_get_logits_ith(self._live_pointer(), -1)
        size = self._llama.llama_vocab_n_tokens(self.model._vocabulary)
        logits = np.ctypeslib.as_array(row, (size,))
        best = np.argpartition(-logits, min(count, size) - 1)[:count]
        return [int(token) for token in best[np.argsort(-logits[best], kind="stable")]]

    def restart(self, kept: int, seed: int = 0) -> bool:
        """Sample as at first, after the first `kept` tokens of sequence 0; the others are freed.

        Args:
            kept: tokens.
            seed: is added to the seed of the sampling.

        Returns:
            False if the model's memory can only be kept or freed as a whole.
        """
        reseed(self._sampler, self._sampling.seed + seed)
        memory = self._llama.llama_get_memory(self._live_pointer())
        return bool(self._llama.llama_memory_seq_rm(memory, 0, kept, -1))

    def _live_pointer(self) -> Any:  # Any: an opaque pointer
        if not self._finalizer.alive:
            raise BackendError(f"{self.model.path} was closed while it was at work")
        return self._pointer


def _entries(runs: Sequence[TokenRun]) -> Iterator[tuple[int, int, int, bool]]:
    """Yield (token, position, sequence, True if its logits are wanted)."""
    for run in runs:
        last = len(run.tokens) - 1
        for place, token in enumerate(run.tokens):
            yield token, run.start + place, run.sequence, place == last


def _free(pointer: Any, batch: Any, sampler: Any) -> None:  # Any: opaque pointers
    llama = llama_cpp()
    llama.llama_sampler_free(sampler)
    llama.llama_batch_free(batch)
    llama.llama_free(pointer)
