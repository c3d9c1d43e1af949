"""The deadline of the current work.

The caller sets a deadline once with `deadline()`. Code at any depth, down to a backend, asks for
the time left: between two steps, or as the time-out of a request. A context variable carries it, so
that no signature on the way has to.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

_end: ContextVar[float] = ContextVar("end", default=math.inf)  # in seconds of `monotonic`


class DeadlineExceededError(Exception):
    """The deadline has passed. Callers catch it: the work done so far is the result."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Set a deadline for the block, in seconds from now; an earlier deadline around it holds."""
    token = _end.set(min(monotonic() + seconds, _end.get()))
    try:
        yield
    finally:
        _end.reset(token)


def seconds_left() -> float:
    """Return the seconds until the deadline: negative after it, infinite without one."""
    return _end.get() - monotonic()


def check_deadline() -> None:
    """Raise an error if the deadline has passed.

    Raises:
        DeadlineExceededError: no time is left.
    """
    if seconds_left() <= 0:
        raise DeadlineExceededError
