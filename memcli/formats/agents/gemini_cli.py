"""Session logs of Gemini CLI, in `~/.gemini/tmp/<project>/chats`.

Old versions write one object with all messages. New versions write one line per change: a new
version of a message, a change of the session's metadata, or a rewind.

Source: google-gemini/gemini-cli, packages/core/src/services/chatRecordingService.ts.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

_ROLES = {"user": Role.USER, "gemini": Role.ASSISTANT, "model": Role.ASSISTANT}
_NOTICES = ("info", "error", "warning")
_SESSION_KEYS = {"sessionId", "projectHash"}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return bool(mapping(sample.json).keys() >= _SESSION_KEYS) or any(
        row.keys() >= _SESSION_KEYS for row in sample_objects(sample, 1)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    session = _Session(PurePath(document.name).stem)
    yield from session.read(_changes(document), document.counter)
    conversation = session.conversation(document.counter)
    if any(turn.kind.is_message for turn in conversation.turns):
        yield conversation
    else:
        document.counter.omit(Omission.HIDDEN, len(conversation.turns))
        yield Skipped(f"session {conversation.key}", "has nothing to import", lost=False)


def _changes(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield (place for error messages, value) of each change of the session."""
    if _is_json_lines(document):
        for number, value in read_json_lines(replace(document, log_position=None), growing=True):
            yield f"line {number}", value
        return
    number = 0
    for path, value in scan_json(document, [("messages", "[]")]):
        if path == ("messages", "[]"):
            number += 1
            yield f"message {number}", value
        elif len(path) == 1 and not isinstance(value, Edge):
            yield path[0], {"$set": {path[0]: value}}


def _is_json_lines(document: Document) -> bool:
    """Return whether the document has one change per line and is not one object.

    Its first line is then a complete object without messages.
    """
    with document.open() as stream:
        head = Sample(document.name, stream.readline(HEAD_BYTES))
    first = sample_objects(head, 1)
    return bool(first) and "messages" not in first[0]


class _Session:
    """The state of a session, as its changes are read."""

    def __init__(self, stem: str) -> None:
        self._metadata: dict[str, Any] = {"sessionId": stem}
        self._messages: dict[str, Row] = {}  # by key, in the order of the file
        self._dropped: set[str] = set()
        self._keys = MessageKeys()

    def read(
        self, changes: Iterator[tuple[str, Any]], counter: MessageCounter
    ) -> Iterator[Skipped]:
        """Read all changes; yield those that are not JSON."""
        for where, value in changes:
            if isinstance(value, BrokenValue):
                yield Skipped(where, value.reason)
                counter.see_parts([], Omission.UNREADABLE)
            elif isinstance(value, dict):
                self._apply(value)

    def _apply(self, row: Row) -> None:
        if "$rewindTo" in row:
            keys = list(self._messages)
            target = string(row["$rewindTo"])
            self._dropped |= set(keys[keys.index(target) :] if target in keys else keys)
        elif "$set" in row or row.keys() >= _SESSION_KEYS:
            changes = mapping(row.get("$set")) or row
            self._metadata |= {name: value for name, value in changes.items() if name != "messages"}
            if isinstance(changes.get("messages"), list):
                self._dropped = set(self._messages)
                for message in map(mapping, changes["messages"]):
                    self._put(message)
        else:
            self._put(row)

    def _put(self, message: Row) -> None:
        key = string(message.get("id"))
        key = key or self._keys.next_key(
            *(str(message.get(name)) for name in ("timestamp", "type", "content"))
        )
        self._messages[key] = message
        self._dropped.discard(key)

    def conversation(self, counter: MessageCounter) -> Conversation:
        """Return the conversation; turns that were rewound are not on its active branch."""
        turns: list[Turn] = []
        for key, message in self._messages.items():
            blocks, active = _blocks(message), key not in self._dropped
            count_message(counter, blocks)
            sent_at = parse_timestamp(message.get("timestamp"))
            turns += [replace(turn, active=active) for turn in linear_turns(key, blocks, sent_at)]
        turns = with_inherited_times(turns)
        title = string(self._metadata.get("summary")) or title_from(turns)
        key = string(self._metadata.get("sessionId"))
        updated_at = parse_timestamp(self._metadata.get("lastUpdated"))
        return Conversation(FORMAT.name, key, title, tuple(turns), updated_at=updated_at)


def _blocks(message: Row) -> list[Block]:
    kind = string(message.get("type"))
    if kind in _NOTICES:
        return text_block(Role.SYSTEM, _text(message.get("content")), Kind.SERVICE)
    role = _ROLES.get(kind)
    if role is None:
        return text_block(Role.SYSTEM, _text(message.get("content")), Kind.SERVICE)
    blocks: list[Block] = []
    for thought in map(mapping, sequence(message.get("thoughts"))):
        texts = filter(None, (string(thought.get("subject")), string(thought.get("description"))))
        blocks += text_block(role, "\n".join(texts), Kind.THOUGHT)
    display = message.get("displayContent")
    if display is not None and _text(display).strip():
        blocks += _content_blocks(role, display)
        if _text(display) != _text(message.get("content")):  # it also has the files it mentions
            blocks += text_block(Role.SYSTEM, _text(message.get("content")), Kind.CONTEXT)
    else:
        blocks += _content_blocks(role, message.get("content"))
    for call in map(mapping, sequence(message.get("toolCalls"))):
        blocks.append(tool_call(call.get("name"), call.get("args")))
        for result in map(mapping, sequence(call.get("result"))):
            blocks += tool_result(mapping(result.get("functionResponse")).get("response", result))
    return blocks


def _text(content: object) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = (string(part) or string(mapping(part).get("text")) for part in parts)
    return "\n".join(text for text in texts if text)


def _content_blocks(role: Role, content: object) -> list[Block]:
    blocks = text_block(role, _text(content))
    for part in map(mapping, content if isinstance(content, list) else [content]):
        for name in ("inlineData", "fileData"):
            if name in part:
                blocks.append(media_block(role, mapping(part[name]).get("fileUri")))
        if "functionCall" in part:
            call = mapping(part["functionCall"])
            blocks.append(tool_call(call.get("name"), call.get("args")))
        if "functionResponse" in part:
            blocks += tool_result(mapping(part["functionResponse"]).get("response"))
    return blocks


FORMAT = Format(name="gemini_cli", recognises=_recognises, parse=_parse, grows=True)
