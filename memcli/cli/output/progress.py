"""Progress of long work: bars on a terminal, a line per minute in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output.console import can_draw, console, note, safe
from memcli.cli.output.numbers import exact_duration, short_number

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

# Called with the name of the work, the amount done and the whole amount (0 if it is unknown).
Progress = Callable[[str, int, int], None]

LOG_INTERVAL = 60.0  # seconds between two lines in a log
SPEED_PERIOD = 300.0  # seconds over which the speed is averaged: one step may take minutes


@contextmanager
def bars(*, quiet: bool) -> Iterator[Progress]:
    """Give a callback that shows on stderr how far each of several kinds of work is.

    On a terminal it draws bars with the speed and the remaining time; in a log, and on a terminal
    that cannot erase, it writes a line per minute; if quiet, it does nothing.
    """
    if quiet:
        yield lambda _what, _done, _of: None
    elif can_draw(sys.stderr):
        yield from _draw_bars()
    else:
        yield _ProgressLog().report


@contextmanager
def resumable(hint: str) -> Iterator[None]:
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


def _draw_bars() -> Iterator[Progress]:
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
                tasks[what] = display.add_task(safe(what), total=of or None, amount="")
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
