"""Sessions and rankings as text: in colour on a terminal, without it in a pipe."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from memcli.cli.output.console import (
    console,
    isolate_direction,
    join_lines,
    one_line,
    print_line,
    printable,
)
from memcli.cli.output.styling.hyperlinks import highlight_references, supports_links
from memcli.cli.output.styling.plain_text import PlainText
from memcli.domain import YOU, Memory, Session
from memcli.lazy_dataclasses import dataclass
from memcli.store import SessionSummary, highlight_spans

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from memcli.search.results import (
        AnsweringMemory,
        QuotedTurn,
        RankedSession,
        Ranking,
        StageReport,
    )

ShowPage = Callable[[str], object]
QUOTE_CELLS = 400  # the most cells of a quoted turn on a terminal; a pipe gets all of it
QUOTE_LINES = 4  # the most lines of a quoted turn on a narrow terminal
CONCLUSION_LENGTH = 400  # the most letters of a thought that are printed without `--trace`
WIDE = 100  # the fewest columns in which a list has all its columns
INDENT = "    "
BAR = f"{INDENT}│ "
# Tags of the models' own, also one that the budget cut off.
_PROMPT_TAG = re.compile(r"</?(?:think|ranking|answer)>|</?[a-z]*$")


@dataclass(frozen=True, slots=True)
class RenderStyle:
    """The abilities of the terminal or pipe that is printed to."""

    terminal: bool
    width: int  # in columns
    links: bool = False  # whether it supports hyperlinks

    @classmethod
    def of(cls, out: "Console") -> "RenderStyle":
        """Return the style for a console."""
        return cls(out.is_terminal, out.width, out.is_terminal and supports_links())

    def text(self, text: str, style: str = "") -> "Text":
        """Return a text that can be printed safely; on a terminal, in its own direction."""
        text = printable(text)
        return self.text_type(isolate_direction(text) if self.terminal else text, style)

    @property
    def text_type(self) -> "type[Text]":
        """The class of texts: a pipe needs no styles."""
        if self.terminal:
            from rich.text import Text

            return Text
        plain: Any = PlainText
        return plain  # type: ignore[no-any-return]  # it does what is used of a `Text`


def print_ranking(
    ranking: "Ranking",
    *,
    whole_trace: bool = False,
    stream: TextIO | None = None,
    show_page: ShowPage | None = None,
) -> None:
    """Print a ranking with its evidence and reasons, and a model's thought below it.

    Args:
        ranking: the ranking.
        whole_trace: whether to print all of the reasoning, not only a thought's conclusion.
        stream: the stream to print to; stdout without it.
        show_page: shows a text that is longer than the terminal; without it, it is printed.
    """
    out = console(stream)
    style = RenderStyle.of(out)
    with out.capture() as captured:
        for part in ranking_view(ranking, style):
            if out.is_terminal:  # `print` joins texts, and forgets how each of them wraps
                no_wrap, overflow = (getattr(part, one, None) for one in ("no_wrap", "overflow"))
                out.print(part, no_wrap=no_wrap, overflow=overflow)
            else:
                out.print(part, soft_wrap=True)
        if ranking.results and (whole_trace or ranking.thought is not None):
            out.print()
            out.print(_trace(ranking, style, whole=whole_trace), soft_wrap=not out.is_terminal)
    _show(captured.get(), out, show_page)


def ranking_view(
    ranking: "Ranking", style: RenderStyle, *, quotes: bool = True
) -> "list[RenderableType]":
    """Return a ranking to print, with or without the evidence and reasons of its sessions."""
    likely = ranking.verdict == "found"
    parts: list[RenderableType] = [_memory_line(one, style) for one in ranking.memories]
    if parts:
        parts.append(style.text(""))
    for rank, result in enumerate(ranking.results, start=1):
        parts += _result(rank, result, style, likely=likely, quotes=quotes)
    return parts


def print_overviews(
    overviews: Iterable[SessionSummary], *, show_page: ShowPage | None = None
) -> None:
    """Print sessions, one per line; on a narrow terminal without turns and source.

    Args:
        overviews: the sessions.
        show_page: shows a text that is longer than the terminal; without it, it is printed.
    """
    out = console()
    with out.capture() as captured:
        _print_overview_lines(overviews, out)
    _show(captured.get(), out, show_page)


def _show(text: str, out: "Console", show_page: ShowPage | None) -> None:
    """Print a text, or show it as pages if it is longer than the terminal."""
    pages = show_page and out.is_terminal and not out.is_dumb_terminal
    if show_page and pages and text.count("\n") >= out.height:
        show_page(text)
    else:
        out.file.write(text)


def print_tabbed(overviews: Iterable[SessionSummary]) -> None:
    """Print sessions, one per line: id, day, source, turns and title, with tabs between."""
    for one in overviews:
        title = session_heading(one)
        fields = (
            one.id,
            format_time(one.started_at)[:10].strip(),
            one.source,
            str(one.turns),
            title,
        )
        sys.stdout.write("\t".join(fields) + "\n")


def _print_overview_lines(overviews: Iterable[SessionSummary], out: "Console") -> None:
    style = RenderStyle.of(out)
    wide = not style.terminal or out.width >= WIDE
    for one in overviews:
        started = format_time(one.started_at)
        line = style.text_type.assemble(
            (one.id, "cyan"), "  ", (started if wide else started[:10], "green"), "  "
        )
        if wide:
            turns = "turn " if one.turns == 1 else "turns"
            line.append(f"{one.turns:>4} {turns}  {one.source:<12}  ", "dim")
        line.append_text(style.text(session_heading(one)))
        print_line(out, line)


def stage_line(stage: "StageReport") -> str:
    """Return the work and the cost of a stage in words, as `--verbose` prints them."""
    facts = [f"{stage.candidates} sessions"]
    if stage.passages:
        facts.append(f"{stage.passages} passages")
    if stage.cached:
        facts.append(f"{stage.cached} from the cache" if stage.passages else "from the cache")
    facts.append(f"{stage.seconds:.2f} s")
    if stage.load_seconds >= 0.01:
        facts.append(f"{stage.load_seconds:.2f} s of it to load")
    if stage.tokens_read:
        facts.append(f"{stage.tokens_read:,} tokens read")
    if stage.tokens_written:
        facts.append(f"{stage.tokens_written:,} written")
    if stage.tokens_read:
        facts.append(f"{stage.tokens_per_second:,.0f} tokens/s")
    return f"{stage.name}: {', '.join(facts)}, {stage.model}"


def session_heading(session: Session | SessionSummary) -> str:
    """Return the title of a session on one line; without one, the names of its speakers."""
    heading = session.title.strip() or " and ".join(session.participants) or "(untitled)"
    return join_lines(heading)


def format_time(moment: datetime | None) -> str:
    """Return a day and a time, 16 characters wide."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "no date         "


