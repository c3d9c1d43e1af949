"""iMazing's CSV of Messages and of WhatsApp, read from an iPhone or its backup.

Source: the columns of versions 2 and 3 as open programs read them.
"""

from collections.abc import Iterator, Mapping

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import parse_written_time

_NEEDED = {"chat session", "message date", "type", "sender name", "text"}


def _recognises(sample: Sample) -> bool:
    return set(csv_columns(sample)) >= _NEEDED


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("imazing", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
        else:
            yield _message(row)


def _message(row: Mapping[str, str]) -> ChatMessage:
    title = row["chat session"].strip() or "chat"
    direction = row["type"].strip().casefold()
    sender, number = row["sender name"].strip(), row.get("sender id", "").strip()
    text, subject = row["text"], row.get("subject", "").strip()
    attachment = row.get("attachment", "").strip()
    has_file = bool(attachment or row.get("attachment type", "").strip())
    is_notice = direction == "notification"
    kind = Kind.SERVICE if is_notice else Kind.TEXT
    if row.get("deleted date", "").strip() and not text.strip():
        kind = Kind.DELETED
    return ChatMessage(
        chat=title.casefold(),
        title=title,
        speaker="" if is_notice else sender or number,
        text=f"{subject}\n{text}" if subject else text,
        time=parse_written_time(row["message date"]),
        key=row.get("message id", "").strip(),
        files=[attachment.replace("\\", "/").rpartition("/")[2]] if has_file else [],
        is_owner=direction == "outgoing",
        kind=kind,
        other_names=(number,),
    )


FORMAT = Format(name="imazing", recognises=_recognises, parse=_parse)
