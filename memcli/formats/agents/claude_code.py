"""Claude Code's session logs: JSON lines with one event each, in `~/.claude/projects`.

Every line names the line before it. A session that was resumed or forked begins with a copy of the
earlier lines, with their own ids; a session that was rewound branches. Few lines are prompts: most
are tool calls, thoughts, and context that the program gave to the model.

Source: the logs of several versions of the program; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.formats.building.blocks import Block, text_block, title_from, tool_call
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, parse_timestamp, string

# Texts that the program writes in the person's name.
_INJECTED = re.compile(
    r"\s*(?:<(?:command-(?:name|message|args)|local-command-\w+|task-notification|system-reminder"
    r"|bash-(?:input|stdout|stderr)|user-memory-input)\b|Caveat: The messages below"
    r"|\[Request interrupted by user|This session is being continued from a previous conversation)"
)
_ENVELOPE = re.compile(r"<(ide_\w+|system-reminder)>.*?</\1>\s*", re.DOTALL)
_TITLES = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}
_SPEAKERS = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(
        _speaker(row) is not None and {"role", "content"} <= mapping(row.get("message")).keys()
        for row in sample_objects(sample, 50)
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    stem = PurePath(document.name).stem
    sessions: dict[str, _Session] = {}
    titles: list[Row] = []
    from_start = replace(document, log_position=None)  # a rewind is only visible in the whole log
    for number, value in read_json_lines(from_start, growing=True):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
        elif string(row.get("type")) in _TITLES:
            titles.append(row)
        elif string(row.get("uuid")) or "message" in row:
            key = string(row.get("sessionId")) or stem
            sessions.setdefault(key, _Session(key)).read(number, row)
    for session in sessions.values():
        conversation = session.conversation(titles)
        if conversation.turns:
            yield conversation


class _Session:
    """The tree of one session, as its lines are read."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._nodes: dict[str, Node] = {}
        self._current = ""
        self._previous: dict[str, str] = {}  # line to the line before it, without subagents' lines
        self._first: dict[str, str] = {}  # line to the node of its first block
        self._all_of_subagent = True  # True while all lines belong to a subagent

    def read(self, number: int, row: Row) -> None:
        """Read one line: each of its blocks becomes a node that follows the one before it."""
        name = string(row.get("uuid")) or f"line {number}"
        known = self._nodes.get(name)
        if known is not None and known.is_turn:
            return  # the line is a repetition, of which the first counts
        parent = string(row.get("parentUuid")) or string(row.get("logicalParentUuid"))
        if not row.get("isSidechain"):
            self._previous.setdefault(name, self._current)
            self._current, self._all_of_subagent = name, False
        sent_at = parse_timestamp(row.get("timestamp"))
        blocks = _blocks(row)
        if not blocks:
            self._first[name] = name
            self._nodes[name] = Node(name, parent, None, "", sent_at, kind=Kind.CONTEXT)
        for number, block in enumerate(blocks, start=1):
            key = name if number == len(blocks) else f"{name}#{number}"
            self._first[name] = key if number == 1 else self._first[name]
            self._nodes[key] = Node(key, parent, block.role, block.text, sent_at, kind=block.kind)
            parent = key

    def conversation(self, titles: list[Row]) -> Conversation:
        """Return the conversation, with tool calls and thoughts."""
        for name, previous in self._previous.items():
            first = self._first[name]
            if self._nodes[first].parent not in self._nodes:  # it is lost or has none
                self._nodes[first] = replace(self._nodes[first], parent=previous)
        turns = branching_turns(self._nodes, "" if self._all_of_subagent else self._current, None)
        title = self._title(titles) or title_from(turns)
        return Conversation(FORMAT.name, self._key, title, tuple(turns))

    def _title(self, titles: list[Row]) -> str:
        for kind, field in _TITLES.items():
            for row in reversed(titles):
                leaf, key = string(row.get("leafUuid")), string(row.get("sessionId"))
                is_own = leaf in self._nodes if leaf else key in ("", self._key)
                if row.get("type") == kind and is_own:
                    return string(row.get(field))
        return ""


def _speaker(row: Row) -> Role | None:
    """Return the role of a line; logs of other programs have it in the message alone."""
    kind = row.get("type")
    if kind == "message" and string(row.get("uuid")) and string(row.get("sessionId")):
        kind = mapping(row.get("message")).get("role")
    return _SPEAKERS.get(string(kind))


def _blocks(row: Row) -> list[Block]:
    """Return the blocks of a line."""
    role = _speaker(row)
    if role is None:
        return []
    content = mapping(row.get("message")).get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    blocks: list[Block] = []
    for part in map(mapping, parts):
        kind, text = part.get("type"), string(part.get("text"))
        if kind == "text" and role is Role.USER:
            blocks += _prompt_blocks(text, row)
        elif kind == "text":
            blocks += text_block(role, text)
        elif kind == "thinking":
            blocks += text_block(role, string(part.get("thinking")), Kind.THOUGHT)
        elif kind == "tool_use":
            blocks.append(tool_call(part.get("name"), part.get("input")))
        elif kind == "tool_result" and (result := _result_text(part.get("content"))):
            blocks.append(Block(Role.TOOL, result, Kind.TOOL))
        elif kind in ("image", "document"):
            blocks.append(Block(role, f"[{kind}]", Kind.MEDIA))
    return blocks


def _prompt_blocks(text: str, row: Row) -> list[Block]:
    """Return a prompt without the text that the program put around it, or else a context."""
    prompt = _ENVELOPE.sub("", text).strip()
    by_program = row.get("isMeta") or row.get("isCompactSummary") or row.get("isSidechain")
    if by_program or not prompt or _INJECTED.match(prompt):
        return text_block(Role.SYSTEM, text, Kind.CONTEXT)
    return [Block(Role.USER, prompt)]


def _result_text(content: object) -> str:
    """Return the text of a tool's result, without its pictures."""
    if isinstance(content, list):
        return "\n".join(filter(None, (string(mapping(part).get("text")) for part in content)))
    return string(content)


FORMAT = Format(
    name="claude_code",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    unique_keys=True,
)
