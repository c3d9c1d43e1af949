"""Skype's export, `messages.json`; Teams for private use writes the same.

The newest messages come first. Texts are a kind of HTML, with line breaks as in plain text.

Source: exports of 2018 to 2025 as open programs read them, and the types of messages as open
clients list them.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import unescape
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_text import html_to_text
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_CONVERSATION = ("conversations", "[]")
_MESSAGE = (*_CONVERSATION, "MessageList", "[]")
_TITLES = ((*_CONVERSATION, "displayName"), (*_CONVERSATION, "threadProperties", "topic"))
_TAG = re.compile(r"<[^<>]*>")
_CALLS = frozenset({"Event/Call", "RichText/Media_CallRecording", "RichText/ScheduledCallInvite"})
_MEDIA = re.compile(r"RichText/(?:UriObject|Media_\w+|Contacts|Sms.*)")
_NOTICES = re.compile(r"ThreadActivity/.*|Notice|PopCard|Control/.*|Invite\w*|Event/(?!Call).*")
_FILE_NAME = re.compile(r'<OriginalName\b[^>]*\bv="([^"]*)"')
_CONTACT = re.compile(r'<c\b[^>]*\bf="([^"]*)"')
_LEGACY_QUOTE = re.compile(r"<legacyquote>.*?</legacyquote>", re.DOTALL)
_QUOTE = re.compile(r'<quote\b(?:[^>]*\bauthorname="([^"]*)")?[^>]*>(.*?)</quote>', re.DOTALL)
_CARD = re.compile(r'<Swift\b[^>]*\bb64="([^"]{1,200000})"', re.IGNORECASE)
_DEEPEST_CARD = 12  # levels of a card that are looked at
_EDITED = re.compile(r"^Edited previous message: |<e_m\b[^>]*>(?:</e_m>)?")
_POLL_PART = re.compile(r"</poll(?:question|option)>")
_CALL_NAME = re.compile(r"<name>(.*?)</name>", re.DOTALL)
_DURATION = re.compile(r"<duration>([\d.]+)</duration>")


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    conversations = map(mapping, sequence(top.get("conversations")))
    return "userId" in top and any("MessageList" in each for each in conversations)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return split_chats("skype", chat_turns(_messages(document), document, options))


def _messages(document: Document) -> Iterator[ChatMessage | Skipped]:
    owner, chat, title = "", "", ""
    number = 0
    for path, value in scan_json(document, [_MESSAGE]):
        if path == ("userId",):
            owner = string(value)
        elif path == _CONVERSATION and value is Edge.BEGIN:
            chat, title, number = "", "", 0
        elif path == (*_CONVERSATION, "id"):
            chat = string(value)
        elif path in _TITLES:
            title = title or string(value)
        elif path == _MESSAGE:
            number += 1
            name = title or _account_name(chat) or "Skype"
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number:,} of {name}", value.reason)
            else:
                yield _message(mapping(value), chat or "chat", name, owner)


def _account_name(account: str) -> str:
    """Return the name in an account: `bo.lind` of `8:bo.lind`, of `8:live:bo.lind` and links."""
    return account.rpartition("/")[2].rpartition(":")[2]


def _message(message: Mapping[str, Any], chat: str, title: str, owner: str) -> ChatMessage:
    sender, kind_name = string(message.get("from")), string(message.get("messagetype"))
    sender = sender.rpartition("/")[2]
    content = _EDITED.sub("", string(message.get("content")))
    kind, text, files = _content(kind_name, content)
    properties = mapping(message.get("properties"))
    if not content and (properties.get("deletetime") or properties.get("isserversideDeleted")):
        kind = Kind.DELETED
    return ChatMessage(
        chat=chat,
        title=title,
        speaker=string(message.get("displayName")) or _account_name(sender),
        text=text,
        time=parse_timestamp(message.get("originalarrivaltime")),
        key=string(message.get("id")),
        files=files,
        is_owner=bool(owner) and sender == owner,
        kind=kind,
        other_names=(_account_name(sender),),
        edited_at=parse_timestamp(properties.get("edittime")),
    )


def _content(kind_name: str, content: str) -> tuple[Kind, str, list[str]]:
    """Return the kind, the text and the files of a message."""
    if kind_name in _CALLS:
        names = ", ".join(dict.fromkeys(_CALL_NAME.findall(content)))
        seconds = max(map(float, _DURATION.findall(content)), default=0.0)
        text = f"{names} ({round(seconds):,} s)" if seconds else names
        return Kind.CALL, _plain(text), []
    if _NOTICES.fullmatch(kind_name):
        return Kind.SERVICE, " ".join(unescape(_TAG.sub(" ", content)).split()), []
    if _MEDIA.fullmatch(kind_name):
        files = [_plain(name) for name in _FILE_NAME.findall(content)]
        contacts = [_plain(name) for name in _CONTACT.findall(content)]
        words = "" if files or contacts else _message_words(kind_name, content)
        return Kind.MEDIA, words, files or contacts or [""]
    return Kind.TEXT, content if kind_name == "Text" else _plain(content), []


def _message_words(kind_name: str, content: str) -> str:
    """Return the words of a text message to a phone, and of the cards that programs send."""
    if kind_name.startswith("RichText/Sms"):
        return _plain(content)
    texts = []
    for encoded in _CARD.findall(content):
        with suppress(ValueError, RecursionError):
            texts += _card_texts(json.loads(b64decode(encoded)), _DEEPEST_CARD)
    return "\n".join(dict.fromkeys(texts))


def _card_texts(value: Any, depth: int) -> list[str]:  # Any: JSON values have all types
    """Return the texts of a card, such as the question of a poll and its answers."""
    if isinstance(value, list):
        return [text for part in value for text in _card_texts(part, depth - 1)] if depth else []
    fields = mapping(value)
    own = [string(fields.get(name)) for name in ("title", "subtitle", "text")]
    inner = [part for part in fields.values() if isinstance(part, list | dict)]
    return [*filter(None, own), *(_card_texts(inner, depth - 1) if depth else [])]


def _plain(content: str) -> str:
    """Return the text of a message; the words of others that it quotes begin with ">"."""
    if "<" not in content and "&" not in content:
        return content
    content = _POLL_PART.sub("\n", _LEGACY_QUOTE.sub("", content))
    content = _QUOTE.sub(lambda match: f"\n> {match[1] or ''}: {match[2].strip()}\n", content)
    return html_to_text(content.replace("\n", "<br>"), has_targets=True)


FORMAT = Format(name="skype", recognises=_recognises, parse=_parse)
