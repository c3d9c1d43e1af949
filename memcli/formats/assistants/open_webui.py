"""Open WebUI: its JSON export of chats, and its database `webui.db`.

A chat is a tree of messages, with `currentId` where the person was. Thoughts and calls of tools
stand inside the words of an answer, as HTML that folds.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import Block, chain, media, plain, said
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.building.conversation_list import conversations
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.sqlite import MAGIC, opened
from memcli.formats.parsing.values import Keys, instant, mapping, sequence, string

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_FOLDED = re.compile(
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


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    with document.open() as stream:
        database = stream.read(len(MAGIC)) == MAGIC
    if database:
        return _chats(document)
    return conversations(document, FORMAT.name, title_key="title", id_keys=("id",), turns=_turns)


def _chats(document: Document) -> Iterator[Parsed]:
    with opened(document) as rows:
        for key, title, chat in rows("select id, title, chat from chat order by id"):
            where = f"chat {string(key)}"
            try:
                found = json.loads(chat) if isinstance(chat, str | bytes) else None
            except (ValueError, RecursionError) as error:
                yield Skipped(where, f"is no JSON: {error}")
                continue
            if turns := _turns({"chat": mapping(found)}):
                yield Conversation(FORMAT.name, string(key), string(title), tuple(turns))
            else:
                yield Skipped(where, "has nothing to import", lost=False)


def _messages(element: Row) -> dict[str, Row]:
    chat = mapping(element.get("chat"))
    tree = mapping(mapping((chat or element).get("history")).get("messages"))
    if tree or not chat:
        return {name: mapping(message) for name, message in tree.items()}
    # The oldest chats are a list, a line without branches.
    keys, found, before = Keys(), dict[str, Row](), ""
    for message in map(mapping, sequence(chat.get("messages"))):
        told = (message.get("timestamp"), message.get("role"), message.get("content"))
        key = string(message.get("id")) or keys.key(*told)
        found[key] = {"parentId": before, **message}
        before = key
    return found


def _turns(element: Row) -> list[Turn]:
    """Return what was said on all branches."""
    nodes: dict[str, Node] = {}
    messages = _messages(element)
    for name in sorted(messages):
        message = messages[name]
        sent_at = instant(message.get("timestamp"))
        nodes |= chain(name, name, string(message.get("parentId")), _blocks(message), sent_at)
    chat = mapping(element.get("chat")) or element
    current = string(mapping(chat.get("history")).get("currentId"))
    started = instant(element.get("created_at")) or instant(chat.get("timestamp"))
    return branching_turns(nodes, current, started)


def _blocks(message: Row) -> list[Block]:
    role, content = _ROLES.get(string(message.get("role"))), message.get("content")
    if role is None:
        return said(Role.SYSTEM, plain(content), Kind.CONTEXT)
    parts = _FOLDED.split(plain(content))
    found: list[Block] = []
    for kind, folded in zip(parts[1::3], parts[2::3], strict=True):
        text = unescape(folded).strip()
        if kind == "reasoning":
            found += said(role, re.sub(r"^> ?", "", text, flags=re.MULTILINE), Kind.THOUGHT)
        else:
            found += said(Role.TOOL, text, Kind.TOOL)
    words = "\n".join(part.strip("\n") for part in parts[::3] if part.strip())
    if not words and role is Role.ASSISTANT:
        words = _output(message)
    attached, files = _files(message)
    found += said(role, "\n\n".join(filter(None, (words, *attached))))
    return found + [media(role, name) for name in files]


def _output(message: Row) -> str:
    items = map(mapping, sequence(message.get("output")))
    return "\n".join(plain(item.get("content")) for item in items if item.get("type") == "message")


def _files(message: Row) -> tuple[list[str], list[str]]:
    """Return the texts of attached files, and the names of files without."""
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


FORMAT = Format(
    name="open_webui",
    title="Open WebUI chats",
    recognises=_recognises,
    parse=_parse,
)
