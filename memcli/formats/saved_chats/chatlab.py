"""ChatLab's own format, which exporters of WeChat, QQ, LINE and other messengers write.

It is a JSON object, or JSON lines of which the first is the header.

Source: ChatLab's standard format and the parsers of both its forms.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import chat_key_and_title, chat_name
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, string

_MESSAGES, _META = ("messages", "[]"), ("meta",)
_MEDIA_TYPES = frozenset({1, 2, 3, 4, 5})  # picture, voice, film, file, sticker
_TEXT_TYPE = 0
_TYPE_NAMES = {
    7: "link",
    8: "location",
    20: "red packet",
    21: "transfer",
    22: "poke",
    24: "share",
    25: "reply",
    26: "forwarded messages",
    27: "contact",
}
_CALL_TYPE, _NOTICE_TYPE, _RECALLED_TYPE = 23, 80, 81


def _recognises(sample: Sample) -> bool:
    if b'"chatlab"' not in sample.head:
        return False
    top = mapping(sample.json)
    is_object = "chatlab" in top and "meta" in top and "messages" in top
    return is_object or any(map(_is_header, sample_objects(sample, 1)))


def _is_header(row: Mapping[str, Any]) -> bool:
    return row.get("_type") == "header" and "chatlab" in row


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        has_lines = any(map(_is_header, sample_objects(Sample("", stream.read(1 << 16)), 1)))
    messages = _line_messages(document) if has_lines else _object_messages(document)
    return split_chats("chatlab", chat_turns(messages, document, options))


def _object_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    messages = read_messages(document, [_MESSAGES], [_META])
    for number, (_, details, value) in enumerate(messages, start=1):
        if isinstance(value, BrokenValue):
            yield Skipped(f"message {number:,}", value.reason)
        else:
            yield _message(mapping(value), mapping(details.get(_META)), document)


def _line_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    meta: Mapping[str, Any] = {}
    for number, value in read_json_lines(document):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number:,}", value.reason)
        elif _is_header(row):
            meta = mapping(row.get("meta"))
        elif row.get("_type") != "member":
            yield _message(row, meta, document)


def _message(
    message: Mapping[str, Any], meta: Mapping[str, Any], document: Document
) -> ChatMessage:
    title = string(meta.get("name")) or PurePath(chat_name(document)).name
    sender, owner = string(message.get("sender")), string(meta.get("ownerId"))
    name = string(message.get("groupNickname")) or string(message.get("accountName"))
    kind = _kind(message.get("type"))
    return ChatMessage(
        chat=string(meta.get("groupId")) or chat_key_and_title(title)[0],
        title=title,
        speaker="" if kind is Kind.SERVICE else name or sender,
        text=string(message.get("content")) or _label(message, kind),
        time=parse_timestamp(message.get("timestamp")),
        key=string(message.get("platformMessageId")),
        is_owner=bool(owner) and sender == owner,
        kind=kind,
        other_names=(sender, string(message.get("accountName"))),
        parent=string(message.get("replyToMessageId")) or None,
    )


def _kind(type_number: object) -> Kind:
    """Return the kind of a message by its type; types that are not listed are texts."""
    if type_number in _MEDIA_TYPES:
        return Kind.MEDIA
    kinds = {
        _CALL_TYPE: Kind.CALL,
        _NOTICE_TYPE: Kind.SERVICE,
        _RECALLED_TYPE: Kind.DELETED,
    }
    return kinds.get(type_number, Kind.TEXT) if isinstance(type_number, int) else Kind.TEXT


def _label(message: Mapping[str, Any], kind: Kind) -> str:
    """Return a label in place of content that the exporter did not put into words."""
    number = message.get("type")
    if kind is not Kind.TEXT or not isinstance(number, int) or number == _TEXT_TYPE:
        return ""
    return f"[{_TYPE_NAMES.get(number, number)}]"


FORMAT = Format(name="chatlab", recognises=_recognises, parse=_parse)
