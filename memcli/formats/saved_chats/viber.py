"""Viber: the database of its program for computers, the tables its app sends, and copied text.

    16/09/2014,09:58:05,Ann,+385911111111,Hello             a table per chat, without a header
    [ 14 March 2022 10:14 ] Ann: Hello                      messages copied from a chat

Source: `viber.db` and the two forms of text as open programs read them; none is documented.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePath
from typing import Any

from memcli.domain import Doubt, Kind, Role, Skipped
from memcli.errors import InputError
from memcli.formats.building.blocks import call_text
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import read_records
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import MAGIC, open_database
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import parse_timestamp, string
from memcli.formats.parsing.written_times import DateReader

_ROW = re.compile(
    r'\ufeff?"?\d{1,2}[./-]\d{1,2}[./-]\d{4}"?,"?\d{1,2}:\d\d:\d\d(?: [AP]M)?"?,[^,]{1,100},'
    r'"?\+?\d{6,16}"?,.*'
)
_WIDTH = 5  # date, time, name, number, text
_START = re.compile(
    r"\[ ([^\[\]]{4,40}\d{1,2}[:.]\d\d[^\[\]]{0,12}) \]"
    r" (?:\u2068)?([^:\u2069]{1,100})(?:\u2069)?: ?(.*)"
)
_OWNERS = ("Me", "Я", "Ja")
_TABLES = {"Messages", "Events"}
_QUERY = """
    select Events.EventID, Events.TimeStamp, Events.Direction, Events.ChatID, Events.ContactID,
           Messages.Body, Messages.Subject, {type}, {contacts}, {chats}
    from Messages join Events on Events.EventID = Messages.EventID
    {contact_join} {chat_join}
    order by Events.ChatID, Events.TimeStamp, Events.EventID
"""
_CALL_QUERY = """
    select Events.EventID, Events.TimeStamp, Events.Direction, Events.ChatID, Events.ContactID,
           {contacts}, {chats}, {duration}
    from Calls join Events on Events.EventID = Calls.EventID
    {contact_join} {chat_join}
    where Events.EventID not in (select EventID from Messages where EventID is not null)
    order by Events.ChatID, Events.TimeStamp, Events.EventID
"""
_TEXT_TYPES = frozenset({None, 0, 1, 9})  # of messages; others are pictures, films, stickers
_SAMPLE_ROWS = 1_000


def _recognises(sample: Sample) -> bool:
    if sample.head.startswith(MAGIC):
        columns = sample.tables
        return columns.keys() >= _TABLES and {"EventID", "Body"} <= columns["Messages"]
    head = [line.rstrip() for line in sample_lines(sample, 20) if line.strip()]
    if not head:
        return False
    return _ROW.fullmatch(head[0]) is not None or _START.fullmatch(head[0]) is not None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        sample = Sample(document.name, stream.read(1 << 16), document)
    if sample.head.startswith(MAGIC):
        yield from split_chats("viber", chat_turns(_database_messages(sample), document, options))
        return
    if _START.fullmatch(next(filter(str.strip, sample_lines(sample, 20)), "").rstrip()):
        chat = chat_key_and_title(PurePath(chat_name(document, "messages", "chat", "viber")).name)
        parser = _StartParser()
        turns = parse_text_chat(document, options, chat, parser.parse, _content, _OWNERS)
        yield from split_chats("viber", turns)
        return
    dates = DateReader(_read_dates(document))
    if dates.is_ambiguous:
        yield Doubt("dates", f"day and month cannot be told apart, read as {dates.order}")
    yield from split_chats("viber", chat_turns(_table_messages(document, dates), document, options))


def _read_dates(document: Document) -> Iterator[str]:
    """Yield the dates of the first rows; damage is reported where it is read again."""
    try:
        for _, record in islice(read_records(document), _SAMPLE_ROWS):
            if not isinstance(record, BrokenValue) and len(record) >= _WIDTH:
                yield record[0]
    except InputError:
        return


def _table_messages(document: Document, dates: DateReader) -> Iterator[ChatMessage | Skipped]:
    chat, title = chat_key_and_title(
        PurePath(chat_name(document, "messages", "chat", "viber")).name
    )
    for number, record in read_records(document):
        if isinstance(record, BrokenValue):
            yield Skipped(f"line {number:,}", record.reason)
        elif len(record) < _WIDTH:
            yield Skipped(f"line {number:,}", "has less than five fields")
        else:
            day, clock, name, phone, *rest = record
            yield ChatMessage(
                chat=chat,
                title=title,
                speaker=name.strip() or phone.strip(),
                text=",".join(rest),
                time=dates.parse(f"{day} {clock}"),
                is_owner=name.strip() in _OWNERS,
                other_names=(phone.strip(),),
            )


class _StartParser:
    """A parser of the lines that begin a copied message; their dates are in any language."""

    def __init__(self) -> None:
        self._dates = DateReader(())

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message; None for any other line."""
        match = _START.fullmatch(line.rstrip())
        if match is None:
            return None
        time = self._dates.parse(match[1])
        return MessageStart(time, match[2].strip(), match[3].strip("\u2068\u2069"))


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    return Kind.TEXT, text.strip("\u2068\u2069")


