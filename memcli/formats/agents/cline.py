"""Tasks of Cline, Roo Code and Kilo Code: a folder a task, with the same talk in two files.

    tasks/<task>/ui_messages.json                 what was shown and typed, with times
    tasks/<task>/api_conversation_history.json    what the model was sent, mostly without times
    sessions/<id>/<id>.messages.json              the one file of newer versions of Cline

Where both files of a task are there the first is read. A task has the name of its folder.

Source: files of several versions; the newest format is documented in Cline's repository, in
`sdk/packages/core/docs/messages-contract-v1.md`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.agents.cline_messages import blocks_of
from memcli.formats.building.blocks import Block, linear_turns, media_block, text_block, title_from
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, Edge, Path, scan
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_SHOWN, _SENT = "ui_messages.json", "api_conversation_history.json"
_TASK = re.compile(r"\d{13}(?:_\w+)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLACES: tuple[Path, ...] = (("[]",), ("messages", "[]"))

_TYPED = ("task", "user_feedback")
_ANSWERS = ("text", "completion_result")
_QUESTIONS = ("followup", "plan_mode_respond", "completion_result")
_CALLS = ("tool", "command", "browser_action", "browser_action_launch", "use_mcp_server")
_RESULTS = ("command_output", "browser_action_result", "mcp_server_response")
_COPIES = ("api_req", "checkpoint", "deleted_api_reqs")  # of what is sent, and of nothing said
_CHANGED = "HAS_CHANGES"  # the program's own mark at the end of an answer

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    name, top = PurePath(sample.name).name, sample.json
    if isinstance(top, dict):
        ours = "sessionId" in top and isinstance(top.get("version"), int)
        return ours and any(_is_sent(mapping(row)) for row in sequence(top.get("messages")))
    rows = [mapping(row) for row in sequence(top)]
    if any(_is_shown(row) for row in rows):
        return True
    ours = name == _SENT or "<environment_details>" in sample.text
    return ours and any(_is_sent(row) for row in rows)


def _is_shown(row: Row) -> bool:
    kind = row.get("type")
    return kind in ("say", "ask") and isinstance(row.get(kind), str) and "ts" in row


def _is_sent(row: Row) -> bool:
    role = row.get("role", row.get("type"))
    return role in ("user", "assistant") and ("content" in row or isinstance(row.get("text"), str))


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    path = PurePath(document.name)
    if path.name == _SENT and document.beside(_SHOWN) is not None:
        return  # the same talk, with times
    task = _Task()
    try:
        yield from task.read(document)
    except InputError:
        yield from task.conversation(path.parent.name)
        raise
    yield from task.conversation(path.parent.name)


class _Task:
    """What a file says of a task, as it is read."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._session = ""
        self._turns: list[Turn] = []

    def read(self, document: Document) -> Iterator[Skipped]:
        """Take in all messages."""
        number = 0
        for path, value in scan(document, _PLACES):
            if path == ("sessionId",):
                self._session = string(value)
            if path not in _PLACES or isinstance(value, Edge):
                continue
            number += 1
            if isinstance(value, Broken):
                yield Skipped(f"message {number}", value.why)
            elif _is_shown(row := mapping(value)):
                self._show(row)
            else:
                self._send(row)

    def _show(self, row: Row) -> None:
        kind = string(row.get("type"))
        what, at = string(row.get(kind)), row.get("ts")
        blocks = _asked(what, row) if kind == "ask" else self._said(what, row)
        if kind == "ask" and [block.text for block in blocks] == [
            turn.text for turn in self._turns[-1:]
        ]:
            return  # whether what was just said is enough
        self._turns += linear_turns(self._keys.key(at, kind, what), blocks, instant(at))

    def _said(self, what: str, row: Row) -> list[Block]:
        text = string(row.get("text")).removesuffix(_CHANGED)
        if what in _TYPED or (what == "text" and not self._turns):
            pictures = [*sequence(row.get("images")), *sequence(row.get("files"))]
            return text_block(Role.USER, text) + [media_block(Role.USER, path) for path in pictures]
        if what in _ANSWERS:
            return text_block(Role.ASSISTANT, text)
        if what == "reasoning":
            return text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        return _done(what, text)

    def _send(self, row: Row) -> None:
        blocks = blocks_of(row)
        at = row.get("ts", row.get("timestamp"))
        key = string(row.get("id"))
        key = key or self._keys.key(at, *((block.role, block.text) for block in blocks))
        self._turns += linear_turns(key, blocks, instant(at))

    def conversation(self, folder: str) -> Iterator[Parsed]:
        """Yield what was said; where the folder has no id's name, the beginning stands for it."""
        if not self._turns:
            yield Skipped("task", "nobody says anything", lost=False)
            return
        turns = with_inherited_times(self._turns)
        key = self._session or (folder if _TASK.fullmatch(folder) else turns[0].key)
        yield Conversation(FORMAT.name, key, title_from(turns), tuple(turns))


def _asked(what: str, row: Row) -> list[Block]:
    """Return what the program asks the person; the answer comes as a message of its own."""
    text = string(row.get("text")).removesuffix(_CHANGED)
    if what not in _QUESTIONS:
        return _done(what, text)
    try:
        asked = mapping(json.loads(text))
    except (ValueError, RecursionError):
        asked = {}
    words = string(asked.get("question")) or string(asked.get("response")) or text
    options = asked.get("options", asked.get("suggest"))
    choices = (
        string(option) or string(mapping(option).get("answer")) for option in sequence(options)
    )
    return text_block(Role.ASSISTANT, "\n".join([words, *(f"- {choice}" for choice in choices)]))


def _done(what: str, text: str) -> list[Block]:
    if what in _RESULTS:
        return text_block(Role.TOOL, text, Kind.TOOL)
    if what in _CALLS:
        return text_block(Role.ASSISTANT, text, Kind.TOOL)
    return [] if what.startswith(_COPIES) else text_block(Role.SYSTEM, text, Kind.SERVICE)


FORMAT = Format(name="cline", title="Cline task", recognises=_recognises, parse=_parse)
