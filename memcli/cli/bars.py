"""How far something long is: bars on a terminal, a line each elsewhere, nothing for the quiet."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from memcli.cli.output import console, note, safe

Progress = Callable[[str, int, int], None]  # what, how much is done, of how much


@contextmanager
def bars(*, quiet: bool) -> Iterator[Progress]:
    """Give what tells a person how far each of several things is, on stderr."""
    if quiet:
        yield lambda _what, _done, _of: None
    elif sys.stderr.isatty():
        yield from _drawn()
    else:
        said: set[str] = set()

        def tell(what: str, _done: int, _of: int) -> None:
            if what not in said:
                said.add(what)
                note(what)

        yield tell


def _drawn() -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Remaining())
    with Progress(*columns, console=console(sys.stderr), transient=True) as drawn:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = drawn.add_task(safe(what), total=of)
            drawn.update(tasks[what], completed=done, total=of)

        yield tell
