"""Google AI Studio's prompts in a person's Drive: JSON, often in files without a suffix.

One file is one conversation. It has no id, so its key is its name, and most messages have no time.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.blocks import (
    Block,
    count_message,
    linear_turns,
    media_block,
    plain_text,
    text_block,
    unknown_blocks,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {"user": Role.USER, "model": Role.ASSISTANT}
_FILE_KEYS = (
    "driveDocument",
    "driveImage",
    "driveVideo",
    "driveAudio",
    "inlineFile",
    "inlineImage",
)
_METADATA_KEYS = ("grounding", "safetyRatings", "branchParent", "parent")
_CHUNK_PATH = ("chunkedPrompt", "chunks", "[]")
_SYSTEM_PATH = ("systemInstruction",)

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    chunks = sequence(mapping(mapping(sample.json).get("chunkedPrompt")).get("chunks"))
    return any(string(mapping(chunk).get("role")) in _ROLES for chunk in chunks)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    """Yield the conversation at the end of the file, or of the part of it that can be read.

    Raises:
        InputError: the file is damaged; the messages before the damage are yielded first.
    """
    turns: list[Turn] = []
    try:
        yield from _read_messages(document, turns)
    except InputError:
        yield from _conversation(document, turns)
        raise
    yield from _conversation(document, turns)


def _read_messages(document: Document, turns: list[Turn]) -> Iterator[Skipped]:
    """Add the turns to a list, the instructions at its beginning; yield unreadable messages."""
    keys = MessageKeys()
    number = 0
    for path, value in scan_json(document, [_CHUNK_PATH, _SYSTEM_PATH]):
        if path == _SYSTEM_PATH:
            text = plain_text(mapping(value).get("parts")) or string(mapping(value).get("text"))
            system = text_block(Role.SYSTEM, text, Kind.CONTEXT)
            document.counter.see(len(system))
            turns[:0] = linear_turns("system", system, None)
        if path != _CHUNK_PATH:
            continue
        number += 1
        if isinstance(value, BrokenValue):
            yield Skipped(f"message {number}", value.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
            continue
        chunk = mapping(value)
        blocks, sent_at = _blocks(chunk), parse_timestamp(chunk.get("createTime"))
        count_message(document.counter, blocks)
        for block in blocks:
            turns += linear_turns(
                keys.next_key(sent_at, block.role, block.kind, block.text), [block], sent_at
            )


def _conversation(document: Document, turns: list[Turn]) -> Iterator[ParsedItem]:
    title = PurePath(document.name).name.removesuffix(".json")
    if turns:
        yield Conversation(FORMAT.name, title, title, tuple(with_inherited_times(turns)))
    else:
        yield Skipped(title, "has nothing to import", lost=False)


def _blocks(chunk: Row) -> list[Block]:
    role = _ROLES.get(string(chunk.get("role")))
    if role is None:
        return text_block(Role.SYSTEM, string(chunk.get("text")), Kind.CONTEXT)
    kind = Kind.THOUGHT if chunk.get("isThought") is True else Kind.TEXT
    texts = (string(mapping(part).get("text")) for part in sequence(chunk.get("parts")))
    text = string(chunk.get("text")) or "".join(texts)
    is_answer = role is Role.ASSISTANT and kind is Kind.TEXT
    blocks = answer_blocks(text) if is_answer else text_block(role, text, kind)
    for name in _FILE_KEYS:
        if name in chunk:
            file = mapping(chunk[name])
            blocks.append(media_block(role, file.get("name") or file.get("fileName")))
    if not blocks:
        for name, value in chunk.items():
            if isinstance(value, dict) and name not in _METADATA_KEYS:
                blocks += unknown_blocks(role, {"type": name, **value})
    return blocks


FORMAT = Format(name="ai_studio", recognises=_recognises, parse=_parse)
