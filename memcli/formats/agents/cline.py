"""Tasks of Cline, Roo Code and Kilo Code: one folder each, with the conversation in two files.

    tasks/<task>/ui_messages.json                 messages as the person saw them, with times
    tasks/<task>/api_conversation_history.json    messages to the model, mostly without times
    sessions/<id>/<id>.messages.json              the one file of newer versions of Cline

If a task has both files, only the first is read. A task has the name of its folder.

Source: files of several versions; the newest format is documented in Cline's repository, in
`sdk/packages/core/docs/messages-contract-v1.md`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.agents.cline_messages import message_blocks
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    text_block,
    title_from,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import (
    BrokenValue,
    Edge,
    JsonPath,
    parse_or_broken,
    scan_json,
)
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)

_UI_FILE, _API_FILE = "ui_messages.json", "api_conversation_history.json"
_TASK = re.compile(r"\d{13}(?:_\w+)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MESSAGE_PATHS: tuple[JsonPath, ...] = (("[]",), ("messages", "[]"))

_PROMPTS = ("task", "user_feedback")
_ANSWERS = ("text", "completion_result")
_QUESTIONS = ("followup", "plan_mode_respond", "completion_result")
_CALLS = ("tool", "command", "browser_action", "browser_action_launch", "use_mcp_server")
_RESULTS = ("command_output", "browser_action_result", "mcp_server_response")
_BOOKKEEPING = ("api_req", "checkpoint", "deleted_api_reqs")  # beginnings of types without text
_CHANGES_MARK = "HAS_CHANGES"  # the program's own mark at the end of an answer

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    name, top = PurePath(sample.name).name, sample.json
    if name == _API_FILE and sample.document and sample.document.find_file(_UI_FILE):
        return False  # the other file has the same messages with times
    if isinstance(top, dict):
        is_session = "sessionId" in top and isinstance(top.get("version"), int)
        return is_session and any(
            _is_api_message(mapping(row)) for row in sequence(top.get("messages"))
        )
    rows = [mapping(row) for row in sequence(top)]
    if any(_is_ui_message(row) for row in rows):
        return True
    is_task = name == _API_FILE or "<environment_details>" in sample.text
    return is_task and any(_is_api_message(row) for row in rows)


def _is_ui_message(row: Row) -> bool:
    kind = row.get("type")
    return kind in ("say", "ask") and isinstance(row.get(kind), str) and "ts" in row


def _is_api_message(row: Row) -> bool:
    role = row.get("role", row.get("type"))
    return role in ("user", "assistant") and ("content" in row or isinstance(row.get("text"), str))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    path = PurePath(document.name)
    if path.name == _API_FILE and document.find_file(_UI_FILE) is not None:
        return  # the other file has the same messages with times
    task = _Task(document.counter)
    try:
        yield from task.read(document)
    except InputError:
        yield from task.conversation(path.parent.name)
        raise
    yield from task.conversation(path.parent.name)


class _Task:
    """The turns of a task, as its file is read."""

    def __init__(self, counter: MessageCounter) -> None:
        self._counter = counter
        self._keys = MessageKeys()
        self._session = ""
        self._turns: list[Turn] = []

    def read(self, document: Document) -> Iterator[Skipped]:
        """Read all messages; yield those that are not JSON."""
        number = 0
        for path, value in scan_json(document, _MESSAGE_PATHS):
            if path == ("sessionId",):
                self._session = string(value)
            if path not in _MESSAGE_PATHS or isinstance(value, Edge):
                continue
            number += 1
            if isinstance(value, BrokenValue):
                yield Skipped(f"message {number}", value.reason)
                count_message(self._counter, [], Omission.UNREADABLE)
            elif _is_ui_message(row := mapping(value)):
                self._read_ui_message(row)
            else:
                self._read_api_message(row)

    def _read_ui_message(self, row: Row) -> None:
        kind = string(row.get("type"))  # "say" or "ask"
        subtype, time = string(row.get(kind)), row.get("ts")
        blocks = _ask_blocks(subtype, row) if kind == "ask" else self._say_blocks(subtype, row)
        texts = [block.text for block in blocks]
        if kind == "ask" and texts == [turn.text for turn in self._turns[-1:]]:
            count_message(self._counter, [], Omission.REPEATED)
            return  # it asks whether the answer before it is complete, with the same text
        count_message(self._counter, blocks, Omission.BOOKKEEPING)
        self._turns += linear_turns(
            self._keys.next_key(time, kind, subtype), blocks, parse_timestamp(time)
        )

    def _say_blocks(self, subtype: str, row: Row) -> list[Block]:
        text = string(row.get("text")).removesuffix(_CHANGES_MARK)
        if subtype in _PROMPTS or (subtype == "text" and not self._turns):
            pictures = [*sequence(row.get("images")), *sequence(row.get("files"))]
            return text_block(Role.USER, text) + [media_block(Role.USER, path) for path in pictures]
        if subtype in _ANSWERS:
            return text_block(Role.ASSISTANT, text)
        if subtype == "reasoning":
            return text_block(Role.ASSISTANT, text, Kind.THOUGHT)
        return _action_blocks(subtype, text)

    def _read_api_message(self, row: Row) -> None:
        blocks = message_blocks(row)
        count_message(self._counter, blocks)
        time = row.get("ts", row.get("timestamp"))
        key = string(row.get("id"))
        key = key or self._keys.next_key(time, *((block.role, block.text) for block in blocks))
        self._turns += linear_turns(key, blocks, parse_timestamp(time))

    def conversation(self, folder: str) -> Iterator[ParsedItem]:
        """Yield the conversation.

        Its key is the id of the session, or the folder if its name is an id, or the key of the
        first turn.
        """
        if not self._turns:
            yield Skipped("task", "has nothing to import", lost=False)
            return
        turns = with_inherited_times(self._turns)
        key = self._session or (folder if _TASK.fullmatch(folder) else turns[0].key)
        yield Conversation(FORMAT.name, key, title_from(turns), tuple(turns))


def _ask_blocks(subtype: str, row: Row) -> list[Block]:
    """Return a question to the person; the answer comes as a message of its own."""
    text = string(row.get("text")).removesuffix(_CHANGES_MARK)
    if subtype not in _QUESTIONS:
        return _action_blocks(subtype, text)
    question = mapping(parse_or_broken(text))
    words = string(question.get("question")) or string(question.get("response")) or text
    options = question.get("options", question.get("suggest"))
    choices = (
        string(option) or string(mapping(option).get("answer")) for option in sequence(options)
    )
    return text_block(Role.ASSISTANT, "\n".join([words, *(f"- {choice}" for choice in choices)]))


def _action_blocks(subtype: str, text: str) -> list[Block]:
    """Return a tool call, its result, or a notice of the program."""
    if subtype in _RESULTS:
        return text_block(Role.TOOL, text, Kind.TOOL)
    if subtype in _CALLS:
        return text_block(Role.ASSISTANT, text, Kind.TOOL)
    return [] if subtype.startswith(_BOOKKEEPING) else text_block(Role.SYSTEM, text, Kind.SERVICE)


FORMAT = Format(name="cline", recognises=_recognises, parse=_parse, lookups=(_API_FILE,))
