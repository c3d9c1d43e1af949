"""The view that improves while the stages run, on a terminal only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output import console, safe
from memcli.pipeline.results import Answer, Listener, Work

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

THOUGHT_LINES = 6  # of the thought, the latest, while it is written


@contextmanager
def watching(*, quiet: bool) -> Iterator[Listener]:
    """Show each stage's ranking as it comes, and the thought as it is written; then clear it all.

    Where stdout or stderr is no terminal, nothing is shown.
    """
    if quiet or not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield Listener()
        return
    from rich.live import Live

    view = _View()
    with Live(
        console=console(sys.stderr),
        transient=True,
        refresh_per_second=8,
        get_renderable=view.drawn,
    ):

        def ranked(answer: Answer) -> None:
            view.answer = answer

        def thought(piece: str) -> None:
            view.thought += piece

        yield Listener(ranked, view.works, thought)


class _View:
    def __init__(self) -> None:
        from rich.spinner import Spinner

        self.answer: Answer | None = None
        self.thought = ""
        self._work = Work("searching")
        self._since = monotonic()  # when that work was told of
        self._began = monotonic()
        self._spinner = Spinner("dots")

    def works(self, work: Work) -> None:
        self._work, self._since = work, monotonic()

    def _status(self) -> str:
        """Say what is done, for how long all in all, and how much longer as far as is known."""
        work, now = self._work, monotonic()
        counted = f" {work.done}/{work.of}" if work.of else ""
        status = f"{work.doing}{counted}, {now - self._began:.0f} s"
        left = None if work.seconds is None else work.seconds - (now - self._since)
        return status if left is None or left < 1 else f"{status}, about {left:.0f} s to go"

    def drawn(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        from memcli.cli.render import answer_view

        parts: list[RenderableType] = []
        if self.answer:
            parts.append(answer_view(self.answer, whole=False))
        self._spinner.update(text=Text(self._status(), "yellow"))
        parts += [Text(), self._spinner]
        if self.thought:
            lines = safe(self.thought).strip().splitlines()[-THOUGHT_LINES:]
            parts.append(Text("\n".join(lines), "dim"))
        return Group(*parts)
