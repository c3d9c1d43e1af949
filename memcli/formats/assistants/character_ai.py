"""Chats with characters of Character.AI: its own export, and what browser extensions save.

    {"info": {...}, "histories": {"histories": [{"external_id", "created", "msgs": [...]}]}}
    {"chats": [{"chat_id", "create_time", "turns": [{"author", "candidates": [...]}]}]}

In the first form, of the site before 2024, a message has its text and its sender. In the second, a
turn has several versions, its candidates, of which `primary_candidate_id` names the one that was
kept; turns are also saved as a list alone, the newest first. The other versions are not active.

Source: the site's responses as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Conversation, Omission, Role, Skipped
from memcli.formats.building.blocks import title_from
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.long_chats import text_with_files
from memcli.formats.building.time_order import SortKey, sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string
from memcli.lazy_dataclasses import replace

_LISTS = ("histories.histories", "histories", "chats", "turns", "")
_MESSAGE_LISTS = ("msgs", "turns", "messages")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    top = mapping(sample.json)
    histories = top.get("histories")
    chats = [
        *sample.elements,
        *sequence(mapping(histories).get("histories", histories)),
        *sequence(top.get("chats")),
        *sequence(top.get("turns")),
    ]
    return any(
        _is_turn(row) or _is_message(row)
        for chat in map(mapping, chats)
        for row in [chat, *map(mapping, _rows(chat))]
    )


def _is_turn(row: Row) -> bool:
    author = mapping(row.get("author"))
    candidates = map(mapping, sequence(row.get("candidates")))
    return "author_id" in author and any("raw_content" in version for version in candidates)


def _is_message(row: Row) -> bool:
    return "is_human" in mapping(row.get("src")) and "text" in row


def _rows(chat: Row) -> list[Any]:
    return next((rows for name in _MESSAGE_LISTS if (rows := sequence(chat.get(name)))), [])


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    loose: dict[str, list[Row]] = {}  # turns outside of a chat, by the id of their chat
    for number, value in enumerate(read_elements(document, *_LISTS), start=1):
        if isinstance(value, BrokenValue):
            yield Skipped(f"chat {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        chat = mapping(value)
        if _is_turn(chat) or _is_message(chat):
            name = string(mapping(chat.get("turn_key")).get("chat_id"))
            loose.setdefault(name, []).append(chat)
        else:
            yield _conversation(chat, [mapping(row) for row in _rows(chat)], document.counter)
    for name, rows in loose.items():
        yield _conversation({"chat_id": name}, rows, document.counter)


def _conversation(chat: Row, rows: list[Row], counter: MessageCounter) -> ParsedItem:
    keys, nodes, current = MessageKeys(), dict[str, Node](), ""
    for row in sort_by_time(rows, _sort_key):
        parent = current
        for version in _versions(row, keys):
            counter.see()
            if version.key in nodes:
                counter.omit(Omission.REPEATED)
            elif not version.is_turn:
                counter.omit(Omission.EMPTY)
            nodes.setdefault(version.key, replace(version, parent=parent))
            current = version.key  # the version that was kept is the last
    turns = branching_turns(nodes, current, parse_timestamp(chat.get("created")))
    ids = (string(chat.get(name)) for name in ("external_id", "chat_id", "id"))
    key = next(filter(None, ids), "")
    if not turns:
        return Skipped(f"chat {key}".strip(), "has nothing to import", lost=False)
    characters = (turn.speaker for turn in turns if turn.role is Role.ASSISTANT and turn.speaker)
    title = string(chat.get("name")) or string(chat.get("title")) or next(characters, "")
    title = title or title_from(turns)
    return Conversation(FORMAT.name, key or turns[0].key, title, tuple(turns))


def _versions(row: Row, keys: MessageKeys) -> list[Node]:
    """Return the versions of a message, of which the one that was kept comes last."""
    author = mapping(row.get("author")) or mapping(row.get("src"))
    role = Role.USER if author.get("is_human") is True else Role.ASSISTANT
    speaker = string(author.get("name")) or None
    candidates = [mapping(version) for version in sequence(row.get("candidates"))] or [row]
    kept = string(row.get("primary_candidate_id"))
    candidates.sort(key=lambda version: string(version.get("candidate_id")) == kept)
    nodes = []
    for version in candidates:
        sent_at = _time(version) or _time(row)
        pictures = [_picture(version)] if _picture(version) else []
        kind, text = text_with_files(_text(version), pictures)
        key = string(version.get("candidate_id")) or string(version.get("uuid"))
        key = key or keys.next_key(sent_at, role, text)
        nodes.append(Node(key, "", role, text, sent_at, speaker, kind))
    return nodes


def _text(version: Row) -> str:
    return string(version.get("raw_content")) or string(version.get("text"))


def _picture(version: Row) -> str:
    path = string(version.get("image_rel_path")) or string(version.get("tti_image_rel_path"))
    return path.rpartition("/")[2]


def _time(row: Row) -> datetime | None:
    return parse_timestamp(row.get("create_time")) or parse_timestamp(row.get("created"))


def _sort_key(row: Row) -> SortKey | None:
    sent_at = _time(row)
    return (sent_at,) if sent_at else None


FORMAT = Format(name="character_ai", recognises=_recognises, parse=_parse)
