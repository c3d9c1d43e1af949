"""Progress of long work: bars on a terminal, a line per minute in a log."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, note, printable, supports_live_output
from memcli.cli.output.numbers import exact_duration, rough_duration, short_number

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from memcli.extraction.read import SegmentResult
    from memcli.store import UnreadSession

# Called with the name of the work, the amount done and the whole amount (0 if it is unknown).
TaskProgress = Callable[[str, int, int], None]
SegmentCallback = Callable[["SegmentResult"], None]

LOG_INTERVAL = 60.0  # seconds between two lines in a log
SPEED_PERIOD = 300.0  # seconds over which the speed is averaged: one step may take minutes


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[TaskProgress]:
    """Give a callback that shows on stderr how far each of several kinds of work is.

    On a terminal it draws bars with the speed and the remaining time; in a log, and on a terminal
    that cannot erase, it writes a line per minute; if quiet, it does nothing.
    """
    if quiet:
        yield lambda _what, _done, _of: None
    elif supports_live_output(sys.stderr):
        yield from _draw_bars()
    else:
        yield _ProgressLog().report


@contextmanager
def resume_hint(hint: str) -> Iterator[None]:
    """Note on Ctrl-C how to continue the work inside, or the state in which it was left."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"interrupted; {hint}")
        raise


class _ProgressLog:
    """Writes a line per minute for each kind of work that takes longer than that."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, int]] = {}  # time of the last line, amount done then

    def report(self, what: str, done: int, of: int) -> None:
        now = monotonic()
        since, before = self._last.setdefault(what, (now, done))
        if now - since < LOG_INTERVAL:
            return
        self._last[what] = (now, done)
        rate = (done - before) / (now - since)
        total = f" of {short_number(of)}" if of else ""
        line = f"{what}: {short_number(done)}{total}, {short_number(rate)} a second"
        if of and rate:
            line += f", about {exact_duration((of - done) / rate)} to go"
        note(line)


def _draw_bars() -> Iterator[TaskProgress]:
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    with RichProgress(
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
        redirect_stdout=False,  # results must reach stdout unchanged
        speed_estimate_period=SPEED_PERIOD,
    ) as display:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in tasks:
                _remove_endless(display, tasks)
                tasks[what] = display.add_task(printable(what), total=of or None, amount="")
            speed = next(task.speed for task in display.tasks if task.id == tasks[what])
            amount = f"{done / of:4.0%}" if of else short_number(done)
            if speed:
                amount += f" {short_number(speed)}/s"
            display.update(tasks[what], completed=done, total=of or None, amount=amount)

        yield show


def _remove_endless(display: "RichProgress", tasks: dict[str, "TaskID"]) -> None:
    """Remove tasks without a known end: such work is over when other work begins."""
    for task in display.tasks:
        if task.total is None:
            display.remove_task(task.id)
            del tasks[next(what for what, known in tasks.items() if known == task.id)]


@contextmanager
def reading_progress(
    sessions: "Sequence[UnreadSession]", *, quiet: bool
) -> Iterator[SegmentCallback]:
    """Give a callback for each segment that was read, which shows the progress on stderr.

    Args:
        sessions: the sessions to read.
        quiet: whether to show nothing.
    """
    pace = _Pace(sum(one.characters for one in sessions))
    if quiet or not sessions:
        yield pace.add
    elif supports_live_output(sys.stderr):
        yield from _draw_reading_bar(pace, len(sessions))
    else:
        yield from _write_reading_log(pace)


class _Pace:
    """The amount read and the time taken, in characters: segments cannot be counted beforehand."""

    def __init__(self, characters: int) -> None:
        self.characters, self.done = characters, 0
        self._started = monotonic()
        self._segments = self._memories = 0

    def add(self, settled: "SegmentResult") -> None:
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


def _write_reading_log(pace: _Pace) -> Iterator[SegmentCallback]:
    last = monotonic()

    def report(settled: "SegmentResult") -> None:
        nonlocal last
        pace.add(settled)
        if monotonic() - last >= LOG_INTERVAL:
            last = monotonic()
            note(pace.describe())

    yield report


def _draw_reading_bar(pace: _Pace, sessions: int) -> Iterator[SegmentCallback]:
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        SpinnerColumn(),
        BarColumn(20),
        TextColumn("{task.percentage:>3.0f} %  {task.description}"),
    )
    with RichProgress(*columns, console=console(sys.stderr), transient=True) as display:
        task = display.add_task(f"reading {sessions:,} sessions", total=pace.characters)

        def show(settled: "SegmentResult") -> None:
            pace.add(settled)
            display.update(task, completed=pace.done, description=pace.describe())

        yield show
