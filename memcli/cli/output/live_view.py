"""The ranking and the thought of a model while the stages run, on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, printable
from memcli.search.results import Activity, Ranking, RankingListener

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text

THOUGHT_LINES = 6  # the latest lines of the thought that are shown


@contextmanager
def live_ranking(*, quiet: bool) -> Iterator[RankingListener]:
    """Show the ranking of each stage and the thought while they come, and erase them at the end.

    Nothing is shown if quiet, if stdout or stderr is not a terminal, or if it cannot erase.
    """
    out = None if quiet or not sys.stdout.isatty() else console(sys.stderr)
    if out is None or not out.is_terminal or out.is_dumb_terminal:
        yield RankingListener()
        return
    from rich.live import Live

    view = _LiveView(out)
    with Live(console=out, transient=True, refresh_per_second=8, get_renderable=view.render):

        def on_ranking(ranking: Ranking) -> None:
            view.ranking = ranking

        def on_thought(piece: str) -> None:
            view.thought += piece

        yield RankingListener(on_ranking, view.on_work, on_thought)


class _LiveView:
    """The ranking, the work at hand and the latest lines of the thought."""

    def __init__(self, out: "Console") -> None:
        from rich.spinner import Spinner

        self._out = out
        self.ranking: Ranking | None = None
        self.thought = ""
        self._work = Activity("searching")
        self._work_started = monotonic()
        self._started = monotonic()
        self._spinner = Spinner("dots")

    def on_work(self, work: Activity) -> None:
        self._work, self._work_started = work, monotonic()

    def _status(self) -> str:
        """Return the work at hand, the time since the start, and the time to go if it is known."""
        work, now = self._work, monotonic()
        counted = f" {work.done}/{work.total}" if work.total else ""
        status = f"{work.name}{counted}, {now - self._started:.0f} s"
        left = None if work.seconds is None else work.seconds - (now - self._work_started)
        return status if left is None or left < 1 else f"{status}, about {left:.0f} s to go"

    def render(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        self._spinner.update(text=Text(self._status(), "cyan"))
        thought = self._latest_thought()
        parts: list[RenderableType] = [Text(), self._spinner]
        parts += [thought] if thought else []
        below = len(thought.plain.splitlines()) + 2 if thought else 2
        return Group(*self._ranking(self._out.height - below - 1), *parts)

    def _ranking(self, lines: int) -> "list[RenderableType]":
        """Return the ranking, shortened or left out if it does not fit on the screen."""
        if not self.ranking:
            return []
        from rich.console import Group

        from memcli.cli.output.session_view import RenderStyle, ranking_view

        style = RenderStyle.of(self._out)
        for quotes in (True, False):
            view = ranking_view(self.ranking, style, quotes=quotes)
            if len(self._out.render_lines(Group(*view))) <= lines:
                return view
        return []

    def _latest_thought(self) -> "Text | None":
        from rich.text import Text

        if not self.thought:
            return None
        latest = Text(printable(self.thought[-THOUGHT_LINES * self._out.width :]).strip(), "dim")
        return Text("\n", "dim").join(latest.wrap(self._out, self._out.width)[-THOUGHT_LINES:])
