"""Open WebUI: its JSON export of chats, and its database `webui.db`.

A chat is a tree of messages, in which `currentId` names the one seen last. Thoughts and tool calls
are inside the text of an answer, as collapsible HTML.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    anthropic_blocks,
    count_message,
    media_block,
    node_chain,
    plain_text,
    text_block,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import parse_conversations
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import MAGIC, open_database
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_DETAILS = re.compile(
    r"""<details\b[^>]*?\btype="(reasoning|tool_calls|code_interpreter)"[^>]*>"""
    r"(?:\s*<summary>.*?</summary>)?(.*?)</details>",
    re.DOTALL,
)
_COLUMNS = {"id", "title", "chat"}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    if sample.head.startswith(MAGIC):
        return sample.tables.get("chat", set()) >= _COLUMNS
    return any(
        string(message.get("role")) and "content" in message
        for element in sample.elements
        for message in _messages(element).values()
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        database = stream.read(len(MAGIC)) == MAGIC
    if database:
        return _parse_database(document)
    return parse_conversations(
        document, FORMAT.name, title_key="title", id_keys=("id",), turns=_turns
    )


def _parse_database(document: Document) -> Iterator[ParsedItem]:
    with open_database(document) as rows:
        for key, title, chat in rows("select id, title, chat from chat order by id"):
            where = f"chat {string(key)}"
            value = parse_or_broken(chat) if isinstance(chat, str | bytes) else None
            if isinstance(value, BrokenValue):
                yield Skipped(where, value.reason)
            elif turns := _turns({"chat": mapping(value)}, document.counter):
                yield Conversation(FORMAT.name, string(key), string(title), tuple(turns))
            else:
                yield Skipped(where, "has nothing to import", lost=False)


def _messages(element: Row) -> dict[str, Row]:
    chat = mapping(element.get("chat"))
    tree = mapping(mapping((chat or element).get("history")).get("messages"))
    if tree or not chat:
        return {name: mapping(message) for name, message in tree.items()}
    # The oldest chats are a list of messages without branches.
    keys, messages, parent = MessageKeys(), dict[str, Row](), ""
    for message in map(mapping, sequence(chat.get("messages"))):
        key = string(message.get("id")) or keys.next_key(
            message.get("timestamp"), message.get("role"), message.get("content")
        )
        messages[key] = {"parentId": parent, **message}
        parent = key
    return messages


def _turns(element: Row, counter: MessageCounter) -> list[Turn]:
    """Return the turns of all branches."""
    nodes: dict[str, Node] = {}
    messages = _messages(element)
    for name in sorted(messages):
        message = messages[name]
        sent_at = parse_timestamp(message.get("timestamp"))
        blocks = _blocks(message)
        count_message(counter, blocks)
        nodes |= node_chain(name, name, string(message.get("parentId")), blocks, sent_at)
    chat = mapping(element.get("chat")) or element
    current = string(mapping(chat.get("history")).get("currentId"))
    started = parse_timestamp(element.get("created_at")) or parse_timestamp(chat.get("timestamp"))
    return branching_turns(nodes, current, started)


def _blocks(message: Row) -> list[Block]:
    role, content = _ROLES.get(string(message.get("role"))), message.get("content")
    if role is None:
        return text_block(Role.SYSTEM, plain_text(content), Kind.CONTEXT)
    parts = _DETAILS.split(_content_text(content))
    blocks: list[Block] = []
    for kind, details in zip(parts[1::3], parts[2::3], strict=True):
        detail = unescape(details).strip()
        if kind == "reasoning":
            detail = re.sub(r"^> ?", "", detail, flags=re.MULTILINE)
            blocks += text_block(role, detail, Kind.THOUGHT)
        else:
            blocks += text_block(Role.TOOL, detail, Kind.TOOL)
    text = "\n".join(part.strip("\n") for part in parts[::3] if part.strip())
    if not text and role is Role.ASSISTANT:
        text = _output_text(message)
    attached_texts, file_names = _files(message)
    text = "\n\n".join(filter(None, (text, *attached_texts)))
    blocks += answer_blocks(text) if role is Role.ASSISTANT else text_block(role, text)
    for part in map(mapping, sequence(content)):
        if part.get("type", "text") != "text":
            blocks += anthropic_blocks(role, [part])
    if error := message.get("error"):
        told = string(mapping(error).get("content")) or string(error)
        blocks += text_block(Role.SYSTEM, told, Kind.SERVICE)
    return blocks + [media_block(role, name) for name in file_names]


def _content_text(content: object) -> str:
    """Return the text of a message, which may be a list of parts that include pictures."""
    if isinstance(content, str):
        return content
    parts = [part for part in sequence(content) if mapping(part).get("type", "text") == "text"]
    return plain_text(parts if isinstance(content, list) else content)


def _output_text(message: Row) -> str:
    items = map(mapping, sequence(message.get("output")))
    return "\n".join(
        plain_text(item.get("content")) for item in items if item.get("type") == "message"
    )


def _files(message: Row) -> tuple[list[str], list[str]]:
    """Return the texts of attached files, and the names of those without a text."""
    texts, names = [], []
    for file in map(mapping, sequence(message.get("files"))):
        inner = mapping(file.get("file"))
        text = string(mapping(inner.get("data")).get("content")) or string(file.get("content"))
        name = string(file.get("name")) or string(inner.get("filename"))
        if text.strip():
            texts.append(text)
        else:
            names.append(name or string(file.get("url")))
    return texts, names


FORMAT = Format(name="open_webui", recognises=_recognises, parse=_parse)
