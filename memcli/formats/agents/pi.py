"""Session logs of pi, the coding agent: JSON lines with one entry each, which names its parent.

A person who goes back in a session makes another branch in the same file; the last entry is the one
seen last. A compaction is a summary that the program wrote.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped
from memcli.formats.building.blocks import (
    Block,
    anthropic_blocks,
    count_message,
    node_chain,
    plain_text,
    text_block,
    title_from,
    tool_result,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import MessageKeys, mapping, parse_timestamp, string
from memcli.lazy_dataclasses import replace

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    first = sample_objects(sample, 20)
    return (
        bool(first)
        and first[0].get("type") == "session"
        and any(
            row.get("type") == "message"
            and {"role", "content"} <= mapping(row.get("message")).keys()
            for row in first
        )
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    head: Row = {}
    title, current = "", ""
    nodes: dict[str, Node] = {}
    keys = MessageKeys()
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
        elif row.get("type") == "session":
            head = head or row
        elif row.get("type") == "session_info":
            title = string(row.get("name")) or title
        else:
            name = string(row.get("id")) or keys.next_key(json.dumps(row, sort_keys=True))
            parent = string(row.get("parentId")) if "parentId" in row else current
            blocks = _blocks(row)
            if blocks or row.get("type") == "message":
                count_message(document.counter, blocks)
            nodes |= node_chain(name, name, parent, blocks, _time(row))
            current = name
    turns = branching_turns(nodes, current, parse_timestamp(head.get("timestamp")))
    if turns:
        key = string(head.get("id")) or PurePath(document.name).stem
        yield Conversation(FORMAT.name, key, title or title_from(turns), tuple(turns))


def _time(row: Row) -> datetime | None:
    return parse_timestamp(row.get("timestamp")) or parse_timestamp(
        mapping(row.get("message")).get("timestamp")
    )


def _blocks(row: Row) -> list[Block]:
    if row.get("type") in ("compaction", "branch_summary"):
        return text_block(Role.SYSTEM, string(row.get("summary")), Kind.CONTEXT)
    if row.get("type") == "custom_message":
        return text_block(Role.SYSTEM, plain_text(row.get("content")), Kind.CONTEXT)
    if row.get("type") != "message":
        return []
    message = mapping(row.get("message"))
    role = _ROLES.get(string(message.get("role")))
    if role:
        error = text_block(Role.SYSTEM, string(message.get("errorMessage")), Kind.SERVICE)
        return anthropic_blocks(role, message.get("content")) + error
    if message.get("role") == "bashExecution":
        output = f"{string(message.get('command'))}\n{string(message.get('output'))}"
        return text_block(Role.TOOL, output, Kind.TOOL)
    return tool_result(message.get("content") or message.get("summary"))


FORMAT = Format(name="pi", recognises=_recognises, parse=_parse, grows=True)
