"""Transcripts of Antigravity, Google's editor for agents: JSON lines with one step each.

    ~/.gemini/antigravity/brain/<conversation>/.system_generated/logs/transcript.jsonl
    {"step_index": 0, "source": "USER_EXPLICIT", "type": "USER_INPUT", "content": ..., "created_at"}
    {"step_index": 1, "source": "MODEL", "type": "PLANNER_RESPONSE", "content", "thinking", ...}

`transcript_full.jsonl` beside it has the same steps with their whole texts, and is read instead. A
prompt is in tags, with the program's context after it. The conversations themselves are encrypted.

Source: the logs of versions of 2026, as open programs read them; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    block_contents,
    count_message,
    linear_turns,
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

_PROMPT, _ANSWER = "USER_INPUT", "PLANNER_RESPONSE"
_REQUEST = re.compile(r"<USER_REQUEST>\s*(.*?)\s*</USER_REQUEST>", re.DOTALL)
_FULL_LOG = "transcript_full.jsonl"
_OWN_FOLDER = ".system_generated"

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        "step_index" in row and row.get("type") in (_PROMPT, _ANSWER)
        for row in sample_objects(sample, 50)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    log = document
    if PurePath(document.name).name != _FULL_LOG:
        log = document.find_file(_FULL_LOG) or document
    keys, turns = MessageKeys(), list[Turn]()
    for number, value in read_json_lines(replace(log, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        row = mapping(value)
        sent_at, blocks = parse_timestamp(row.get("created_at")), _blocks(row)
        count_message(document.counter, blocks)
        key = string(row.get("step_index")) or keys.next_key(*block_contents(blocks))
        turns += linear_turns(key, blocks, sent_at)
    name = _conversation_id(document)
    if turns:
        timed = tuple(with_inherited_times(turns))
        yield Conversation(FORMAT.name, name, title_from(turns), timed)
    else:
        yield Skipped(f"conversation {name}", "has nothing to import", lost=False)


def _conversation_id(document: Document) -> str:
    """Return the name of the conversation's folder, or else that of the file."""
    path = PurePath(document.name)
    parts = path.parts
    at = parts.index(_OWN_FOLDER) if _OWN_FOLDER in parts else 0
    return parts[at - 1] if at else path.stem


def _blocks(row: Row) -> list[Block]:
    kind, text = string(row.get("type")), string(row.get("content"))
    source = string(row.get("source"))
    if kind == _PROMPT and source.startswith("USER"):
        return _prompt_blocks(text)
    if kind == _ANSWER:
        blocks = text_block(Role.ASSISTANT, string(row.get("thinking")), Kind.THOUGHT)
        blocks += text_block(Role.ASSISTANT, text)
        calls = map(mapping, sequence(row.get("tool_calls")))
        return blocks + [tool_call(call.get("name"), call.get("args")) for call in calls]
    if kind == "ERROR_MESSAGE":
        return text_block(Role.SYSTEM, text, Kind.SERVICE)
    if source in ("MODEL", "TOOL"):
        return tool_result(text)
    return text_block(Role.SYSTEM, text, Kind.CONTEXT)


def _prompt_blocks(text: str) -> list[Block]:
    """Return the person's prompt, and the context that the program added."""
    requests = _REQUEST.findall(text)
    if not requests:
        return text_block(Role.USER, text)
    context = _REQUEST.sub("", text).strip()
    blocks = text_block(Role.USER, "\n\n".join(requests))
    return blocks + text_block(Role.SYSTEM, context, Kind.CONTEXT)


FORMAT = Format(
    name="antigravity",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    lookups=("history.jsonl",),
)
