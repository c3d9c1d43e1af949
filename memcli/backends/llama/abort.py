"""Stopping llama.cpp in the middle of its work: when the deadline passes, and at Ctrl-C.

On the CPU it asks between any two operations; on a GPU a batch is computed to its end.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any

from memcli.deadline import check_time, seconds_left
from memcli.errors import BackendError

_ABORTED = 2  # what `llama_decode` returns then
_pressed: list[int] = []  # signals that came meanwhile


def decode(llama: ModuleType, context: Any, batch: Any) -> int:  # Any: opaque pointers
    """Compute a batch; return llama.cpp's status, 0 for success.

    Raises:
        OutOfTimeError: the deadline passed before it was done.
        KeyboardInterrupt: Ctrl-C was pressed before it was done.
    """
    check_time()
    if batch.n_tokens == 1:  # a step that is short as it is, and asking takes time, too
        return int(llama.llama_decode(context, batch))
    llama.llama_set_abort_callback(context, _abort(llama), None)
    try:
        with _interrupts_kept():
            status = int(llama.llama_decode(context, batch))
    finally:
        llama.llama_set_abort_callback(context, llama.ggml_abort_callback(), None)
    if status == _ABORTED:
        check_time()
        raise BackendError("llama.cpp stopped in the middle of its work")
    return status


def going_on(llama: ModuleType) -> Any:  # Any: ctypes makes its type as it runs
    """Return what llama.cpp asks, while it loads a model, whether it shall go on."""
    return _going_on(llama)


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Keep Ctrl-C until the end: raised where llama.cpp calls Python, it would be lost."""
    ours = (
        current_thread() is main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    _pressed.clear()
    if ours:
        signal.signal(signal.SIGINT, lambda number, _frame: _pressed.append(number))
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if _pressed:
        raise KeyboardInterrupt


@cache
def _abort(llama: ModuleType) -> Any:  # Any: ctypes makes its type as it runs
    return llama.ggml_abort_callback(lambda _: bool(_pressed) or seconds_left() <= 0)


@cache
def _going_on(llama: ModuleType) -> Any:  # Any: ctypes makes its type as it runs
    return llama.llama_progress_callback(lambda _done, _: seconds_left() > 0)
