"""LM Studio's conversations: `~/.lmstudio/conversations/*.conversation.json`.

A message has versions, of which one is selected; the others are other branches. Messages have
neither ids nor times: only the conversation has the time at which it began.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped
from memcli.errors import InputError
from memcli.formats.building.blocks import (
    Block,
    count_message,
    media_block,
    node_chain,
    text_block,
    title_from,
    tool_call,
    tool_result,
    unknown_blocks,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_MESSAGE_PATH = ("messages", "[]")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    messages = map(mapping, sequence(mapping(sample.json).get("messages")))
    return any(
        string(mapping(version).get("role")) and {"content", "steps"} & mapping(version).keys()
        for message in messages
        for version in sequence(message.get("versions"))
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    tree = _MessageTree(document.counter)
    metadata: dict[str, Any] = {}
    number, damage = 0, None
    try:
        for path, value in scan_json(document, [_MESSAGE_PATH]):
            if path != _MESSAGE_PATH:
                if len(path) == 1 and not isinstance(value, Edge):
                    metadata[path[0]] = value
                continue
            number += 1
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number}", value.reason)
                count_message(document.counter, [], Omission.UNREADABLE)
            else:
                tree.read(mapping(value))
    except InputError as error:
        damage = error
    key = string(metadata.get("id")) or string(metadata.get("createdAt"))
    started = parse_timestamp(metadata.get("createdAt"))
    turns = branching_turns(tree.nodes, tree.current, started)
    if turns and (key or not damage):
        title = string(metadata.get("name")) or string(metadata.get("title")) or title_from(turns)
        key = key or PurePath(document.name).name.split(".")[0]
        yield Conversation(FORMAT.name, key, title, tuple(turns))
    if damage:
        raise damage


class _MessageTree:
    """The messages of a conversation, as a tree."""

    def __init__(self, counter: MessageCounter) -> None:
        self._counter = counter
        self.nodes: dict[str, Node] = {}
        self.current = ""
        self._keys = MessageKeys()
        self._number = 0

    def read(self, message: Row) -> None:
        """Add a message with all its versions."""
        selected, current = message.get("currentlySelected"), self.current
        for number, version in enumerate(map(mapping, sequence(message.get("versions")))):
            blocks = _blocks(version)
            count_message(self._counter, blocks)
            content = [part for block in blocks for part in (block.kind, block.text)]
            key = self._keys.next_key(version.get("role"), *content)
            self._number += 1
            # Names sort in the order of the file, which is the only order that is known.
            name = f"{self._number:09}"
            self.nodes |= node_chain(name, key, self.current, blocks, None)
            if number == selected or current == self.current:
                current = name
        self.current = current


def _blocks(version: Row) -> list[Block]:
    role = _ROLES.get(string(version.get("role")))
    if role is None:
        texts = (string(mapping(part).get("text")) for part in sequence(version.get("content")))
        return text_block(Role.SYSTEM, "\n".join(filter(None, texts)), Kind.CONTEXT)
    blocks = _content_blocks(role, version.get("content"), Kind.TEXT)
    for step in map(mapping, sequence(version.get("steps"))):
        is_thought = mapping(step.get("style")).get("type") == "thinking"
        blocks += _content_blocks(
            role, step.get("content"), Kind.THOUGHT if is_thought else Kind.TEXT
        )
    return blocks


def _content_blocks(role: Role, content: object, kind: Kind) -> list[Block]:
    blocks: list[Block] = []
    for part in map(mapping, sequence(content)):
        if part.get("type") == "toolCallRequest":
            blocks.append(tool_call(part.get("name"), part.get("parameters")))
        elif part.get("type") == "toolCallResult":
            blocks += tool_result(part.get("content"))
        elif part.get("type") == "file":
            blocks.append(media_block(role, part.get("name") or part.get("fileIdentifier")))
        elif "text" in part and role is Role.ASSISTANT and kind is Kind.TEXT:
            blocks += answer_blocks(string(part.get("text")))
        elif "text" in part:
            blocks += text_block(role, string(part.get("text")), kind)
        else:
            blocks += unknown_blocks(role, part)
    return blocks


FORMAT = Format(name="lm_studio", recognises=_recognises, parse=_parse)
