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
from memcli.formats.building.blocks import part_label
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
from memcli.text.localized_dates import parse_localized_date

# The commonest form; all others are parsed with the names of all languages.
_ENGLISH = re.compile(
    r"[A-Z][a-z]+, ([A-Z][a-z]+) (\d{1,2}), (\d{4}) at (\d{1,2}):(\d\d):(\d\d) ([AP])M UTC"
)


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
    kind, text = text_with_files(_own_text(message), names)
    if kind is Kind.TEXT and not string(message.get("text")) and _is_call(message):
        kind = Kind.CALL
    if is_deleted:  # such a message may not even have its writer
        kind = Kind.DELETED if name or address else Kind.SERVICE
    if kind is Kind.TEXT and not text.strip():
        return None
    edited_at = parse_takeout_time(message.get("updated_date"))
    sent_at = parse_takeout_time(message.get("created_date")) or edited_at
    sent_at = sent_at or parse_takeout_time(message.get("deleted_date"))
    is_bot = string(creator.get("user_type")).casefold() == "bot"
    key = string(message.get("message_id"))
    role = Role.ASSISTANT if is_bot else sender_role(options, name, address)
    role = Role.SYSTEM if kind is Kind.SERVICE else role
    return Turn(
        key=key or keys.next_key(sent_at, name, text),
        role=role,
        text=text,
        speaker=name or address or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
        parent=_topic_key(key),
        edited_at=edited_at,
    )


def _own_text(message: Mapping[str, Any]) -> str:
    """Return the text of a message, and the links, files and calls that its text only names."""
    text = string(message.get("text"))
    parts = []
    for annotation in map(mapping, sequence(message.get("annotations"))):
        for name, value in annotation.items():
            fields = mapping(value)
            link = _link(fields)
            title = string(fields.get("title"))
            if name == "video_call_metadata":
                parts.append(part_label("video call", link))
            elif link and link not in text:
                parts.append(f"{title} ({link})" if title and title not in text else link)
            elif not text and title:
                parts.append(title)
    return "\n".join(filter(None, (text, *dict.fromkeys(parts))))


def _is_call(message: Mapping[str, Any]) -> bool:
    annotations = map(mapping, sequence(message.get("annotations")))
    return any("video_call_metadata" in annotation for annotation in annotations)


def _link(fields: Mapping[str, Any]) -> str:
    """Return the address of a page, a file in Drive or a meeting."""
    if file := string(fields.get("id")) if "title" in fields else "":
        return f"https://drive.google.com/open?id={file}"
    meeting = mapping(fields.get("meeting_space"))
    wrapped = mapping(fields.get("url"))
    links = (fields.get("url"), *wrapped.values(), meeting.get("meeting_url"))
    return next((text for text in map(string, links) if text.startswith("http")), "")


def _topic_key(key: str) -> str | None:
    """Return the id of the message that opened the topic; None for that message itself."""
    parts = key.split("/")
    opening = "/".join((*parts[:-1], parts[-2])) if len(parts) == 3 else key
    return opening if opening != key else None


def parse_takeout_time(value: object) -> datetime | None:
    """Parse a time as Takeout writes it: "Friday, May 29, 2026 at 3:00:29 AM UTC".

    It is written in the language of the account.
    """
    text = re.sub(r"[\u00a0\u202f]", " ", string(value))[:120]
    moment: datetime | None = None
    if match := _ENGLISH.fullmatch(text):
        hour = int(match[4]) % 12 + (12 if match[7] == "P" else 0)
        with suppress(ValueError):
            moment = datetime(
                int(match[3]),
                parse_month(match[1]) or 0,
                int(match[2]),
                hour,
                int(match[5]),
                int(match[6]),
            )
    else:
        moment = parse_localized_date(text) if text else None
    if moment is None:
        return parse_timestamp(text)
    return moment.replace(tzinfo=UTC) if is_plausible_time(moment) else None


FORMAT = Format(
    name="google_chat",
    recognises=_recognises,
    parse=_parse,
    lookups=(
        "group_info.json",
        "user_info.json",
    ),
)
