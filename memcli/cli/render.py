"""How sessions look to a person: in colour on a terminal, the same words without in a pipe."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from memcli.cli.output import console, safe
from memcli.domain import Kind, Session
from memcli.pipeline.results import Answer, Quote, Result, Stage
from memcli.store import Overview

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text

QUOTED = 400  # characters of a turn on a terminal; a pipe gets all of it


def print_answer(answer: Answer) -> None:
    """Print a ranking with its evidence, and how it came about below."""
    out = console()
    out.print(answer_view(answer, whole=not out.is_terminal), soft_wrap=not out.is_terminal)
    if answer.results:
        out.print()
        out.print(_trace(answer), soft_wrap=not out.is_terminal)


def answer_view(answer: Answer, *, whole: bool) -> "Group":
    """Return the ranking; `whole` quotes turns to their end."""
    from rich.console import Group

    parts: list[RenderableType] = []
    for rank, result in enumerate(answer.results, start=1):
        parts += [*_result(rank, result, whole=whole)]
    return Group(*parts)


def print_overviews(overviews: Iterable[Overview]) -> None:
    """Print sessions, one a line."""
    from rich.text import Text

    out = console()
    for one in overviews:
        line = Text.assemble(
            (one.id, "cyan"), "  ", (_day(one.started_at), "green"), "  ",
            (f"{one.turns:>4} turns", "dim"), "  ", (f"{one.source:<12}", "dim"), "  ",
            safe(heading(one)),
        )  # fmt: skip
        out.print(line, no_wrap=out.is_terminal, overflow="ellipsis", soft_wrap=not out.is_terminal)


def print_session(session: Session, *, every_branch: bool) -> None:
    """Print one transcript."""
    from rich.text import Text

    out = console()
    out.print(Text(safe(heading(session)), "bold"), soft_wrap=True)
    out.print(Text(f"{session.id}  {session.source}  {_day(session.started_at)}", "dim"))
    day = None
    for position, turn in enumerate(session.turns, start=1):
        if not (turn.active or every_branch):
            continue
        if turn.sent_at and turn.sent_at.date() != day:
            day = turn.sent_at.date()
            out.print(Text(f"\n{day:%A} {day}", "green"))
        if turn.kind in (Kind.SERVICE, Kind.CALL, Kind.DELETED) or not turn.text:
            out.print(Text(f"\n{position}  [{turn.kind}] {safe(turn.text)}".rstrip(), "dim"))
            continue
        clock = f"  {turn.sent_at:%H:%M}" if turn.sent_at else ""
        branch = "" if turn.active else "  (another branch)"
        who = Text.assemble(
            "\n", (f"{position}  ", "dim"), (safe(turn.speaker or turn.role.value), "bold cyan"),
            (clock + branch, "dim"),
        )  # fmt: skip
        out.print(who, soft_wrap=True)
        out.print(Text(safe(turn.text)), soft_wrap=not out.is_terminal)


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


def _result(rank: int, result: Result, *, whole: bool) -> Iterable["RenderableType"]:
    from rich.text import Text

    session = result.session
    score = f"p {result.rerank:.2f}" if result.rerank is not None else f"{result.retrieve:.2f}"
    yield Text.assemble(
        "\n" if rank > 1 else "",
        (f"{rank:>2}. ", "bold"), (safe(heading(session)), "bold"),
    )  # fmt: skip
    yield Text.assemble(
        "    ", (_day(session.started_at), "green"), "  ", (session.source, "dim"), "  ",
        (session.id, "cyan"), "  ", (score, "yellow"),
    )  # fmt: skip
    for quote in result.evidence:
        yield _quote(quote, whole=whole)


def _quote(quote: Quote, *, whole: bool) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    said = re.sub(r"\s+", " ", safe(quote.turn.text)).strip()
    who = f"{quote.position} {safe(quote.turn.speaker or quote.turn.role.value)}: "
    bar = Text("    │ ", "dim")
    if whole:
        return Text.assemble(bar, (who, "cyan"), said)
    if len(said) > QUOTED:
        said = said[:QUOTED].rstrip() + "…"
    indented = Table.grid()  # wraps beside the bar, not under it
    indented.add_column()
    indented.add_column(overflow="fold")  # unspaced scripts are one long word to rich
    indented.add_row(bar, Text.assemble((who, "cyan"), said))
    return indented


def _trace(answer: Answer) -> "Text":
    from rich.text import Text

    return Text.assemble(("why  ", "bold"), (safe(answer.trace), "dim"))


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "no date         "
