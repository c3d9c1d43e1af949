"""llama.cpp itself: imported when it is first used, silent, its errors kept for our own."""

import ctypes
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any

from memcli.errors import BackendError

_ERROR = 4  # of llama.cpp's log levels
_errors: deque[str] = deque(maxlen=8)  # what llama.cpp said last


@cache
def llama_cpp() -> ModuleType:
    """Import llama.cpp and silence it.

    Raises:
        BackendError: it is not installed, or not for this machine.
    """
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


@contextmanager
def heard() -> Iterator[None]:
    """Keep what llama.cpp says meanwhile; what was kept before is forgotten.

    Ctrl-C waits until the end: raised where llama.cpp calls Python, it would be lost.
    """
    llama = llama_cpp()
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


def reason(otherwise: str = "it gives no reason") -> str:
    """Return the first of the last errors, which names the cause, without the function's name."""
    return _errors[0].removeprefix("llama_model_load: ") if _errors else otherwise


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
