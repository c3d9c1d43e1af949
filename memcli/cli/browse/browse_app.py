"""The screen of `mem browse`, its keys, and the way from a key to results."""

import asyncio
import signal
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from memcli.cli.browse.archive_search import (
    FIRST_PAGE,
    PAGE_FACTOR,
    FoundSession,
    SearchResults,
    is_searchable,
    known_filter_values,
    list_sessions,
    load_session,
    search_by_words,
    search_fully,
)
from memcli.cli.browse.filter_line import PLACEHOLDER, FilterSuggester, parse_filters
from memcli.cli.browse.key_help import GAP, PANE_KEYS, help_line
from memcli.cli.browse.session_list import SessionList
from memcli.cli.browse.store_thread import JobCancelledError, StoreThread
from memcli.cli.browse.transcript_lines import heading_lines
from memcli.cli.browse.transcript_pane import TranscriptPane
from memcli.cli.browse.typed_options import Browsing
from memcli.cli.output.console import one_line, printable
from memcli.errors import MemError, UsageError
from memcli.search.stages import RankingModels
from memcli.store import Filters

TWO_PANES = 76  # columns from which list and transcript stand side by side
PAUSE = 0.15  # seconds without a key, after which the whole first stage runs
PREVIEW_PAUSE = 0.03  # seconds without a key, after which another session is shown


