"""Claude Code's session logs: JSON lines, an event a line, in `~/.claude/projects`.

Every line names the one before it. A session that was resumed or forked begins with a copy of the
earlier lines, with their own ids; a rewound one branches. What the person typed is a small part:
most lines are tools, thoughts, and what the program put before the model.

Source: the logs of several versions of the program; there is no published schema.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import first_rows, rows
from memcli.formats.parsing.json_stream import Broken
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import instant, mapping, string

TITLE_LENGTH = 80  # characters of the first prompt, where a session has no title

# What the program writes in the person's name.
_WRAPPED = re.compile(
    r"\s*(?:<(?:command-(?:name|message|args)|local-command-\w+|task-notification|system-reminder"
    r"|bash-(?:input|stdout|stderr)|user-memory-input)\b|Caveat: The messages below"
    r"|\[Request interrupted by user|This session is being continued from a previous conversation)"
)
_ENVELOPE = re.compile(r"<(ide_\w+|system-reminder)>.*?</\1>\s*", re.DOTALL)
_TITLES = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}
_SPEAKERS = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]
_Block = tuple[Role | None, str, Kind]


def _recognises(sample: Sample) -> bool:
    return any(
        _speaker(row) is not None and {"role", "content"} <= mapping(row.get("message")).keys()
        for row in first_rows(sample, 50)
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    stem = PurePath(document.name).stem
    sessions: dict[str, _Session] = {}
    titles: list[Row] = []
    whole = replace(document, mark=None)  # a rewind can only be told from all of it
    for number, value in rows(whole, growing=True):
        row = mapping(value)
        if isinstance(value, Broken):
            yield Skipped(f"line {number}", value.why)
        elif string(row.get("type")) in _TITLES:
            titles.append(row)
        elif string(row.get("uuid")) or "message" in row:
            key = string(row.get("sessionId")) or stem
            sessions.setdefault(key, _Session(key)).read(number, row)
    for session in sessions.values():
        found = session.conversation(titles)
        if found.turns:
            yield found


class _Session:
    """The lines of one session."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._nodes: dict[str, Node] = {}
        self._current = ""
        self._before: dict[str, str] = {}  # each line that is no subagent's to the one before it
        self._first: dict[str, str] = {}  # each line to the node of its first block
        self._alone = True  # as yet all of it is a subagent's

    def read(self, number: int, row: Row) -> None:
        """Take in one line: a node for each of its blocks, one after the other."""
        name = string(row.get("uuid")) or f"line {number}"
        known = self._nodes.get(name)
        if known is not None and known.is_turn:
            return  # a line that is written again: the first one counts
        parent = string(row.get("parentUuid")) or string(row.get("logicalParentUuid"))
        if not row.get("isSidechain"):
            self._before.setdefault(name, self._current)
            self._current, self._alone = name, False
        blocks: Sequence[_Block] = list(_blocks(row)) or [(None, "", Kind.CONTEXT)]
        for at, (role, text, kind) in enumerate(blocks, start=1):
            own = name if at == len(blocks) else f"{name}#{at}"
            self._first[name] = own if at == 1 else self._first[name]
            sent_at = instant(row.get("timestamp"))
            self._nodes[own] = Node(own, parent, role, text, sent_at, kind=kind)
            parent = own

    def conversation(self, titles: list[Row]) -> Conversation:
        """Return what was said, and done in between."""
        for name, before in self._before.items():
            first = self._first[name]
            if self._nodes[first].parent not in self._nodes:  # lost, or never there
                self._nodes[first] = replace(self._nodes[first], parent=before)
        turns = branching_turns(self._nodes, "" if self._alone else self._current, None)
        title = self._title(titles)
        if not title:
            prompts = (turn.text for turn in turns if turn.role is Role.USER and turn.searched)
            title = " ".join(next(prompts, "").split())[:TITLE_LENGTH]
        return Conversation(FORMAT.name, self._key, title, tuple(turns))

    def _title(self, titles: list[Row]) -> str:
        for kind, field in _TITLES.items():
            for row in reversed(titles):
                leaf, key = string(row.get("leafUuid")), string(row.get("sessionId"))
                ours = leaf in self._nodes if leaf else key in ("", self._key)
                if row.get("type") == kind and ours:
                    return string(row.get(field))
        return ""


def _speaker(row: Row) -> Role | None:
    """Return who a line is of; other programs' logs say so in the message alone."""
    kind = row.get("type")
    if kind == "message" and string(row.get("uuid")) and string(row.get("sessionId")):
        kind = mapping(row.get("message")).get("role")
    return _SPEAKERS.get(string(kind))


def _blocks(row: Row) -> Iterator[_Block]:
    """Yield who says or does what in a line."""
    message = mapping(row.get("message"))
    role = _speaker(row)
    if role is None:
        return
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    for block in map(mapping, blocks):
        kind = block.get("type")
        if kind == "text":
            text = string(block.get("text"))
            if role is Role.USER:
                yield from _prompt(text, row)
            elif text.strip():
                yield role, text, Kind.TEXT
        elif kind == "thinking" and string(block.get("thinking")).strip():
            yield role, string(block.get("thinking")), Kind.THOUGHT
        elif kind == "tool_use":
            arguments = json.dumps(block.get("input"), ensure_ascii=False, sort_keys=True)
            yield role, f"{string(block.get('name'))} {arguments}", Kind.TOOL
        elif kind == "tool_result" and (text := _result(block.get("content"))):
            yield Role.TOOL, text, Kind.TOOL
        elif kind in ("image", "document"):
            yield role, f"[{kind}]", Kind.MEDIA


def _prompt(text: str, row: Row) -> Iterator[_Block]:
    """Yield what the person typed, apart from what the program put around it."""
    typed = _ENVELOPE.sub("", text).strip()
    programs = row.get("isMeta") or row.get("isCompactSummary") or row.get("isSidechain")
    if programs or not typed or _WRAPPED.match(typed):
        if text.strip():
            yield Role.SYSTEM, text, Kind.CONTEXT
    else:
        yield Role.USER, typed, Kind.TEXT


def _result(content: object) -> str:
    """Return what a tool answered."""
    if isinstance(content, list):
        return "\n".join(filter(None, (string(mapping(part).get("text")) for part in content)))
    return string(content)


FORMAT = Format(
    name="claude_code",
    title="Claude Code session log",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    unique_keys=True,
)
