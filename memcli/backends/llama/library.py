"""llama.cpp itself: imported when it is first used, silent, its errors kept for our own."""

import ctypes
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from memcli.backends.llama.abort import defer_interrupts
from memcli.errors import BackendError

_ERROR_LEVEL = 4  # one of llama.cpp's log levels
_errors: deque[str] = deque(maxlen=8)  # llama.cpp's last errors, oldest first


def require_llama_cpp() -> None:
    """Check that the extra `llama` is installed, without loading it.

    Raises:
        BackendError: it is not.
    """
    if find_spec("llama_cpp") is None:
        raise BackendError(
            "models on this machine need the extra `llama`, which is not installed",
            hint="`pip install 'memcli[llama]'`, in a checkout `pip install '.[llama]'`",
        )


@cache
def llama_cpp() -> ModuleType:
    """Import llama.cpp and silence it.

    Raises:
        BackendError: it is not installed, or was built for another machine.
    """
    require_llama_cpp()
    try:
        import llama_cpp as llama
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f"llama.cpp cannot be loaded: {error}",
            hint="`pip install --force-reinstall --no-cache-dir llama-cpp-python` builds it anew",
        ) from error

    llama.llama_log_set(_log_callbacks(llama)[0], ctypes.c_void_p(0))
    llama.llama_backend_init()
    module: ModuleType = llama
    return module


@contextmanager
def capture_errors() -> Iterator[None]:
    """Keep the errors that llama.cpp logs inside the block, and drop the older ones.

    Ctrl-C waits until the end: raised where llama.cpp calls Python, it would be lost.
    """
    llama = llama_cpp()
    silent, capturing = _log_callbacks(llama)
    _errors.clear()
    with defer_interrupts([]):
        llama.llama_log_set(capturing, ctypes.c_void_p(0))
        try:
            yield
        finally:
            llama.llama_log_set(silent, ctypes.c_void_p(0))


def first_error(otherwise: str = "it gives no reason") -> str:
    """Return the first captured error, which names the cause, without its function's name."""
    return _errors[0].removeprefix("llama_model_load: ") if _errors else otherwise


@cache
def _log_callbacks(llama: ModuleType) -> tuple[Any, Any]:  # Any: ctypes makes their type
    """Return a callback that drops all, and one that keeps errors.

    They are never freed: llama.cpp may call them at any time.
    """

    def capture(level: int, text: bytes | None, _: object) -> None:
        if level == _ERROR_LEVEL and text:
            _errors.append(text.decode("utf-8", "replace").strip())

    # A function of the interpreter that does nothing and needs nothing: it may be called at any
    # time, even after Python has gone.
    silent = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value or 0
    return llama.llama_log_callback(silent), llama.llama_log_callback(capture)
