"""The number of layers on the GPU, and the type of the cache of keys and values."""

from pathlib import Path
from typing import Protocol

from memcli.errors import BackendError

F16, Q8_0 = 1, 8  # ggml's numbers of the types that the cache may have
_SHARE = {
    F16: 1.0,
    Q8_0: 34 / 64,
}  # the share of 16-bit memory; Q8_0: 32 numbers and a scale
_GB = 1e9
_NO_MEMORY, _FAILED = -2, -3  # statuses of `llama_decode` and `llama_encode`
_MEMORY_HINT = "close other programs, or use a smaller model; `--gpu-layers 0` needs no GPU"


class LlamaMemoryError(BackendError):
    """The memory gave out while llama.cpp computed."""


def compute_error(path: Path, status: int, gpu_layers: int) -> BackendError:
    """Return the error that a status of llama.cpp other than 0 stands for.

    The drivers of GPUs report a lack of memory like other failures.
    """
    message = f"{path} failed to run: llama.cpp's status is {status}"
    if status == _NO_MEMORY or (status == _FAILED and gpu_layers):
        return LlamaMemoryError(message, hint=_MEMORY_HINT)
    return BackendError(message)


class KvCacheModel(Protocol):
    """A model, as far as the memory of its cache of keys and values is concerned."""

    gpu_layers: int

    @property
    def cache_bytes_per_token(self) -> int:
        """The bytes that the keys and values of one token take, at 16 bits each."""
        ...

    @property
    def weight_bytes(self) -> int:
        """The bytes of the weights, which have to be in memory, mapped or not."""
        ...


def layer_attempts(requested: int | None, layers: int) -> list[int]:
    """Return the numbers of layers to try to put on the GPU, in order, down to none.

    Args:
        requested: the person's number; None is all.
        layers: the number that the model has. Its output counts as one more.
    """
    most = layers + 1
    attempts = [most if requested is None else min(requested, most)]
    while attempts[-1]:
        attempts.append(attempts[-1] // 2)
    return attempts


def cache_types(model: KvCacheModel, tokens: int, free: int | None) -> list[int]:
    """Return the types that a context's cache may have, the most exact first.

    Args:
        model: the model of the context.
        tokens: the room of the context.
        free: bytes of the machine's own memory; None if it does not tell. The memory of the GPU
            is found out by trying.

    Raises:
        BackendError: there is no memory for it.
    """
    if free is None or model.gpu_layers:
        return list(_SHARE)
    needed, weights = tokens * model.cache_bytes_per_token, model.weight_bytes
    # The system counts mapped weights as free memory, although they have to stay.
    types = [kind for kind, share in _SHARE.items() if needed * share + weights <= free]
    if types:
        return types
    smallest = min(_SHARE, key=_SHARE.__getitem__)
    if needed * _SHARE[smallest] <= free:
        return [smallest]  # it runs, and reads weights from the disk again and again
    raise BackendError(
        f"a context of {tokens:,} tokens takes {needed / _GB:.1f} GB besides"
        f" {weights / _GB:.1f} GB of weights, and {free / _GB:.1f} GB of memory are free",
        hint="close other programs, or use a smaller model",
    )


def is_short_of_memory(model: KvCacheModel, tokens: int, free: int | None) -> bool:
    """Return whether weights and cache together exceed the memory that is free."""
    if free is None or model.gpu_layers:
        return False
    return tokens * model.cache_bytes_per_token * min(_SHARE.values()) + model.weight_bytes > free
