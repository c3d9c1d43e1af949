"""How sessions look to a person: in colour on a terminal, the same words without in a pipe."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, isolated, print_line, safe
from memcli.cli.output.hyperlinks import has_links, linked
from memcli.domain import Session
from memcli.search.results import PLAIN, Answer, Quote, Result, Stage
from memcli.store import Overview, marks

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.text import Text

QUOTED = 400  # most cells of a turn on a terminal; a pipe gets all of it
QUOTED_LINES = 4  # most lines of a turn on a narrow one
ESSENCE = 400  # most letters of a thought that are printed without being asked for
WIDE = 100  # columns from which a list has all of its own
BAR = "    │ "


@dataclass(frozen=True, slots=True)
class Look:
    """What the place that is printed to can show."""

    terminal: bool
    width: int  # columns
    links: bool = False

    @classmethod
    def of(cls, out: "Console") -> "Look":
        """Return the look of a console."""
        return cls(out.is_terminal, out.width, out.is_terminal and has_links())

    def text(self, text: str, style: str = "") -> "Text":
        """Return somebody's words as they can be shown: on a terminal, in their own direction."""
        from rich.text import Text

        text = safe(text)
        return Text(isolated(text) if self.terminal else text, style)


def print_answer(answer: Answer, *, whole_trace: bool = False) -> None:
    """Print a ranking with its evidence, and how it came about below."""
    out = console()
    out.print(answer_view(answer, Look.of(out)), soft_wrap=not out.is_terminal)
    if answer.results:
        out.print()
        out.print(_trace(answer, whole=whole_trace), soft_wrap=not out.is_terminal)


def answer_view(answer: Answer, look: Look, *, quotes: bool = True) -> "Group":
    """Return the ranking, with the turns that earned it or without."""
    from rich.console import Group

    parts: list[RenderableType] = []
    for rank, result in enumerate(answer.results, start=1):
        parts += _result(rank, result, look, quotes=quotes)
    return Group(*parts)


def print_overviews(overviews: Iterable[Overview]) -> None:
    """Print sessions, one a line; a narrow terminal leaves out what is not needed to find one."""
    from rich.text import Text

    out = console()
    look = Look.of(out)
    wide = not look.terminal or out.width >= WIDE
    for one in overviews:
        began = day(one.started_at) if wide else day(one.started_at)[:10]
        line = Text.assemble((one.id, "cyan"), "  ", (began, "green"), "  ")
        if wide:
            turns = "turn " if one.turns == 1 else "turns"
            line.append(f"{one.turns:>4} {turns}  {one.source:<12}  ", "dim")
        line.append_text(look.text(heading(one)))
        print_line(out, line)


def stage_line(stage: Stage) -> str:
    """Return what a stage did and what it cost, as `--verbose` tells it."""
    facts = [f"{stage.candidates} sessions"]
    if stage.passages:
        facts.append(f"{stage.passages} passages")
    if stage.remembered:
        facts.append(f"{stage.remembered} remembered" if stage.passages else "remembered")
    facts.append(f"{stage.seconds:.2f} s")
    if stage.load >= 0.01:
        facts.append(f"{stage.load:.2f} s of it to load")
    if stage.read:
        facts.append(f"{stage.read:,} tokens read")
    if stage.written:
        facts.append(f"{stage.written:,} written")
    if stage.read:
        facts.append(f"{stage.tokens_per_second:,.0f} tokens/s")
    return f"{stage.name}: {', '.join(facts)}, {stage.model}"


def heading(session: Session | Overview) -> str:
    """Return the title of a session, or who speaks in it."""
    return session.title.strip() or " and ".join(session.participants) or "(untitled)"


def day(moment: datetime | None) -> str:
    """Return a day and a time, as wide as any other."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "no date         "


def essence(thought: str) -> str:
    """Return what a thought comes to: its last paragraph, or the last sentences of that."""
    thought = safe(thought).strip()
    last = thought.rpartition("\n\n")[2].strip()
    if len(last) <= ESSENCE:
        return last
    end = last[-ESSENCE:]
    sentence = re.search(r"[.!?。！？]\s*(?=\S)", end[:-1])
    return f"… {end[sentence.end() :] if sentence else end.partition(' ')[2] or end}"


def excerpt(said: str, terms: Sequence[str], most: int) -> str:
    """Return at most about so many characters of a text, where most of the terms are."""
    if len(said) <= most:
        return said
    starts = [start for start, _ in marks(said, terms)] or [0]
    best = max(starts, key=lambda one: sum(one <= other < one + most * 3 // 4 for other in starts))
    start = max(0, min(best - most // 4, len(said) - most))
    if start:
        start = said.find(" ", start, best) + 1 or start  # between words where there are any
    part = said[start : start + most].strip()
    return f"{'…' if start else ''}{part}{'…' if start + most < len(said) else ''}"


def _result(rank: int, result: Result, look: Look, *, quotes: bool) -> Iterable["RenderableType"]:
    from rich.text import Text

    session = result.session
    score = f"p {result.rerank:.2f}" if result.rerank is not None else f"{result.retrieve:.2f}"
    title = look.text(heading(session), "bold")
    yield Text.assemble(
        "\n" if rank > 1 and quotes else "", (f"{rank:>2}. ", "bold"), title,
        no_wrap=look.terminal or None, overflow="ellipsis" if look.terminal else None,
    )  # fmt: skip
    yield Text.assemble(
        "    ", (day(session.started_at), "green"), "  ", (session.source, "dim"), "  ",
        linked(Text(session.id), links=look.links), "  ", (score, "bold"),
    )  # fmt: skip
    for quote in result.evidence if quotes else ():
        yield _quote(quote, result, look)


def _quote(quote: Quote, result: Result, look: Look) -> "RenderableType":
    from rich.cells import cell_len
    from rich.text import Text

    said = re.sub(r"\s+", " ", safe(quote.turn.text)).strip()
    if look.terminal:
        cells = max(80, min(QUOTED, QUOTED_LINES * (look.width - len(BAR))))
        said = excerpt(said, result.terms, cells * len(said) // max(cell_len(said), 1))
    words = Text(said)
    for start, end in marks(said, result.terms):
        words.stylize("bold", start, end)
    if look.terminal:
        words = _isolated(words)
    reference = linked(Text(f"[{result.session.id}:{quote.position}]", "dim"), links=look.links)
    speaker = look.text(quote.turn.speaker or quote.turn.role.value, "cyan")
    line = Text.assemble(speaker, (": ", "cyan"), words, " ", reference)
    if not look.terminal:
        return Text.assemble((BAR, "dim"), line)
    from rich.table import Table

    indented = Table.grid()  # wraps beside the bar, not under it
    indented.add_column()
    indented.add_column(overflow="fold")  # unspaced scripts are one long word to rich
    indented.add_row(Text(BAR, "dim"), line)
    return indented


def _isolated(text: "Text") -> "Text":
    """Return a text between the marks that keep its direction to itself, if it needs them."""
    from rich.text import Text

    whole = isolated(text.plain)
    if whole == text.plain:
        return text
    return Text.assemble(whole[0], text, whole[-1])


def _trace(answer: Answer, *, whole: bool) -> "Text":
    from rich.text import Text

    folded = f"{PLAIN}." if answer.thought is None else essence(answer.thought)
    trace = answer.trace if whole else folded
    return Text.assemble(("why  ", "bold"), (safe(trace), "dim"))
