"""signal-export's Markdown: a folder per chat, with `chat.md`.

Times are those of a wall clock. Older versions write no seconds, and a comma after the day; the
owner is "Me". Quotes, reactions and deletions are written into the text.

Source: the description and `models.py` of signal-export (sigexport).
"""

import re
from collections.abc import Iterator
from datetime import datetime

from memcli.domain import Kind
from memcli.formats.building.long_chats import split_chats
from memcli.formats.building.text_chat import (
    MessageStart,
    chat_key_and_title,
    chat_name,
    parse_text_chat,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import sample_lines

_HEAD = re.compile(r"\[(\d{4}-\d\d-\d\d),? (\d\d:\d\d)(:\d\d)?\] ([^:]{1,100}): ?(.*)")
_REACTIONS = re.compile(r"\(- .{1,2000} -\)\s*$", re.DOTALL)
_DELETED = re.compile(r"\(This message (?:was|has been) deleted\.?\)")
_FILE = re.compile(r"!?\[([^\]\n]*)\]\((?!https?:)[^)\n]*\)")


def _recognises(sample: Sample) -> bool:
    head = next((line for line in sample_lines(sample, 20) if line.strip()), "")
    match = _HEAD.fullmatch(head.rstrip())
    # WhatsApp on iPhones writes the same with seconds, but never into a Markdown file.
    return bool(match and (match[3] is None or sample.name.casefold().endswith(".md")))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    chat = chat_key_and_title(chat_name(document, "chat", "index"))
    messages = parse_text_chat(document, options, chat, _parse_head, _content, owner_names=("Me",))
    return split_chats("signal", messages)


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
    names = [match[1] for match in _FILE.finditer(text)]
    if names and not _FILE.sub("", text).strip():
        return Kind.MEDIA, ", ".join(filter(None, names))
    return Kind.TEXT, _FILE.sub(r"[\1]", text).strip()


FORMAT = Format(name="signal", recognises=_recognises, parse=_parse)
