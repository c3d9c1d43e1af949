"""Transcripts of Windsurf's Cascade: JSON lines with one step each, in `~/.windsurf/transcripts`.

    {"type": "user_input", "status": "done", "user_input": {"user_response": ...}}
    {"type": "planner_response", "status": "done", "planner_response": {"response": ...}}

Windsurf writes them while the hook `post_cascade_response_with_transcript` is set. Each step is an
object under the name of its type; steps have no ids, and most have no times. Its own history is
encrypted.

Source: the page on Cascade hooks in Windsurf's documentation.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    text_block,
    title_from,
    tool_call,
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
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(_message(row) is not None for row in sample_objects(sample, 50))


def _message(row: Row) -> tuple[Role, str] | None:
    """Return the speaker and the text of a step; None if the step is neither's message."""
    kind = string(row.get("type"))
    fields = mapping(row.get(kind))
    if kind == "user_input" and not {"user_response", "query", "text"}.isdisjoint(fields):
        texts = (string(fields.get(name)) for name in ("user_response", "query", "text"))
        return Role.USER, next(filter(None, texts), "")
    if kind == "planner_response" and not {"response", "thinking"}.isdisjoint(fields):
        return Role.ASSISTANT, string(fields.get("response"))
    return None


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    stem, keys, turns = PurePath(document.name).stem, MessageKeys(), list[Turn]()
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        row = mapping(value)
        sent_at, blocks = parse_timestamp(row.get("timestamp")), _blocks(row)
        count_message(document.counter, blocks)
        content = [part for block in blocks for part in (block.role, block.kind, block.text)]
        turns += linear_turns(keys.next_key(*content), blocks, sent_at)
    if turns:
        timed = tuple(with_inherited_times(turns))
        yield Conversation(FORMAT.name, stem, title_from(turns), timed)
    else:
        yield Skipped(stem, "has nothing to import", lost=False)


def _blocks(row: Row) -> list[Block]:
    kind = string(row.get("type"))
    fields = mapping(row.get(kind))
    if (message := _message(row)) is not None:
        role, text = message
        thought = text_block(role, string(fields.get("thinking")), Kind.THOUGHT)
        return thought + text_block(role, text)
    if kind == "error_message":
        return text_block(Role.SYSTEM, _error(fields), Kind.SERVICE)
    return [tool_call(kind, fields)] if fields else []


def _error(fields: Row) -> str:
    error = mapping(fields.get("error")) or fields
    names = ("user_error_message", "short_error", "message", "error")
    return next(filter(None, (string(error.get(name)) for name in names)), "")


FORMAT = Format(name="windsurf", recognises=_recognises, parse=_parse, grows=True)
