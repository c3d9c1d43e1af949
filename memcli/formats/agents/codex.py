"""Session logs of Codex CLI: JSON lines, an event a line, in `~/.codex/sessions`.

Three generations of the program wrote them: bare messages, messages in envelopes, and envelopes
with events beside them. Where there are events, both say the same thing: the event has what the
person typed and saw, the message what the model was sent, with much that nobody said around it.
A forked or spawned session begins with a copy of its parent's, under new times.

Source: the logs of several versions of the program; there is no published schema.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    media_block,
    plain_text,
    text_block,
    title_from,
    tool_call,
    tool_result,
)
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import first_rows, rows
from memcli.formats.parsing.json_stream import Broken
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_ENVELOPES = ("session_meta", "turn_context", "response_item", "event_msg", "compacted")
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
# What the program puts into a message in the person's name: all of it in one tag, or a known head.
_INJECTED = re.compile(
    r"\s*(?:<(?P<tag>[a-z]+_[a-z_]+|INSTRUCTIONS|skill|permissions instructions)>.*</(?P=tag)>\s*$"
    r"|# AGENTS\.md instructions\b)",
    re.DOTALL,
)
# What an editor puts before a prompt.
_REQUEST = re.compile(r"\s*#.*?^## My request for Codex:[ \t]*\n?", re.DOTALL | re.MULTILINE)
# Ids of version 7 begin with the time they were made, so they sort by it.
_TIMED_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(_is_codex(row) for row in first_rows(sample, 50))


def _is_codex(row: Row) -> bool:
    if row.get("type") in _ENVELOPES and isinstance(row.get("payload"), dict):
        return True
    parts = map(mapping, sequence(row.get("content")))
    return (
        row.get("type") == "message"
        and string(row.get("role")) in _ROLES
        and any(part.get("type") in ("input_text", "output_text") for part in parts)
    )


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    session = _Session(PurePath(document.name).stem)
    # What is typed is told from what is sent by all of it, so it is never read from a mark.
    for number, value in rows(replace(document, mark=None), growing=True):
        if isinstance(value, Broken):
            yield Skipped(f"line {number}", value.why)
        else:
            session.read(mapping(value))
    found = session.conversation()
    if found.turns:
        named = session.title or _title(document, found.key)
        yield replace(found, title=named or found.title)


def _title(document: Document, thread: str) -> str:
    """Return the name of a thread from the list beside the folders of the logs, if it has one."""
    index = document.beside("../../../../session_index.jsonl")
    title = ""
    for _, value in rows(index) if index else ():
        row = mapping(value)
        if row.get("id") == thread:
            title = string(row.get("thread_name")) or title
    return title


class _Session:
    """The lines of one session."""

    def __init__(self, stem: str) -> None:
        self.title = ""  # that the person gave it
        self._key, self._own = stem, ""  # `_own`: as its first line has it
        self._spawned = False
        self._turn = ""  # id of the exchange that the lines belong to
        self._keys = {True: Keys(), False: Keys()}  # of events, and of messages
        self._told: list[tuple[bool, Turn]] = []  # whether an event tells it
        self._prompts: list[int] = []  # places of what the person typed

    def read(self, row: Row) -> None:
        """Take in one line."""
        kind, payload = string(row.get("type")), mapping(row.get("payload"))
        if kind == "session_meta" or ("type" not in row and "id" in row):
            self._begin(mapping(payload.get("meta")) or payload or row)
        elif kind == "turn_context":
            self._turn = string(payload.get("turn_id")) or self._turn
        elif kind == "event_msg" and payload.get("type") == "thread_rolled_back":
            self._roll_back(payload.get("num_turns"))
        elif kind == "event_msg" and payload.get("type") == "thread_name_updated":
            self.title = string(payload.get("thread_name")) or self.title
        elif kind == "event_msg":
            self._tell(row, _event(payload), event=True)
        elif kind == "response_item":
            self._tell(row, _item(payload), event=False)
        elif kind == "compacted":
            summary = string(payload.get("message"))
            self._tell(row, text_block(Role.SYSTEM, summary, Kind.CONTEXT), event=False)
        elif not payload:
            self._tell(row, _item(row), event=False)

    def _begin(self, meta: Row) -> None:
        if not self._own:  # later ones are written at each resume, or are the parent's
            self._own = string(meta.get("id"))
            self._key = self._own or self._key
            self._spawned = meta.get("thread_source") == "subagent" or "subagent" in mapping(
                meta.get("source")
            )

    def _tell(self, row: Row, blocks: list[Block], *, event: bool) -> None:
        if self._spawned and self._copied():
            return
        sent_at = instant(row.get("timestamp"))
        clock = Clock.EXACT if sent_at else Clock.NONE
        place = (self._turn,) if _TIMED_ID.fullmatch(self._turn) else (self._own, sent_at)
        for block in blocks:
            key = self._keys[event].key(*place, event, block.role, block.kind, block.text)
            if block.role is Role.USER and block.kind is Kind.TEXT:
                self._prompts.append(len(self._told))
            turn = Turn(key, block.role, block.text, None, sent_at, clock, block.kind)
            self._told.append((event, turn))

    def _copied(self) -> bool:
        """Tell whether the parent said it, before this session was."""
        ids = (self._turn, self._own)
        return all(_TIMED_ID.fullmatch(one) for one in ids) and self._turn < self._own

    def _roll_back(self, exchanges: object) -> None:
        events = [at for at in self._prompts if self._told[at][0] and self._told[at][1].active]
        prompts = events or [at for at in self._prompts if self._told[at][1].active]
        if isinstance(exchanges, int) and exchanges > 0 and prompts:
            for at in range(prompts[-min(exchanges, len(prompts))], len(self._told)):
                event, turn = self._told[at]
                self._told[at] = event, replace(turn, active=False)

    def conversation(self) -> Conversation:
        """Return what was said, each thing once."""
        events = Counter(
            _saying(turn) for event, turn in self._told if event and turn.kind is not Kind.TOOL
        )
        typed = any(role is Role.USER and kind is Kind.TEXT for role, kind, _ in events)
        turns = []
        for event, turn in self._told:
            if not event and turn.kind is not Kind.TOOL and events[_saying(turn)] > 0:
                events[_saying(turn)] -= 1
                continue
            if not event and typed and turn.role is Role.USER:
                turn = replace(turn, role=Role.SYSTEM, kind=Kind.CONTEXT)
            turns.append(turn)
        turns = with_inherited_times(turns)
        return Conversation(FORMAT.name, self._key, title_from(turns), tuple(turns))


def _saying(turn: Turn) -> tuple[Role, Kind, str]:
    return turn.role, turn.kind, " ".join(turn.text.split())


def _event(payload: Row) -> list[Block]:
    kind, message = payload.get("type"), string(payload.get("message"))
    if kind == "user_message":
        pictures = [*sequence(payload.get("images")), *sequence(payload.get("local_images"))]
        return _prompt(message) + [media_block(Role.USER, path) for path in pictures]
    if kind == "agent_message":
        return text_block(Role.ASSISTANT, message)
    if kind == "agent_reasoning":
        return text_block(Role.ASSISTANT, string(payload.get("text")), Kind.THOUGHT)
    if kind == "tool_call":
        return [tool_call(payload.get("name"), payload.get("input"))]
    item = mapping(payload.get("item"))
    if kind == "item_completed" and item.get("type") == "Plan":
        return text_block(Role.ASSISTANT, string(item.get("text")), Kind.THOUGHT)
    return []


def _item(item: Row) -> list[Block]:
    kind = string(item.get("type")) or ("message" if "role" in item else "")
    if kind == "message":
        return _message(item)
    if kind == "reasoning":
        return text_block(Role.ASSISTANT, plain_text(sequence(item.get("summary"))), Kind.THOUGHT)
    if kind.endswith("_output"):
        return tool_result(item.get("output"))
    if kind in ("function_call", "custom_tool_call"):
        return [tool_call(item.get("name"), item.get("arguments", item.get("input")))]
    if kind.endswith("_call"):
        return [tool_call(kind.removesuffix("_call"), item.get("action", item.get("arguments")))]
    return []


def _message(item: Row) -> list[Block]:
    name, content = string(item.get("role")), item.get("content")
    if call := mapping(item.get("function_call")):
        return [tool_call(call.get("name"), call.get("arguments"))]
    if name in ("function", "tool"):
        return tool_result(content)
    role = _ROLES.get(name)
    found: list[Block] = []
    for part in content if isinstance(content, list) else [content]:
        if role and mapping(part).get("type") == "input_image":
            found.append(media_block(role, "data:"))
        elif role is Role.USER:
            found += _prompt(string(mapping(part).get("text")) or string(part))
        elif role:
            found += text_block(role, string(mapping(part).get("text")) or string(part))
        else:
            found += text_block(Role.SYSTEM, plain_text(part), Kind.CONTEXT)
    return found


def _prompt(text: str) -> list[Block]:
    """Return what the person typed, apart from what was put around it."""
    if _INJECTED.match(text):
        return text_block(Role.SYSTEM, text, Kind.CONTEXT)
    if before := _REQUEST.match(text):
        context = text_block(Role.SYSTEM, before[0], Kind.CONTEXT)
        return context + text_block(Role.USER, text[before.end() :])
    return text_block(Role.USER, text)


FORMAT = Format(
    name="codex",
    title="Codex CLI session log",
    recognises=_recognises,
    parse=_parse,
    grows=True,
    unique_keys=True,
)
