"""signal-export's Markdown: a folder per chat, with `chat.md`.

Times are those of a wall clock. Older versions write no seconds, and a comma after the day; the
owner is "Me". Quotes, reactions, calls and deletions are written into the text. `data.json` beside
it has the same messages as JSON lines, which get the same keys.

Source: the description, `create.py` and `models.py` of signal-export (sigexport).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Kind, Skipped
from memcli.formats.building.chat_messages import ChatMessage, chat_turns
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines
from memcli.formats.parsing.values import MessageKeys, mapping, sequence, string

_HEAD = re.compile(r"\[(\d{4}-\d\d-\d\d),? (\d\d:\d\d)(:\d\d)?\] ([^:]{1,100}): ?(.*)")
_REACTIONS = re.compile(r"\(- .{1,2000} -\)\s*$", re.DOTALL)
_DELETED = re.compile(r"\(This message (?:was|has been) deleted\.?\)")
_FILE = re.compile(r"!?\[([^\]\n]*)\]\((?!https?:)[^)\n]*\)")
_STICKER = re.compile(r"\(\( (.*) \)\)")
_CALL = re.compile(
    r"(?:(?:Incoming|Outgoing|Missed) (?:(?:voice|video|group|adhoc) )?call)(?: \([^()\n]{1,60}\))?"
)
_KEYS = frozenset({"date", "sender", "body", "quote", "sticker", "reactions", "attachments"})
_OWNER = "Me"


def _recognises(sample: Sample) -> bool:
    if any(row.keys() >= _KEYS for row in sample_objects(sample, 1)):
        return True
    head = next((line for line in sample_lines(sample, 20) if line.strip()), "")
    match = _HEAD.fullmatch(head.rstrip())
    # WhatsApp on iPhones writes the same with seconds, but never into a Markdown file.
    return bool(match and (match[3] is None or sample.name.casefold().endswith(".md")))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    chat = chat_key_and_title(chat_name(document, "chat", "index", "data"))
    with document.open() as stream:
        is_json = any(sample_objects(Sample("", stream.read(1 << 16)), 1))
    if is_json:
        messages = chat_turns(_json_messages(document, chat), document, options)
    else:
        messages = parse_text_chat(document, options, chat, _parse_head, _content, (_OWNER,))
    return split_chats("signal", messages)


def _json_messages(document: Document, chat: tuple[str, str]) -> Iterator[ChatMessage | Skipped]:
    """Yield the messages of `data.json`, each with its key and text in `chat.md`."""
    keys = MessageKeys()
    for number, value in read_json_lines(document):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number:,}", value.reason)
            continue
        row = mapping(value)
        head = _parse_head(_markdown(row).partition("\n")[0])
        time = head.wall_time if head else None
        sender = string(row.get("sender"))
        kind, text = _content(
            MessageStart(time, sender, ""), _markdown(row).partition(": ")[2].rstrip()
        )
        yield ChatMessage(
            chat=chat[0],
            title=chat[1],
            speaker=sender,
            text=text,
            time=time,
            key=keys.next_key(time.isoformat() if time else "", sender, text),
            is_owner=sender == _OWNER,
            kind=kind,
        )


def _markdown(row: Mapping[str, Any]) -> str:
    """Return a message of `data.json` as it is in `chat.md`."""
    head = f"[{string(row.get('date'))[:19].replace('T', ' ')}] {string(row.get('sender'))}: "
    if row.get("deleted") is True:
        return head + "(This message was deleted)"
    body, sticker = string(row.get("body")), row.get("sticker")
    emoji = string(mapping(sticker).get("emoji")) if sticker else ""
    body += f"\n(( {emoji or string(sticker) or 'sticker'} ))" if sticker else ""
    for file in map(mapping, sequence(row.get("attachments"))):
        body += f"[{string(file.get('name'))}](./{string(file.get('path'))})  "
    return f"{head}{string(row.get('quote'))}{body}"


def _parse_head(line: str) -> MessageStart | None:
    """Return the beginning of a message; None for any other line."""
    match = _HEAD.fullmatch(line)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]} {match[2]}{match[3] or ''}")
    except ValueError:
        moment = None
    return MessageStart(moment, match[4].strip(), match[5])


def _content(_head: MessageStart, text: str) -> tuple[Kind, str]:
    """Return the kind and the text of a message."""
    text = _REACTIONS.sub("", text)
    if _DELETED.fullmatch(text.strip()):
        return Kind.DELETED, ""
    if _CALL.fullmatch(text.strip()):
        return Kind.CALL, text.strip()
    if sticker := _STICKER.fullmatch(text.strip()):
        return Kind.MEDIA, sticker[1]
    names = [match[1] for match in _FILE.finditer(text)]
    if names and not _FILE.sub("", text).strip():
        return Kind.MEDIA, ", ".join(filter(None, names))
    return Kind.TEXT, _FILE.sub(r"[\1]", text).strip()


FORMAT = Format(name="signal", recognises=_recognises, parse=_parse)
