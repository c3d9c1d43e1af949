"""Snapchat's "My Data": chats in `chat_history.json`, snaps in `snap_history.json`, also as HTML.

Both hold an object with a list for each conversation. Older exports have four lists instead:
messages sent and received, saved and not saved. A message that was not saved has no text. The pages
have less than the JSON, so that those beside a `chat_history.json` are not read.

Source: exports of 2021 to 2026 as open programs read them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.account_data.snapchat_html import is_chat_page, is_other_page, read_chat_page
from memcli.formats.building.blocks import part_label
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.json_chats import read_messages
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import is_html
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string
from memcli.formats.parsing.written_times import parse_written_time

_MESSAGES = ("*", "[]")
_OLD_LISTS = {
    f"{direction} {saved} Chat History": direction
    for direction in ("Sent", "Received")
    for saved in ("Saved", "Unsaved")
} | {"Sent Snap History": "Sent", "Received Snap History": "Received"}
_FILES = frozenset({"MEDIA", "IMAGE", "VIDEO"})  # media types that say no more than the kind
_MARKS = {"Media Type", "Created"}


def _recognises(sample: Sample) -> bool:
    if sample.text.lstrip().startswith("<"):
        return is_chat_page(sample) and not is_other_page(sample)
    lists = map(sequence, mapping(sample.json).values())
    return any(mapping(message).keys() >= _MARKS for found in lists for message in found[:3])


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    read = _page_messages if is_html(document) else _messages
    return split_chats("snapchat", chat_turns(read(document), document, options))


def _page_messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    for item in read_chat_page(document):
        yield item if isinstance(item, Skipped) else _message(*item)


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    for path, _, value in read_messages(document, [_MESSAGES], []):
        message, chat = mapping(value), path[0]
        if isinstance(value, BrokenValue):
            yield Skipped(f"a message of {chat}", value.reason)
        elif message.keys() >= _MARKS:
            yield _message(chat, message)
        else:
            yield Skipped(f"an entry of {chat}", "is no message", lost=False)


def _message(chat: str, message: Mapping[str, Any]) -> ChatMessage:
    """Return a message; `chat` is the key of its list."""
    sender, receiver = string(message.get("From")), string(message.get("To"))
    is_owner = message.get("IsSender") is True
    if direction := _OLD_LISTS.get(chat):
        is_owner = direction == "Sent"
        chat = (receiver if is_owner and receiver else sender) or "Snapchat"
        sender = "" if is_owner else sender
    media = string(message.get("Media Type")).upper()
    text = string(message.get("Content")) or string(message.get("Text"))
    kind = _kind(media)
    if media == "NOTE" and not text:  # a voice message
        kind = Kind.MEDIA
    if not text and kind is Kind.MEDIA and media not in _FILES:
        text = part_label("voice message" if media == "NOTE" else media.casefold())
    text = text or (media.casefold() if kind is Kind.SERVICE else "")
    micros = message.get("Created(microseconds)")
    time = parse_timestamp(micros) if micros else None
    return ChatMessage(
        chat=chat,
        title=string(message.get("Conversation Title")) or chat,
        speaker=sender,
        text=text,
        time=time or parse_written_time(string(message.get("Created"))),
        is_owner=is_owner,
        kind=kind,
    )


def _kind(media: str) -> Kind:
    """Return the kind of a message by its media type."""
    if media in ("TEXT", "NOTE", ""):
        return Kind.TEXT
    if "CALL" in media:
        return Kind.CALL
    if "ERASED" in media:
        return Kind.DELETED
    return Kind.SERVICE if media.startswith("STATUS") else Kind.MEDIA


FORMAT = Format(name="snapchat", recognises=_recognises, parse=_parse)
