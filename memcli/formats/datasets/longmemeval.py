"""LongMemEval, and the test set of MemSifter: questions, each with a haystack of sessions.

Session ids repeat across questions, beside other sessions each time, so a conversation's key has
the ids of both. `mem bench` uses the questions and answers; this parser reads only the haystacks.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Conversation, Omission, Role, Skipped, Turn, fingerprint
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import localize, mapping, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_DATE = re.compile(r"\s*(\d{4})/(\d\d?)/(\d\d?)\D+(\d\d?):(\d\d)")  # 2023/05/20 (Sat) 02:21


def _recognises(sample: Sample) -> bool:
    return any(map(_has_haystack, sample.elements))


def _has_haystack(element: Mapping[str, Any]) -> bool:
    """Return whether an element has sessions, or ends before them, in lists of their ids or days.

    Those of 60,000 sessions are longer than what a format is recognised by.
    """
    if "haystack_sessions" in element:
        sessions = map(sequence, sequence(element["haystack_sessions"]))
        return any(
            string(turn.get("role")) in _ROLES and "content" in turn
            for session in sessions
            for turn in map(mapping, session)
        )
    heads = (element.get("haystack_dates"), element.get("haystack_session_ids"))
    return "question" in element and any(map(sequence, heads))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    for number, element in enumerate(read_elements(document, ""), start=1):
        where = f"question {number}"
        if isinstance(element, BrokenValue):
            yield Skipped(where, element.reason)
        elif sessions := sequence(mapping(element).get("haystack_sessions")):
            question = string(element.get("question_id")) or fingerprint(element.get("question"))
            yield from _haystack(where, question, element, sessions, options, document.counter)
        else:
            yield Skipped(where, "has no haystack", lost=False)


def _haystack(
    where: str,
    question: str,
    element: Mapping[str, Any],
    sessions: list[Any],
    options: ParseOptions,
    counter: MessageCounter,
) -> Iterator[ParsedItem]:
    ids, dates = sequence(element.get("haystack_session_ids")), element.get("haystack_dates")
    counts: Counter[str] = Counter()
    for number, session in enumerate(sessions, start=1):
        session_id = string(_element(ids, number)) or str(number)
        counts[session_id] += 1
        if counts[session_id] > 1:  # the same session again, on another day
            session_id = f"{session_id}#{counts[session_id]}"
        date = string(_element(sequence(dates), number))
        rows = sequence(session)
        turns = _turns(rows, _parse_time(date, options))
        counter.see(len(rows))
        counter.omit(Omission.EMPTY, len(rows) - len(turns))
        if turns:
            yield Conversation("longmemeval", f"{question}/{session_id}", "", tuple(turns))
        else:
            yield Skipped(f"{where}, session {session_id}", "has nothing to import", lost=False)


def _element(values: list[Any], number: int) -> object:
    """Return an element of a list by its number from 1, or None if the list is too short."""
    return values[number - 1] if number <= len(values) else None


def _turns(rows: list[Any], sent_at: datetime | None) -> list[Turn]:
    clock = Clock.LOCAL if sent_at else Clock.NONE
    turns = []
    for number, row in enumerate(map(mapping, rows), start=1):
        role, text = _ROLES.get(string(row.get("role"))), string(row.get("content"))
        if role and text.strip():
            turns.append(Turn(str(number), role, text, sent_at=sent_at, clock=clock))
    return turns


def _parse_time(text: str, options: ParseOptions) -> datetime | None:
    if not (match := _DATE.match(text)):
        return None
    year, month, day, hour, minute = map(int, match.groups())
    try:
        return localize(datetime(year, month, day, hour, minute), options.timezone)
    except (ValueError, OverflowError):
        return None


FORMAT = Format(name="longmemeval", recognises=_recognises, parse=_parse)