class BrowseApp(App[str]):
    """Search as you type; its result is the reference that was chosen."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #words, #filters { width: 1fr; }
    .row { height: 1; }
    .label { width: 9; text-style: dim; }
    #panes { height: 1fr; }
    #sessions { width: 38%; max-width: 60; }
    #reading { width: 1fr; border-left: solid ansi_default; padding-left: 1; }
    #heading { height: auto; padding: 0 0 1 2; text-wrap: nowrap; text-overflow: ellipsis; }
    #transcript { height: 1fr; }
    #panes.-one #sessions { width: 1fr; max-width: 100%; }
    #panes.-one #reading { display: none; border-left: none; padding-left: 0; }
    #panes.-one.-reading #reading { display: block; }
    #panes.-one.-reading #sessions { display: none; }
    SessionList, TranscriptPane {
        scrollbar-background: ansi_default; scrollbar-background-active: ansi_default;
        scrollbar-color: ansi_default; scrollbar-color-active: ansi_default;
    }
    #status { height: 1; text-style: reverse; }
    #help { height: 1; }
    Input > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave", priority=True),
        Binding("ctrl+q", "leave", priority=True),
        Binding("tab", "next_pane(1)", priority=True),
        Binding("shift+tab", "next_pane(-1)", priority=True),
        Binding("up,ctrl+p", "move(-1)"),
        Binding("down,ctrl+n", "move(1)"),
        Binding("pageup", "move_page(-1)"),
        Binding("pagedown", "move_page(1)"),
        Binding("enter", "accept"),
        Binding("ctrl+o", "open", priority=True),
        Binding("ctrl+y", "copy_reference", priority=True),
        Binding("escape", "go_back"),
        Binding("ctrl+z", "suspend_process", priority=True),
    ]

    def __init__(self, browsing: Browsing) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"  # the colours of the terminal itself, light or dark
        self.browsing = browsing
        self.filters = Filters()
        self.stages: list[tuple[str, float]] = []  # of the newest search: stage, seconds since key
        self._models: RankingModels | None = None
        self._quick = StoreThread(browsing.database)  # lists, words, transcripts' searches
        self._slow = StoreThread(browsing.database)  # the whole first stage
        self._reader = StoreThread(browsing.database)  # transcripts
        self._limit = FIRST_PAGE
        self._status = ""
        self.ended_by = 0  # the number of a signal
        self.suggester = FilterSuggester()
        self.words = Input(
            placeholder="what was said, in your own words",
            compact=True,
            id="words",
        )
        self.filter_input = Input(
            placeholder=PLACEHOLDER,
            compact=True,
            id="filters",
            suggester=self.suggester,
        )
        for each in (self.words, self.filter_input):
            each.cursor_blink = False  # over ssh, every blink would be sent
        self.sessions = SessionList()
        self.pane = TranscriptPane()
        self.heading = Static(id="heading", markup=False)
        reading = Vertical(self.heading, self.pane, id="reading")
        self.panes = Horizontal(self.sessions, reading, id="panes")
        self.status = Static(id="status", markup=False)
        self.help_line = Static(id="help", markup=False)

    def compose(self) -> ComposeResult:
        """Yield the rows of the screen."""
        yield Horizontal(Static("search", classes="label"), self.words, classes="row")
        yield Horizontal(Static("filters", classes="label"), self.filter_input, classes="row")
        yield self.panes
        yield self.status
        yield self.help_line

    def on_mount(self) -> None:
        """Show the first list."""
        self.app_resume_signal.subscribe(self, self._draw_again)
        for number in (signal.SIGTERM, signal.SIGHUP):  # else Textual takes their exit for a bug
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self._end, number)
        self.words.focus()
        self.words.value, self.filter_input.value = self.browsing.words, self.browsing.filters
        self.filters = self._parse_filters() or Filters()
        self._search()
        self._load_filter_values()

    def _draw_again(self, _app: App[str]) -> None:
        """Draw the whole screen: after Ctrl-Z and the pager, another program has written on it."""
        self.screen.refresh(layout=True)
        for each in self.screen.walk_children():
            each.refresh()

    def _end(self, number: int) -> None:
        """Leave because of a signal."""
        self.ended_by = number
        self.exit()

    def on_unmount(self) -> None:
        """Close the databases."""
        for thread in (self._quick, self._slow, self._reader):
            thread.close()

    def on_resize(self, event: events.Resize) -> None:
        """Show one pane or two."""
        self.panes.set_class(event.size.width < TWO_PANES, "-one")
        self.call_after_refresh(self._show_status)
        self.call_after_refresh(self._show_help)

    @on(Input.Changed, "#words")
    def on_words_changed(self) -> None:
        """Search for what is typed now."""
        self.sessions.moved = False
        self._search()

    @on(Input.Changed, "#filters")
    def on_filters_changed(self) -> None:
        """Apply the filters, as soon as they are whole."""
        filters = self._parse_filters()
        if filters is not None and filters != self.filters:
            self.filters = filters
            self._search()

    @on(Input.Submitted, "#words")
    def on_words_submitted(self) -> None:
        """Print the reference."""
        self.action_accept()

    @on(Input.Submitted, "#filters")
    def on_filters_submitted(self) -> None:
        """Go to the list, if the filters are understood."""
        if self._parse_filters() is not None:
            self.action_focus_pane("sessions")

    @on(SessionList.Chosen)
    def on_session_chosen(self) -> None:
        """Show the transcript of the chosen session."""
        self._preview(self.sessions.session)

    @on(SessionList.EndReached)
    def on_list_end(self) -> None:
        """Ask for a longer list."""
        if not is_searchable(self.words.value) and self._limit == len(
            self.sessions.results.sessions
        ):
            self._limit *= PAGE_FACTOR
            self._search()

    @on(TranscriptPane.Moved)
    def on_transcript_moved(self) -> None:
        """Show the new reference."""
        self._show_status()

    def on_descendant_focus(self) -> None:
        """Show the keys of the pane."""
        self._show_help()

    def on_key(self, event: events.Key) -> None:
        """Run the action of a letter, unless it is typed into a line."""
        name = event.character if event.character in ("N", "Y", "G") else event.key
        action = PANE_KEYS.get(name or "")
        if action and not isinstance(self.focused, Input):
            event.stop()
            self.call_later(self.run_action, action)

    def _search(self) -> None:
        if is_searchable(self.words.value):
            self._limit = FIRST_PAGE
        self._find(self.words.value, self.filters, monotonic())

    @work(exclusive=True, group="search")
    async def _find(self, typed: str, filters: Filters, began: float) -> None:
        """Show what is found by words, and after a pause what the whole first stage finds."""
        self._slow.cancel()
        limit, stages = self._limit, list[tuple[str, float]]()
        try:
            if not is_searchable(typed):
                listed = await self._quick.run(lambda store: list_sessions(store, filters, limit))
                self._show_results(listed, "list", began, stages)
                return
            quick = await self._quick.run(lambda store: search_by_words(store, typed, filters))
            self._show_results(quick, "words", began, stages)
            await asyncio.sleep(PAUSE)
            full = await self._slow.run(
                lambda store: search_fully(store, self._open_models(), typed, filters)
            )
            self._show_results(full, "meaning", began, stages)
        except JobCancelledError:
            return
        except MemError as error:
            self._say(f"{error}; {error.hint}" if error.hint else str(error))

    def _open_models(self) -> RankingModels:
        """Return what the first stage needs; the first search in the slow thread opens it, once."""
        if self._models is None:
            self._models = self.browsing.open_models()
        return self._models

    def _show_results(
        self,
        results: SearchResults,
        stage: str,
        began: float,
        stages: list[tuple[str, float]],
    ) -> None:
        if results.sessions or stage != "words":  # else what is there stays, until meaning is known
            self.sessions.show(results)
        self._say(results.summary)
        stages.append((stage, monotonic() - began))
        self.stages = stages

    @work(exclusive=True, group="preview")
    async def _preview(self, found: FoundSession | None) -> None:
        """Show the transcript of a session."""
        if found is None:
            self.pane.clear()
            self.heading.update("")
            self._show_status()
            return
        try:
            await asyncio.sleep(PREVIEW_PAUSE)
            loaded = await self._reader.run(lambda store: load_session(store, found))
            self.heading.update(heading_lines(loaded))
            self.pane.show(loaded)
        except JobCancelledError:
            return
        except MemError as error:
            self._say(str(error))

    @work(group="values")
    async def _load_filter_values(self) -> None:
        """Load the names that the line of filters suggests, and the embedder."""
        try:
            sources, speakers = await self._slow.run(known_filter_values)
            self.suggester.sources, self.suggester.speakers = sources, speakers
            await self._slow.run(lambda _store: self._open_models())
        except (JobCancelledError, MemError):  # a search says what is wrong
            return

    def _parse_filters(self) -> Filters | None:
        """Return the filters that are typed; None, and what is wrong with them on the screen."""
        try:
            return parse_filters(self.filter_input.value)
        except UsageError as error:
            self._say(f"{error}; {error.hint}" if error.hint else str(error))
            return None

    def action_leave(self) -> None:
        """Leave without a reference."""
        self.exit()

    def action_accept(self) -> None:
        """Leave with the reference of the chosen session, or of the current turn."""
        if self.sessions.session:
            self.exit(self._reference())

    def action_move(self, step: int) -> None:
        """Choose the next session, or scroll the transcript by a line."""
        if self.focused is self.pane:
            self.pane.move(step)
        else:
            self.sessions.move(step)

    def action_move_page(self, step: int) -> None:
        """Move by a page."""
        if self.focused is self.pane:
            self.pane.move(step * self.pane.page)
        else:
            self.sessions.move(step * self.sessions.page)

    def action_edge(self, step: int) -> None:
        """Go to the beginning or the end."""
        if self.focused is self.pane:
            self.pane.go_to_edge(step)
        else:
            self.sessions.move(step * len(self.sessions.results.sessions))

    def action_jump(self, step: int) -> None:
        """Go to the next turn with marks, or to the one before."""
        self.pane.jump(step)

    def action_next_pane(self, step: int) -> None:
        """Go to the next line or pane, or to the one before."""
        order = ("words", "filters", "sessions", "transcript")
        focused = self.focused.id if self.focused and self.focused.id in order else order[0]
        self.action_focus_pane(order[(order.index(focused or order[0]) + step) % len(order)])

    def action_focus_pane(self, name: str) -> None:
        """Go to a line or a pane; on a narrow screen, list and transcript change places."""
        self.panes.set_class(name == "transcript", "-reading")
        self.query_one(f"#{name}").focus()

    def action_go_back(self) -> None:
        """Go from the transcript to the list, from there to the search, and back to the list."""
        here = self.focused.id if self.focused else None
        self.action_focus_pane("sessions" if here in ("words", "transcript") else "words")

    def action_copy_reference(self) -> None:
        """Copy the reference with the terminal's own escape sequence, which works over ssh."""
        if self.sessions.session:
            self._copy(self._reference())

    def action_copy_turn(self) -> None:
        """Copy the text of the current turn."""
        found = self.pane.transcript.found if self.pane.transcript else None
        if found and found.session:
            self._copy(printable(found.session.turns[max(self.pane.turn, 1) - 1].text))

    def action_open(self) -> None:
        """Open the chosen session in the pager, and come back."""
        if self.sessions.session:
            reference = self._reference()
            with self.suspend():
                self.browsing.open_pager(reference)

    def _reference(self) -> str:
        """Return the reference of the current turn; of a session that is not shown yet, its id."""
        session, transcript = self.sessions.session, self.pane.transcript
        if session is None:
            return ""
        shown = transcript is not None and transcript.found.id == session.id
        return self.pane.reference if shown else session.id

    def _copy(self, text: str) -> None:
        self.copy_to_clipboard(text)
        self._say(f"copied: {' '.join(text.split())}")

    def _say(self, message: str) -> None:
        self._status = one_line(message)
        self._show_status()

    def _show_status(self) -> None:
        """Show what was found on the left, and the reference on the right."""
        width = self.size.width
        reference = self._reference()
        left = Text(self._status)
        left.truncate(max(width - len(reference) - 3, 0), overflow="ellipsis")
        gap = max(width - left.cell_len - len(reference) - 2, 0)
        self.status.update(Text.assemble(" ", left, " " * gap, reference, " "))

    def _show_help(self) -> None:
        pane = self.focused.id if self.focused and self.focused.id else "words"
        keys = help_line(pane, self.size.width)
        pairs = (Text.assemble((key, "bold"), f" {effect}") for key, effect in keys)
        self.help_line.update(Text(GAP).join(pairs))
