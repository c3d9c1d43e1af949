"""TikTok's "Download your data": the direct messages, as JSON or as text.

The names of the groups around the messages in `user_data_tiktok.json` have changed over the years,
the innermost two have not. The owner's name is in another part of the file, which is read first.
In `Direct Messages.txt` a line begins each chat:

    >>> Chat History with bo.lind::

    2025-10-23 11:44:00 UTC odile: the gate is open

Times are in UTC.

Source: exports of 2021 to 2026 as RLEAPP and other open programs read them.
"""

import re
from collections.abc import Iterator
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    NO_MESSAGE,
    MessageStart,
    chat_key_and_title,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import mapping, parse_timestamp, string
from memcli.formats.parsing.written_times import parse_written_time

_CHATS = ("ChatHistory", "*", "[]")
_PATHS = [("*",) * depth + _CHATS for depth in (0, 1, 2, 3)]
_PROFILES = [("*",) * depth + ("ProfileMap",) for depth in (1, 2)]
_CHAT_LINE = re.compile(r">>> Chat History with (.+?):*")
_MESSAGE_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC) ([^:]{1,100}): ?(.*)")
_TITLE = re.compile(r"(?:Chat History with )?(.+?):*")


def _recognises(sample: Sample) -> bool:
    if any(map(_has_chats, _groups(sample.json, 4))):
        return True
    head = sample_lines(sample, 50)
    return any(map(_CHAT_LINE.fullmatch, head)) and any(map(_MESSAGE_LINE.fullmatch, head))


def _groups(value: Any, depth: int) -> Iterator[Any]:
    """Yield the objects inside an object, down to a depth."""
    yield value
    for child in mapping(value).values() if depth else ():
        yield from _groups(child, depth - 1)


def _has_chats(group: Any) -> bool:
    chats = mapping(mapping(group).get("ChatHistory"))
    messages = (message for chat in chats.values() if isinstance(chat, list) for message in chat)
    return any({"Date", "From"} <= mapping(message).keys() for message in messages)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        is_json = strip_byte_order_mark(stream.read(1024)).lstrip().startswith(b"{")
    if is_json:
        return split_chats("tiktok", chat_turns(_messages(document), document, options))
    chat, parser = chat_key_and_title("TikTok"), _StartParser()
    turns = parse_text_chat(document, options, chat, parser.parse, _content)
    return split_chats("tiktok", turns)


class _StartParser:
    """A parser of the lines that begin a chat or a message in the text form."""

    def __init__(self) -> None:
        self._chat: tuple[str, str] | None = None

    def parse(self, line: str) -> MessageStart | None:
        """Return the beginning of a message, or an empty one for a chat; None for other lines."""
        if match := _CHAT_LINE.fullmatch(line.rstrip()):
            self._chat = match[1], match[1]
            return MessageStart(None, NO_MESSAGE, "", self._chat)
        match = _MESSAGE_LINE.fullmatch(line.rstrip())
        if match is None:
            return None
        return MessageStart(parse_written_time(match[1]), match[2], match[3], self._chat)


def _content(_start: MessageStart, text: str) -> tuple[Kind, str]:
    return Kind.TEXT, text


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    owner = ""
    for _, value in scan_json(document, _PROFILES):
        owner = owner or string(mapping(value).get("userName"))
    for path, _, value in read_messages(document, _PATHS, []):
        match = _TITLE.fullmatch(path[-2].strip())
        title = match[1] if match else path[-2]
        if isinstance(value, BrokenValue):
            yield Skipped(f"a message of {title}", value.reason)
            continue
        message = mapping(value)
        sender = string(message.get("From"))
        yield ChatMessage(
            chat=title,
            title=title,
            speaker=sender,
            text=string(message.get("Content")),
            time=parse_timestamp(message.get("Date")),
            is_owner=bool(owner) and sender == owner,
        )


FORMAT = Format(name="tiktok", recognises=_recognises, parse=_parse)
