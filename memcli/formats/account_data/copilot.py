"""Microsoft Copilot's activity history: a table with the newest messages first.

A conversation has no id, so its title identifies it.

Source: the columns as Microsoft's privacy dashboard documents them, and open importers.
"""

from collections.abc import Iterator

from memcli.domain import Role, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.collected_chats import collect_conversations
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import parse_written_time

_COLUMNS = ["conversation", "time", "author", "message"]


def _recognises(sample: Sample) -> bool:
    return csv_columns(sample) == _COLUMNS


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    turns = chat_turns(_messages(document), document, options)
    return collect_conversations("copilot", turns, document.name)


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        title = row["conversation"].strip() or "Copilot"
        is_person = row["author"].strip().casefold() in ("human", "user")
        role = Role.USER if is_person else Role.ASSISTANT
        time = parse_written_time(row["time"])
        yield ChatMessage(title, title, "", row["message"], time, role=role)


FORMAT = Format(name="copilot", recognises=_recognises, parse=_parse)