def trace_conclusion(thought: str) -> str:
    """Return the conclusion of a thought: its last paragraph, or the last sentences of that."""
    thought = _PROMPT_TAG.sub("", printable(thought)).strip()
    last = thought.rpartition("\n\n")[2].strip()
    if len(last) <= CONCLUSION_LENGTH:
        return last
    end = last[-CONCLUSION_LENGTH:]
    sentence = re.search(r"[.!?。！？]\s*(?=\S)", end[:-1])
    return f"… {end[sentence.end() :] if sentence else end.partition(' ')[2] or end}"


def excerpt(text: str, terms: Sequence[str], length: int) -> str:
    """Return the part of a text that has most of the terms.

    Args:
        text: the text.
        terms: the words of a question that the text has.
        length: about the most characters to return.
    """
    if len(text) <= length:
        return text
    starts = [start for start, _ in highlight_spans(text, terms)] or [0]
    window = length * 3 // 4
    best = max(starts, key=lambda one: sum(one <= other < one + window for other in starts))
    start = max(0, min(best - length // 4, len(text) - length))
    if start:
        start = text.find(" ", start, best) + 1 or start  # begin between words if there are any
    part = text[start : start + length].strip()
    return f"{'…' if start else ''}{part}{'…' if start + length < len(text) else ''}"


def _result(
    rank: int, result: "RankedSession", style: RenderStyle, *, likely: bool, quotes: bool
) -> Iterable["RenderableType"]:
    text_type = style.text_type
    session = result.session
    score = _score_text(result) if likely else f"{_score_text(result)}, unlikely"
    yield text_type.assemble(
        "\n" if rank > 1 and quotes else "",
        (f"{rank:>2}. ", "bold"),
        style.text(session_heading(session), "bold"),
        no_wrap=style.terminal or None,
        overflow="ellipsis" if style.terminal else None,
    )
    yield text_type("  ").join(
        (
            text_type(f"    {format_time(session.started_at)}", "green"),
            text_type(session.source, "dim"),
            highlight_references(text_type(session.id), links=style.links),
            text_type(score, "bold"),
        )
    )
    if quotes:
        for quote in result.evidence:
            yield _quote(quote, result, style)
        if result.why:
            reasons = _why(style.text(one_line(result.why)), style)
            yield _hang(text_type(INDENT), reasons, style)


def _memory_line(one: "AnsweringMemory", style: RenderStyle) -> "RenderableType":
    """Return a memory as what it is: a fact, with its day, its author and its source."""
    text_type = style.text_type
    memory = one.memory
    fact = memory.fact
    source = f"{memory.sources[0].session}:{memory.sources[0].position}"
    day = f"{memory.said_at:%Y-%m-%d}" if memory.said_at else "no date"
    old = "" if memory.current else "superseded  "
    line = text_type.assemble(
        (old, "magenta"),
        style.text(one_line(fact.key), "bold"),
        (": ", "bold"),
        style.text(one_line(fact.value)),
        (f"  {day}", "green"),
        (f"  {fact.type.value}, {memory_author(memory)}, {memory.id}, from ", "dim"),
        highlight_references(text_type(source, "dim"), links=style.links),
    )
    return _hang(text_type("memory  ", "bold"), line, style)


def memory_author(memory: Memory) -> str:
    """Return the author of a memory in words, and whether the person accepted a model's."""
    if memory.by == YOU:
        return f"by {YOU}"
    name = join_lines(memory.by.partition(" ")[0])
    return f"by {name}{', accepted' if memory.accepted else ''}"


def _score_text(result: "RankedSession") -> str:
    """Return the score that the order follows: of several stages, that of the last one."""
    if result.sift_rank is not None:
        return f"sift {result.sift_rank}"
    return f"p {result.rerank:.2f}" if result.rerank is not None else f"{result.retrieve:.2f}"


def _quote(quote: "QuotedTurn", result: "RankedSession", style: RenderStyle) -> "RenderableType":
    """Return a quoted turn behind a bar, with the terms of the question in bold."""
    text_type = style.text_type
    turn = quote.turn
    words = text_type(join_lines(turn.text))
    if style.terminal:
        words = _highlighted_excerpt(words.plain, result.terms, style)
    reference = text_type(f"[{result.session.id}:{quote.position}]", "dim")
    line = text_type.assemble(
        style.text(join_lines(turn.speaker or turn.role.value), "cyan"),
        (": ", "cyan"),
        words,
        " ",
        highlight_references(reference, links=style.links),
    )
    return _hang(text_type(BAR, "dim"), line, style)


def _highlighted_excerpt(text: str, terms: Sequence[str], style: RenderStyle) -> "Text":
    """Return the part of a text that has most of the terms, with these in bold."""
    from rich.cells import cell_len
    from rich.text import Text

    cells = max(80, min(QUOTE_CELLS, QUOTE_LINES * (style.width - len(BAR))))
    words = Text(excerpt(text, terms, cells * len(text) // max(cell_len(text), 1)))
    for start, end in highlight_spans(words.plain, terms):
        words.stylize("bold", start, end)
    return _isolated_text(words)


def _hang(margin: "Text", line: "Text", style: RenderStyle) -> "RenderableType":
    """Return a line behind a margin; on a terminal, it wraps beside the margin, not below it."""
    if not style.terminal:
        return style.text_type.assemble(margin, line)
    from rich.table import Table

    indented = Table.grid()
    indented.add_column()
    indented.add_column(overflow="fold")  # a script without spaces is one long word to rich
    indented.add_row(margin, line)
    return indented


def _isolated_text(text: "Text") -> "Text":
    """Return a styled text that does not change the direction of text beside it."""
    from rich.text import Text

    whole = isolate_direction(text.plain)
    if whole == text.plain:
        return text
    return Text.assemble(whole[0], text, whole[-1])


def _trace(ranking: "Ranking", style: RenderStyle, *, whole: bool) -> "Text":
    thought = ranking.thought
    trace = ranking.trace if whole or thought is None else trace_conclusion(thought)
    return _why(style.text_type(_PROMPT_TAG.sub("", printable(trace))), style)


def _why(reasons: "Text", style: RenderStyle) -> "Text":
    """Return reasons behind the word that heads them."""
    reasons.stylize("dim")
    return style.text_type.assemble(("why  ", "bold"), reasons)
