"""Chats in the form that most programs write: messages with a role and a content.

    {"messages": [{"role": "user", "content": "Hi"}, ...]}     one conversation, or a list of them
    [{"role": "user", "content": "Hi"}, ...]                   the messages of one conversation
    {"conversations": [{"from": "human", "value": "Hi"}, ...]}     ShareGPT

as JSON, or as JSON lines with one conversation or one message per line. Messages without a time
stay in the order of the file. A conversation without an id is identified by its first message,
which stays the same when the conversation grows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import (
    Block,
    anthropic_blocks,
    count_message,
    media_block,
    tool_call,
    unknown_blocks,
    with_keys,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.building.time_order import NO_TIME
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.formats.parsing.json_lines import read_json_lines
from memcli.formats.parsing.json_stream import (
    LARGEST_VALUE,
    BrokenValue,
    parse_or_broken,
    read_elements,
)
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

ROLES = {
    **dict.fromkeys(("user", "human", "me", "prompter"), Role.USER),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "model", "bot", "ai"), Role.ASSISTANT),
    **dict.fromkeys(("system", "developer"), Role.SYSTEM),
    **dict.fromkeys(("tool", "function", "function_call", "observation"), Role.TOOL),
}
_TIMES = ("timestamp", "created_at", "createdAt", "create_time", "sent_at", "time", "date")
_CONVERSATION_IDS = ("id", "uuid", "conversation_id", "session_id", "thread_id", "chat_id")
_MESSAGE_IDS = ("id", "uuid", "message_id")
# Keys of Mistral Le Chat and of Open WebUI, whose messages are not in the order of the file.
_FOREIGN_KEYS = ("contentChunks", "history")
_FILE_NAMES = ("name", "filename", "file_name", "url")
_PLAIN_KEYS = {"role", "content", "from", "value", "timestamp", "created_at", "name", "id"}
_TEXT_TYPES = ("text", "input_text", "output_text")  # of parts of a content


def _recognises(sample: Sample) -> bool:
    lines = _first_lines(sample.text)
    objects = [
        row for row in lines or sample.elements if not any(key in row for key in _FOREIGN_KEYS)
    ]
    if any(_is_known(message) for row in objects for message in _messages(row) or []):
        return True
    # Messages outside of a conversation are one conversation: the list may lack only its end.
    return any(map(_is_known, objects)) and (bool(lines) or _is_valid_prefix(sample.text))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    keys = MessageKeys()
    loose: list[Mapping[str, Any]] = []  # messages outside of a conversation
    size = 0
    for where, element in _lines(document) if _has_lines(document) else _elements(document):
        row = mapping(element)
        if isinstance(element, BrokenValue):
            yield Skipped(where, element.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
        elif (messages := _messages(row)) is not None:
            yield _conversation(where, row, messages, keys, document.counter)
        elif _is_message(row):
            loose.append(row)
            size += len(_text(row))
            if size > LARGEST_VALUE:
                problem = f"holds a conversation of more than {LARGEST_VALUE >> 20} MB"
                raise InputError(f"{document.name} {problem}")
        else:
            yield Skipped(where, "has nothing to import", lost=False)
    if loose:
        yield _conversation("conversation 1", {}, loose, keys, document.counter)


def _elements(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield (place for error messages, value) of the elements of a JSON document."""
    with document.open() as stream:
        top = Sample(document.name, stream.read(HEAD_BYTES)).json
    is_conversation = bool(_messages(mapping(top)))
    noun = "message" if any(map(_is_message, map(mapping, sequence(top)))) else "conversation"
    lists = ("",) if is_conversation else ("conversations", "")
    for number, element in enumerate(read_elements(document, *lists), start=1):
        yield f"{noun} {number}", element


