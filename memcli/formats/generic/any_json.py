"""Chats as most programs write them: messages with a role and a content.

    {"messages": [{"role": "user", "content": "Hi"}, ...]}     one conversation, or a list of them
    [{"role": "user", "content": "Hi"}, ...]                   the messages of one conversation
    {"conversations": [{"from": "human", "value": "Hi"}, ...]}     ShareGPT

as JSON, or as JSON lines: a conversation a line, or a message a line. The order is the file's
where messages have no time. A conversation without an id is told by its first words, which stay
the same when it grows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import LARGEST_VALUE, Broken, elements
from memcli.formats.parsing.sample import HEAD_BYTES, Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {
    **dict.fromkeys(("user", "human", "me", "prompter"), Role.USER),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "model", "bot", "ai"), Role.ASSISTANT),
    **dict.fromkeys(("system", "developer"), Role.SYSTEM),
    **dict.fromkeys(("tool", "function", "function_call", "observation"), Role.TOOL),
}
_TIMES = ("timestamp", "created_at", "createdAt", "create_time", "sent_at", "time", "date")
_CONVERSATION_IDS = ("id", "uuid", "conversation_id", "session_id", "thread_id", "chat_id")
_MESSAGE_IDS = ("id", "uuid", "message_id")
_FOREIGN = ("contentChunks", "history")  # of Mistral Le Chat and of Open WebUI: a tree, not a line
_TEXTS = ("text", "input_text", "output_text")  # types of parts that are words
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # before every time that `instant` lets through


def _recognises(sample: Sample) -> bool:
    lines = _first_lines(sample.text)
    rows = [row for row in lines or sample.elements if not any(key in row for key in _FOREIGN)]
    if any(_is_known(message) for row in rows for message in _messages(row) or []):
        return True
    # Loose messages are of use only together: of a list of them, only the end may be missing.
    return any(map(_is_known, rows)) and (bool(lines) or _is_begun(sample.text))


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    keys = Keys()
    loose: list[Mapping[str, Any]] = []  # messages of the one conversation that the file is
    size = 0
    for where, element in _lines(document) if _has_lines(document) else _listed(document):
        row = mapping(element)
        if isinstance(element, Broken):
            yield Skipped(where, element.why)
        elif (messages := _messages(row)) is not None:
            yield _conversation(where, row, messages, keys)
        elif _is_message(row):
            loose.append(row)
            size += len(_text(row))
            if size > LARGEST_VALUE:
                what = f"holds a conversation of more than {LARGEST_VALUE >> 20} MB"
                raise InputError(f"{document.name} {what}")
        else:
            yield Skipped(where, "has nothing to import", lost=False)
    if loose:
        yield _conversation("conversation 1", {}, loose, keys)


def _listed(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a JSON document, and where they are."""
    with document.open() as stream:
        top = Sample(document.name, stream.read(HEAD_BYTES)).json
    alone = bool(_messages(mapping(top)))
    noun = "message" if any(map(_is_message, map(mapping, sequence(top)))) else "conversation"
    lists = ("",) if alone else ("conversations", "")
    for number, element in enumerate(elements(document, *lists), start=1):
        yield f"{noun} {number}", element


