"""By when the work at hand has to be done.

Whoever waits sets a deadline once; whoever works looks at the time left, however deep inside a
backend: between two steps, or as the time-out of a request.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

_end: ContextVar[float] = ContextVar("end", default=math.inf)  # as `monotonic` counts


class OutOfTimeError(Exception):
    """The deadline has passed. No error of the person's: what is done by then is the result."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give what happens inside so many seconds from now; an earlier deadline around it holds."""
    token = _end.set(min(monotonic() + seconds, _end.get()))
    try:
        yield
    finally:
        _end.reset(token)


def seconds_left() -> float:
    """Return the seconds until the deadline: below 0 when it has passed, infinite without one."""
    return _end.get() - monotonic()


def check_time() -> None:
    """Go on only if there is time left.

    Raises:
        OutOfTimeError: there is none.
    """
    if seconds_left() <= 0:
        raise OutOfTimeError
