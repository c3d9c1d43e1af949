"""How far reading is: a bar on a terminal, a line a minute in a log, nothing for the quiet.

And how a reader came to what it did.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from memcli.cli.output.console import can_draw, console, note, safe
from memcli.extraction.read import Settled
from memcli.store import Reading, Unread

EVERY = 60.0  # seconds between two lines of a log

Watch = Callable[[Settled], None]


@contextmanager
def watching(sessions: Sequence[Unread], *, quiet: bool) -> Iterator[Watch]:
    """Give what is told of every segment, and tells a person on stderr how far it is."""
    pace = _Pace(sum(one.characters for one in sessions))
    if quiet or not sessions:
        yield pace.take
    elif can_draw(sys.stderr):
        yield from _drawn(pace, len(sessions))
    else:
        yield from _written(pace)


def duration(seconds: float) -> str:
    """Return a time as people say it: `40 s`, `5 min`, `3 h`, `2 days`."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def print_readings(readings: Iterable[Reading]) -> None:
    """Print how a reader came to something: why it says so, and what it thought and called."""
    from rich.text import Text

    out = console()
    for reading in readings:
        heading = Text.assemble(("\nwhy  ", "bold"), safe(f"{reading.model}: {reading.reason}"))
        out.print(heading, soft_wrap=not out.is_terminal)
        for step in reading.trace or ():
            for line in _step(step):
                out.print(Text(safe(line), "dim"), soft_wrap=not out.is_terminal)


def _step(step: Mapping[str, Any]) -> Iterator[str]:  # Any: as JSON has it
    """Yield what was thought, called and told; or what was wrong."""
    if "error" in step:
        yield f"error: {step['error']}"
        return
    if step["thought"]:
        yield step["thought"]
    yield f"{step['tool']} {json.dumps(step['arguments'], ensure_ascii=False)}"
    if "result" in step:
        yield step["result"]


class _Pace:
    """What was done in which time. Characters are counted: segments are not known beforehand."""

    def __init__(self, characters: int) -> None:
        self.characters, self.done = characters, 0
        self._began = monotonic()
        self._segments = self._memories = 0

    def take(self, settled: Settled) -> None:
        self.done += settled.characters
        self._segments += 1
        self._memories += len(settled.memories)

    def told(self) -> str:
        """Say how much was done, how fast, and how much longer it takes."""
        took = max(monotonic() - self._began, 1e-3)
        told = (
            f"{self._segments:,} segments, {self._memories:,} memories,"
            f" {self._segments * 60 / took:.1f} segments a minute"
        )
        if not self.done:
            return told
        left = took * max(self.characters - self.done, 0) / self.done
        return f"{told}, about {duration(left)} to go"


def _written(pace: _Pace) -> Iterator[Watch]:
    last = monotonic()

    def watch(settled: Settled) -> None:
        nonlocal last
        pace.take(settled)
        if monotonic() - last >= EVERY:
            last = monotonic()
            note(pace.told())

    yield watch


def _drawn(pace: _Pace, sessions: int) -> Iterator[Watch]:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (
        SpinnerColumn(),
        BarColumn(20),
        TextColumn("{task.percentage:>3.0f} %  {task.description}"),
    )
    with Progress(*columns, console=console(sys.stderr), transient=True) as drawn:
        task = drawn.add_task(f"reading {sessions:,} sessions", total=pace.characters)

        def watch(settled: Settled) -> None:
            pace.take(settled)
            drawn.update(task, completed=pace.done, description=pace.told())

        yield watch
