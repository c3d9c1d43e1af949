"""The widget with the turns of the chosen session, scrolled to the turn that answers."""

from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from memcli.cli.browse.archive_search import FoundSession
from memcli.cli.browse.transcript_lines import CURRENT, FIRST_LETTERS, Transcript, lay_out

GROWTH = 8  # factor by which more of a session is laid out, when its edge is reached
ABOVE = 3  # lines above the turn that is scrolled to


class TranscriptPane(ScrollView, can_focus=True):
    """The turns of a session; keys move through it line by line, or from mark to mark."""

    DEFAULT_CSS = "TranscriptPane { scrollbar-size-vertical: 1; overflow-x: hidden; }"

    class Moved(Message):
        """Another turn is the current one."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.transcript: Transcript | None = None
        self.turn = 0  # the position of the current turn; 0 if the whole session is meant
        self._letters = FIRST_LETTERS
        self._width = 0  # that the lines were laid out for

    @property
    def reference(self) -> str:
        """The reference of the current turn or session, as `mem show` takes it."""
        if self.transcript is None:
            return ""
        found = self.transcript.found
        return f"{found.id}:{self.turn}" if self.turn else found.id

    def clear(self) -> None:
        """Show nothing."""
        self.transcript, self.turn = None, 0
        self.virtual_size = Size(self.size.width, 0)
        self.refresh()

    def show(self, found: FoundSession) -> None:
        """Show a session with its turns, from the turn that is the best evidence for it."""
        self._letters = FIRST_LETTERS
        self.turn = found.evidence[0] if found.evidence else 0
        self._lay_out(found)
        self._scroll_to_turn()
        self.post_message(self.Moved())

    def move(self, lines: int) -> None:
        """Scroll; the first turn that begins on the screen becomes the current one."""
        self._grow()
        top = max(0, min(self.scroll_offset.y + lines, self.max_scroll_y))
        self.scroll_to(y=top, animate=False, immediate=True)
        self._grow()
        if self.transcript and self.transcript.positions:
            top, height = self.scroll_offset.y, self.size.height
            starts = self.transcript.starts
            begun = [at for at, start in enumerate(starts) if top <= start < top + height]
            position = (
                self.transcript.positions[begun[0]] if begun else self.transcript.turn_at(top)
            )
            self._choose(position)

    def jump(self, step: int) -> None:
        """Go to the next turn with marks, or to the one before."""
        self._grow()
        transcript = self.transcript
        if transcript is None:
            return
        marked = transcript.marked
        beyond = [at for at in marked if (at - self.turn) * step > 0]
        if beyond:
            self._choose(beyond[0] if step > 0 else beyond[-1])
            self._scroll_to_turn()

    def go_to_edge(self, step: int) -> None:
        """Go to the end of the session, or to its beginning."""
        transcript = self.transcript
        if transcript is None or transcript.found.session is None:
            return
        count = len(transcript.found.session.turns)
        self.turn = count if step > 0 else 1
        self._lay_out(transcript.found)
        self.move(self.virtual_size.height * step)

    @property
    def page(self) -> int:
        """The number of lines to move by a page."""
        return max(self.size.height - 2, 1)

    def on_resize(self) -> None:
        """Lay out the lines anew for another width."""
        if self.transcript and self._content_width != self._width:
            self._lay_out(self.transcript.found)
            self._scroll_to_turn()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        width = self.scrollable_content_region.width
        lines = self.transcript.lines if self.transcript else ()
        at = y + self.scroll_offset.y
        line = lines[at] if at < len(lines) else Text()
        if self.transcript and self.turn and at == self.transcript.line_of(self.turn):
            line = Text.assemble((CURRENT, "bold"), line[len(CURRENT) :])
        segments = [one for one in line.render(self.app.console) if one.text]
        return Strip(segments).adjust_cell_length(width)

    @property
    def _content_width(self) -> int:
        """The width of lines: the scroll bar has its column whether it is there or not."""
        return max(self.size.width - 1, 1)

    def _choose(self, position: int) -> None:
        self.turn = position
        self.refresh()
        self.post_message(self.Moved())

    def _lay_out(self, found: FoundSession) -> Transcript:
        self._width = self._content_width
        laid_out = lay_out(found, self._width, self.turn or 1, self._letters)
        self.transcript = laid_out
        self.virtual_size = Size(self._width, len(laid_out.lines))
        self.refresh()
        return laid_out

    def _grow(self) -> None:
        """Lay out more turns, if an edge of those that are laid out is on the screen."""
        transcript = self.transcript
        if transcript is None or transcript.is_whole:
            return
        top, height = self.scroll_offset.y, self.size.height
        if top > height and top + 2 * height < len(transcript.lines):
            return
        first = transcript.turn_at(top)
        above = top - transcript.line_of(first)
        self._letters *= GROWTH
        laid_out = self._lay_out(transcript.found)
        self.scroll_to(y=laid_out.line_of(first) + above, animate=False, immediate=True)

    def _scroll_to_turn(self) -> None:
        """Show the current turn: from the top if it is near, else a few lines below the edge."""
        if self.transcript is None:
            return
        line = self.transcript.line_of(self.turn) if self.turn else 0
        fits = line < self.size.height // 2
        self.scroll_to(y=0 if fits else line - ABOVE, animate=False, force=True, immediate=True)
