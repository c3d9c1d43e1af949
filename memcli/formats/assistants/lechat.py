"""Mistral Le Chat data exports: `chat-<id>.json`, the messages of one chat in any order."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    plain_text,
    text_block,
    title_from,
    tool_call,
    unknown_blocks,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.building.time_order import sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

_SILENT_CHUNKS = ("text", "reference", "tool_result", "")  # texts are joined

Row = Mapping[str, Any]
_Message = tuple[datetime | None, str, list[Turn]]  # time, key, turns


def _recognises(sample: Sample) -> bool:
    return any(
        string(row.get("role")) in _ROLES and "chatId" in row and "contentChunks" in row
        for row in sample.elements
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield the chats at the end of the file, or of the part of it that can be read.

    Raises:
        InputError: the file is damaged; the chats before the damage are yielded first.
    """
    chats: dict[str, list[_Message]] = {}
    try:
        yield from _read_messages(document, chats)
    except InputError:
        yield from _conversations(chats)
        raise
    yield from _conversations(chats)


def _read_messages(document: Document, chats: dict[str, list[_Message]]) -> Iterator[Skipped]:
    """Add the messages to their chats; yield those that cannot be read."""
    keys = MessageKeys()
    for number, value in enumerate(read_elements(document), start=1):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"message {number}", value.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
            continue
        sent_at, content = parse_timestamp(row.get("createdAt")), row.get("content")
        key = string(row.get("id")) or keys.next_key(sent_at, row.get("role"), content)
        messages = chats.setdefault(string(row.get("chatId")), [])
        blocks = _blocks(row)
        count_message(document.counter, blocks)
        messages.append((sent_at, key, linear_turns(key, blocks, sent_at)))


def _conversations(chats: Mapping[str, list[_Message]]) -> Iterator[Conversation]:
    for chat, messages in chats.items():
        in_order = sort_by_time(messages, lambda message: message[:2] if message[0] else None)
        turns = with_inherited_times([turn for *_, turns in in_order for turn in turns])
        if turns:
            yield Conversation(FORMAT.name, chat or turns[0].key, title_from(turns), tuple(turns))


def _blocks(message: Row) -> list[Block]:
    role = _ROLES.get(string(message.get("role")))
    chunks = [mapping(chunk) for chunk in sequence(message.get("contentChunks"))]
    if role is None:
        return text_block(Role.SYSTEM, plain_text(message.get("content")), Kind.CONTEXT)
    blocks: list[Block] = []
    for chunk in chunks:
        kind = string(chunk.get("type"))
        if kind == "tool_call":
            blocks.append(tool_call(chunk.get("name"), chunk.get("arguments", chunk.get("args"))))
        elif kind == "thinking":
            blocks += text_block(role, plain_text(chunk.get("thinking")), Kind.THOUGHT)
        elif kind in ("image_url", "document_url"):
            blocks.append(media_block(role, plain_text(chunk.get(kind))))
        elif kind not in _SILENT_CHUNKS:
            blocks += unknown_blocks(role, chunk)
    texts = (string(chunk.get("text")) for chunk in chunks if chunk.get("type") == "text")
    text = string(message.get("content")) or "".join(texts)
    blocks += answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)
    for file in map(mapping, sequence(message.get("files"))):
        blocks.append(media_block(role, file.get("name") or file.get("fileName")))
    return blocks


FORMAT = Format(name="lechat", recognises=_recognises, parse=_parse)
