"""Google Chat in a Takeout: a folder per direct message or space, with `messages.json`.

Times are written out in the language of the account, in UTC. An id consists of the group, the topic
and the message; the message that opens a topic has the id of the topic.

Source: Takeouts as open programs read them; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    is_plausible_time,
    mapping,
    parse_timestamp,
    sequence,
    string,
)
from memcli.text.date_words import parse_month

_YEAR_MONTH_DAY = re.compile(r"\b(\d{4})\s?[年년./-]\s?(\d{1,2})\s?[月월./-]\s?(\d{1,2})")
_DAY_YEAR = re.compile(r"\b(\d{1,2})(?!\d|:)[^\d:]*?(\d{4})\b")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)[:.](\d\d)(?:\s*([AaPp])\.?\s?[Mm])?")
_WORD = re.compile(r"[^\W\d_]+")
_AFTERNOON = re.compile(r"下午|午後|오후")


def _recognises(sample: Sample) -> bool:
    return any(
        "message_id" in message
        and "creator" in message
        and not message.keys().isdisjoint({"created_date", "updated_date", "text"})
        for message in map(mapping, sequence(mapping(sample.json).get("messages")))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("google_chat", _messages(document, options))


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    chat, title = _group_info(document, options)
    keys = MessageKeys()
    for number, value in enumerate(read_elements(document, "messages"), start=1):
        document.counter.see()
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
        elif turn := _turn(mapping(value), keys, options):
            yield ChatTurn(chat, title, turn)
        else:
            document.counter.omit(Omission.EMPTY)


def _group_info(document: Document, options: ParseOptions) -> tuple[str, str]:
    """Return the name of the folder, which is the key, and the title of the group."""
    folder = PurePath(document.name).parent.name
    info: Mapping[str, Any] = {}
    file = document.find_file("group_info.json")
    with suppress(InputError):
        info = mapping(next(read_elements(file, ""), None)) if file else {}
    people = [
        name
        for member in map(mapping, sequence(info.get("members")))
        if (name := string(member.get("name")))
        and sender_role(options, name, string(member.get("email"))) is Role.PERSON
    ]
    title = string(info.get("name")) or ", ".join(people) or folder or "Google Chat"
    return folder or "chat", title


def _turn(message: Mapping[str, Any], keys: MessageKeys, options: ParseOptions) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    creator = mapping(message.get("creator"))
    name, address = string(creator.get("name")), string(creator.get("email"))
    is_deleted = message.get("message_state") == "DELETED" or "deletion_metadata" in message
    files = map(mapping, sequence(message.get("attached_files")))
    names = [string(file.get("original_name")) or string(file.get("export_name")) for file in files]
    kind, text = text_with_files(string(message.get("text")), names)
    kind = Kind.DELETED if is_deleted else kind
    if kind is Kind.TEXT and not text.strip():
        return None
    edited_at = parse_takeout_time(message.get("updated_date"))
    sent_at = parse_takeout_time(message.get("created_date")) or edited_at
    is_bot = string(creator.get("user_type")).casefold() == "bot"
    key = string(message.get("message_id"))
    return Turn(
        key=key or keys.next_key(sent_at, name, text),
        role=Role.ASSISTANT if is_bot else sender_role(options, name, address),
        text=text,
        speaker=name or address or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=_topic_key(key),
        edited_at=edited_at,
    )


def _topic_key(key: str) -> str | None:
    """Return the id of the message that opened the topic; None for that message itself."""
    parts = key.split("/")
    opening = "/".join((*parts[:-1], parts[-2])) if len(parts) == 3 else key
    return opening if opening != key else None


def parse_takeout_time(value: object) -> datetime | None:
    """Parse a time as Takeout writes it: "Friday, May 29, 2026 at 3:00:29 AM UTC"."""
    text = re.sub(r"[\u00a0\u202f]", " ", string(value))[:100]
    clock = _CLOCK.search(text)
    if clock is None:
        return parse_timestamp(text)
    hour, minute, second = map(int, clock.group(1, 2, 3))
    if (clock[4] or "").casefold() == "p" or _AFTERNOON.search(text):
        hour = hour % 12 + 12
    elif clock[4]:
        hour %= 12
    date = _parse_date(text.replace(clock[0], " "))
    if date is None:
        return None
    try:
        moment = datetime(*date, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment if is_plausible_time(moment) else None


def _parse_date(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day; the month may be a number, or a name in any known language."""
    if numbers := _YEAR_MONTH_DAY.search(text):
        return int(numbers[1]), int(numbers[2]), int(numbers[3])
    match = _DAY_YEAR.search(text)
    if match is None:
        return None
    before = re.findall(_WORD, text[: match.start()])[-1:]  # not the day of the week
    for word in (*re.findall(_WORD, match[0]), *before):
        if month := parse_month(word):
            return int(match[2]), month, int(match[1])
    return None


FORMAT = Format(name="google_chat", recognises=_recognises, parse=_parse)
