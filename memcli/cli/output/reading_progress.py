"""Progress of `mem read`: a bar on a terminal, a line per minute in a log."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from memcli.cli.output.console import can_draw, console, note
from memcli.cli.output.numbers import rough_duration
from memcli.extraction.read import Settled
from memcli.store import Unread

LOG_INTERVAL = 60.0  # seconds between two lines in a log

SegmentCallback = Callable[[Settled], None]


@contextmanager
def reading_progress(sessions: Sequence[Unread], *, quiet: bool) -> Iterator[SegmentCallback]:
    """Give a callback for each segment that was read, which shows the progress on stderr.

    Args:
        sessions: the sessions to read.
        quiet: whether to show nothing.
    """
    pace = _Pace(sum(one.characters for one in sessions))
    if quiet or not sessions:
        yield pace.add
    elif can_draw(sys.stderr):
        yield from _draw_bar(pace, len(sessions))
    else:
        yield from _write_log(pace)


class _Pace:
    """The amount read and the time taken, in characters: segments cannot be counted beforehand."""

    def __init__(self, characters: int) -> None:
        self.characters, self.done = characters, 0
        self._started = monotonic()
        self._segments = self._memories = 0

    def add(self, settled: Settled) -> None:
        self.done += settled.characters
        self._segments += 1
        self._memories += len(settled.memories)

    def describe(self) -> str:
        """Return in words how much was read, how fast, and how much longer it takes."""
        elapsed = max(monotonic() - self._started, 1e-3)
        text = (
            f"{self._segments:,} segments, {self._memories:,} memories,"
            f" {self._segments * 60 / elapsed:.1f} segments a minute"
        )
        if not self.done:
            return text
        left = elapsed * max(self.characters - self.done, 0) / self.done
        return f"{text}, about {rough_duration(left)} to go"


def _write_log(pace: _Pace) -> Iterator[SegmentCallback]:
    last = monotonic()

    def report(settled: Settled) -> None:
        nonlocal last
        pace.add(settled)
        if monotonic() - last >= LOG_INTERVAL:
            last = monotonic()
            note(pace.describe())

    yield report


def _draw_bar(pace: _Pace, sessions: int) -> Iterator[SegmentCallback]:
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        SpinnerColumn(),
        BarColumn(20),
        TextColumn("{task.percentage:>3.0f} %  {task.description}"),
    )
    with RichProgress(*columns, console=console(sys.stderr), transient=True) as display:
        task = display.add_task(f"reading {sessions:,} sessions", total=pace.characters)

        def show(settled: Settled) -> None:
            pace.add(settled)
            display.update(task, completed=pace.done, description=pace.describe())

        yield show
