"""How far a long measurement is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from memcli.cli.bars import bars
from memcli.cli.output import note

EVERY = 60.0  # seconds between two lines, where there is no terminal


class Done(Protocol):
    """Told after each question how many there are by now."""

    def __call__(self, done: int) -> None:
        """Show it."""
        ...


@contextmanager
def asking(name: str, total: int, *, quiet: bool) -> Iterator[Done]:
    """Draw a bar on a terminal, say a line a minute elsewhere, and nothing to the quiet."""
    if quiet or sys.stderr.isatty():
        with bars(quiet=quiet) as progress:
            progress(name, 0, total)
            yield lambda done: progress(name, done, total)
        return
    last, before = monotonic(), 0

    def tell(done: int) -> None:
        nonlocal last, before
        now = monotonic()
        if now - last >= EVERY:
            left = (total - done) * (now - last) / max(done - before, 1)
            note(f"{name}: {done:,} of {total:,} questions, about {left / 60:.0f} min to go")
            last, before = now, done

    yield tell
