"""Discord's own data package: a folder a channel, with the person's own messages and no others'.

`messages.json`, in older packages `messages.csv`, lies beside a `channel.json`; what channels are
called is in `../index.json`.

Source: packages of 2021 to 2025 as open programs read them; there is no published schema.
"""

import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, in_pieces, with_files
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import first_lines, lines
from memcli.formats.parsing.values import instant, mapping, sequence, string

_COLUMNS = ["ID", "Timestamp", "Contents", "Attachments"]


def _recognises(sample: Sample) -> bool:
    if isinstance(sample.json, list):
        return any({"ID", "Timestamp", "Contents"} <= row.keys() for row in sample.elements)
    return first_lines(sample, 1)[0].strip().split(",") == _COLUMNS


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("discord", _messages(document))


def _messages(document: Document) -> Iterator[Said | Skipped]:
    chat, title = _channel(document)
    for number, value in enumerate(_rows(document), start=1):
        row = mapping(value)
        text = string(row.get("Contents"))
        links = string(row.get("Attachments")).split()
        names = (link.partition("?")[0].rpartition("/")[2] for link in links)
        kind, text = with_files(text, names)
        key = string(row.get("ID"))
        if isinstance(value, Broken):
            yield Skipped(f"message {number} of {title}", value.why)
        elif not key and text:
            yield Skipped(f"message {number} of {title}", "has no id")
        elif text or kind is Kind.MEDIA:
            sent_at = instant(row.get("Timestamp"))
            clock = Clock.EXACT if sent_at else Clock.NONE
            yield Said(chat, title, Turn(key, Role.USER, text, None, sent_at, clock, kind))


def _rows(document: Document) -> Iterator[Any]:  # whatever JSON holds
    """Yield the messages of either kind of file."""
    head = next(lines(document), None)
    if head is None or head.strip().split(",") != _COLUMNS:
        yield from elements(document)
        return
    whole = (f"{line}\n" for line in lines(document) if line is not None)
    table = csv.reader(whole)
    while True:
        try:
            row = next(table, None)
        except csv.Error as error:
            yield Broken(str(error))
            continue
        if row is None:
            return
        if row != _COLUMNS:
            yield dict(zip(_COLUMNS, row, strict=False))


def _channel(document: Document) -> tuple[str, str]:
    """Return the id and the title of the channel whose folder this is."""
    folder = PurePath(document.name).parent.name
    channel = _beside(document, "channel.json")
    number = string(channel.get("id")) or folder.removeprefix("c") or "channel"
    named = string(_beside(document, "../index.json").get(number)) or string(channel.get("name"))
    server = string(mapping(channel.get("guild")).get("name"))
    people = ", ".join(filter(None, map(string, sequence(channel.get("recipients")))))
    title = f"{named} ({server})" if named and server and server not in named else named
    return number, title or people or f"Discord channel {number}"


def _beside(document: Document, path: str) -> Mapping[str, Any]:
    """Return the object in another file of the package, an empty one where there is none."""
    found = document.beside(path)
    try:
        values = elements(found, "") if found else iter(())
        return mapping(next(chain(values, [None])))
    except InputError:
        return {}


FORMAT = Format(
    name="discord_package",
    title="Discord data package",
    recognises=_recognises,
    parse=_parse,
)
