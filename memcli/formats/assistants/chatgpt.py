"""ChatGPT data exports: `conversations.json`, its shards, and single conversations.

A conversation is a tree of nodes that name their parent. New exports leave `children` out, so
`parent` is followed, and `children` only for nodes without a parent. The active branch is the path
from `current_node` up to the root; the turns of other branches are kept as well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Kind, Omission, Role, Turn
from memcli.formats.assistants.chatgpt_content import (
    CANVAS,
    canvas_text,
    chatgpt_message_content,
    drawn_pictures,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.time_order import sort_by_time
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

Nodes = dict[str, Mapping[str, Any]]


def _recognises(sample: Sample) -> bool:
    return any(
        string(mapping(message.get("author")).get("role")) and "content" in message
        for element in sample.elements
        for message in _messages(_nodes(element)).values()
    ) or any(map(_is_text_document, sample.elements))


def _is_text_document(element: Mapping[str, Any]) -> bool:
    """Return whether an object is a document of the canvas, a file in `textdocs` of an export."""
    return "textdoc_type" in element and isinstance(element.get("content"), str)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return parse_conversations(
        document, "chatgpt", title_key="title", id_keys=("conversation_id", "id"), turns=_turns
    )


def _nodes(conversation: Mapping[str, Any]) -> Nodes:
    return {name: mapping(node) for name, node in mapping(conversation.get("mapping")).items()}


def _messages(nodes: Nodes) -> Nodes:
    return {name: mapping(node.get("message")) for name, node in nodes.items()}


def _turns(conversation: Mapping[str, Any], counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches."""
    if _is_text_document(conversation):
        return _document_turns(conversation, counter)
    found = _nodes(conversation)
    messages = _messages(found)
    times = {
        name: parse_timestamp(message.get("create_time")) for name, message in messages.items()
    }
    parents = _parents(found, times)
    keys = _keys(messages)
    nodes = {
        name: _node(messages[name], keys[name], parents[name], times[name], counter)
        for name in sorted(messages, key=keys.__getitem__)
    }
    current = string(conversation.get("current_node"))
    return branching_turns(nodes, current, parse_timestamp(conversation.get("create_time")))


def _document_turns(document: Mapping[str, Any], counter: MessageCounter) -> list[Turn]:
    text, sent_at = string(document.get("content")), parse_timestamp(document.get("updated_at"))
    counter.see_parts([text] if text.strip() else [])
    clock = Clock.EXACT if sent_at else Clock.NONE
    turn = Turn("textdoc", Role.ASSISTANT, text, sent_at=sent_at, clock=clock)
    return [turn] if text.strip() else []


def _node(
    message: Mapping[str, Any],
    key: str,
    parent: str,
    sent_at: datetime | None,
    counter: MessageCounter,
) -> Node:
    author = mapping(message.get("author"))
    name = string(author.get("role"))
    role = _ROLES.get(name)
    speaker = string(author.get("name")) if role is Role.USER else ""
    kind, text = _content(message, counter) if role else (Kind.TEXT, "")
    if name == "tool" and (pictures := drawn_pictures(message)):
        role, kind, text = Role.ASSISTANT, Kind.MEDIA, pictures
    if message:
        counter.seen += 1
        if not text:
            is_empty = role and kind is Kind.MEDIA
            counter.omit(Omission.EMPTY if is_empty else Omission.HIDDEN)
    role = role if text else None
    return Node(key, parent, role, text, sent_at, speaker or None, kind)


def _keys(messages: Nodes) -> dict[str, str]:
    """Return the key of each node: its message's id, or its own name if that id is ambiguous."""
    ids = {name: string(message.get("id")) for name, message in messages.items()}
    count = Counter(ids.values())
    return {
        name: key if key and count[key] == 1 and key not in messages else name
        for name, key in ids.items()
    }


def _content(message: Mapping[str, Any], counter: MessageCounter) -> tuple[Kind, str]:
    """Return the kind and the visible text of a message, which is "" if nobody saw it."""
    metadata, recipient = message.get("metadata"), message.get("recipient")
    if metadata and mapping(metadata).get("is_visually_hidden_from_conversation") is True:
        return Kind.TEXT, ""
    if recipient and recipient != "all":
        is_canvas = string(recipient).startswith(CANVAS)
        return Kind.TEXT, canvas_text(message) if is_canvas else ""
    if message.get("channel") == "analysis":
        return Kind.TEXT, ""
    return chatgpt_message_content(message, counter)


def _parents(nodes: Nodes, times: Mapping[str, datetime | None]) -> dict[str, str]:
    """Return the parent of each node, or "" if it has none."""
    parents_by_children = {
        string(child): name
        for name in sorted(nodes)
        for child in sequence(nodes[name].get("children"))
    }
    parents = {
        name: string(node.get("parent")) or parents_by_children.get(name, "")
        for name, node in nodes.items()
    }
    if any(parents.values()):
        return parents
    # Without any links the nodes follow each other by time; a node without a time follows the one
    # before it in the file.
    names = sort_by_time(nodes, lambda name: (times[name], name) if times[name] else None)
    return dict(zip(names, ["", *names], strict=False))


FORMAT = Format(
    name="chatgpt",
    recognises=_recognises,
    parse=_parse,
    lookups=(
        "user.json",
        "user_settings.json",
        "message_feedback.json",
        "shared_conversations.json",
        "model_comparisons.json",
        "conversation_asset_file_names.json",
        "chat.html",
    ),
)
