"""Zoom's saved chats of meetings: of its program on a computer, and of recordings in its cloud.

    2021-03-04 10:15:22 From Ann to Everyone:
        Hello
    10:15:22 From  Ann : Hello
    00:58:04 Ann: Hello         with tabs: the time since the beginning of the recording

Clock times belong to the day that the name of the folder begins with.

Source: files of 2018 to 2025 as open programs read them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath

from memcli.domain import Kind
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import MessageStart, chat_key_and_title, parse_text_chat
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.written_times import parse_written_time

_FROM = re.compile(
    r"(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d:\d\d)\s+From\s+(.{1,100}?)\s*"
    r"(?:\s[tT]o\s+(.{1,200}?)\s*)?(?:\((?:Direct Message|Privately)\)\s*)?:(?:\s+(.*)|\s*)"
)
_CLOUD = re.compile(r"(\d\d:\d\d:\d\d)\t ?([^\t]{1,100}?) ?:\t(.*)")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)[.:](\d\d)[.:](\d\d)\s*(.*?)(?: \d{9,11})?")
_FILE_DAY = re.compile(r"GMT(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)")
_REACTION = re.compile(r'(?:Reacted to|Removed a .{1,20} reaction from) ".*', re.DOTALL)
_OWNERS = ("Me",)


def _recognises(sample: Sample) -> bool:
    head = [line.rstrip() for line in sample_lines(sample, 50) if line.strip()]
    starts = [line for line in head if _FROM.fullmatch(line) or _CLOUD.fullmatch(line)]
    return bool(head) and head[0] in starts


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    folder = PurePath(document.name).parent.name
    named, filed = _DAY.fullmatch(folder), _FILE_DAY.search(PurePath(document.name).name)
    day = named[1] if named else "-".join(filed.group(1, 2, 3)) if filed else ""
    day = day or _first_day(document)
    title = (named[5] if named else "") or folder or PurePath(document.name).stem
    chat = chat_key_and_title(f"{title} {day}".strip())[0], title
    parser = _StartParser(day)
    return split_chats(
        "zoom", parse_text_chat(document, options, chat, parser.parse, _content, _OWNERS)
    )


def _first_day(document: Document) -> str:
    """Return the day of the first message, "" if the messages have none."""
    with document.open() as stream:
        head = Sample(document.name, stream.read(1 << 16))
    matches = (_FROM.fullmatch(line.rstrip()) for line in sample_lines(head, 50))
    return next((match[1] for match in matches if match and match[1]), "")


class _StartParser:
    """A parser of the lines that begin a message."""

    def __init__(self, day: str) -> None:
        self._day = day

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message; None for any other line."""
        line = line.rstrip()
        if match := _FROM.fullmatch(line):
            return MessageStart(self._time(match[1], match[2]), match[3].strip(), match[5] or "")
        if match := _CLOUD.fullmatch(line):
            return MessageStart(None, match[2].strip(), match[3])
        return None

    def _time(self, day: str | None, clock: str) -> datetime | None:
        day = day or self._day
        return parse_written_time(f"{day} {clock}") if day else None


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message, whose lines may be indented."""
    text = "\n".join(line.strip() for line in text.split("\n")).strip()
    return (Kind.SERVICE if _REACTION.fullmatch(text) else Kind.TEXT), text


FORMAT = Format(name="zoom", recognises=_recognises, parse=_parse)
