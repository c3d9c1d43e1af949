"""The widget with the sessions that were found: two lines for each, one of them chosen."""

from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from memcli.cli.browse.archive_search import FoundSession, SearchResults
from memcli.cli.output.console import isolate_direction
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import format_time
from memcli.store import highlight_spans

LINES = 2  # of each session
CHOSEN = "> "  # before the chosen session, which is also in reverse
NEAR_END = 40  # sessions before the end of a list that can grow, at which more are asked for


class SessionList(ScrollView, can_focus=True):
    """Sessions, of which one is chosen."""

    DEFAULT_CSS = "SessionList { scrollbar-size-vertical: 1; overflow-x: hidden; }"

    chosen: reactive[int] = reactive(0, init=False)  # the place in the list

    class Chosen(Message):
        """A session was chosen, by a person or because the list changed."""

    class EndReached(Message):
        """The end of a list that can grow is near."""

    def __init__(self) -> None:
        super().__init__(id="sessions")
        self.results = SearchResults((), "")
        self.moved = False  # whether a person has chosen a session of this search

    @property
    def session(self) -> FoundSession | None:
        """The chosen session; None if the list is empty."""
        found = self.results.sessions
        return found[self.chosen] if self.chosen < len(found) else None

    def show(self, results: SearchResults) -> None:
        """Show other sessions; the one that a person has chosen stays chosen if it is there."""
        kept = self.session if self.moved else None
        self.results = results
        places = {one.id: at for at, one in enumerate(results.sessions)}
        self.moved = bool(kept and kept.id in places)
        self.virtual_size = Size(self.size.width, LINES * len(results.sessions))
        self.set_reactive(SessionList.chosen, places.get(kept.id, 0) if kept else 0)
        self._scroll_to_chosen()
        self.refresh()
        self.post_message(self.Chosen())

    def move(self, rows: int) -> None:
        """Choose the session so many places below, or above if the number is negative."""
        last = len(self.results.sessions) - 1
        if last < 0:
            return
        self.moved = True
        self.chosen = max(0, min(self.chosen + rows, last))
        if self.results.more and last - self.chosen < NEAR_END:
            self.post_message(self.EndReached())

    @property
    def page(self) -> int:
        """The number of sessions that fit on the screen."""
        return max(self.size.height // LINES - 1, 1)

    def watch_chosen(self) -> None:
        """Show the choice."""
        self._scroll_to_chosen()
        self.refresh()
        self.post_message(self.Chosen())

    def on_resize(self) -> None:
        """Keep the chosen session on the screen."""
        self.virtual_size = Size(self.size.width, LINES * len(self.results.sessions))
        self._scroll_to_chosen()

    def on_click(self, event: Click) -> None:
        """Choose the session that was clicked."""
        self.move((event.y + self.scroll_offset.y) // LINES - self.chosen)

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        at, part = divmod(y + self.scroll_offset.y, LINES)
        width = self.scrollable_content_region.width
        if at >= len(self.results.sessions):
            return Strip.blank(width)
        found = self.results.sessions[at]
        text = _title(found) if part == 0 else _facts(found, width - len(CHOSEN))
        chosen = at == self.chosen
        line = Text.assemble(CHOSEN if chosen and part == 0 else "  ", text)
        if chosen:
            line.stylize("reverse")
            line.pad_right(max(width - line.cell_len, 0))
        line.truncate(width, overflow="ellipsis")
        segments = list(line.render(self.app.console))
        return Strip([one for one in segments if one.text]).adjust_cell_length(
            width, Style(reverse=True) if chosen else None
        )

    def _scroll_to_chosen(self) -> None:
        region = Region(0, LINES * self.chosen, 1, LINES)
        self.scroll_to_region(region, animate=False, force=True, immediate=True)


def _title(found: FoundSession) -> Text:
    """Return the title, and behind it the words that were found."""
    title = _mark_words(found.heading, found)
    if not found.snippet:
        return title
    snippet = _mark_words(found.snippet, found)
    snippet.stylize_before("dim")
    return Text.assemble(title, "  ", snippet)


def _mark_words(text: str, found: FoundSession) -> Text:
    """Return a text in its own direction, with the searched words marked."""
    marked = Text(text)
    for start, end in highlight_spans(text, found.terms) if found.terms else ():
        marked.stylize("bold underline", start, end)
    isolated = isolate_direction(text)
    return marked if isolated == text else Text.assemble(isolated[0], marked, isolated[-1])


def _facts(found: FoundSession, width: int) -> Text:
    """Return the day, the score, the source and the number of turns, as many as fit."""
    facts = [format_time(found.started_at)[:10].strip()]
    if found.score is not None:
        facts.append(f"{found.score:.2f}")
    facts += [found.source, pluralize(found.turns, "turn")]
    while len("  ".join(facts)) > width and len(facts) > 1:
        facts.pop()
    return Text("  ".join(facts), "dim")
