"""DeepSeek data exports: `conversations.json`.

A conversation is a tree as in ChatGPT's exports, but a message has no author: it is made of
fragments, whose types name the speaker. The responses to the web page, which browser exporters
save, are a list of messages with roles, in an envelope.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Role, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    media_block,
    node_chain,
    text_block,
    unknown_blocks,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, sequence, string

_TOOL_KINDS = ("SEARCH", "READ", "TOOL", "OPEN", "FIND")  # beginnings of types

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        "content" in mapping(fragment) and "type" in mapping(fragment)
        for element in sample.elements
        for message in [*_messages(element).values(), *_envelope_messages(element)]
        for fragment in sequence(message.get("fragments"))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
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


def _envelope_messages(element: Row) -> list[Row]:
    envelope = mapping(mapping(element.get("data")).get("biz_data"))
    return [mapping(message) for message in sequence(envelope.get("chat_messages"))]


def _messages(conversation: Row) -> dict[str, Row]:
    nodes = mapping(conversation.get("mapping"))
    return {name: mapping(mapping(node).get("message")) for name, node in nodes.items()}


def _turns(conversation: Row, counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches."""
    tree = mapping(conversation.get("mapping"))
    messages = _messages(conversation)
    parents_by_children = {
        string(child): name
        for name in sorted(tree)
        for child in sequence(mapping(tree[name]).get("children"))
    }
    nodes: dict[str, Node] = {}
    for name in sorted(messages):
        parent = string(mapping(tree[name]).get("parent")) or parents_by_children.get(name, "")
        sent_at = parse_timestamp(messages[name].get("inserted_at"))
        blocks = _blocks(messages[name])
        if messages[name]:
            count_message(counter, blocks)
        nodes |= node_chain(name, name, parent, blocks, sent_at)
    for message in _envelope_messages(conversation):
        name, parent = string(message.get("message_id")), string(message.get("parent_id"))
        blocks, sent_at = _blocks(message), parse_timestamp(message.get("inserted_at"))
        count_message(counter, blocks)
        nodes |= node_chain(name, name, parent, blocks, sent_at)
    metadata = _metadata(conversation)
    current = string(metadata.get("current_node")) or string(metadata.get("current_message_id"))
    started = parse_timestamp(metadata.get("inserted_at")) or parse_timestamp(
        metadata.get("create_time")
    )
    return branching_turns(nodes, current, started)


def _blocks(message: Row) -> list[Block]:
    blocks: list[Block] = []
    files = [string(mapping(file).get("file_name")) for file in sequence(message.get("files"))]
    blocks += [media_block(Role.USER, name) for name in files if name]
    for fragment in map(mapping, sequence(message.get("fragments"))):
        kind, text = string(fragment.get("type")).upper(), string(fragment.get("content"))
        if kind == "REQUEST":
            blocks += text_block(Role.USER, text)
        elif kind == "RESPONSE":
            blocks += answer_blocks(text)
        elif kind == "THINK":
            blocks += text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        elif kind.startswith(_TOOL_KINDS):
            blocks += text_block(Role.TOOL, text, Kind.TOOL)
        else:
            blocks += unknown_blocks(Role.ASSISTANT, fragment)
    return blocks


FORMAT = Format(
    name="deepseek",
    recognises=_recognises,
    parse=_parse,
    lookups=("user.json",),
)
