"""Claude Code's session logs: JSON lines with one event each, in `~/.claude/projects`.

Claude Code on the web saves the same events as JSON, as a list under `loglines`.

Every line names the line before it. A session that was resumed or forked begins with a copy of the
earlier lines, with their own ids; a session that was rewound branches. Few lines are prompts: most
are tool calls, thoughts, and context that the program gave to the model. What the person typed
while the agent worked is not a prompt of its own: it waits in a queue, and is then attached.

Source: the logs of several versions of the program; there is no published schema.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped
from memcli.formats.agents.claude_code_queue import (
    PromptQueue,
    is_attached_prompt,
    is_injected,
    is_queue_row,
    queued_blocks,
    row_time,
)
from memcli.formats.building.blocks import (
    Block,
    count_message,
    text_block,
    title_from,
    tool_call,
    unknown_blocks,
)
from memcli.formats.building.branches import Node, branching_turns
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import mapping, sequence, string
from memcli.lazy_dataclasses import replace

_ENVELOPE = re.compile(r"<(ide_\w+|system-reminder)>.*?</\1>\s*", re.DOTALL)
_TITLES = {"custom-title": "customTitle", "ai-title": "aiTitle", "summary": "summary"}
_NO_MODEL = "<synthetic>"  # the model of answers that the program wrote
_SILENT_PARTS = ("redacted_thinking", "tool_reference", "fallback")
_SPEAKERS = {"user": Role.USER, "assistant": Role.ASSISTANT}

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    lines = sequence(mapping(sample.json).get("loglines")) or sample_objects(sample, 50)
    return any(map(_is_message, map(mapping, lines)))


def _is_message(row: Row) -> bool:
    """Return whether a line is a message; those of some programs have no role inside of it."""
    message = mapping(row.get("message"))
    has_place = "uuid" in row and not {"sessionId", "parentUuid"}.isdisjoint(row)
    return _speaker(row) is not None and "content" in message and ("role" in message or has_place)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    stem = PurePath(document.name).stem
    sessions: dict[str, _Session] = {}
    titles: list[Row] = []
    for number, value in _lines(document):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            document.counter.see_parts([], Omission.UNREADABLE)
            continue
        key = string(row.get("sessionId")) or string(row.get("session_id")) or stem
        if string(row.get("type")) in _TITLES:
            titles.append(row)
            continue
        is_queued = is_queue_row(row)
        if not (is_queued or string(row.get("uuid")) or "message" in row):
            continue
        session = sessions.get(key)
        if session is None:
            session = sessions[key] = _Session(key, document.counter)
        if is_queued:
            session.queue.read(number, row)
        else:
            session.read(number, row)
    for session in sessions.values():
        conversation = session.conversation(titles)
        if conversation.turns:
            yield conversation


def _lines(document: Document) -> Iterator[tuple[int, Any]]:
    """Yield the lines of a log, or the list of a log of the web, with their numbers."""
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    if sequence(mapping(Sample(document.name, head).json).get("loglines")):
        yield from enumerate(read_elements(document, "loglines"), start=1)
    else:
        # A rewind is only visible in the whole log, so it is always read from its start.
        yield from read_json_lines(replace(document, log_position=None), growing=True)


class _Session:
    """The tree of one session, as its lines are read."""

    def __init__(self, key: str, counter: MessageCounter) -> None:
        self._key, self._counter = key, counter
        self.queue = PromptQueue()
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
            count_message(self._counter, [], Omission.REPEATED)
            return  # the first of equal lines counts
        parent = string(row.get("parentUuid")) or string(row.get("logicalParentUuid"))
        if not row.get("isSidechain"):
            self._previous.setdefault(name, self._current)
            self._current, self._all_of_subagent = name, False
        sent_at, blocks = row_time(row), _blocks(row)
        if blocks or _speaker(row):
            count_message(self._counter, blocks)
        if not blocks:
            self._first[name] = name
            self._nodes[name] = Node(name, parent, None, "", sent_at, kind=Kind.CONTEXT)
        for number, block in enumerate(blocks, start=1):
            key = name if number == len(blocks) else f"{name}#{number}"
            self._first[name] = key if number == 1 else self._first[name]
            self._nodes[key] = Node(key, parent, block.role, block.text, sent_at, kind=block.kind)
            parent = key
        if not row.get("isSidechain"):
            self.queue.move_to(self._current, len(self._nodes))

    def conversation(self, titles: list[Row]) -> Conversation:
        """Return the conversation, with tool calls and thoughts."""
        for name, previous in self._previous.items():
            first = self._first[name]
            if self._nodes[first].parent not in self._nodes:  # it is lost or has none
                self._nodes[first] = replace(self._nodes[first], parent=previous)
        count = len(self._nodes)
        self._current = self.queue.insert_into(self._nodes, self._current)
        self._counter.see(len(self._nodes) - count)
        turns = branching_turns(self._nodes, "" if self._all_of_subagent else self._current, None)
        title = self._title(titles) or title_from(turns)
        return Conversation(FORMAT.name, self._key, title, tuple(turns))

    def _title(self, titles: list[Row]) -> str:
        for kind, field in _TITLES.items():
            for row in reversed(titles):
                leaf, key = string(row.get("leafUuid")), string(row.get("sessionId"))
                is_own = leaf in self._nodes if leaf else key in ("", self._key)
                if row.get("type") == kind and is_own and not _is_of_subagent(row):
                    return string(row.get(field))
        return ""


def _is_of_subagent(row: Row) -> bool:
    """Return whether a summary is about the work of a subagent, and no title."""
    return bool(row.get("agentName") or row.get("agentId") or row.get("isSidechain"))


def _speaker(row: Row) -> Role | None:
    """Return the role of a line; logs of other programs have it in the message alone."""
    kind = row.get("type")
    if kind == "message" and string(row.get("uuid")) and string(row.get("sessionId")):
        kind = mapping(row.get("message")).get("role")
    return _SPEAKERS.get(string(kind))


def _blocks(row: Row) -> list[Block]:
    """Return the blocks of a line."""
    if "attachment" in row and is_attached_prompt(row):
        return queued_blocks(row)
    role, message = _speaker(row), mapping(row.get("message"))
    if role is None:
        return []
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    blocks: list[Block] = []
    for part in map(mapping, parts):
        blocks += _part_blocks(role, part, row)
    if row.get("isApiErrorMessage") or message.get("model") == _NO_MODEL:
        return [Block(Role.SYSTEM, block.text, Kind.SERVICE) for block in blocks]
    return blocks


def _part_blocks(role: Role, part: Row, row: Row) -> list[Block]:
    kind, text = string(part.get("type")), string(part.get("text"))
    if kind in ("text", "") and role is Role.USER:
        return _prompt_blocks(text, row)
    if kind in ("text", ""):
        return text_block(role, text)
    if kind == "thinking":
        return text_block(role, string(part.get("thinking")), Kind.THOUGHT)
    if kind in ("tool_use", "server_tool_use"):
        return [tool_call(part.get("name"), part.get("input"))]
    if kind.endswith("tool_result"):
        return text_block(Role.TOOL, _result_text(part.get("content")), Kind.TOOL)
    if kind in ("image", "document"):
        return [Block(role, f"[{kind}]", Kind.MEDIA)]
    return [] if kind in _SILENT_PARTS else unknown_blocks(role, part)


def _prompt_blocks(text: str, row: Row) -> list[Block]:
    """Return a prompt without the text that the program put around it, or else a context."""
    prompt = _ENVELOPE.sub("", text).strip()
    by_program = row.get("isMeta") or row.get("isCompactSummary") or row.get("isSidechain")
    if by_program or not prompt or is_injected(prompt):
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
    lookups=("sessions-index.json", "history.jsonl"),
)
