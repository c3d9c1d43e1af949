"""TikTok's "Download your data" as JSON: the direct messages in `user_data_tiktok.json`.

The names of the groups around the messages have changed over the years, the innermost two have
not. Times are in UTC. The owner's name is in another part of the file, which is read first.

Source: exports of 2021 to 2026 as RLEAPP and other open programs read them.
"""

import re
from collections.abc import Iterator
from typing import Any

from memcli.domain import Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, string

_CHATS = ("ChatHistory", "*", "[]")
_PATHS = [("*",) * depth + _CHATS for depth in (0, 1, 2, 3)]
_PROFILES = [("*",) * depth + ("ProfileMap",) for depth in (1, 2)]
_TITLE = re.compile(r"(?:Chat History with )?(.+?):*")


def _recognises(sample: Sample) -> bool:
    return any(map(_has_chats, _groups(sample.json, 4)))


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
    return split_chats("tiktok", chat_turns(_messages(document), document, options))


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
