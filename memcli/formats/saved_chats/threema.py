"""Threema: a chat that was exported as text, and the tables of a data backup.

    [20.04.2019, 10:24] Ann: Hello          messages-Ann.txt

A backup has a table per contact and per group, and `contacts.csv` with the names.

Source: the tables as Threema for Android writes them (BackupService, Tags), and the text as open
programs read it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePath

from memcli.domain import Kind, Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import parse_timestamp, sequence, string
from memcli.formats.parsing.written_times import parse_written_time

_COLUMNS = {"apiid", "uid", "isoutbox", "posted_at", "type", "body"}
_START = re.compile(
    r"\[(\d{1,2}[./]\d{1,2}[./]\d{2,4},? \d{1,2}:\d\d(?: [AaPp][Mm])?)\] (?:([^:]{1,100}): )?(.*)"
)
_TEXT_NAME = re.compile(r"(?:.*/)?messages(?:-[^/]*)?\.txt|.*threema.*\.txt", re.IGNORECASE)
_TABLE_NAME = re.compile(r"(?:group_)?messages?_(.+)")
_OWNERS = ("Me", "Ich", "Moi", "Yo", "Io", "Eu", "Я")
_FILE = re.compile(r"<?([\w.-]+\.\w{2,5})>?")
_NOTICES = frozenset({"GROUP_STATUS", "STATUS", "DATE_SEPARATOR", "GROUP_CALL_STATUS"})
_MOST_CONTACTS = 20_000


def _recognises(sample: Sample) -> bool:
    if set(csv_columns(sample)) >= _COLUMNS:
        return True
    is_named = _TEXT_NAME.fullmatch("/".join(PurePath(sample.name).parts[-2:])) is not None
    head = [line.rstrip() for line in sample_lines(sample, 50) if line.strip()]
    return is_named and any(map(_START.fullmatch, head))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        columns = csv_columns(Sample(document.name, stream.read(1 << 12)))
    if set(columns) >= _COLUMNS:
        return split_chats("threema", chat_turns(_messages(document), document, options))
    name = PurePath(chat_name(document, "messages")).name.removeprefix("messages-")
    turns = parse_text_chat(
        document, options, chat_key_and_title(name), _parse_start, _text_content, _OWNERS
    )
    return split_chats("threema", turns)


def _parse_start(line: str) -> MessageStart | None:
    match = _START.fullmatch(line.rstrip())
    time = parse_written_time(match[1]) if match else None
    return MessageStart(time, (match[2] or "").strip(), match[3]) if match and time else None


def _text_content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message of the text form."""
    file = _FILE.fullmatch(text.strip())
    return (Kind.MEDIA, file[1]) if file and text.strip().startswith("<") else (Kind.TEXT, text)


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of a table."""
    names = _read_names(document)
    file_name = PurePath(chat_name(document)).name
    match = _TABLE_NAME.fullmatch(file_name)
    chat = match[1] if match else file_name
    title = names.get(chat.casefold()) or chat
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
        else:
            yield _message(row, chat, title, names)


def _message(
    row: Mapping[str, str], chat: str, title: str, names: Mapping[str, str]
) -> ChatMessage:
    is_own = row["isoutbox"].strip() in ("1", "true")
    identity = row.get("identity", "").strip()
    kind, text, files = _content(row)
    speaker = (names.get(identity.casefold()) or identity) if identity else title
    return ChatMessage(
        chat=chat,
        title=title,
        speaker="" if is_own or kind is Kind.SERVICE else speaker,
        text=text,
        time=parse_timestamp(row["posted_at"]) or parse_timestamp(row.get("created_at")),
        key=row["uid"].strip() or row["apiid"].strip(),
        files=files,
        is_owner=is_own,
        kind=kind,
        other_names=(identity,),
    )


def _content(row: Mapping[str, str]) -> tuple[Kind, str, list[str]]:
    """Return the kind, the text and the files of a row."""
    type_name, body = row["type"].strip().upper(), row["body"]
    caption = row.get("caption", "")
    if row.get("isstatusmessage", "").strip() in ("1", "true") or type_name in _NOTICES:
        return Kind.SERVICE, body, []
    if type_name == "VOIP_STATUS":
        return Kind.CALL, "", []
    if type_name in ("TEXT", ""):
        return Kind.TEXT, body, []
    if type_name in ("LOCATION", "BALLOT"):
        place = "" if body.strip().startswith(("[", "{")) else body.strip()
        return Kind.TEXT, caption or place or f"[{type_name.lower()}]", []
    return Kind.MEDIA, caption, [_file_name(body)]


def _file_name(body: str) -> str:
    """Return the name of a file, which is one of the values of a list in JSON."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    texts = map(string, sequence(values))
    return next((text for text in texts if re.fullmatch(r"[^/]+\.\w{2,5}", text)), "")


def _read_names(document: Document) -> dict[str, str]:
    """Return the names of contacts by their ids in the backup, in lower case."""
    contacts = document.find_file("contacts.csv")
    names: dict[str, str] = {}
    try:
        for _, row in islice(read_csv(contacts) if contacts else (), _MOST_CONTACTS):
            if isinstance(row, BrokenValue):
                continue
            full = f"{row.get('firstname', '')} {row.get('lastname', '')}".strip()
            name = full or row.get("nick_name", "").strip() or row.get("identity", "").strip()
            for column in ("identity", "identity_id"):
                if key := row.get(column, "").strip().casefold():
                    names[key] = name
    except InputError:
        pass  # it is reported where it is imported
    return names


FORMAT = Format(name="threema", recognises=_recognises, parse=_parse)