def _database_messages(sample: Sample) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of a database, by chat."""
    assert sample.document is not None, "the parser gives it"
    if not sample.tables.keys() >= _TABLES:
        raise InputError(f"{sample.name} has no messages that can be read")
    with open_database(sample.document) as rows:
        parts = _query_parts(sample.tables)
        for row in rows(_QUERY.format(**parts)):
            yield _database_message(row)
        if "EventID" in sample.tables.get("Calls", ()):
            for row in rows(_CALL_QUERY.format(**parts)):
                yield _call(row)


def _query_parts(tables: dict[str, set[str]]) -> dict[str, str]:
    """Return the parts of the queries; older databases lack some tables and columns."""
    has_contacts = {"ContactID", "Name"} <= tables.get("Contact", set())
    has_chats = {"ChatID", "Name"} <= tables.get("ChatInfo", set())
    has_number = has_contacts and "Number" in tables["Contact"]
    names = "Contact.Name, " + ("Contact.Number" if has_number else "null")
    return {
        "type": "Messages.Type" if "Type" in tables["Messages"] else "null",
        "duration": "Calls.Duration" if "Duration" in tables.get("Calls", ()) else "null",
        "contacts": names if has_contacts else "null, null",
        "chats": "ChatInfo.Name" if has_chats else "null",
        "contact_join": (
            "left join Contact on Contact.ContactID = Events.ContactID" if has_contacts else ""
        ),
        "chat_join": "left join ChatInfo on ChatInfo.ChatID = Events.ChatID" if has_chats else "",
    }


def _call(row: tuple[Any, ...]) -> ChatMessage:  # Any: SQLite has all types
    """Return the notice of a call."""
    event, time, direction, chat, contact, name, phone, room, seconds = row
    speaker = string(name) or string(phone)
    title = string(room) or speaker or f"Viber {string(chat)}"
    return ChatMessage(
        chat=string(chat) or string(contact) or title,
        title=title,
        speaker="" if direction == 1 else speaker,
        text=call_text("outgoing call" if direction == 1 else "incoming call", seconds),
        time=parse_timestamp(time),
        key=string(event),
        kind=Kind.CALL,
        role=Role.SYSTEM,
    )


def _database_message(row: tuple[Any, ...]) -> ChatMessage:  # Any: SQLite has all types
    event, time, direction, chat, contact, body, subject, type_number, name, phone, room = row
    speaker = string(name) or string(phone)
    title = string(room) or speaker or f"Viber {string(chat)}"
    text = string(body)
    is_media = type_number not in _TEXT_TYPES
    return ChatMessage(
        chat=string(chat) or string(contact) or title,
        title=title,
        speaker="" if direction == 1 else speaker,
        text=string(subject) if is_media and not text else text,
        time=parse_timestamp(time),
        key=string(event),
        is_owner=direction == 1,
        kind=Kind.MEDIA if is_media else Kind.TEXT,
        other_names=(string(phone),),
    )


FORMAT = Format(name="viber", recognises=_recognises, parse=_parse)