def _lines(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield (place for error messages, value) of the lines of JSON lines."""
    for number, value in read_json_lines(document):
        yield f"line {number}", value


def _has_lines(document: Document) -> bool:
    """Return whether a document is JSON lines and not one JSON value."""
    with document.open() as stream:
        head = stream.read(HEAD_BYTES)
        text = Sample(document.name, head).text
        if b"\n" in head or not text.lstrip().startswith("{"):
            return bool(_first_lines(text))
        line = head + stream.readline(LARGEST_VALUE)  # the first line is longer than the head
        has_second_line = bool(stream.read(1))
    return has_second_line and isinstance(parse_or_broken(strip_byte_order_mark(line)), dict)


def _first_lines(text: str) -> list[dict[str, Any]]:
    """Return the objects in the first lines of JSON lines; the list is empty for other texts.

    Half of the lines have to be valid: some may be damaged, and the last is often incomplete.
    """
    if not text.lstrip().startswith("{"):
        return []
    lines = [line for line in text.split("\n", 50)[:50] if line.strip()]
    objects = [row for row in map(parse_or_broken, lines) if isinstance(row, dict)]
    return objects if 2 <= len(lines) <= 2 * len(objects) else []


def _is_valid_prefix(text: str) -> bool:
    """Return whether a text is the beginning of a JSON text, without an error before its end."""
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        left = len(text.rstrip()) - error.pos
        return error.msg.startswith("Unterminated string") or left < len("false")
    except (ValueError, RecursionError):
        return False
    return True


def _messages(row: Mapping[str, Any]) -> list[Any] | None:
    """Return the messages of a conversation; None if the row is not a conversation."""
    if isinstance(row.get("messages"), list):
        return sequence(row["messages"])
    share_gpt = sequence(row.get("conversations"))
    return share_gpt if any(_is_message(mapping(message)) for message in share_gpt) else None


def _is_message(row: Mapping[str, Any]) -> bool:
    return bool(_speaker(row)) and ("content" in row or "value" in row)


def _is_known(row: object) -> bool:
    """Return whether a row is a message whose speaker has a known role."""
    message = mapping(row)
    return _is_message(message) and _speaker(message).lower() in ROLES


def _speaker(row: Mapping[str, Any]) -> str:
    return string(row.get("role" if "content" in row else "from")).strip()


def _text(row: Mapping[str, Any]) -> str:
    content = row.get("content", row.get("value"))
    if isinstance(content, str):
        return content
    parts = [part for part in sequence(content) if mapping(part).get("type", "text") in _TEXT_TYPES]
    texts = (string(part) or string(mapping(part).get("text")) for part in parts)
    return string(content) or "\n".join(text for text in texts if text)


def _conversation(
    where: str,
    row: Mapping[str, Any],
    messages: Iterable[Any],
    keys: MessageKeys,
    counter: MessageCounter,
) -> Conversation | Skipped:
    title = string(row.get("title")) or string(row.get("name"))
    turns = _turns(map(mapping, messages), counter)
    if not turns:
        where = f"{where} ({title})" if title else where
        return Skipped(where, "has nothing to import", lost=False)
    # System turns do not count, because many conversations begin with the same instructions.
    first = next((turn for turn in turns if turn.role is not Role.SYSTEM), turns[0])
    sent_at = first.sent_at if first.clock is Clock.EXACT else None
    key = _first_text(row, _CONVERSATION_IDS) or keys.next_key(first.role, first.text, sent_at)
    return Conversation("generic", key, title, tuple(turns))


def _turns(messages: Iterable[Mapping[str, Any]], counter: MessageCounter) -> list[Turn]:
    keys, turns = MessageKeys(), dict[str, Turn]()
    for message in messages:
        name = _speaker(message)
        role = ROLES.get(name.lower(), Role.PERSON)
        has_content = "content" in message or "value" in message
        blocks = _blocks(role, message) if name and has_content else []
        count_message(counter, blocks)
        if not blocks:
            continue
        speaker = _name(message) or (name if role is Role.PERSON else "")
        sent_at = next(
            filter(None, (parse_timestamp(message.get(field)) for field in _TIMES)), None
        )
        key = _first_text(message, _MESSAGE_IDS)
        if not key or key in turns:
            text = _text(message) or blocks[0].text
            key = keys.next_key(sent_at, role, speaker, text)
        clock = Clock.EXACT if sent_at else Clock.NONE
        for turn_key, block in with_keys(key, blocks):
            turns[turn_key] = Turn(
                turn_key, role, block.text, speaker or None, sent_at, clock, block.kind
            )
    timed = with_inherited_times(list(turns.values()))
    return sorted(timed, key=lambda turn: turn.sent_at or NO_TIME)


def _blocks(role: Role, message: Mapping[str, Any]) -> list[Block]:
    """Return the blocks of a message; parts without a text are named if there is no text."""
    text = _text(message)
    is_plain = isinstance(message.get("content", message.get("value")), str)
    if is_plain and message.keys() <= _PLAIN_KEYS and text.strip():  # nearly always
        return answer_blocks(text) if role is Role.ASSISTANT else [Block(role, text)]
    blocks: list[Block] = []
    for call in map(mapping, sequence(message.get("tool_calls"))):
        function = mapping(call.get("function")) or call
        blocks.append(tool_call(function.get("name"), function.get("arguments")))
    if text.strip():
        blocks += answer_blocks(text) if role is Role.ASSISTANT else [Block(role, text)]
    for part in map(mapping, sequence(message.get("content", message.get("value")))):
        if not text.strip():
            blocks += unknown_blocks(role, part)
        elif part.get("type", "text") not in _TEXT_TYPES:
            others = anthropic_blocks(role, [part])
            blocks += [block for block in others if _is_named_file(block)]
    for file in map(mapping, sequence(message.get("attachments"))):
        name = next(filter(None, (string(file.get(key)) for key in _FILE_NAMES)), "")
        blocks.append(media_block(role, name.partition("?")[0] or "[file]"))
    return blocks


def _is_named_file(block: Block) -> bool:
    """Return whether a block is a file with a name; beside a text, "[image]" says nothing."""
    is_label = block.text.startswith("[") and ":" not in block.text
    return block.kind is Kind.MEDIA and bool(block.text) and not is_label


def _name(message: Mapping[str, Any]) -> str:
    author = message.get("author")
    return string(message.get("name")) or string(author) or string(mapping(author).get("name"))


def _first_text(row: Mapping[str, Any], fields: Iterable[str]) -> str:
    return next(filter(None, (string(row.get(field)) for field in fields)), "")


FORMAT = Format(name="generic_json", recognises=_recognises, parse=_parse)
