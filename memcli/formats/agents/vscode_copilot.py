"""Chats of GitHub Copilot and others in VS Code: JSON, and since version 1.109 logs of changes.

    <user folder>/workspaceStorage/<workspace>/chatSessions/<session>.json, .jsonl
    <user folder>/globalStorage/emptyWindowChatSessions/<session>.json, .jsonl
    a file saved with the command "Chat: Export Chat..."

A session is a list of requests, each a prompt and the parts of its response. The first line of a
log has the session, and each further line a change of it: 1 sets a value at a path, 2 appends to a
list, after an index if there is one, and 3 deletes.

Source: `chatModel.ts` and `objectMutationLog.ts` of VS Code.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    plain_text,
    text_block,
    title_from,
    tool_call,
    unknown_blocks,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue, Edge, scan_json
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import replace

_REQUEST = ("requests", "[]")
_SESSION, _SET, _APPEND, _DELETE = range(4)  # kinds of lines of a log
# Parts of a response that show progress or edits, and say nothing.
_SILENT_PARTS = frozenset(
    "codeblockUri textEditGroup notebookEditGroup undoStop prepareToolInvocation progressMessage"
    " progressTask progressTaskSerialized mcpServersStarting references usedContext codeCitation"
    " multiDiffData treeData markdownVuln extensions pullRequest workspaceEdit hook".split()
)
_TOOL_PARTS = ("toolInvocation", "toolInvocationSerialized")

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return _is_session(mapping(sample.json)) or _is_log(sample)


def _is_session(top: Row) -> bool:
    return any(
        "message" in request and "response" in request
        for request in map(mapping, sequence(top.get("requests")))
    )


def _is_log(sample: Sample) -> bool:
    """Return whether a sample is a log of changes of a session that has requests."""
    first, *changes = sample_objects(sample) or [{}]
    session = mapping(first.get("v")) if first.get("kind") == _SESSION else {}
    if "sessionId" not in session:
        return False
    return bool(sequence(session.get("requests"))) or any(
        change.get("kind") in (_SET, _APPEND) and sequence(change.get("k"))[:1] == ["requests"]
        for change in changes
    )


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
    session: dict[str, Any] = {}
    requests: list[Row] = []
    if _is_log(Sample(document.name, head)):
        for number, value in read_json_lines(replace(document, log_position=None), growing=True):
            if isinstance(value, BrokenValue):
                yield Skipped(f"line {number}", value.reason)
                document.counter.see_parts([], Omission.UNREADABLE)
            else:
                session = _apply_change(session, mapping(value))
        requests = [mapping(request) for request in sequence(session.get("requests"))]
    else:
        for path, value in scan_json(document, [_REQUEST]):
            if path == _REQUEST and isinstance(value, BrokenValue):
                yield Skipped(f"request {len(requests) + 1}", value.reason)
                document.counter.see_parts([], Omission.UNREADABLE)
            elif path == _REQUEST:
                requests.append(mapping(value))
            elif len(path) == 1 and not isinstance(value, Edge):
                session[path[0]] = value
    turns = _turns(requests, document.counter)
    stem = PurePath(document.name).stem
    if turns:
        key = string(session.get("sessionId")) or turns[0].key
        title = string(session.get("customTitle")) or title_from(turns)
        updated_at = parse_timestamp(session.get("lastMessageDate"))
        yield Conversation(FORMAT.name, key, title, tuple(turns), updated_at=updated_at)
    else:
        yield Skipped(f"session {stem}", "has nothing to import", lost=False)


def _apply_change(session: dict[str, Any], change: Row) -> dict[str, Any]:
    """Return a session after a line of its log; a change of a missing place changes nothing."""
    kind, path, value = change.get("kind"), sequence(change.get("k")), change.get("v")
    if kind == _SESSION and isinstance(value, dict):
        return value
    parent: Any = session
    for step in path[:-1]:
        parent = _at(parent, step)
    last = path[-1] if path else None
    if kind == _SET:
        _set(parent, last, value)
    elif kind == _APPEND:
        items = _at(parent, last)
        if isinstance(items, list):
            if isinstance(index := change.get("i"), int) and 0 <= index < len(items):
                del items[index:]
            items += sequence(value)
        else:
            _set(parent, last, sequence(value))
    elif kind == _DELETE and isinstance(parent, dict):
        parent.pop(str(last), None)
    return session


def _at(parent: Any, step: object) -> Any:  # Any: JSON values have all types
    if isinstance(parent, dict):
        return parent.get(str(step))
    if isinstance(parent, list) and isinstance(step, int) and 0 <= step < len(parent):
        return parent[step]
    return None


def _set(parent: Any, step: object, value: object) -> None:
    if isinstance(parent, dict) and isinstance(step, str):
        parent[step] = value
    elif isinstance(parent, list) and isinstance(step, int) and 0 <= step <= len(parent):
        parent[step : step + 1] = [value]


def _turns(requests: list[Row], counter: MessageCounter) -> list[Turn]:
    """Return prompts and responses; a response has the time of its prompt, as inherited."""
    keys, turns = MessageKeys(), list[Turn]()
    for request in requests:
        sent_at = parse_timestamp(request.get("timestamp"))
        prompt, response = _prompt_blocks(request), _response_blocks(request)
        count_message(counter, [*prompt, *response])
        texts = [block.text for block in (*prompt, *response)]
        key = string(request.get("requestId")) or keys.next_key(sent_at, *texts)
        turns += linear_turns(key, prompt, sent_at)
        for turn in linear_turns(f"{key}#answer", response, sent_at):
            turns.append(replace(turn, clock=Clock.INHERITED if sent_at else Clock.NONE))
    return with_inherited_times(turns)


def _prompt_blocks(request: Row) -> list[Block]:
    message = request.get("message")
    fields = mapping(message)
    text = (
        string(fields.get("text")) or plain_text(sequence(fields.get("parts"))) or string(message)
    )
    blocks = text_block(Role.USER, text)
    variables = sequence(mapping(request.get("variableData")).get("variables"))
    for variable in map(mapping, variables):
        kind, name = string(variable.get("kind")), string(variable.get("name"))
        if kind in ("image", "file", "paste") and name:
            blocks.append(media_block(Role.USER, name))
    return blocks


def _response_blocks(request: Row) -> list[Block]:
    """Return the blocks of a response: its texts as one, after thoughts and tool calls."""
    blocks, texts = list[Block](), [""]
    for part in sequence(request.get("response")):
        text, others = _read_part(part)
        texts[-1] += text
        blocks += others
        if others and texts[-1].strip():
            texts.append("")
    answer = "\n\n".join(text.strip() for text in texts if text.strip())
    blocks += text_block(Role.ASSISTANT, answer)
    error = mapping(mapping(request.get("result")).get("errorDetails"))
    return blocks + text_block(Role.SYSTEM, string(error.get("message")), Kind.SERVICE)


def _read_part(part: object) -> tuple[str, list[Block]]:
    """Return the text of a part of a response, and its other blocks."""
    fields = mapping(part)
    kind, value = string(fields.get("kind")), fields.get("value")
    if kind in ("", "markdownContent", "markdown"):
        content = mapping(fields.get("content")).get("value", value)
        return string(mapping(content).get("value")) or string(content) or string(part), []
    if kind == "inlineReference":
        reference = mapping(fields.get("inlineReference"))
        path = string(reference.get("path")) or string(mapping(reference.get("uri")).get("path"))
        name = string(fields.get("name")) or string(reference.get("name"))
        return name or PurePath(path).name, []
    if kind == "thinking":
        return "", text_block(Role.ASSISTANT, plain_text(value), Kind.THOUGHT)
    if kind in _TOOL_PARTS:
        told = fields.get("pastTenseMessage") or fields.get("invocationMessage")
        message = string(mapping(told).get("value")) or string(told)
        return "", [tool_call(fields.get("toolId"), message)]
    if kind in ("warning", "confirmation", "elicitation"):
        content = fields.get("content") or fields.get("message") or fields.get("title")
        message = string(mapping(content).get("value")) or string(content)
        return "", text_block(Role.SYSTEM, message, Kind.SERVICE)
    return "", [] if kind in _SILENT_PARTS else unknown_blocks(Role.ASSISTANT, fields)


FORMAT = Format(
    name="vscode_copilot", recognises=_recognises, parse=_parse, lookups=("workspace.json",)
)
