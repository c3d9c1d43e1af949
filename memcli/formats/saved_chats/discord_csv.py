"""DiscordChatExporter's CSV: a table per channel, thread or direct message.

Messages have no ids here. The channel's id is in the name of the file.

Source: CsvMessageWriter.cs of DiscordChatExporter.
"""

from collections.abc import Iterator
from itertools import islice

from memcli.domain import Doubt, Skipped
from memcli.errors import InputError
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import csv_columns, read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.written_times import DateReader
from memcli.formats.saved_chats.discord_text import (
    channel_in_file_name,
    notice_kind,
    plain_author,
)

_COLUMNS = ["authorid", "author", "date", "content", "attachments", "reactions"]
_SAMPLE_ROWS = 1_000


def _recognises(sample: Sample) -> bool:
    columns = csv_columns(sample)
    return columns == _COLUMNS or columns == _COLUMNS[1:]  # before 2019 without the id


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    dates = DateReader(_read_dates(document))
    if dates.is_ambiguous:
        yield Doubt("dates", f"day and month cannot be told apart, read as {dates.order}")
    yield from split_chats("discord_csv", chat_turns(_messages(document, dates), document, options))


def _read_dates(document: Document) -> Iterator[str]:
    """Yield the dates of the first rows; damage is reported where it is read again."""
    try:
        for _, row in islice(read_csv(document), _SAMPLE_ROWS):
            if not isinstance(row, BrokenValue):
                yield row["date"]
    except InputError:
        return


def _messages(document: Document, dates: DateReader) -> Iterator[ChatMessage | Skipped]:
    chat, title = channel_in_file_name(document)
    for number, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield Skipped(f"line {number:,}", row.reason)
            continue
        links = filter(None, row["attachments"].split(","))
        author_id = row.get("authorid", "").strip()
        yield ChatMessage(
            chat=chat,
            title=title,
            speaker=plain_author(row["author"]),
            text=row["content"],
            time=dates.parse(row["date"]),
            files=[link.partition("?")[0].rpartition("/")[2] for link in links],
            kind=notice_kind(row["content"]),
            other_names=(author_id,),
        )


FORMAT = Format(name="discord_csv", recognises=_recognises, parse=_parse)
