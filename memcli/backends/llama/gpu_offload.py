"""How much of a model goes to the GPU, and how exactly its context is kept."""

from collections.abc import Callable
from typing import Protocol

from memcli.errors import BackendError

Note = Callable[[str], None]  # takes a sentence for the person

F16, Q8_0 = 1, 8  # as ggml numbers what a cache of keys and values may be kept in
_SHARE = {F16: 1.0, Q8_0: 34 / 64}  # of the memory that 16 bits take: 32 numbers and a scale
_GB = 1e9


class Cached(Protocol):
    """A model, as far as the memory of its contexts is concerned."""

    gpu_layers: int

    @property
    def token_bytes(self) -> int:
        """What a token takes, at 16 bits."""
        ...


def unheard(_note: str) -> None:
    """Tell nobody."""


def ladder(asked: int | None, layers: int) -> list[int]:
    """Return how many layers to try to put on the GPU, in order, down to none.

    Args:
        asked: by the person; None is all.
        layers: that the model has. Its output counts as one more.
    """
    most = layers + 1
    tries = [most if asked is None else min(asked, most)]
    while tries[-1]:
        tries.append(tries[-1] // 2)
    return tries


def cache_kinds(model: Cached, tokens: int, free: int | None) -> list[int]:
    """Return in what a context may keep keys and values, the most exact first.

    Args:
        model: whose context it is.
        tokens: that the context has room for.
        free: bytes of the machine's own memory; None where it does not tell. What the GPU has is
            found out by trying.

    Raises:
        BackendError: there is no memory for it.
    """
    if free is None or model.gpu_layers:
        return list(_SHARE)
    whole = tokens * model.token_bytes
    kinds = [kind for kind, share in _SHARE.items() if whole * share <= free]
    if not kinds:
        raise BackendError(
            f"a context of {tokens:,} tokens takes {whole / _GB:.1f} GB,"
            f" and {free / _GB:.1f} GB of memory are free",
            hint="end other programs, or take a smaller model",
        )
    return kinds
