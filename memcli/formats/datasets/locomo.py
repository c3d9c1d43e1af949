"""LoCoMo: long conversations between two people, in dated sessions.

Two layouts exist: a list of samples that hold a `conversation`, and one file for each conversation
with `speaker_a` and `session_1` at the top.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Omission, Role, Skipped, Turn
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, localize, mapping, string

_SESSION = re.compile(r"session_(\d{1,9})")
_DATE = re.compile(  # 4:04 pm on 20 January, 2023
    r"\s*(\d\d?):(\d\d)\s*([ap])\.?m\.?\s+on\s+(\d\d?)\s+([a-z]+),?\s+(\d{4})", re.IGNORECASE
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def _recognises(sample: Sample) -> bool:
    return any(
        string(row.get("speaker")) and string(row.get("dia_id")) and "text" in row
        for element in sample.elements
        for session in _sessions(_conversation(element)).values()
        for row in map(mapping, session)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    for number, element in enumerate(read_elements(document, ""), start=1):
        where = f"conversation {number}"
        if isinstance(element, BrokenValue):
            yield Skipped(where, element.reason)
            continue
        sample = string(mapping(element).get("sample_id")) or PurePath(document.name).stem
        conversation = _conversation(mapping(element))
        sessions = _sessions(conversation)
        if not sessions:
            yield Skipped(where, "has no sessions", lost=False)
        for name, rows in sessions.items():
            sent_at = _parse_time(string(conversation.get(f"{name}_date_time")), options)
            turns = _turns(rows, sent_at)
            document.counter.see(len(rows))
            document.counter.omit(Omission.EMPTY, len(rows) - len(turns))
            if turns:
                yield Conversation("locomo", f"{sample}/{name}", "", tuple(turns))
            else:
                yield Skipped(f"{where}, {name}", "has nothing to import", lost=False)


def _conversation(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(sample.get("conversation")) or sample


def _sessions(conversation: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the rows of each session by its name, in the order of the sessions."""
    numbers = {
        name: int(match[1])
        for name, rows in conversation.items()
        if isinstance(rows, list) and (match := _SESSION.fullmatch(name))
    }
    names = sorted(numbers, key=lambda name: (numbers[name], name))
    return {name: conversation[name] for name in names}


def _turns(rows: list[Any], sent_at: datetime | None) -> list[Turn]:
    clock = Clock.LOCAL if sent_at else Clock.NONE
    turns: dict[str, Turn] = {}
    keys = MessageKeys()
    for row in map(mapping, rows):
        speaker, text = string(row.get("speaker")), _text(row)
        if text:
            dia_id = string(row.get("dia_id"))
            is_unique = dia_id and dia_id not in turns
            key = dia_id if is_unique else keys.next_key(dia_id, speaker, text)
            turns[key] = Turn(key, Role.PERSON, text, speaker or None, sent_at, clock)
    return list(turns.values())


def _text(row: Mapping[str, Any]) -> str:
    text, caption = string(row.get("text")), string(row.get("blip_caption"))
    parts = (text, f"[image: {caption}]" if caption.strip() else "")
    return "\n".join(part for part in parts if part.strip())


def _parse_time(text: str, options: ParseOptions) -> datetime | None:
    if not (match := _DATE.match(text)):
        return None
    hour, minute, half, day, month, year = match.groups()
    hour_of_day = int(hour) % 12 + (12 if half.lower() == "p" else 0)
    try:
        number = _MONTHS.index(month[:3].lower()) + 1
        naive = datetime(int(year), number, int(day), hour_of_day, int(minute))
        return localize(naive, options.timezone)
    except (ValueError, OverflowError):
        return None


FORMAT = Format(name="locomo", recognises=_recognises, parse=_parse)
