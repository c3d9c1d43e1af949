"""A session as lines of a width: its turns around the evidence, with the searched words marked."""

from bisect import bisect_right
from io import StringIO

from rich.console import Console
from rich.text import Text

from memcli.cli.browse.archive_search import FoundSession
from memcli.cli.output.console import isolate_direction, join_lines, one_line, printable
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import format_time
from memcli.domain import Kind, Session, Turn
from memcli.lazy_dataclasses import dataclass
from memcli.store import highlight_spans

FIRST_LETTERS = 20_000  # of turns that are laid out at first; further ones as a person reads on
MOST_LETTERS_OF_TURN = 20_000  # that are shown; the pager shows all
EVIDENCE_BAR = "┃ "  # beside a turn that speaks for the session
NO_BAR = "  "
CURRENT = "> "  # beside the first line of the current turn
TAB = 4  # columns
WIDEST = 100  # columns of a line: longer ones are hard to read


@dataclass(frozen=True, slots=True)
class Transcript:
    """Lines of a session, and where its turns are in them."""

    found: FoundSession
    lines: tuple[Text, ...]
    positions: tuple[int, ...]  # of the turns that are laid out, ascending
    starts: tuple[int, ...]  # the first line of each of them
    marked: tuple[int, ...]  # the positions of turns with marked words, or that are evidence

    @property
    def is_whole(self) -> bool:
        """True if no turn of the session is left out."""
        session = self.found.session
        return session is None or len(self.positions) == len(_shown_positions(session))

    def line_of(self, position: int) -> int:
        """Return the first line of a turn; of one that is not laid out, that of the one before."""
        at = bisect_right(self.positions, position) - 1
        return self.starts[at] if at >= 0 else 0

    def turn_at(self, line: int) -> int:
        """Return the position of the turn that a line belongs to; above all turns, the first."""
        at = bisect_right(self.starts, line) - 1
        return self.positions[max(at, 0)] if self.positions else 0


def lay_out(found: FoundSession, width: int, center: int, letters: int) -> Transcript:
    """Lay out the turns around one of them.

    Args:
        found: a session with its turns.
        width: of the lines, in columns.
        center: the position of the turn that has to be among them.
        letters: about the most letters of the turns.
    """
    session = found.session
    if session is None:
        raise ValueError("the session has to be loaded")
    page = _Page(width)
    positions = _choose_positions(session, center, letters)
    shown = _shown_positions(session)
    if before := sum(at < positions[0] for at in shown) if positions else 0:
        page.add(Text(f"… {pluralize(before, 'turn')} before", "dim"), gap=True)
    starts, marked, today = [], [], None
    for at in positions:
        turn = session.turns[at - 1]
        if turn.sent_at and turn.sent_at.date() != today:
            today = turn.sent_at.date()
            page.add(Text(f"{today:%A} {today}", "green"), gap=True)
        evidence = at in found.evidence
        starts.append(len(page.lines) + bool(page.lines))
        if page.add_turn(at, turn, found.terms, evidence=evidence) or evidence:
            marked.append(at)
    if after := sum(at > positions[-1] for at in shown) if positions else 0:
        page.add(Text(f"… {pluralize(after, 'turn')} after", "dim"), gap=True)
    return Transcript(found, tuple(page.lines), tuple(positions), tuple(starts), tuple(marked))


def heading_lines(found: FoundSession) -> Text:
    """Return the title of a session, facts about it, and why it was found, a line each."""
    heading = Text(isolate_direction(found.heading), "bold")
    turns = pluralize(found.turns, "turn")
    facts = (format_time(found.started_at).strip(), found.source, turns)
    lines = [heading, Text("  ".join(facts), "dim")]
    if found.why:
        lines.append(Text.assemble(("why  ", "bold"), (one_line(found.why), "dim")))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


class _Page:
    """Lines of a width in the making."""

    def __init__(self, width: int) -> None:
        self.lines: list[Text] = []
        self._width = max(min(width, WIDEST) - len(NO_BAR), 1)
        self._console = Console(file=StringIO(), width=self._width, color_system=None)

    def add(
        self, text: Text, *, bar: str = NO_BAR, gap: bool = False, isolate: bool = False
    ) -> None:
        """Add a text that is wrapped.

        Args:
            text: the text.
            bar: the beginning of each line.
            gap: whether an empty line goes before it.
            isolate: whether each line has a direction of its own.
        """
        if gap and self.lines:
            self.lines.append(Text())
        for line in text.wrap(self._console, self._width, tab_size=TAB) or [Text()]:
            line.rstrip()
            self.lines.append(Text.assemble((bar, "bold"), _isolate(line) if isolate else line))

    def add_turn(self, at: int, turn: Turn, terms: tuple[str, ...], *, evidence: bool) -> bool:
        """Add a turn; return whether it has words to mark."""
        bar = EVIDENCE_BAR if evidence else NO_BAR
        if turn.kind in (Kind.SERVICE, Kind.CALL, Kind.DELETED) or not turn.text:
            note = join_lines(f"[{turn.kind}] {turn.text}")
            self.add(Text.assemble((f"{at}  ", "dim"), (note, "dim")), bar=bar, gap=True)
            return False
        speaker = join_lines(turn.speaker or turn.role.value)
        clock = f"  {turn.sent_at:%H:%M}" if turn.sent_at else ""
        branch = "" if turn.active else "  (another branch)"
        heading = Text.assemble(
            (f"{at}  ", "dim"), (isolate_direction(speaker), "bold cyan"), (clock + branch, "dim")
        )
        self.add(heading, bar=bar, gap=True)
        text = printable(turn.text)
        cut = len(text) - MOST_LETTERS_OF_TURN
        text = text[:MOST_LETTERS_OF_TURN]
        words = Text(text)
        spans = highlight_spans(text, terms) if terms else []
        for start, end in spans:
            words.stylize("reverse", start, end)
        self.add(words, bar=bar, isolate=True)
        if cut > 0:
            self.add(Text(f"… {pluralize(cut, 'letter')} more", "dim"), bar=bar)
        return bool(spans)


def _isolate(line: Text) -> Text:
    """Return a line that does not change the direction of what is beside it."""
    isolated = isolate_direction(line.plain)
    return line if isolated == line.plain else Text.assemble(isolated[0], line, isolated[-1])


def _shown_positions(session: Session) -> list[int]:
    """Return the positions of the turns on the branch that was kept."""
    return [at for at, turn in enumerate(session.turns, start=1) if turn.active]


def _choose_positions(session: Session, center: int, letters: int) -> list[int]:
    """Return the positions of turns around one of them, ascending, up to a number of letters."""
    shown = _shown_positions(session)
    if not shown:
        return []
    first = last = max(bisect_right(shown, center) - 1, 0)
    room = letters - _length(session, shown[first])
    while room > 0 and (first > 0 or last < len(shown) - 1):
        if first > 0:
            first -= 1
            room -= _length(session, shown[first])
        if last < len(shown) - 1:
            last += 1
            room -= _length(session, shown[last])
    return shown[first : last + 1]


def _length(session: Session, position: int) -> int:
    """Return about how many letters of a turn are laid out."""
    return min(len(session.turns[position - 1].text), MOST_LETTERS_OF_TURN) + 40
