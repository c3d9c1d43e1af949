"""How far something long is: bars on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output.console import can_draw, console, note, safe

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

Progress = Callable[[str, int, int], None]  # what, how much is done, of how much (0: unknown)

EVERY = 60.0  # seconds between lines in a log
PERIOD = 300.0  # seconds that a speed is the mean of: a step may take minutes


@contextmanager
def bars(*, quiet: bool) -> Iterator[Progress]:
    """Give what tells a person how far each of several things is, on stderr.

    On a terminal these are bars, with how fast it goes and how long it will take; in a log, and on
    a terminal that cannot erase, a line a minute; for the quiet nothing.
    """
    if quiet:
        yield lambda _what, _done, _of: None
    elif can_draw(sys.stderr):
        yield from _drawn()
    else:
        yield _Log().tell


@contextmanager
def resumable(hint: str) -> Iterator[None]:
    """Say what to type, or what became of it, when this is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"interrupted; {hint}")
        raise


class _Log:
    """Says how far things are, a line a minute each, once they take that long."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, int]] = {}  # when, and how much was done then

    def tell(self, what: str, done: int, of: int) -> None:
        now = monotonic()
        since, before = self._said.setdefault(what, (now, done))
        if now - since < EVERY:
            return
        self._said[what] = (now, done)
        rate = (done - before) / (now - since)
        told = f"{what}: {count(done)}{f' of {count(of)}' if of else ''}, {count(rate)} a second"
        if of and rate:
            told += f", about {_duration((of - done) / rate)} to go"
        note(told)


def _drawn() -> Iterator[Progress]:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[told]}"))
    with Bars(
        *columns,
        Remaining(),
        console=console(sys.stderr),
        transient=True,
        redirect_stdout=False,  # results go where they go
        speed_estimate_period=PERIOD,
    ) as drawn:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                _drop_uncounted(drawn, tasks)
                tasks[what] = drawn.add_task(safe(what), total=of or None, told="")
            speed = next(task.speed for task in drawn.tasks if task.id == tasks[what])
            told = f"{done / of:4.0%}" if of else count(done)
            told += f" {count(speed)}/s" if speed else ""
            drawn.update(tasks[what], completed=done, total=of or None, told=told)

        yield tell


def _drop_uncounted(drawn: "Bars", tasks: dict[str, "TaskID"]) -> None:
    """Take away what has no end that is known: it is over when something else begins."""
    for task in drawn.tasks:
        if task.total is None:
            drawn.remove_task(task.id)
            del tasks[next(what for what, known in tasks.items() if known == task.id)]


def count(number: float) -> str:
    """Return a number, or one of bytes, as people read it at a glance: `812`, `81k`, `8.1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= size:
            unit = 1e3 if letter == "k" else size
            return f"{number / unit:.{0 if letter == 'k' else 1}f}{letter}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
