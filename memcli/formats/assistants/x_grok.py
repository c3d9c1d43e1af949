"""Chats with Grok inside X, in an archive of X: `grok-chat-item.js`.

An item is a message, with the id of its chat and without one of its own; items of several chats
are mixed. The sender is an object in newer archives and a word in older ones.

Source: archives as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.assistants.grok import text_without_cards
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.building.time_order import SortKey, sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.formats.parsing.x_archive import archive_list, archive_list_name

_LIST = "grok_chat_item"

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return archive_list_name(sample.head) == _LIST


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    chats: dict[str, list[Row]] = {}
    for number, value in enumerate(read_elements(archive_list(document)), start=1):
        if isinstance(value, BrokenValue):
            yield Skipped(f"item {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        item = mapping(mapping(value).get("grokChatItem")) or mapping(value)
        chats.setdefault(string(item.get("chatId")), []).append(item)
    for chat, items in chats.items():
        if turns := _turns(items, document.counter):
            key = chat or turns[0].key
            yield Conversation(FORMAT.name, key, title_from(turns), tuple(turns))
        else:
            yield Skipped(f"chat {chat}", "has nothing to import", lost=False)


def _turns(items: list[Row], counter: MessageCounter) -> list[Turn]:
    keys, turns = MessageKeys(), list[Turn]()
    for item in sort_by_time(items, _sort_key):
        sent_at, blocks = _time(item), _blocks(item)
        count_message(counter, blocks)
        content = [part for block in blocks for part in (block.role, block.text)]
        turns += linear_turns(keys.next_key(sent_at, *content), blocks, sent_at)
    return with_inherited_times(turns)


def _sort_key(item: Row) -> SortKey | None:
    """Return the place of an item; of items with one time the person's comes first."""
    sent_at = _time(item)
    is_answer = _role(item) is Role.ASSISTANT
    return (sent_at, is_answer, string(item.get("message"))) if sent_at else None


def _time(item: Row) -> datetime | None:
    return parse_timestamp(item.get("createdAt"))


def _role(item: Row) -> Role:
    sender = item.get("sender")
    fields = mapping(sender)
    name = string(fields.get("originalName")) or string(fields.get("name")) or string(sender)
    return Role.USER if name.casefold() in ("user", "human") else Role.ASSISTANT


def _blocks(item: Row) -> list[Block]:
    role, text = _role(item), string(item.get("message"))
    if role is Role.USER:
        blocks = text_block(role, text, Kind.TEXT)
    else:
        blocks = answer_blocks(text_without_cards(text))
    for file in map(mapping, sequence(item.get("attachments"))):
        blocks.append(media_block(role, file.get("fileName") or file.get("url")))
    return blocks


FORMAT = Format(name="x_grok", recognises=_recognises, parse=_parse, lookups=("account.js",))
