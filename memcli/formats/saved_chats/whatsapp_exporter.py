"""WhatsApp-Chat-Exporter's JSON: the chats of a phone's database, by their WhatsApp ids.

Source: data_model.py of WhatsApp-Chat-Exporter.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import PurePath
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, string

_MESSAGE, _NAME = ("*", "messages", "*"), 2  # length of the path of a chat's name
_MARKS = {"from_me", "timestamp", "key_id"}
_BREAK = re.compile(r"<br\s*/?>")
_MISSING_MEDIA = "The media is missing"


def _recognises(sample: Sample) -> bool:
    chats = map(mapping, mapping(sample.json).values())
    messages = (message for chat in chats for message in mapping(chat.get("messages")).values())
    return any(mapping(message).keys() >= _MARKS for message in messages)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("whatsapp_exporter", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    names: dict[str, str] = {}
    for path, value in scan_json(document, [_MESSAGE]):
        if len(path) == _NAME and path[1] == "name":
            names[path[0]] = string(value)
        elif len(path) == len(_MESSAGE) and path[1] == "messages":
            chat = path[0]
            title = names.get(chat) or chat.partition("@")[0]
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {path[2]} of {title}", value.reason)
            elif isinstance(value, dict):
                yield _message(value, chat, title, path[2])


def _message(message: Mapping[str, Any], chat: str, title: str, number: str) -> ChatMessage:
    is_own = message.get("from_me") is True
    data, caption = string(message.get("data")), _plain(string(message.get("caption")))
    has_file = message.get("media") is True
    is_notice = message.get("meta") is True and not has_file
    file = PurePath(data.replace("\\", "/")).name if has_file else ""
    file = "" if data.startswith(_MISSING_MEDIA) else file
    is_group = chat.endswith("@g.us")
    sender = string(message.get("sender")) or ("" if is_group else title)
    return ChatMessage(
        chat=chat,
        title=title,
        speaker="" if is_notice or is_own else sender,
        text=caption if has_file else _plain(data),
        time=parse_timestamp(message.get("timestamp")),
        key=string(message.get("key_id")) or number,
        files=[file] if has_file else [],
        is_owner=is_own,
        kind=Kind.SERVICE if is_notice else Kind.TEXT,
        parent=string(message.get("reply")) or None,
    )


def _plain(text: str) -> str:
    """Return a text without the HTML that the program writes for line breaks and signs."""
    return unescape(_BREAK.sub("\n", text))


FORMAT = Format(name="whatsapp_exporter", recognises=_recognises, parse=_parse)
