"""Session logs of Gemini CLI, in `~/.gemini/tmp/<project>/chats`.

Old versions write one object with all messages, new ones a line a change: a message as it is now,
a change of the session, or how far it was rewound.

Source: google-gemini/gemini-cli, packages/core/src/services/chatRecordingService.ts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.formats.building.blocks import (
    Block,
    linear_turns,
    media_block,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import first_rows, rows
from memcli.formats.parsing.json_stream import Broken, Edge, scan
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {"user": Role.USER, "gemini": Role.ASSISTANT, "model": Role.ASSISTANT}
_NOTICES = ("info", "error", "warning")
_HEAD = {"sessionId", "projectHash"}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return bool(mapping(sample.json).keys() >= _HEAD) or any(
        row.keys() >= _HEAD for row in first_rows(sample, 1)
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    session = _Session(PurePath(document.name).stem)
    yield from session.read(_changes(document))
    found = session.conversation()
    if any(turn.kind.said for turn in found.turns):
        yield found
    else:
        yield Skipped(f"session {found.key}", "has nothing to import", lost=False)


def _changes(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield where each change of the session stands, and what it is."""
    if _by_lines(document):
        for number, value in rows(replace(document, mark=None), growing=True):
            yield f"line {number}", value
        return
    number = 0
    for path, value in scan(document, [("messages", "[]")]):
        if path == ("messages", "[]"):
            number += 1
            yield f"message {number}", value
        elif len(path) == 1 and not isinstance(value, Edge):
            yield path[0], {"$set": {path[0]: value}}


def _by_lines(document: Document) -> bool:
    """Tell a line a change, whose first line is whole and has no messages, from one object."""
    with document.open() as stream:
        head = Sample(document.name, stream.readline(HEAD_BYTES))
    first = first_rows(head, 1)
    return bool(first) and "messages" not in first[0]


class _Session:
    """What a session is after all changes."""

    def __init__(self, stem: str) -> None:
        self._about: dict[str, Any] = {"sessionId": stem}
        self._messages: dict[str, Row] = {}  # by key, in the order they came
        self._dropped: set[str] = set()
        self._keys = Keys()

    def read(self, changes: Iterator[tuple[str, Any]]) -> Iterator[Skipped]:
        """Take in all changes."""
        for where, value in changes:
            if isinstance(value, Broken):
                yield Skipped(where, value.why)
            elif isinstance(value, dict):
                self._change(value)

    def _change(self, row: Row) -> None:
        if "$rewindTo" in row:
            keys = list(self._messages)
            target = string(row["$rewindTo"])
            self._dropped |= set(keys[keys.index(target) :] if target in keys else keys)
        elif "$set" in row or row.keys() >= _HEAD:
            about = mapping(row.get("$set")) or row
            self._about |= {name: value for name, value in about.items() if name != "messages"}
            if isinstance(about.get("messages"), list):
                self._dropped = set(self._messages)
                for message in map(mapping, about["messages"]):
                    self._put(message)
        else:
            self._put(row)

    def _put(self, message: Row) -> None:
        key = string(message.get("id"))
        key = key or self._keys.key(
            *(str(message.get(n)) for n in ("timestamp", "type", "content"))
        )
        self._messages[key] = message
        self._dropped.discard(key)

    def conversation(self) -> Conversation:
        """Return what was said; what was rewound is not on the branch that counts."""
        turns = [
            replace(turn, active=key not in self._dropped)
            for key, message in self._messages.items()
            for turn in linear_turns(key, _blocks(message), instant(message.get("timestamp")))
        ]
        turns = with_inherited_times(turns)
        title = string(self._about.get("summary")) or title_from(turns)
        key = string(self._about.get("sessionId"))
        updated_at = instant(self._about.get("lastUpdated"))
        return Conversation(FORMAT.name, key, title, tuple(turns), updated_at=updated_at)


def _blocks(message: Row) -> list[Block]:
    kind = string(message.get("type"))
    if kind in _NOTICES:
        return text_block(Role.SYSTEM, _words(message.get("content")), Kind.SERVICE)
    role = _ROLES.get(kind)
    if role is None:
        return []
    found: list[Block] = []
    for thought in map(mapping, sequence(message.get("thoughts"))):
        told = filter(None, (string(thought.get("subject")), string(thought.get("description"))))
        found += text_block(role, "\n".join(told), Kind.THOUGHT)
    shown = message.get("displayContent")
    if shown is not None and _words(shown).strip():
        found += _parts(role, shown)
        if _words(shown) != _words(message.get("content")):  # with the files that it names
            found += text_block(Role.SYSTEM, _words(message.get("content")), Kind.CONTEXT)
    else:
        found += _parts(role, message.get("content"))
    for call in map(mapping, sequence(message.get("toolCalls"))):
        found.append(tool_call(call.get("name"), call.get("args")))
        for result in map(mapping, sequence(call.get("result"))):
            found += tool_result(mapping(result.get("functionResponse")).get("response", result))
    return found


def _words(content: object) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = (string(part) or string(mapping(part).get("text")) for part in parts)
    return "\n".join(text for text in texts if text)


def _parts(role: Role, content: object) -> list[Block]:
    found = text_block(role, _words(content))
    for part in map(mapping, content if isinstance(content, list) else [content]):
        for name in ("inlineData", "fileData"):
            if name in part:
                found.append(media_block(role, mapping(part[name]).get("fileUri")))
        if "functionCall" in part:
            call = mapping(part["functionCall"])
            found.append(tool_call(call.get("name"), call.get("args")))
        if "functionResponse" in part:
            found += tool_result(mapping(part["functionResponse"]).get("response"))
    return found


FORMAT = Format(
    name="gemini_cli",
    title="Gemini CLI session log",
    recognises=_recognises,
    parse=_parse,
    grows=True,
)
