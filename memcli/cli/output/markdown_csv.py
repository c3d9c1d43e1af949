"""Results as Markdown and CSV, and lists in any format."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from memcli.cli.json_output.session_documents import RankedSessionJson
from memcli.cli.output.console import join_lines, print_json, print_jsonl, printable
from memcli.cli.output.session_view import format_time, session_heading
from memcli.domain import Session, Turn
from memcli.store import SessionSummary

if TYPE_CHECKING:  # lists need none of it
    from memcli.search.answer import Answer
    from memcli.search.results import RankedSession, Ranking

_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
_SESSION_COLUMNS = ("rank", "id", "title", "source", "started_at", "ended_at", "participants")


def print_listing(
    chosen: str,
    document: Callable[[], Mapping[str, object]],
    rows: Callable[[], Iterable[Mapping[str, object]]],
    print_for_people: Callable[[], None],
) -> None:
    """Print a list.

    Args:
        chosen: `text`, `json`, `jsonl`, `csv` or `markdown`.
        document: makes the document that `--json` prints.
        rows: makes its lines, all with the same keys.
        print_for_people: prints the list as text.
    """
    if chosen == "json":
        print_json(document())
    elif chosen == "jsonl":
        print_jsonl(rows())
    elif chosen == "csv":
        print_csv(rows())
    elif chosen == "markdown":
        print_text(_markdown_table(list(rows())))
    else:
        print_for_people()


def _markdown_table(rows: list[Mapping[str, object]]) -> str:
    """Return rows as a table with their keys above."""
    if not rows:
        return ""
    keys = list(rows[0])
    lines = [_markdown_row(keys), "|" + "---|" * len(keys)]
    lines += [_markdown_row([_markdown_cell(value) for value in row.values()]) for row in rows]
    return "\n".join(lines)


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return escape_markdown(printable(text))


def print_csv(rows: Iterable[Mapping[str, object]], *, header: bool = True) -> None:
    """Print rows, the first below a header of its keys.

    A list becomes one field divided by semicolons, and a missing value an empty field.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if header and not number:
            writer.writerow(row)
        writer.writerow(map(_csv_field, row.values()))
    sys.stdout.flush()


def evidence_rows(
    question: str, sessions: Iterable[RankedSessionJson]
) -> Iterable[dict[str, object]]:
    """Yield a row for each quoted turn of ranked sessions.

    Args:
        question: the question.
        sessions: the sessions as `--json` prints them.
    """
    for session in sessions:
        columns = {key: value for key, value in session.items() if key in _SESSION_COLUMNS}
        for quote in session["evidence"]:
            yield {"question": question, **columns, **session["scores"], **quote}


def ranking_markdown(ranking: "Ranking", answer: "Answer | None") -> str:
    """Return a ranking as Markdown: a section for each session, its turns as quotations."""
    parts = [f"# {escape_markdown(ranking.question)}"]
    if answer and answer.text:
        parts.append(printable(answer.text))
    parts += [
        f"- **{escape_markdown(one.memory.fact.key)}**: {escape_markdown(one.memory.fact.value)}"
        f" (`{one.memory.id}`{'' if one.memory.current else ', superseded'})"
        for one in ranking.memories
    ]
    for rank, result in enumerate(ranking.results, start=1):
        session = result.session
        parts.append(_section(rank, result))
        parts += [_quotation(session.id, one.position, one.turn) for one in result.evidence]
    return "\n\n".join(parts)


def overviews_markdown(overviews: Sequence[SessionSummary]) -> str:
    """Return sessions as a Markdown table."""
    lines = ["| id | began | turns | source | title |", "|---|---|---|---|---|"]
    for one in overviews:
        title = escape_markdown(session_heading(one))
        lines.append(
            f"| `{one.id}` | {format_time(one.started_at)} | {one.turns} | {one.source} | {title} |"
        )
    return "\n".join(lines)


def session_markdown(session: Session, positions: Iterable[int]) -> str:
    """Return turns of a session, by their positions from 1, as Markdown."""
    parts = [f"# {escape_markdown(session_heading(session))}", f"`{session.id}`, {session.source}"]
    for position in positions:
        turn = session.turns[position - 1]
        parts.append(_quotation(session.id, position, turn))
    return "\n\n".join(parts)


def print_text(text: str) -> None:
    """Print a text and end its last line."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def _section(rank: int, result: "RankedSession") -> str:
    session = result.session
    facts = (format_time(session.started_at), session.source, f"`{session.id}`")
    heading = escape_markdown(session_heading(session))
    return f"## {rank}. {heading}\n\n{', '.join(facts)}, {result.score:.2f}"


def _quotation(session: str, position: int, turn: Turn) -> str:
    """Return a turn as a block quotation, which nothing in its text can end."""
    when = f", {format_time(turn.sent_at)}" if turn.sent_at else ""
    speaker = escape_markdown(turn.speaker or turn.role.value)
    quoted = "\n".join(f"> {line}".rstrip() for line in printable(turn.text).splitlines())
    return f"**{speaker}** `[{session}:{position}]`{when}\n\n{quoted}"


def escape_markdown(text: str) -> str:
    """Return a text on one line, in which no character is Markdown markup."""
    return _MARKUP.sub(r"\\\1", join_lines(text))


def _csv_field(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(map(printable, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
