"""OpenCode's sessions: the output of `opencode export`, its database, and its older files.

    opencode.db
    storage/session/<project>/<session>.json
    storage/message/<session>/<message>.json
    storage/part/<message>/<part>.json

A message is made of parts, and in all three forms its metadata is an object beside its parts. Some
exporters leave that wrapping out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
    tool_call,
    tool_result,
    unknown_blocks,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions, PieceLayout
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import (
    LARGEST_VALUE,
    BrokenValue,
    Edge,
    parse_or_broken,
    scan_json,
)
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

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_MESSAGES = ("messages", "[]")
_SILENT_PARTS = frozenset(
    "step-start step-finish snapshot patch agent retry compaction source-url"
    " source-document".split()
)
_COLUMNS = {
    "session": {"id", "title"},
    "message": {"id", "session_id", "data"},
    "part": {"id", "message_id", "data"},
}

_ID = re.compile(r"[\w-]{1,200}")

# The files of messages and of their parts: the file of a session is read with them.
_PIECES = PieceLayout(
    path=re.compile(r"((?:.*/)?storage/|)(?:message|part)/[^/]+/[^/]+\.json"),
    main_folder="session",
)

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    if sample.head.startswith(MAGIC):
        tables = sample.tables
        return all(tables.get(table, set()) >= columns for table, columns in _COLUMNS.items())
    return _is_session(mapping(sample.json)) or any(
        string(_metadata(message).get("role")) in _ROLES and "type" in mapping(part)
        for message in map(mapping, sequence(mapping(sample.json).get("messages")))
        for part in sequence(message.get("parts"))
    )


def _is_session(top: Row) -> bool:
    """Return whether an object is the file of a session, which has none of its messages."""
    return (
        _ID.fullmatch(string(top.get("id"))) is not None
        and isinstance(top.get("title"), str)
        and "created" in mapping(top.get("time"))
        and "messages" not in top
        and not {"projectID", "directory"}.isdisjoint(top)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(MAGIC):
        return _parse_database(document)
    metadata = _parse_object(head)
    if metadata and _is_session(metadata):
        return _parse_files(document, metadata)
    return _parse_export(document)


def _parse_export(document: Document) -> Iterator[ParsedItem]:
    """Yield the session at the end of the file, or of the part of it that can be read.

    Raises:
        InputError: the file is damaged; the messages before the damage are yielded first.
    """
    metadata: dict[str, Any] = {}
    turns: list[Turn] = []
    try:
        yield from _read_export(document, metadata, turns)
    except InputError:
        if turns:
            yield _conversation(string(metadata.get("id")), string(metadata.get("title")), turns)
        raise
    yield _conversation(string(metadata.get("id")), string(metadata.get("title")), turns)


def _read_export(
    document: Document, metadata: dict[str, Any], turns: list[Turn]
) -> Iterator[Skipped]:
    """Add metadata and turns of a session; yield the messages that cannot be read."""
    keys, number = MessageKeys(), 0
    for path, value in scan_json(document, [_MESSAGES, ("info",)]):
        if path == _MESSAGES:
            number += 1
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number}", value.reason)
                count_message(document.counter, [], Omission.UNREADABLE)
            else:
                turns += _message_turns(mapping(value), keys, document.counter)
        elif path == ("info",):
            metadata |= mapping(value)
        elif len(path) == 1 and not isinstance(value, Edge):
            metadata.setdefault(path[0], value)


def _parse_files(document: Document, metadata: Row) -> Iterator[ParsedItem]:
    key, turns, keys = string(metadata["id"]), list[Turn](), MessageKeys()
    for message_file in document.list_folder(f"../../message/{key}"):
        message = _read_object(message_file)
        if message is None or not _ID.fullmatch(string(message.get("id"))):
            yield Skipped(message_file.name, "is not a message")
            continue
        parts = list[Row]()
        for part_file in document.list_folder(f"../../part/{message['id']}"):
            part = _read_object(part_file)
            if part is None:
                yield Skipped(part_file.name, "is not JSON")
            else:
                parts.append(part)
        turns += _message_turns({"info": message, "parts": parts}, keys, document.counter)
    yield _conversation(key, string(metadata.get("title")), turns)


def _read_object(document: Document) -> Row | None:
    with document.open() as stream:
        return _parse_object(stream.read(LARGEST_VALUE))


def _parse_database(document: Document) -> Iterator[ParsedItem]:
    with open_database(document) as rows:
        for key, title in list(rows("select id, title from session order by id")):
            turns: list[Turn] = []
            sql = "select id, data from message where session_id = ? order by id"
            for name, data in rows(sql, key):
                metadata = _parse_object(data)
                if metadata is None:
                    yield Skipped(f"message {string(name)}", "is not JSON")
                    count_message(document.counter, [], Omission.UNREADABLE)
                    continue
                parts = _stored_parts(rows, name)
                if None in parts:
                    yield Skipped(f"a part of message {string(name)}", "is not JSON")
                valid = [part for part in parts if part is not None]
                message = {"info": {**metadata, "id": name}, "parts": valid}
                turns += _message_turns(message, MessageKeys(), document.counter)
            yield _conversation(string(key), string(title), turns)


def _stored_parts(rows: Rows, message: object) -> list[Row | None]:
    """Return the parts of a message in the database; None for a part that is not JSON."""
    sql = "select data from part where message_id = ? order by id"
    return [_parse_object(data) for (data,) in rows(sql, message)]


def _parse_object(data: object) -> Row | None:
    """Return a JSON object, an empty one for another JSON value, and None if it is not JSON."""
    value = parse_or_broken(data) if isinstance(data, str | bytes) else BrokenValue("is not text")
    return None if isinstance(value, BrokenValue) else mapping(value)


def _conversation(key: str, title: str, turns: list[Turn]) -> ParsedItem:
    if not turns:
        return Skipped(f"session {key}", "has nothing to import", lost=False)
    turns = with_inherited_times(turns)
    title = title or title_from(turns)
    return Conversation(FORMAT.name, key or turns[0].key, title, tuple(turns))


def _metadata(message: Row) -> Row:
    return mapping(message.get("info")) or message


def _message_turns(message: Row, keys: MessageKeys, counter: MessageCounter) -> list[Turn]:
    metadata = _metadata(message)
    time = mapping(metadata.get("time")).get("created", metadata.get("createdAt"))
    role, sent_at = _ROLES.get(string(metadata.get("role"))), parse_timestamp(time)
    blocks: list[Block] = []
    if role:
        for part in map(mapping, sequence(message.get("parts"))):
            blocks += _blocks(role, part)
    error = mapping(mapping(metadata.get("error")).get("data")).get("message")
    blocks += text_block(Role.SYSTEM, string(error), Kind.SERVICE)
    count_message(counter, blocks)
    content = [part for block in blocks for part in (block.kind, block.text)]
    key = string(metadata.get("id")) or keys.next_key(sent_at, role, *content)
    return linear_turns(key, blocks, sent_at)


def _blocks(role: Role, part: Row) -> list[Block]:
    kind, text = part.get("type"), string(part.get("text"))
    if kind == "text":
        if part.get("synthetic") is True:  # added by the program: a mentioned file, a hint
            return text_block(Role.SYSTEM, text, Kind.CONTEXT)
        return text_block(role, text)
    if kind == "reasoning":
        return text_block(role, text, Kind.THOUGHT)
    if kind == "tool":
        state = mapping(part.get("state"))
        call = tool_call(part.get("tool"), state.get("input"))
        return [call, *tool_result(state.get("output") or state.get("error"))]
    if kind == "file":
        return [media_block(role, part.get("filename") or part.get("url"))]
    if kind == "subtask":
        return [tool_call(part.get("agent"), part.get("prompt"))]
    name = string(kind)
    if name.startswith(("tool-", "dynamic-tool")):
        return [tool_call(part.get("toolName", name), part.get("input"))]
    silent = name in _SILENT_PARTS or name.startswith("data-")
    return [] if silent else unknown_blocks(role, part)


FORMAT = Format(name="opencode", recognises=_recognises, parse=_parse, pieces=_PIECES)
