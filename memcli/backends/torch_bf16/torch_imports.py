"""torch and transformers, quiet, and their errors in our words."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from memcli.errors import BackendError, MemError

_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@cache
def torch() -> ModuleType:
    """Import torch.

    Raises:
        BackendError: it is not installed.
    """
    return _imported("torch")


@cache
def transformers() -> ModuleType:
    """Import transformers and silence it.

    Raises:
        BackendError: it is not installed.
    """
    library = _imported("transformers")
    library.utils.logging.set_verbosity(logging.CRITICAL + 1)
    library.utils.logging.disable_progress_bar()
    return library


@cache
def sentence_transformers() -> ModuleType:
    """Import sentence-transformers and silence it.

    Raises:
        BackendError: it is not installed.
    """
    transformers()
    library = _imported("sentence_transformers")
    logging.getLogger("sentence_transformers").setLevel(logging.CRITICAL + 1)
    return library


def _imported(name: str) -> ModuleType:
    from importlib import import_module

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it warns when a process forks
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f"{name} cannot be loaded: {error}", hint='`pip install "memcli[torch]"`'
        ) from error


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turn whatever a library says about a folder it cannot load into one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemError:
        raise
    # For a damaged file, transformers raises what its code stumbles over, and tokenizers a bare
    # Exception: there is no narrower class.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if any(words in reason for words in _MEMORY):
            raise _no_memory(folder, reason) from error
        raise BackendError(f"the model in {folder} cannot be loaded: {reason}") from error


class OutOfMemoryError(BackendError):
    """There is not enough memory on the device for this much at once."""


@contextmanager
def running(path: Path) -> Iterator[None]:
    """Compute without keeping what only training needs; what torch raises becomes ours."""
    library = torch()
    try:
        with warnings.catch_warnings(), library.inference_mode():
            warnings.simplefilter("ignore")
            yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        if isinstance(error, library.OutOfMemoryError) or any(
            words in str(error) for words in _MEMORY
        ):
            raise _no_memory(path, reason) from error
        raise BackendError(f"{path} failed to run: {reason}") from error


def _no_memory(path: Path, reason: str) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"{path.name} does not fit the memory: {reason}",
        hint="close other programs, use a smaller model, or the `llama` backend",
    )


def chosen(device: str | None) -> tuple[Any, Any]:  # Any: of torch, which we import late
    """Return a device, the fastest there is if none is named, and the numbers it computes with.

    Raises:
        BackendError: there is no such device.
    """
    library = torch()
    if device is None:
        metal = library.backends.mps.is_available()
        device = "cuda" if library.cuda.is_available() else "mps" if metal else "cpu"
    try:
        found = library.device(device)
        library.zeros(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise BackendError(f"torch has no device `{device}` here: {reason}") from error
    return found, _kind(found)


def _kind(device: Any) -> Any:  # Any: of torch
    """Return BF16, or F16 where the device cannot compute with BF16."""
    library = torch()
    if device.type == "cuda" and not library.cuda.is_bf16_supported(including_emulation=False):
        return library.float16
    try:
        one = library.ones(1, 1, dtype=library.bfloat16, device=device)
        one @ one
    except (RuntimeError, TypeError):  # Macs before macOS 14
        return library.float16
    return library.bfloat16
