"""Transcripts of Cursor's agents: JSON lines, and a text in older versions.

    {"role": "user", "message": {"content": [{"type": "text", "text": ...}]}}

    user:
    <user_query>
    ...
    </user_query>

    assistant:
    ...
    [Tool call] Read
      path: pump.py

A prompt is inside of a tag, with context of the editor around it. Messages have no ids, and most
have no times; the name of the file is the id of the chat.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    anthropic_blocks,
    count_message,
    linear_turns,
    text_block,
    title_from,
)
from memcli.formats.format import ParsedItem
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, read_lines, sample_lines
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

LARGEST_TRANSCRIPT = 64 << 20  # characters

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_LABELS = {"user:": Role.USER, "assistant:": Role.ASSISTANT}
_QUERY = re.compile(r"<user_query>\n?(.*?)\n?</user_query>", re.DOTALL)
_MARK = re.compile(r"\[(Thinking|Tool call|Tool result)\]\s?")
_HEAD_LINES = 40

Row = Mapping[str, Any]


def has_transcript(sample: Sample) -> bool:
    """Return whether a sample is the beginning of a transcript, in either form."""
    if any(_is_message(row) for row in sample_objects(sample)):
        return True
    head = [line.strip() for line in sample_lines(sample, _HEAD_LINES) if line.strip()]
    return bool(head) and head[0] in _LABELS and any("<user_query>" in line for line in head)


def _is_message(row: Row) -> bool:
    return (
        string(row.get("role")) in _ROLES
        and "type" not in row
        and isinstance(mapping(row.get("message")).get("content"), list | str)
    )


def parse_transcript(document: Document, source: str) -> Iterator[ParsedItem]:
    """Yield the conversation of a transcript."""
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    is_text = not sample_objects(Sample(document.name, head))
    keys, turns = MessageKeys(), list[Turn]()
    for blocks, time in _text_blocks(document) if is_text else _row_blocks(document):
        if isinstance(blocks, Skipped):
            yield blocks
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        sent_at = parse_timestamp(time)
        if blocks:
            count_message(document.counter, blocks)
        content = [part for block in blocks for part in (block.role, block.kind, block.text)]
        turns += linear_turns(keys.next_key(*content), blocks, sent_at)
    stem = PurePath(document.name).stem
    if turns:
        yield Conversation(source, stem, title_from(turns), tuple(with_inherited_times(turns)))
    else:
        yield Skipped(stem, "has nothing to import", lost=False)


_Blocks = tuple[list[Block] | Skipped, object]  # of a message, and its time as it is written


def _row_blocks(document: Document) -> Iterator[_Blocks]:
    for number, value in read_json_lines(replace(document, log_position=None), growing=True):
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason), None
            continue
        row = mapping(value)
        role = _ROLES.get(string(row.get("role")))
        message = mapping(row.get("message"))
        content = message.get("content")
        if role is Role.USER:
            parts = sequence(content) if isinstance(content, list) else [content]
            blocks = [block for part in parts for block in _user_blocks(part)]
        else:
            blocks = anthropic_blocks(role, content) if role else []
        yield blocks, row.get("timestamp", message.get("timestamp"))


def _user_blocks(part: object) -> list[Block]:
    text = string(mapping(part).get("text")) or string(part)
    return prompt_blocks(text) if text else anthropic_blocks(Role.USER, [part])


def prompt_blocks(text: str) -> list[Block]:
    """Return the prompt in the text of a person's message, and the context around it."""
    queries = _QUERY.findall(text)
    if not queries:
        return text_block(Role.USER, text.strip())
    context = _QUERY.sub("", text).strip()
    blocks = text_block(Role.SYSTEM, context, Kind.CONTEXT)
    return blocks + text_block(Role.USER, "\n\n".join(query.strip() for query in queries))


def _text_blocks(document: Document) -> Iterator[_Blocks]:
    role: Role | None = None
    body: list[str] = []
    size = 0
    for number, line in enumerate(read_lines(document), start=1):
        size += len(line or "")
        if line is None:
            yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters"), None
        elif size > LARGEST_TRANSCRIPT:
            yield Skipped(f"line {number:,} and all after it", "the transcript is too long"), None
            break
        elif line.strip() in _LABELS:
            yield _message_blocks(role, body), None
            role, body = _LABELS[line.strip()], []
        else:
            body.append(line)
    yield _message_blocks(role, body), None


def _message_blocks(role: Role | None, body: list[str]) -> list[Block]:
    """Return the blocks of a message in a text: a mark begins a thought or a tool, indented."""
    if role is not Role.ASSISTANT:
        return prompt_blocks("\n".join(body)) if role else []
    blocks: list[Block] = []
    part, kind = list[str](), Kind.TEXT

    def finish() -> None:
        owner = Role.TOOL if kind is Kind.TOOL else Role.ASSISTANT
        blocks.extend(text_block(owner, "\n".join(part).strip(), kind))

    for line in body:
        mark = _MARK.match(line.strip())
        ends_mark = kind is not Kind.TEXT and line.strip() and not line.startswith((" ", "\t"))
        if mark or ends_mark:
            finish()
            part, kind = [], Kind.TEXT
        if mark:
            kind = Kind.THOUGHT if mark[1] == "Thinking" else Kind.TOOL
            line = line.strip()[mark.end() :]
        part.append(line)
    finish()
    return blocks