def _lines(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield the lines of a document of JSON lines, and where they are."""
    with document.open() as stream:
        number = 0
        while line := stream.readline(LARGEST_VALUE):
            number += 1
            where = f"line {number}"
            if len(line) == LARGEST_VALUE and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = stream.readline(HEAD_BYTES)
                yield where, Broken(f"is longer than {LARGEST_VALUE >> 20} MB")
            elif text := line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip():
                yield where, _loads(text)


def _loads(text: str) -> Any:  # whatever JSON holds
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        return Broken(f"is no JSON: {error}")


def _has_lines(document: Document) -> bool:
    """Tell JSON lines from one JSON value."""
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
        text = Sample(document.name, head).text
        if b"\n" in head or not text.lstrip().startswith("{"):
            return bool(_first_lines(text))
        line = head + stream.readline(LARGEST_VALUE)  # the first line is longer than the head
        more = stream.read(1)
    return bool(more) and isinstance(_loads(line.decode("utf-8-sig", "replace")), dict)


def _first_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects of the first lines of JSON lines; of anything else, nothing.

    Half of the lines have to be sound: they may be damaged, and the last one is often cut.
    """
    if not text.lstrip().startswith("{"):
        return []
    lines = [line for line in text.split("\n", 50)[:50] if line.strip()]
    rows = [row for row in map(_loads, lines) if isinstance(row, dict)]
    return rows if 2 <= len(lines) <= 2 * len(rows) else []


def _is_begun(text: str) -> bool:
    """Whether a text is JSON as far as it goes."""
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        left = len(text.rstrip()) - error.pos
        return error.msg.startswith("Unterminated string") or left < len("false")
    except (ValueError, RecursionError):
        return False
    return True


def _messages(row: Mapping[str, Any]) -> list[Any] | None:
    """Return the messages of a conversation; None where the row is no conversation."""
    if isinstance(row.get("messages"), list):
        return sequence(row["messages"])
    shared = sequence(row.get("conversations"))
    return shared if any(_is_message(mapping(message)) for message in shared) else None


def _is_message(row: Mapping[str, Any]) -> bool:
    return bool(_speaker(row)) and ("content" in row or "value" in row)


def _is_known(row: object) -> bool:
    """Whether a row is certainly a message in a chat."""
    message = mapping(row)
    return _is_message(message) and _speaker(message).lower() in _ROLES


def _speaker(row: Mapping[str, Any]) -> str:
    return string(row.get("role" if "content" in row else "from")).strip()


def _text(row: Mapping[str, Any]) -> str:
    content = row.get("content", row.get("value"))
    parts = [part for part in sequence(content) if mapping(part).get("type", "text") in _TEXTS]
    texts = (string(part) or string(mapping(part).get("text")) for part in parts)
    return string(content) or "\n".join(text for text in texts if text)


def _conversation(
    where: str, row: Mapping[str, Any], messages: Iterable[Any], keys: Keys
) -> Conversation | Skipped:
    title = string(row.get("title")) or string(row.get("name"))
    turns = _turns(map(mapping, messages))
    if not turns:
        where = f"{where} ({title})" if title else where
        return Skipped(where, "has nothing to import", lost=False)
    # Many conversations begin with the same instructions.
    first = next((turn for turn in turns if turn.role is not Role.SYSTEM), turns[0])
    moment = first.sent_at if first.clock is Clock.EXACT else None
    key = _first(row, _CONVERSATION_IDS) or keys.key(first.role, first.text, moment)
    return Conversation("generic", key, title, tuple(turns))


def _turns(messages: Iterable[Mapping[str, Any]]) -> list[Turn]:
    keys, turns = Keys(), dict[str, Turn]()
    for message in messages:
        text = _text(message)
        if not _is_message(message) or not text.strip():
            continue
        role = _ROLES.get(_speaker(message).lower(), Role.PERSON)
        speaker = _name(message) or (_speaker(message) if role is Role.PERSON else "")
        sent_at = next(filter(None, (instant(message.get(field)) for field in _TIMES)), None)
        key = _first(message, _MESSAGE_IDS)
        if not key or key in turns:
            key = keys.key(sent_at, role, speaker, text)
        clock = Clock.EXACT if sent_at else Clock.NONE
        turns[key] = Turn(key, role, text, speaker or None, sent_at, clock)
    timed = with_inherited_times(list(turns.values()))
    return sorted(timed, key=lambda turn: turn.sent_at or _NO_TIME)


def _name(message: Mapping[str, Any]) -> str:
    author = message.get("author")
    return string(message.get("name")) or string(author) or string(mapping(author).get("name"))


def _first(row: Mapping[str, Any], fields: Iterable[str]) -> str:
    return next(filter(None, (string(row.get(field)) for field in fields)), "")


FORMAT = Format(
    name="generic_json",
    title="JSON with roles and contents",
    recognises=_recognises,
    parse=_parse,
)
