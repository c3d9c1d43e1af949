"""The view that improves while the stages run, on a terminal only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output import console, safe
from memcli.pipeline.ask import Answer, Listener

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
            view.answer, view.status = answer, "reading"

        def judged(done: int, of: int) -> None:
            view.status = f"judging passages {done}/{of}"

        def thought(piece: str) -> None:
            view.status = "thinking"
            view.thought += piece

        yield Listener(ranked, judged, thought)


class _View:
    def __init__(self) -> None:
        from rich.spinner import Spinner

        self.answer: Answer | None = None
        self.status = "searching"
        self.thought = ""
        self._began = monotonic()
        self._spinner = Spinner("dots")

    def drawn(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        from memcli.cli.render import answer_view

        parts: list[RenderableType] = []
        if self.answer:
            parts.append(answer_view(self.answer, whole=False))
        self._spinner.update(
            text=Text(f"{self.status}, {monotonic() - self._began:.0f} s", "yellow")
        )
        parts += [Text(), self._spinner]
        if self.thought:
            lines = safe(self.thought).strip().splitlines()[-THOUGHT_LINES:]
            parts.append(Text("\n".join(lines), "dim"))
        return Group(*parts)
