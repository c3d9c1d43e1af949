"""Chats of Cursor: the database of the editor, and the transcripts of its agents.

    <user folder>/globalStorage/state.vscdb, <user folder>/workspaceStorage/<id>/state.vscdb
    ~/.cursor/projects/<project>/agent-transcripts/<id>/<id>.jsonl, <id>.txt
    ~/.cursor/chats/<project>/<id>/store.db

In the database, `composerData:<id>` has the title of a chat and the order of its messages, and
`bubbleId:<id>:<message>` a message. Older versions have the messages inside of the chat, and the
oldest ones have chats as tabs of the workspace.

Source: databases of several versions as open programs read them; there is no published schema.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.agents.cursor_store import has_store, parse_store
from memcli.formats.agents.cursor_transcripts import has_transcript, parse_transcript
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.sqlite import MAGIC, Rows, open_database
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

_ROLES = {"1": Role.USER, "2": Role.ASSISTANT, "user": Role.USER, "ai": Role.ASSISTANT}
_TABLE = "cursorDiskKV"
_CHAT_SQL = "select value from cursorDiskKV where key = ?"
_TABS = "workbench.panel.aichat.view.aichat.chatdata"  # key of the chats of the oldest versions

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    if sample.head.startswith(MAGIC):
        has_table = sample.tables.get(_TABLE, set()) >= {"key", "value"}
        return (has_table and _has_chats(sample)) or has_store(sample)
    return has_transcript(sample)


def _has_chats(sample: Sample) -> bool:
    """Return whether a database holds any chat; most workspaces have none."""
    if sample.document is None:
        return False
    try:
        with open_database(sample.document) as query:
            return bool(_chat_ids(query) or _tabs(query))
    except InputError:
        return False


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        sample = Sample(document.name, stream.read(HEAD_BYTES), document)
    if sample.head.startswith(MAGIC):
        is_store = has_store(sample)
        return parse_store(document, FORMAT.name) if is_store else _parse_database(document)
    return parse_transcript(document, FORMAT.name)


def _parse_database(document: Document) -> Iterator[ParsedItem]:
    with open_database(document) as query:
        chats, tabs = _chat_ids(query), _tabs(query)
        for chat in chats:
            yield from _parse_chat(query, chat, document.counter)
        for number, tab in enumerate(tabs, start=1):
            if isinstance(tab, BrokenValue):
                yield Skipped(f"tab {number}", tab.reason)
                document.counter.see_parts([], Omission.UNREADABLE)
                continue
            bubbles = [mapping(bubble) for bubble in sequence(tab.get("bubbles"))]
            title = string(tab.get("chatTitle"))
            yield _conversation(string(tab.get("tabId")), title, bubbles, None, document.counter)
        if not chats and not tabs:
            yield Skipped(document.name, "holds no chats", lost=False)


def _chat_ids(query: Rows) -> list[str]:
    """Return the ids of all chats, also of those of which only messages are left."""
    headed = (
        "select substr(key, 14) from cursorDiskKV"
        " where key >= 'composerData:' and key < 'composerData;'"
    )
    others = (
        "select distinct substr(key, 10, instr(substr(key, 10), ':') - 1) from cursorDiskKV"
        " where key >= 'bubbleId:' and key < 'bubbleId;'"
    )
    found = [string(key) for sql in (headed, others) for (key,) in query(sql)]
    return list(dict.fromkeys(filter(None, found)))


def _tabs(query: Rows) -> list[Row | BrokenValue]:
    """Return the chats of a workspace of the oldest versions."""
    if not list(query("select 1 from sqlite_master where name = 'ItemTable'")):
        return []
    value = _value(query, "select value from ItemTable where key = ?", _TABS)
    if isinstance(value, BrokenValue):
        return [value]
    return [mapping(tab) for tab in sequence(value.get("tabs"))]


def _parse_chat(query: Rows, chat: str, counter: MessageCounter) -> Iterator[ParsedItem]:
    data = _value(query, _CHAT_SQL, f"composerData:{chat}")
    if isinstance(data, BrokenValue):
        yield Skipped(f"title of chat {chat}", data.reason)
        data = {}
    bubbles: list[Row] = []
    for number, bubble in enumerate(_bubbles(query, chat, data), start=1):
        if isinstance(bubble, BrokenValue):
            yield Skipped(f"message {number} of chat {chat}", bubble.reason)
            counter.see_parts([], Omission.UNREADABLE)
        else:
            bubbles.append(bubble)
    started = parse_timestamp(data.get("createdAt"))
    yield _conversation(chat, string(data.get("name")), bubbles, started, counter)


def _value(query: Rows, sql: str, key: str) -> Row | BrokenValue:
    """Return the object that a table has for a key; an empty one if there is none."""
    values = [value for (value,) in query(sql, key)]
    return _parse_object(values[0]) if values else {}


def _parse_object(value: object) -> Row | BrokenValue:
    parsed = parse_or_broken(value) if isinstance(value, str | bytes) else {}
    return parsed if isinstance(parsed, BrokenValue) else mapping(parsed)


def _bubbles(query: Rows, chat: str, data: Row) -> Iterator[Row | BrokenValue]:
    """Yield the messages of a chat in their order."""
    inside = mapping(data.get("conversationMap"))
    heads = [mapping(head) for head in sequence(data.get("fullConversationHeadersOnly"))]
    heads = heads or [mapping(bubble) for bubble in sequence(data.get("conversation"))]
    if not heads:
        sql = "select value from cursorDiskKV where key >= ? and key < ? order by rowid"
        for (value,) in list(query(sql, f"bubbleId:{chat}:", f"bubbleId:{chat};")):
            yield _parse_object(value)
    for head in heads:
        name = string(head.get("bubbleId"))
        stored = _value(query, _CHAT_SQL, f"bubbleId:{chat}:{name}")
        if isinstance(stored, BrokenValue):
            yield stored
        else:
            yield {**head, **mapping(inside.get(name)), **stored}


def _conversation(
    chat: str,
    title: str,
    bubbles: list[Row],
    started: datetime | None,
    counter: MessageCounter,
) -> ParsedItem:
    keys, turns = MessageKeys(), list[Turn]()
    for bubble in bubbles:
        sent_at, blocks = _time(bubble), _blocks(bubble)
        count_message(counter, blocks)
        content = [part for block in blocks for part in (block.role, block.kind, block.text)]
        key = string(bubble.get("bubbleId")) or string(bubble.get("id"))
        turns += linear_turns(key or keys.next_key(sent_at, *content), blocks, sent_at)
    if not turns:
        return Skipped(f"chat {title or chat}", "has nothing to import", lost=False)
    if turns[0].sent_at is None and started:
        turns[0] = replace(turns[0], sent_at=started, clock=Clock.INHERITED)
    title = title or title_from(turns)
    return Conversation(
        FORMAT.name, chat or turns[0].key, title, tuple(with_inherited_times(turns))
    )


def _time(bubble: Row) -> datetime | None:
    timing = mapping(bubble.get("timingInfo"))
    times = (
        parse_timestamp(bubble.get("createdAt")),
        parse_timestamp(timing.get("clientStartTime")),
        parse_timestamp(timing.get("clientRpcSendTime")),
    )
    return next(filter(None, times), None)


def _blocks(bubble: Row) -> list[Block]:
    role = _ROLES.get(string(bubble.get("type")))
    if role is None:
        return []
    blocks = text_block(role, string(mapping(bubble.get("thinking")).get("text")), Kind.THOUGHT)
    tool = mapping(bubble.get("toolFormerData"))
    text = string(bubble.get("text")) or string(bubble.get("rawText"))
    text = text if text.strip() else _rich_text(bubble.get("richText"))
    if not text.strip() and not tool:
        codes = (mapping(code).get("content") for code in sequence(bubble.get("codeBlocks")))
        text = "\n\n".join(filter(None, map(string, codes)))
    blocks += text_block(role, text)
    if role is Role.USER:
        blocks += [media_block(role, name) for name in _file_names(bubble)]
    if name := string(tool.get("name")) or string(tool.get("tool")):
        blocks.append(tool_call(name, tool.get("rawArgs") or tool.get("params") or ""))
        blocks += tool_result(tool.get("result"))
    error = mapping(bubble.get("errorDetails"))
    return blocks + text_block(Role.SYSTEM, string(error.get("message")), Kind.SERVICE)


def _rich_text(value: object) -> str:
    """Return the text of an editor's document, which is JSON in a text."""
    parsed = parse_or_broken(value) if isinstance(value, str) and value.startswith("{") else None
    waiting: list[Any] = [mapping(parsed).get("root")]
    texts: list[str] = []
    while waiting:
        node = mapping(waiting.pop())
        if string(node.get("text")):
            texts.append(string(node.get("text")))
        elif node.get("type") == "linebreak":
            texts.append("\n")
        waiting += reversed(sequence(node.get("children")))
    return "".join(texts)


def _file_names(bubble: Row) -> list[str]:
    """Return the names of the files and pictures that the person attached."""
    context = mapping(bubble.get("context"))
    uris = (mapping(mapping(file).get("uri")) for file in sequence(context.get("fileSelections")))
    names = [path for uri in uris if (path := plain_text(uri.get("path")))]
    pictures = sequence(bubble.get("images")) or sequence(context.get("selectedImages"))
    for picture in map(mapping, pictures):
        name = string(picture.get("path")) or string(picture.get("name"))
        names += [name or "[image]"]
    return names


FORMAT = Format(name="cursor", recognises=_recognises, parse=_parse)
