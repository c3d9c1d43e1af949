"""torch and transformers: imported late, silent, and their errors translated."""

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
from memcli.settings import selected_gpu

_MEMORY_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")


@cache
def torch() -> ModuleType:
    """Import torch.

    Raises:
        BackendError: it is not installed.
    """
    return _import_silently("torch")


@cache
def transformers() -> ModuleType:
    """Import transformers and silence it.

    Raises:
        BackendError: it is not installed.
    """
    library = _import_silently("transformers")
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
    library = _import_silently("sentence_transformers")
    logging.getLogger("sentence_transformers").setLevel(logging.CRITICAL + 1)
    return library


def _import_silently(name: str) -> ModuleType:
    from importlib import import_module

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else it warns when a process forks
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f"{name} cannot be loaded: {error}", hint='`pip install "memcli[torch]"`'
        ) from error


@contextmanager
def translate_load_errors(folder: Path) -> Iterator[None]:
    """Turn any error of a library that loads a folder into one `BackendError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemError:
        raise
    # For a damaged file, transformers raises errors of any class, and tokenizers a bare Exception:
    # there is no narrower class.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if any(message in reason for message in _MEMORY_MESSAGES):
            raise _out_of_memory(folder, reason) from error
        raise BackendError(f"the model in {folder} cannot be loaded: {reason}") from error


class OutOfMemoryError(BackendError):
    """A lack of memory on the device for this much at once."""


@contextmanager
def inference(path: Path) -> Iterator[None]:
    """Compute without the data that only training needs, and translate torch's errors."""
    library = torch()
    try:
        with warnings.catch_warnings(), library.inference_mode():
            warnings.simplefilter("ignore")
            yield
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        if isinstance(error, library.OutOfMemoryError) or any(
            message in str(error) for message in _MEMORY_MESSAGES
        ):
            raise _out_of_memory(path, reason) from error
        raise BackendError(f"{path} failed to run: {reason}") from error


def _out_of_memory(path: Path, reason: str) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"{path.name} does not fit the memory: {reason}",
        hint="close other programs, use a smaller model, or the `llama` backend",
    )


def select_device(device: str | None) -> tuple[Any, Any]:  # Any: of torch, which we import late
    """Return a device, the fastest there is by default, and the dtype that it computes with.

    Raises:
        BackendError: there is no such device.
    """
    library = torch()
    if device is None:
        metal = library.backends.mps.is_available()
        gpu = selected_gpu()
        cuda = "cuda" if gpu is None else f"cuda:{gpu}"
        device = cuda if library.cuda.is_available() else "mps" if metal else "cpu"
    try:
        found = library.device(device)
        library.zeros(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise BackendError(f"torch has no device `{device}` here: {reason}") from error
    return found, _select_dtype(found)


def _select_dtype(device: Any) -> Any:  # Any: of torch
    """Return BF16, or F16 if the device cannot compute with BF16."""
    library = torch()
    if device.type == "cuda" and not library.cuda.is_bf16_supported(including_emulation=False):
        return library.float16
    try:
        one = library.ones(1, 1, dtype=library.bfloat16, device=device)
        one @ one
    except (RuntimeError, TypeError):  # Macs older than macOS 14
        return library.float16
    return library.bfloat16
