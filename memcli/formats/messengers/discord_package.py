"""Discord's own data package: a folder per channel, with the person's own messages alone.

`messages.json`, in older packages `messages.csv`, lies beside a `channel.json`; the names of the
channels are in `../index.json`.

Source: packages of 2021 to 2025 as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import ChatTurn, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.csv_rows import read_csv
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import read_lines, sample_lines
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_COLUMNS = ["ID", "Timestamp", "Contents", "Attachments"]
_FIELDS = [(name, name.casefold()) for name in _COLUMNS]


def _recognises(sample: Sample) -> bool:
    if isinstance(sample.json, list):
        return any({"ID", "Timestamp", "Contents"} <= row.keys() for row in sample.elements)
    return sample_lines(sample, 1)[0].strip().split(",") == _COLUMNS


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("discord", _messages(document))


def _messages(document: Document) -> Iterator[ChatTurn | Skipped]:
    chat, title = _channel(document)
    for number, value in enumerate(_rows(document), start=1):
        row = mapping(value)
        text = string(row.get("Contents"))
        links = string(row.get("Attachments")).split()
        names = (link.partition("?")[0].rpartition("/")[2] for link in links)
        kind, text = text_with_files(text, names)
        key = string(row.get("ID"))
        document.counter.see()
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
        elif not key and text:
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", "has no id")
        elif text or kind is Kind.MEDIA:
            sent_at = parse_timestamp(row.get("Timestamp"))
            clock = Clock.EXACT if sent_at else Clock.NONE
            yield ChatTurn(chat, title, Turn(key, Role.USER, text, None, sent_at, clock, kind))
        else:
            document.counter.omit(Omission.EMPTY)


def _rows(document: Document) -> Iterator[Any]:  # Any: JSON values have all types
    """Yield the messages of a JSON or CSV file."""
    head = next(read_lines(document), None)
    if head is None or head.strip().split(",") != _COLUMNS:
        yield from read_elements(document)
        return
    for _, row in read_csv(document):
        if isinstance(row, BrokenValue):
            yield row
        else:
            yield {name: row[column] for name, column in _FIELDS}


def _channel(document: Document) -> tuple[str, str]:
    """Return the id and the title of the channel whose folder this is."""
    folder = PurePath(document.name).parent.name
    channel = _read_neighbour(document, "channel.json")
    channel_id = string(channel.get("id")) or folder.removeprefix("c") or "channel"
    name = string(_read_neighbour(document, "../index.json").get(channel_id)) or string(
        channel.get("name")
    )
    server = string(mapping(channel.get("guild")).get("name"))
    people = ", ".join(filter(None, map(string, sequence(channel.get("recipients")))))
    title = f"{name} ({server})" if name and server and server not in name else name
    return channel_id, title or people or f"Discord channel {channel_id}"


def _read_neighbour(document: Document, path: str) -> Mapping[str, Any]:
    """Return the object in another file of the package; an empty one if it cannot be read."""
    neighbour = document.find_file(path)
    try:
        values = read_elements(neighbour, "") if neighbour else iter(())
        return mapping(next(chain(values, [None])))
    except InputError:
        return {}


FORMAT = Format(
    name="discord_package",
    recognises=_recognises,
    parse=_parse,
    lookups=(
        "channel.json",
        "index.json",
        "user.json",
        "guild.json",
    ),
)
