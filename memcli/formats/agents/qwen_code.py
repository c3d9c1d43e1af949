"""Session logs of Qwen Code: JSON lines with one record each, which names its parent.

    ~/.qwen/projects/<project>/chats/<session>.jsonl
    {"uuid", "parentUuid", "sessionId", "timestamp", "type", "message": {"role", "parts": [...]}}

Parts are those of Google's API, of which the program was first a copy. Its older sessions are read
as those of Gemini CLI.

Source: `packages/core/src/services/chatRecordingService.ts` of Qwen Code.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped
from memcli.formats.building.blocks import (
    Block,
    block_contents,
    count_message,
    media_block,
    node_chain,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, sequence, string
from memcli.lazy_dataclasses import replace

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
# Subtypes of records in the person's name that the program wrote.
_BY_PROGRAM = ("notification", "background_task_completed", "cron", "agent_launch_prompt")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        row.get("type") in _ROLES
        and isinstance(mapping(row.get("message")).get("parts"), list)
        and "uuid" in row
        for row in sample_objects(sample, 50)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    session = _Session(PurePath(document.name).stem, document.counter)
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
        else:
            session.read(mapping(value))
    yield session.conversation()


class _Session:
    """The tree of one session, as its lines are read."""

    def __init__(self, stem: str, counter: MessageCounter) -> None:
        self._counter = counter
        self._key, self._title, self._current = stem, "", ""
        self._has_id = False
        self._nodes: dict[str, Node] = {}
        self._keys = MessageKeys()

    def read(self, row: Row) -> None:
        """Read one record."""
        if not self._has_id and (key := string(row.get("sessionId"))):
            self._key, self._has_id = key, True
        if row.get("subtype") == "custom_title":
            payload = mapping(row.get("systemPayload"))
            self._title = string(payload.get("customTitle")) or self._title
        sent_at, blocks = parse_timestamp(row.get("timestamp")), _blocks(row)
        key = string(row.get("uuid")) or self._keys.next_key(
            sent_at, row.get("type"), *block_contents(blocks)
        )
        parent = string(row.get("parentUuid")) if "parentUuid" in row else self._current
        if key in self._nodes:
            count_message(self._counter, [], Omission.REPEATED)
        else:
            if blocks or row.get("type") in _ROLES:
                count_message(self._counter, blocks)
            self._nodes |= node_chain(key, key, parent, blocks, sent_at)
        self._current = key

    def conversation(self) -> ParsedItem:
        """Return the conversation, or Skipped if it has no turn."""
        turns = branching_turns(self._nodes, self._current, None)
        if not turns:
            return Skipped(f"session {self._key}", "has nothing to import", lost=False)
        title = self._title or title_from(turns)
        return Conversation(FORMAT.name, self._key, title, tuple(turns))


def _blocks(row: Row) -> list[Block]:
    role = _ROLES.get(string(row.get("type")))
    if row.get("subtype") == "mid_turn_user_message":
        role = Role.USER
    parts = [mapping(part) for part in sequence(mapping(row.get("message")).get("parts"))]
    blocks: list[Block] = []
    for part in parts:
        blocks += _part_blocks(role, part)
    if row.get("subtype") in _BY_PROGRAM:
        return [Block(Role.SYSTEM, block.text, Kind.CONTEXT) for block in blocks if block.text]
    return blocks


def _part_blocks(role: Role | None, part: Row) -> list[Block]:
    if call := mapping(part.get("functionCall")):
        return [tool_call(call.get("name"), call.get("args"))]
    if result := mapping(part.get("functionResponse")):
        response = mapping(result.get("response"))
        return tool_result(response.get("output") or response.get("error") or response)
    if role is None:
        return text_block(Role.SYSTEM, string(part.get("text")), Kind.CONTEXT)
    for name in ("inlineData", "fileData"):
        if file := mapping(part.get(name)):
            path = string(file.get("displayName")) or string(file.get("fileUri"))
            kind = string(file.get("mimeType")).partition("/")[0] or "file"
            return [media_block(role, path or f"[{kind}]")]
    kind = Kind.THOUGHT if part.get("thought") is True else Kind.TEXT
    return text_block(role, string(part.get("text")), kind)


FORMAT = Format(name="qwen_code", recognises=_recognises, parse=_parse, grows=True)
