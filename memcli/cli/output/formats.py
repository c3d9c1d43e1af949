"""The forms a result can be printed in, beside that for people: for programs and documents."""

import csv
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from memcli.cli.json_output.session_documents import RankedSessionJson
from memcli.cli.output.console import safe
from memcli.cli.output.session_view import day, heading
from memcli.domain import Session, Turn
from memcli.errors import UsageError
from memcli.search.answer import Reply
from memcli.search.results import Answer, Result
from memcli.store import Overview

CONTEXT_TOKENS = 4000  # of the form `context`, where nobody says how many
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")
_FLAT = ("rank", "id", "title", "source", "started_at", "ended_at", "participants")


def form_of(form: str | None, *, as_json: bool, as_jsonl: bool) -> str:
    """Return the form asked for, by `--format` or its short forms; text by default.

    Raises:
        UsageError: more than one was asked for.
    """
    named = {one for one in (form, "json" * as_json, "jsonl" * as_jsonl) if one}
    if len(named) > 1:
        raise UsageError(
            f"{' and '.join(sorted(named))} cannot be printed at once", hint="`--format json`"
        )
    return next(iter(named), "text")


def answer_form(
    form: str | None,
    *,
    as_json: bool,
    as_jsonl: bool,
    tokens: int | None,
    several: bool,
    in_words: bool = False,
    profiled: bool = False,
) -> str:
    """Return the form asked for a ranking.

    Args:
        form: by `--format`.
        as_json: by `--json`.
        as_jsonl: by `--jsonl`.
        tokens: most of `context`, which is meant where they are named.
        several: whether there may be more than one question.
        in_words: whether a model answers.
        profiled: whether it is to begin with who the person is: `context` is meant, too.

    Raises:
        UsageError: the form has no place for all that.
    """
    meant = form or ("context" if tokens or profiled else None)
    chosen = form_of(meant, as_json=as_json, as_jsonl=as_jsonl)
    if tokens and chosen != "context":
        raise UsageError(f"{chosen} is not cut to tokens", hint="`--format context`")
    if profiled and chosen != "context":
        raise UsageError(f"{chosen} has no place for a profile", hint="`--format context`")
    if several and chosen == "json":
        raise UsageError("one JSON object holds one question", hint="`--jsonl`")
    if in_words and (chosen in ("csv", "context") or (chosen == "jsonl" and not several)):
        raise UsageError(f"{chosen} has no place for an answer", hint="`--json`")
    return chosen


def print_csv(rows: Iterable[Mapping[str, object]], *, head: bool = True) -> None:
    """Print rows under a head of their keys; a list becomes one field, without a value an empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if head and not number:
            writer.writerow(row)
        writer.writerow(map(_field, row.values()))
    sys.stdout.flush()


def evidence_rows(
    question: str, sessions: Iterable[RankedSessionJson]
) -> Iterable[dict[str, object]]:
    """Yield a row for each quoted turn of ranked sessions in the form of `--json`."""
    for session in sessions:
        head = {key: value for key, value in session.items() if key in _FLAT}
        for quote in session["evidence"]:
            yield {"question": question, **head, **session["scores"], **quote}


def answer_markdown(answer: Answer, reply: Reply | None) -> str:
    """Return a ranking as a document: a section a session, its turns as quotations."""
    parts = [f"# {_escaped(answer.question)}"]
    if reply and reply.text:
        parts.append(safe(reply.text))
    for rank, result in enumerate(answer.results, start=1):
        parts += [_section(rank, result), *(_quote(result.session.id, quote.position, quote.turn)
                                            for quote in result.evidence)]  # fmt: skip
    return "\n\n".join(parts)


def overviews_markdown(overviews: Sequence[Overview]) -> str:
    """Return sessions as a table."""
    lines = ["| id | began | turns | source | title |", "|---|---|---|---|---|"]
    for one in overviews:
        title = _escaped(heading(one))
        lines.append(
            f"| `{one.id}` | {day(one.started_at)} | {one.turns} | {one.source} | {title} |"
        )
    return "\n".join(lines)


def session_markdown(session: Session, positions: Iterable[int]) -> str:
    """Return turns of a session as a document."""
    parts = [f"# {_escaped(heading(session))}", f"`{session.id}`, {session.source}"]
    for position in positions:
        turn = session.turns[position - 1]
        parts.append(_quote(session.id, position, turn))
    return "\n\n".join(parts)


def print_text(text: str) -> None:
    """Print a text that ends its line."""
    sys.stdout.write(safe(text) + "\n")
    sys.stdout.flush()


def _section(rank: int, result: Result) -> str:
    session = result.session
    facts = (day(session.started_at), session.source, f"`{session.id}`", f"{result.score:.2f}")
    return f"## {rank}. {_escaped(heading(session))}\n\n{', '.join(facts)}"


def _quote(session: str, position: int, turn: Turn) -> str:
    """Return a turn in a block of its own, which nothing that it says can end."""
    when = f", {day(turn.sent_at)}" if turn.sent_at else ""
    who = f"**{_escaped(turn.speaker or turn.role.value)}** `[{session}:{position}]`{when}"
    said = "\n".join(f"> {line}".rstrip() for line in safe(turn.text).splitlines())
    return f"{who}\n\n{said}"


def _escaped(text: str) -> str:
    """Return a text on one line whose signs are none of Markdown's."""
    return _MARKUP.sub(r"\\\1", " ".join(safe(text).split()))


def _field(value: object) -> object:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, list):
        return "; ".join(map(safe, value))
    return value
