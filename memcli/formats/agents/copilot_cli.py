"""Session logs of GitHub Copilot CLI: JSON lines with one event each.

    ~/.copilot/session-state/<session>/events.jsonl
    {"type": "user.message", "data": {"content": ...}, "id", "timestamp", "parentId"}

Subagents write into the log of their session, with an `agentId`.

Source: the logs of several versions of the program; there is no published schema.
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
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

_LOG_NAME = "events"
_MESSAGES = ("user.message", "assistant.message")
_HEAD_LINES = 200  # before the first prompt there are events of hooks and models
_NOTICES = ("session.error", "session.info", "session.warning")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        row.get("type") in _MESSAGES and isinstance(row.get("data"), dict)
        for row in sample_objects(sample, _HEAD_LINES)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    key, title, keys, turns = "", "", MessageKeys(), list[Turn]()
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        row = mapping(value)
        kind, data = string(row.get("type")), mapping(row.get("data"))
        if kind == "session.start":
            key = key or string(data.get("sessionId"))
        elif kind in ("session.title_changed", "session.renamed"):
            title = string(data.get("title")) or string(data.get("name")) or title
        sent_at, blocks = parse_timestamp(row.get("timestamp")), _blocks(kind, data)
        if string(row.get("agentId")) or string(data.get("parentToolCallId")):
            blocks = [_of_subagent(block) for block in blocks]
        if blocks or kind in _MESSAGES:
            count_message(document.counter, blocks)
        content = [part for block in blocks for part in (block.kind, block.text)]
        name = string(row.get("id")) or keys.next_key(sent_at, kind, *content)
        turns += linear_turns(name, blocks, sent_at)
    path = PurePath(document.name)
    if turns:
        key = key or (path.parent.name if path.stem == _LOG_NAME else path.stem)
        title = title or title_from(turns)
        yield Conversation(FORMAT.name, key, title, tuple(with_inherited_times(turns)))
    else:
        yield Skipped(f"session {key or path.stem}", "has nothing to import", lost=False)


def _of_subagent(block: Block) -> Block:
    """Return a block of a subagent, whose prompts and answers are steps of a tool."""
    is_text = block.kind is Kind.TEXT
    return Block(Role.TOOL, block.text, Kind.TOOL) if is_text else block


def _blocks(kind: str, data: Row) -> list[Block]:
    if kind == "user.message":
        blocks = text_block(Role.USER, string(data.get("content")))
        for file in map(mapping, sequence(data.get("attachments"))):
            blocks.append(media_block(Role.USER, file.get("displayName") or file.get("path")))
        return blocks
    if kind == "assistant.message":
        thought = string(data.get("reasoningText"))
        blocks = text_block(Role.ASSISTANT, thought, Kind.THOUGHT)
        blocks += text_block(Role.ASSISTANT, string(data.get("content")))
        for call in map(mapping, sequence(data.get("toolRequests"))):
            blocks.append(tool_call(call.get("name"), call.get("arguments")))
        return blocks
    if kind == "assistant.reasoning":
        return text_block(Role.ASSISTANT, string(data.get("content")), Kind.THOUGHT)
    if kind == "tool.execution_complete":
        return tool_result(data.get("result") or mapping(data.get("error")).get("message"))
    if kind in _NOTICES:
        return text_block(Role.SYSTEM, string(data.get("message")), Kind.SERVICE)
    if kind == "session.compaction_complete":
        return text_block(Role.SYSTEM, plain_text(data.get("summaryContent")), Kind.CONTEXT)
    return []


FORMAT = Format(
    name="copilot_cli",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    lookups=("workspace.yaml",),
)
