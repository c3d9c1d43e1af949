"""DeepSeek data exports: `conversations.json`.

A conversation is a tree as in ChatGPT's exports, but a message has no author: it is made of
fragments, and who speaks is told by their type. What the web page itself gets, and browser
exporters keep, is a list of messages with roles, in an envelope.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Role, Turn
from memcli.formats.building.blocks import Block, media_block, node_chain, text_block
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import instant, mapping, sequence, string

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        "content" in mapping(fragment) and "type" in mapping(fragment)
        for element in sample.elements
        for message in [*_messages(element).values(), *_captured(element)]
        for fragment in sequence(message.get("fragments"))
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return parse_conversations(
        document,
        FORMAT.name,
        title_key="title",
        id_keys=("conversation_id", "id"),
        turns=_turns,
        metadata=_metadata,
    )


def _metadata(element: Row) -> Row:
    """Return the object that has the title and the id of a conversation."""
    envelope = mapping(mapping(element.get("data")).get("biz_data"))
    return mapping(envelope.get("chat_session")) or element


def _captured(element: Row) -> list[Row]:
    envelope = mapping(mapping(element.get("data")).get("biz_data"))
    return [mapping(message) for message in sequence(envelope.get("chat_messages"))]


def _messages(conversation: Row) -> dict[str, Row]:
    nodes = mapping(conversation.get("mapping"))
    return {name: mapping(mapping(node).get("message")) for name, node in nodes.items()}


def _turns(conversation: Row) -> list[Turn]:
    """Return what was said on all branches."""
    tree = mapping(conversation.get("mapping"))
    messages = _messages(conversation)
    claimed = {
        string(child): name
        for name in sorted(tree)
        for child in sequence(mapping(tree[name]).get("children"))
    }
    nodes: dict[str, Node] = {}
    for name in sorted(messages):
        parent = string(mapping(tree[name]).get("parent")) or claimed.get(name, "")
        sent_at = instant(messages[name].get("inserted_at"))
        nodes |= node_chain(name, name, parent, _blocks(messages[name]), sent_at)
    for message in _captured(conversation):
        name, parent = string(message.get("message_id")), string(message.get("parent_id"))
        nodes |= node_chain(
            name, name, parent, _blocks(message), instant(message.get("inserted_at"))
        )
    about = _metadata(conversation)
    current = string(about.get("current_node")) or string(about.get("current_message_id"))
    started = instant(about.get("inserted_at")) or instant(about.get("create_time"))
    return branching_turns(nodes, current, started)


def _blocks(message: Row) -> list[Block]:
    found: list[Block] = []
    files = [string(mapping(file).get("file_name")) for file in sequence(message.get("files"))]
    found += [media_block(Role.USER, name) for name in files if name]
    for fragment in map(mapping, sequence(message.get("fragments"))):
        kind, text = string(fragment.get("type")).upper(), string(fragment.get("content"))
        if kind == "REQUEST":
            found += text_block(Role.USER, text)
        elif kind == "RESPONSE":
            found += text_block(Role.ASSISTANT, text)
        elif kind == "THINK":
            found += text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        else:  # a search, a page that was read, and what else there will be
            found += text_block(Role.TOOL, text, Kind.TOOL)
    return found


FORMAT = Format(name="deepseek", title="DeepSeek data export", recognises=_recognises, parse=_parse)
