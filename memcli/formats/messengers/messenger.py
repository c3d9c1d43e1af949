"""Messenger and Instagram: "Download your information", as JSON or HTML.

A thread is a folder of pieces, `message_1.json` the newest; the download of encrypted chats has a
file per thread instead. The JSON has an error of its own: each byte of its UTF-8 is written as a
character ("cafÃ©"). Messages have no ids, and names change when accounts are deleted, so the key of
a message depends on neither.

Source: exports of 2020 to 2025; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import unknown_content
from memcli.formats.building.long_chats import ChatTurn, sender_role, split_chats, text_with_files
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.messengers import messenger_html
from memcli.formats.messengers.messenger_notices import is_chat_notice, is_file_notice
from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_MESSAGE = ("messages", "[]")
_ABOUT = frozenset({"bumped_message_metadata", "share", "sticker"})  # objects without words
_PARTICIPANT = ("participants", "[]")
_MEDIA = ("photos", "videos", "audio_files", "files", "gifs", "media")


def _recognises(sample: Sample) -> bool:
    return messenger_html.recognises_thread_page(sample) or any(
        ("sender_name" in message and "timestamp_ms" in message)
        or {"senderName", "timestamp"} <= message.keys()
        for message in map(mapping, sequence(mapping(sample.json).get("messages")))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    parts = [part.casefold() for part in PurePath(document.name).parts]
    source = "instagram" if any("instagram" in part for part in parts) else "messenger"
    with document.open() as stream:
        is_html = strip_byte_order_mark(stream.read(512)).lstrip().startswith(b"<")
    if not is_html:
        return split_chats(source, _messages(document, options))
    if document.find_file(f"{PurePath(document.name).stem}.json"):
        copy = Skipped(document.name, "the same thread is in the export as JSON", lost=False)
        return iter([copy])
    chat = _thread_key(document, "")
    return split_chats(source, messenger_html.thread_page_turns(document, options, chat))


def _thread_key(document: Document, thread_path: str) -> str:
    """Return the key of a thread: the name of its folder, wherever that was moved to."""
    path = PurePath(document.name)
    folder = path.parent.name if re.fullmatch(r"message_\d+", path.stem) else path.stem
    return (thread_path.rstrip("/").rpartition("/")[2] or folder or "thread").casefold()


def _messages(document: Document, options: ParseOptions) -> Iterator[ChatTurn | Skipped]:
    title, thread_path = _thread_info(document)
    chat = _thread_key(document, thread_path)
    keys, number = MessageKeys(), 0
    for path, value in scan_json(document, [_MESSAGE]):
        if path != _MESSAGE or isinstance(value, Edge):
            continue
        number += 1
        document.counter.see()
        if isinstance(value, BrokenValue):
            document.counter.omit(Omission.UNREADABLE)
            yield Skipped(f"message {number} of {title}", value.reason)
        elif turn := _turn(mapping(value), keys, options, document.counter):
            yield ChatTurn(chat, title, turn)
        else:
            document.counter.omit(Omission.EMPTY)


def _thread_info(document: Document) -> tuple[str, str]:
    """Return the title and the path of a thread, which stand after its messages."""
    fields: dict[str, str] = {}
    names: list[str] = []
    try:
        for path, value in scan_json(document, [_MESSAGE, _PARTICIPANT]):
            if path == _PARTICIPANT:
                names.append(fix_mojibake(mapping(value).get("name", value)))
            elif len(path) == 1 and isinstance(value, str):
                fields[path[0]] = fix_mojibake(value)
    except InputError:
        pass  # reading the messages reports it
    title = fields.get("title") or fields.get("threadName") or ", ".join(filter(None, names))
    folder = PurePath(document.name).parent.name
    return title or folder or "Messenger chat", fields.get("thread_path", "")


def fix_mojibake(value: object) -> str:
    """Return a text whose bytes were taken for characters as it was; any other text unchanged."""
    text = string(value)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _turn(
    message: Mapping[str, Any], keys: MessageKeys, options: ParseOptions, counter: MessageCounter
) -> Turn | None:
    """Return the turn that a message makes; None where it is empty."""
    speaker = fix_mojibake(message.get("sender_name", message.get("senderName")))
    time = message.get("timestamp_ms", message.get("timestamp"))
    content = fix_mojibake(message.get("content", message.get("text")))
    files = [
        string(medium.get("uri")).rpartition("/")[2]
        for name in _MEDIA
        for medium in map(mapping, sequence(message.get(name)))
    ]
    kind, text = _content(message, content, files, speaker)
    if kind is Kind.TEXT and not text.strip():
        other = unknown_content(message, _ABOUT)
        if other is None:
            return None
        counter.keep_unknown(other.unknown_type)
        kind, text = other.kind, fix_mojibake(other.text)
    sent_at = parse_timestamp(time)
    role = sender_role(options, speaker)
    return Turn(
        key=keys.next_key(time, content, *files),
        role=Role.SYSTEM if kind is Kind.SERVICE else role,
        text=text,
        speaker=speaker or None,
        sent_at=sent_at,
        clock=Clock.EXACT if sent_at else Clock.NONE,
        kind=kind,
    )


def _content(
    message: Mapping[str, Any], words: str, files: list[str], speaker: str
) -> tuple[Kind, str]:
    """Return the kind and the text of a message.

    Args:
        message: the message.
        words: its text as it was written.
        files: the names of its files.
        speaker: the name of its sender.
    """
    kind = string(message.get("type"))
    if message.get("is_unsent") is True or message.get("isUnsent") is True:
        return Kind.DELETED, words
    if kind == "Call" or "call_duration" in message:
        return Kind.CALL, words or ("missed call" if message.get("missed") else "call")
    has_more = bool(files) or not message.keys().isdisjoint(("share", "sticker"))
    if kind in ("Subscribe", "Unsubscribe") or (not has_more and is_chat_notice(words, speaker)):
        return Kind.SERVICE, words
    share = mapping(message.get("share"))
    shared = [fix_mojibake(share.get(name)) for name in ("share_text", "link")]
    if has_more and is_file_notice(words, speaker, is_share="share" in message):
        words = ""
    if has_more and not files and not words and not any(shared):
        return Kind.MEDIA, ""  # a sticker, or a post that is gone
    text = "\n".join(filter(None, (words, *(part for part in shared if part not in words))))
    documents = [string(file.get("uri")) for file in map(mapping, sequence(message.get("files")))]
    names = [file.rpartition("/")[2] for file in documents] if text else files
    return text_with_files(text, names)


FORMAT = Format(name="messenger", recognises=_recognises, parse=_parse)
