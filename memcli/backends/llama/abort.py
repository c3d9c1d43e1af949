"""Stopping llama.cpp in the middle of its work: when the deadline passes, and at Ctrl-C.

On the CPU it asks between any two operations; on a GPU it computes a batch to its end.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import current_thread, main_thread
from types import ModuleType
from typing import Any

from memcli.deadline import check_deadline, seconds_left
from memcli.debug import time_block
from memcli.errors import BackendError

_ABORTED = 2  # the status that `llama_decode` returns when it was stopped
_DEFERRED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_interrupts: list[int] = []  # signals that came while a batch was computed


def decode_batch(llama: ModuleType, context: Any, batch: Any) -> int:  # Any: opaque pointers
    """Compute a batch; return llama.cpp's status, 0 for success.

    Raises:
        OutOfTimeError: the deadline passed before it was done.
        KeyboardInterrupt: Ctrl-C was pressed before it was done.
    """
    check_deadline()
    if batch.n_tokens == 1:  # such a step is short as it is, and the callback takes time, too
        return int(llama.llama_decode(context, batch))
    llama.llama_set_abort_callback(context, _abort_callback(llama), None)
    try:
        with defer_interrupts(_interrupts), time_block("decode", tokens=batch.n_tokens):
            status = int(llama.llama_decode(context, batch))
    finally:
        llama.llama_set_abort_callback(context, llama.ggml_abort_callback(), None)
    if status == _ABORTED:
        check_deadline()
        raise BackendError("llama.cpp stopped in the middle of its work")
    return status


@contextmanager
def defer_interrupts(interrupts: list[int]) -> Iterator[None]:
    """Keep Ctrl-C, SIGTERM and SIGHUP until the end of the block.

    What a handler raises where llama.cpp calls Python would be lost.

    Args:
        interrupts: is emptied, and then takes the signals that come meanwhile.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed inside the block.
        SystemExit: another signal came, whose handler raises that.
    """
    handlers = {number: signal.getsignal(number) for number in _DEFERRED}
    in_python = {number: handler for number, handler in handlers.items() if callable(handler)}
    if current_thread() is not main_thread():
        in_python.clear()
    interrupts.clear()
    for number in in_python:
        signal.signal(number, lambda number, _frame: interrupts.append(number))
    try:
        yield
    finally:
        for number, handler in in_python.items():
            signal.signal(number, handler)
    for came in interrupts[:1]:
        in_python[signal.Signals(came)](came, None)


@cache
def progress_callback(llama: ModuleType) -> Any:  # Any: ctypes makes its type as it runs
    """Return the callback that stops the loading of a model when the deadline has passed."""
    return llama.llama_progress_callback(lambda _done, _: seconds_left() > 0)


@cache
def _abort_callback(llama: ModuleType) -> Any:  # Any: ctypes makes its type as it runs
    return llama.ggml_abort_callback(lambda _: bool(_interrupts) or seconds_left() <= 0)
