"""LibreChat's exports of a conversation: JSON.

    {"conversationId", "title", "recursive": true, "messages": [{..., "children": [...]}]}

In a recursive export each message holds its answers, under `messagesTree` in older ones; otherwise
the messages are a list, and name their parents. A text of an answer is in `text`, or in the parts
of `content`, with thoughts and tool calls.

Source: `useExportConversation` and the import tests of LibreChat.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Kind, Omission, Role, Turn
from memcli.formats.building.blocks import (
    Block,
    block_contents,
    count_message,
    media_block,
    node_chain,
    plain_text,
    text_block,
    tool_call,
    tool_result,
    unknown_blocks,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        "isCreatedByUser" in message and "messageId" in message
        for element in sample.elements
        for message in map(mapping, _roots(element))
    )


def _roots(conversation: Row) -> list[Any]:
    return sequence(conversation.get("messages")) or sequence(conversation.get("messagesTree"))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    return parse_conversations(
        document, FORMAT.name, title_key="title", id_keys=("conversationId",), turns=_turns
    )


def _messages(conversation: Row) -> Iterator[tuple[Row, str]]:
    """Yield each message with the id of the message that holds it, "" if none does."""
    waiting = [(mapping(root), "") for root in reversed(_roots(conversation))]
    while waiting:
        message, parent = waiting.pop()
        yield message, parent
        name = string(message.get("messageId"))
        children = reversed(sequence(message.get("children")))
        waiting += [(mapping(child), name) for child in children]


def _turns(conversation: Row, counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches."""
    keys, nodes = MessageKeys(), dict[str, Node]()
    for message, outer in _messages(conversation):
        sent_at, blocks = parse_timestamp(message.get("createdAt")), _blocks(message)
        key = string(message.get("messageId")) or keys.next_key(sent_at, *block_contents(blocks))
        parent = string(message.get("parentMessageId")) or outer
        if key in nodes:
            count_message(counter, [], Omission.REPEATED)
        else:
            count_message(counter, blocks)
            nodes |= node_chain(key, key, parent, blocks, sent_at)
    return branching_turns(nodes, "", parse_timestamp(conversation.get("createdAt")))


def _blocks(message: Row) -> list[Block]:
    role = Role.USER if message.get("isCreatedByUser") is True else Role.ASSISTANT
    text = string(message.get("text"))
    if message.get("error") is True:
        return text_block(Role.SYSTEM, text, Kind.SERVICE)
    blocks: list[Block] = []
    for part in map(mapping, sequence(message.get("content"))):
        blocks += _part_blocks(role, part)
    if not any(block.kind is Kind.TEXT for block in blocks):
        blocks += _text_blocks(role, text)
    for file in map(mapping, sequence(message.get("files"))):
        blocks.append(media_block(role, file.get("filename") or file.get("filepath")))
    return blocks


def _part_blocks(role: Role, part: Row) -> list[Block]:
    kind = string(part.get("type"))
    if kind == "text":
        text = part.get("text")
        return _text_blocks(role, string(mapping(text).get("value")) or string(text))
    if kind == "think":
        return text_block(role, plain_text(part.get("think")), Kind.THOUGHT)
    if kind == "tool_call":
        call = mapping(part.get("tool_call"))
        called = tool_call(call.get("name"), call.get("args"))
        return [called, *tool_result(call.get("output"))]
    if kind == "error":
        return text_block(Role.SYSTEM, string(part.get("error")), Kind.SERVICE)
    return unknown_blocks(role, part)


def _text_blocks(role: Role, text: str) -> list[Block]:
    return answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)


FORMAT = Format(name="librechat", recognises=_recognises, parse=_parse)
