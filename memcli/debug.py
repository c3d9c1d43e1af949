"""A log for people who look for a fault: `MEM_DEBUG=1 mem ...` writes it to standard error.

It holds statements, requests, retries and timings, and never the text of a conversation: values
are bound to statements apart from their text, and requests are named by address and size.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def is_debugging() -> bool:
    """Return whether the log was asked for."""
    return os.environ.get("MEM_DEBUG", "") not in ("", "0")


def log(event: str, **facts: object) -> None:
    """Write one line: the seconds since the process began, an event and its facts."""
    if is_debugging():
        pairs = " ".join(f"{name}={value}" for name, value in facts.items())
        sys.stderr.write(f"debug: {time.process_time():8.3f} {event} {pairs}".rstrip() + "\n")


@contextmanager
def time_block(event: str, **facts: object) -> Iterator[None]:
    """Log an event with the seconds that a block took, however it ends."""
    began = time.perf_counter()
    try:
        yield
    finally:
        log(event, **facts, seconds=f"{time.perf_counter() - began:.4f}")
