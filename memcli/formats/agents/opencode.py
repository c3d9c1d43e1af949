"""OpenCode's sessions: what `opencode export` writes, its database, and the files before that.

    opencode.db
    storage/session/<project>/<session>.json
    storage/message/<session>/<message>.json
    storage/part/<message>/<part>.json

A message is made of parts, and says little itself; in all of them, what is known about it lies
beside its parts. Some exporters leave that wrapping out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import Block, answered, called, line, media, said, title_from
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import LARGEST_VALUE, Broken, Edge, scan
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.sqlite import MAGIC, Rows, opened
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_MESSAGES = ("messages", "[]")
_COLUMNS = {
    "session": {"id", "title"},
    "message": {"id", "session_id", "data"},
    "part": {"id", "message_id", "data"},
}

_ID = re.compile(r"[\w-]{1,200}")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    if sample.head.startswith(MAGIC):
        found = sample.tables
        return all(found.get(table, set()) >= columns for table, columns in _COLUMNS.items())
    return _is_session(mapping(sample.json)) or any(
        string(_about(message).get("role")) in _ROLES and "type" in mapping(part)
        for message in map(mapping, sequence(mapping(sample.json).get("messages")))
        for part in sequence(message.get("parts"))
    )


def _is_session(top: Row) -> bool:
    """Tell a session's own file, which has none of its messages."""
    return (
        _ID.fullmatch(string(top.get("id"))) is not None
        and isinstance(top.get("title"), str)
        and "created" in mapping(top.get("time"))
        and "messages" not in top
        and not {"projectID", "directory"}.isdisjoint(top)
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(MAGIC):
        return _stored(document)
    about = _loads(head)
    return _filed(document, about) if about and _is_session(about) else _exported(document)


def _exported(document: Document) -> Iterator[Parsed]:
    about: dict[str, Any] = {}
    keys, turns, number = Keys(), list[Turn](), 0
    for path, value in scan(document, [_MESSAGES, ("info",)]):
        if path == _MESSAGES:
            number += 1
            if isinstance(value, Broken):
                yield Skipped(f"message {number}", value.why)
            else:
                turns += _message(mapping(value), keys)
        elif path == ("info",):
            about |= mapping(value)
        elif len(path) == 1 and not isinstance(value, Edge):
            about.setdefault(path[0], value)
    yield _conversation(string(about.get("id")), string(about.get("title")), turns)


def _filed(document: Document, about: Row) -> Iterator[Parsed]:
    key, turns, keys = string(about["id"]), list[Turn](), Keys()
    for found in document.within(f"../../message/{key}"):
        message = _file(found)
        if message is None or not _ID.fullmatch(string(message.get("id"))):
            yield Skipped(found.name, "is no message")
            continue
        parts = list[Row]()
        for piece in document.within(f"../../part/{message['id']}"):
            part = _file(piece)
            if part is None:
                yield Skipped(piece.name, "is no JSON")
            else:
                parts.append(part)
        turns += _message({"info": message, "parts": parts}, keys)
    yield _conversation(key, string(about.get("title")), turns)


def _file(document: Document) -> Row | None:
    with document.open() as stream:
        return _loads(stream.read(LARGEST_VALUE))


def _stored(document: Document) -> Iterator[Parsed]:
    with opened(document) as rows:
        for key, title in list(rows("select id, title from session order by id")):
            turns: list[Turn] = []
            sql = "select id, data from message where session_id = ? order by id"
            for name, data in rows(sql, key):
                about = _loads(data)
                if about is None:
                    yield Skipped(f"message {string(name)}", "is no JSON")
                    continue
                parts = _parts(rows, name)
                if None in parts:
                    yield Skipped(f"a part of message {string(name)}", "is no JSON")
                told = [part for part in parts if part is not None]
                turns += _message({"info": {**about, "id": name}, "parts": told}, Keys())
            yield _conversation(string(key), string(title), turns)


def _parts(rows: Rows, message: object) -> list[Row | None]:
    sql = "select data from part where message_id = ? order by id"
    return [_loads(data) for (data,) in rows(sql, message)]


def _loads(data: object) -> Row | None:
    try:
        return mapping(json.loads(data)) if isinstance(data, str | bytes) else None
    except (ValueError, RecursionError):
        return None


def _conversation(key: str, title: str, turns: list[Turn]) -> Parsed:
    if not turns:
        return Skipped(f"session {key}", "has nothing to import", lost=False)
    turns = with_inherited_times(turns)
    title = title or title_from(turns)
    return Conversation(FORMAT.name, key or turns[0].key, title, tuple(turns))


def _about(message: Row) -> Row:
    return mapping(message.get("info")) or message


def _message(message: Row, keys: Keys) -> list[Turn]:
    about = _about(message)
    time = mapping(about.get("time")).get("created", about.get("createdAt"))
    role, sent_at = _ROLES.get(string(about.get("role"))), instant(time)
    if role is None:
        return []
    blocks: list[Block] = []
    for part in map(mapping, sequence(message.get("parts"))):
        blocks += _blocks(role, part)
    told = [part for block in blocks for part in (block.kind, block.text)]
    key = string(about.get("id")) or keys.key(sent_at, role, *told)
    return line(key, blocks, sent_at)


def _blocks(role: Role, part: Row) -> list[Block]:
    kind, text = part.get("type"), string(part.get("text"))
    if kind == "text":
        if part.get("synthetic") is True:  # put in by the program: a file that was named, a hint
            return said(Role.SYSTEM, text, Kind.CONTEXT)
        return said(role, text)
    if kind == "reasoning":
        return said(role, text, Kind.THOUGHT)
    if kind == "tool":
        state = mapping(part.get("state"))
        call = called(part.get("tool"), state.get("input"))
        return [call, *answered(state.get("output") or state.get("error"))]
    if kind == "file":
        return [media(role, part.get("filename") or part.get("url"))]
    if kind == "subtask":
        return [called(part.get("agent"), part.get("prompt"))]
    return []


FORMAT = Format(name="opencode", title="OpenCode session", recognises=_recognises, parse=_parse)
