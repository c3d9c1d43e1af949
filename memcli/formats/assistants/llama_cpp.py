"""Conversations of llama.cpp's web page: JSON, and since June 2026 JSON lines.

    [{"conv": {"id", "name", "currNode", ...}, "messages": [{"id", "parent", "role", ...}]}]
    {"type": "session", "id", "name", "currNode", ...}
    {"type": "message", "message": {"id", "convId", "parent", "role", "content", ...}}

A conversation is a tree of messages, in which `currNode` names the one seen last. Its root is a
message without text.

Source: `tools/server/webui` of llama.cpp.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped
from memcli.formats.building.blocks import (
    Block,
    block_contents,
    count_message,
    media_block,
    node_chain,
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(map(_is_export, sample.elements)) or _has_lines(sample)


def _is_export(element: Row) -> bool:
    messages = map(mapping, sequence(element.get("messages")))
    return isinstance(element.get("conv"), dict) and any(map(_is_message, messages))


def _is_message(message: Row) -> bool:
    return {"role", "content", "parent"} <= message.keys()


def _has_lines(sample: Sample) -> bool:
    """Return whether the first line is the head of a session, and a message follows."""
    first = sample_objects(sample)
    return (
        bool(first)
        and first[0].get("type") == "session"
        and any(
            "convId" in message and _is_message(message)
            for message in (mapping(row.get("message")) for row in first[1:])
        )
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    if _has_lines(Sample(document.name, head)):
        yield from _parse_lines(document)
        return
    for number, value in enumerate(read_elements(document, ""), start=1):
        if isinstance(value, BrokenValue):
            yield Skipped(f"conversation {number}", value.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
            continue
        export = mapping(value)
        messages = [mapping(message) for message in sequence(export.get("messages"))]
        yield _conversation(mapping(export.get("conv")), messages, document.counter)


def _parse_lines(document: Document) -> Iterator[ParsedItem]:
    session: Row = {}
    messages: list[Row] = []
    for number, value in read_json_lines(document):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
        elif row.get("type") == "session":
            if messages:
                yield _conversation(session, messages, document.counter)
            session, messages = row, []
        elif isinstance(row.get("message"), dict):
            messages.append(row["message"])
    if messages:
        yield _conversation(session, messages, document.counter)


def _conversation(session: Row, messages: list[Row], counter: MessageCounter) -> ParsedItem:
    keys, nodes, previous = MessageKeys(), dict[str, Node](), ""
    for message in messages:
        sent_at, blocks = parse_timestamp(message.get("timestamp")), _blocks(message)
        key = string(message.get("id"))
        key = key or keys.next_key(sent_at, *block_contents(blocks))
        parent = string(message.get("parent")) if "parent" in message else previous
        if key in nodes:
            count_message(counter, [], Omission.REPEATED)
        else:
            if message.get("type") != "root":
                count_message(counter, blocks)
            nodes |= node_chain(key, key, parent, blocks, sent_at)
        previous = key
    title, name = string(session.get("name")), string(session.get("id"))
    turns = branching_turns(nodes, string(session.get("currNode")), None)
    if not turns:
        where = f"conversation {title or name}".strip()
        return Skipped(where, "has nothing to import", lost=False)
    return Conversation(
        FORMAT.name,
        name or turns[0].key,
        title or title_from(turns),
        tuple(turns),
        updated_at=parse_timestamp(session.get("lastModified")),
    )


def _blocks(message: Row) -> list[Block]:
    role, content = _ROLES.get(string(message.get("role"))), message.get("content")
    if message.get("role") == "tool":
        return tool_result(content)
    if role is None:
        return text_block(Role.SYSTEM, plain_text(content), Kind.CONTEXT)
    thought = string(message.get("reasoningContent")) or string(message.get("thinking"))
    blocks = text_block(role, thought, Kind.THOUGHT)
    texts, names = [_text(content)], []
    for extra in map(mapping, sequence(message.get("extra"))):
        text = string(extra.get("content"))
        if text.strip():
            texts.append(text)
        else:
            names.append(string(extra.get("name")) or f"[{string(extra.get('type')).lower()}]")
    text = "\n\n".join(text for text in texts if text.strip())
    blocks += answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)
    blocks += [media_block(role, name) for name in names]
    return blocks + _tool_calls(message.get("toolCalls"))


def _text(content: object) -> str:
    """Return the text of a message, which may be a list of parts that include pictures."""
    parts = [part for part in sequence(content) if mapping(part).get("type", "text") == "text"]
    return plain_text(parts if isinstance(content, list) else content)


def _tool_calls(calls: object) -> list[Block]:
    """Return the calls of tools; older exports have them as JSON in a text."""
    value = parse_or_broken(calls) if isinstance(calls, str) and calls else calls
    functions = (mapping(mapping(call).get("function")) for call in sequence(value))
    return [tool_call(call.get("name"), call.get("arguments")) for call in functions]


FORMAT = Format(name="llama_cpp", recognises=_recognises, parse=_parse)
