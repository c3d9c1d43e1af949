"""The view that improves while the stages run, on a terminal only."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, safe
from memcli.search.results import Answer, Listener, Work

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text

THOUGHT_LINES = 6  # of the thought, the latest, while it is written


@contextmanager
def watching(*, quiet: bool) -> Iterator[Listener]:
    """Show each stage's ranking as it comes, and the thought as it is written; then clear it all.

    Where stdout or stderr is no terminal, or one that cannot erase, nothing is shown.
    """
    out = None if quiet or not sys.stdout.isatty() else console(sys.stderr)
    if out is None or not out.is_terminal or out.is_dumb_terminal:
        yield Listener()
        return
    from rich.live import Live

    view = _View(out)
    with Live(
        console=out,
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
    def __init__(self, out: "Console") -> None:
        from rich.spinner import Spinner

        self._out = out
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

        self._spinner.update(text=Text(self._status(), "cyan"))
        thought = self._latest_thought()
        parts: list[RenderableType] = [Text(), self._spinner]
        parts += [thought] if thought else []
        below = len(thought.plain.splitlines()) + 2 if thought else 2
        return Group(*self._ranking(self._out.height - below - 1), *parts)

    def _ranking(self, lines: int) -> "list[RenderableType]":
        """Return the ranking as far as there is room: what does not fit would hide the rest."""
        if not self.answer:
            return []
        from memcli.cli.output.session_view import Look, answer_view

        look = Look.of(self._out)
        whole = answer_view(self.answer, look)
        if len(self._out.render_lines(whole)) <= lines:
            return [whole]
        short = answer_view(self.answer, look, quotes=False)
        return [short] if len(self._out.render_lines(short)) <= lines else []

    def _latest_thought(self) -> "Text | None":
        from rich.text import Text

        if not self.thought:
            return None
        latest = Text(safe(self.thought[-THOUGHT_LINES * self._out.width :]).strip(), "dim")
        return Text("\n", "dim").join(latest.wrap(self._out, self._out.width)[-THOUGHT_LINES:])
