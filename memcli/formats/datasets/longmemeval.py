"""LongMemEval, and the test set of MemSifter: questions, each with a haystack of sessions.

Session ids repeat across questions, beside other sessions each time, so a conversation's key has
the ids of both. `mem bench` uses the questions and answers; this parser reads only the haystacks.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Conversation, Omission, Role, Skipped, Turn, fingerprint
from memcli.errors import InputError
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import localize, mapping, sequence, string
from memcli.lazy_dataclasses import dataclass, field

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_FACTS = frozenset({"question_id", "question", "haystack_session_ids", "haystack_dates"})
_WANTED = [
    (*question, *path)
    for question in ((), ("[]",))
    for path in (*((name,) for name in sorted(_FACTS)), ("haystack_sessions", "[]"))
]
_END = object()  # stands for the end of a question
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


@dataclass(slots=True)
class _Haystack:
    """A question with its haystack, as far as it is read."""

    number: int  # from 1, in the file
    facts: dict[str, Any] = field(default_factory=dict)  # the values of _FACTS
    counts: Counter[str] = field(default_factory=Counter)  # of each id of a session
    sessions: int = 0  # the number of sessions that were read

    @property
    def where(self) -> str:
        """The place of the question, for warnings."""
        return f"question {self.number}"

    @property
    def question(self) -> str:
        """The key of the question."""
        return string(self.facts.get("question_id")) or fingerprint(self.facts.get("question"))

    def next_session(self) -> tuple[str, str]:
        """Return the id and the date of the next session; the id is unique in the haystack."""
        self.sessions += 1
        ids, dates = map(sequence, map(self.facts.get, ("haystack_session_ids", "haystack_dates")))
        session = string(_element(ids, self.sessions)) or str(self.sessions)
        self.counts[session] += 1
        if self.counts[session] > 1:  # the same session again, on another day
            session = f"{session}#{self.counts[session]}"
        return session, string(_element(dates, self.sessions))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    known: dict[int, dict[str, Any]] | None = None  # the facts of all questions, by their number
    for haystack, session in _read_haystacks(document):
        if session is _END:
            if not haystack.sessions:
                yield Skipped(haystack.where, "has no haystack", lost=False)
        elif haystack.facts.keys() >= _FACTS:
            yield from _parse_session(haystack, session, options, document.counter)
        else:  # they follow the sessions, or are missing
            known = _read_facts(document) if known is None else known
            if haystack.number in known:
                haystack.facts = known[haystack.number]
                yield from _parse_session(haystack, session, options, document.counter)


def _read_haystacks(document: Document) -> Iterator[tuple[_Haystack, Any]]:
    """Yield each session of each question, and _END at the end of a question.

    A haystack may be larger than what is read as one value, so that its sessions are read one by
    one. The question's id, and the ids and days of the sessions, are in lists before them.
    """
    haystack = _Haystack(1)
    for path, value in scan_json(document, _WANTED):
        name = path[1:] if path[:1] == ("[]",) else path
        if name == ("haystack_sessions", "[]"):
            yield haystack, value
        elif len(name) == 1 and name[0] in _FACTS:
            haystack.facts[name[0]] = value
        elif not name and value is not Edge.BEGIN and (path or haystack.number == 1):
            yield haystack, _END
            haystack = _Haystack(haystack.number + 1)


def _read_facts(document: Document) -> dict[int, dict[str, Any]]:
    """Return the facts of each question that is there to its end, by its number."""
    known: dict[int, dict[str, Any]] = {}
    with suppress(InputError):  # it is raised again when the sessions are read
        for haystack, session in _read_haystacks(document):
            if session is _END:
                known[haystack.number] = dict.fromkeys(_FACTS) | haystack.facts
    return known


def _parse_session(
    haystack: _Haystack, session: Any, options: ParseOptions, counter: MessageCounter
) -> Iterator[ParsedItem]:
    session_id, date = haystack.next_session()
    if isinstance(session, BrokenValue):
        yield Skipped(f"{haystack.where}, session {session_id}", session.reason)
        return
    rows = sequence(session)
    turns = _turns(rows, _parse_time(date, options))
    counter.see(len(rows))
    counter.omit(Omission.EMPTY, len(rows) - len(turns))
    if turns:
        yield Conversation("longmemeval", f"{haystack.question}/{session_id}", "", tuple(turns))
    else:
        where = f"{haystack.where}, session {session_id}"
        yield Skipped(where, "has nothing to import", lost=False)


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
