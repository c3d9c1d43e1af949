"""Claude.ai data exports: `conversations.json`, projects, memories, and chats of Claude Design.

A conversation is a flat list of rows. New exports name each row's parent, and answers that were
generated again are siblings; in older exports the rows follow each other by time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Omission, Role, Turn
from memcli.formats.assistants.claude_content import claude_message_content, design_messages
from memcli.formats.assistants.claude_projects import (
    collection_metadata,
    collection_turns,
    is_collection,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.time_order import SortKey, sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string
from memcli.lazy_dataclasses import replace

_ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT}


def _recognises(sample: Sample) -> bool:
    return any(
        (string(row.get("sender")) or string(row.get("role"))) in _ROLES
        and ("text" in row or "content" in row)
        for element in sample.elements
        for row in map(mapping, sequence(element.get("chat_messages")))
    ) or any(_is_design_chat(element) or is_collection(element) for element in sample.elements)


def _is_design_chat(element: Mapping[str, Any]) -> bool:
    return isinstance(element.get("project"), dict) and any(
        string(row.get("role")) in _ROLES
        and not {"content", "contentBlocks"}.isdisjoint(mapping(row.get("content")))
        for row in map(mapping, sequence(element.get("messages")))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return parse_conversations(
        document,
        "claude",
        title_key="name",
        id_keys=("uuid",),
        turns=_turns,
        metadata=_metadata,
    )


def _metadata(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the title and the id; a design chat is named after its project, too."""
    if is_collection(element):
        return collection_metadata(element)
    if "chat_messages" in element or "messages" not in element:
        return element
    names = (string(mapping(element.get("project")).get("name")), string(element.get("title")))
    return {"name": ": ".join(filter(None, names)), "uuid": element.get("uuid")}


def _messages(conversation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "messages" in conversation and "chat_messages" not in conversation:
        return list(design_messages(conversation))
    return [mapping(message) for message in sequence(conversation.get("chat_messages"))]


def _turns(conversation: Mapping[str, Any], counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches."""
    if is_collection(conversation):
        return collection_turns(conversation, counter)
    current = string(conversation.get("current_leaf_message_uuid"))
    return branching_turns(
        _rows(conversation, counter), current, parse_timestamp(conversation.get("created_at"))
    )


def _rows(conversation: Mapping[str, Any], counter: MessageCounter) -> dict[str, Node]:
    """Return the rows by key; a row that names no parent replies to the one before it.

    Rows are in order of time. A row without a time follows the row before it in the file.
    """
    messages = _messages(conversation)
    in_order = sort_by_time([(message, _row(message, counter)) for message in messages], _sort_key)
    keys, rows, previous = MessageKeys(), dict[str, Node](), ""
    for message, row in in_order:
        key = row.key or keys.next_key(row.sent_at, row.role, row.text)
        counter.see()
        if key in rows:
            counter.omit(Omission.REPEATED)
        elif not row.is_turn:
            counter.omit(Omission.HIDDEN if sequence(message.get("content")) else Omission.EMPTY)
        rows.setdefault(key, replace(row, key=key, parent=row.parent or previous))
        previous = key
    return rows


def _sort_key(pair: tuple[Mapping[str, Any], Node]) -> SortKey | None:
    message, row = pair
    index = message.get("index")
    is_answer = row.role is Role.ASSISTANT
    values = (index if isinstance(index, int) else 0, is_answer, row.key, row.text)
    return (row.sent_at, *values) if row.sent_at else None


def _row(message: Mapping[str, Any], counter: MessageCounter) -> Node:
    kind, text = claude_message_content(message, counter)
    return Node(
        key=string(message.get("uuid")),
        parent=string(message.get("parent_message_uuid")),
        role=_ROLES.get(string(message.get("sender")) or string(message.get("role"))),
        text=text,
        sent_at=parse_timestamp(message.get("created_at")),
        kind=kind if text else Kind.TEXT,
    )


FORMAT = Format(name="claude", recognises=_recognises, parse=_parse, lookups=("users.json",))
