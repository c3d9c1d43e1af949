"""Google AI Studio's prompts, as they lie in a person's Drive: JSON, often without a file ending.

One file is one conversation. It has no id, so its name stands for it, and most of them say nothing
about when anything was said.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from memcli.domain import Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import Block, linear_turns, media_block, plain_text, text_block
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, scan
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    with_inherited_times,
)

_ROLES = {"user": Role.USER, "model": Role.ASSISTANT}
_FILES = ("driveDocument", "driveImage", "driveVideo", "driveAudio", "inlineFile", "inlineImage")
_CHUNKS = ("chunkedPrompt", "chunks", "[]")
_SYSTEM = ("systemInstruction",)

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    chunks = sequence(mapping(mapping(sample.json).get("chunkedPrompt")).get("chunks"))
    return any(string(mapping(chunk).get("role")) in _ROLES for chunk in chunks)


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    title = PurePath(document.name).name.removesuffix(".json")
    keys = Keys()
    system: list[Turn] = []
    turns: list[Turn] = []
    number = 0
    for path, value in scan(document, [_CHUNKS, _SYSTEM]):
        if path == _SYSTEM:
            told = text_block(Role.SYSTEM, plain_text(mapping(value).get("parts")), Kind.CONTEXT)
            system += linear_turns("system", told, None)
        if path != _CHUNKS:
            continue
        number += 1
        if isinstance(value, Broken):
            yield Skipped(f"message {number}", value.why)
            continue
        chunk = mapping(value)
        blocks, sent_at = _blocks(chunk), instant(chunk.get("createTime"))
        for block in blocks:
            turns += linear_turns(
                keys.key(sent_at, block.role, block.kind, block.text), [block], sent_at
            )
    if turns:
        every = with_inherited_times([*system, *turns])
        yield Conversation(FORMAT.name, title, title, tuple(every))
    else:
        yield Skipped(title, "has nothing to import", lost=False)


def _blocks(chunk: Row) -> list[Block]:
    role = _ROLES.get(string(chunk.get("role")))
    if role is None:
        return []
    thought = chunk.get("isThought") is True
    kind = Kind.THOUGHT if thought else Kind.TEXT
    texts = (string(mapping(part).get("text")) for part in sequence(chunk.get("parts")))
    found = text_block(role, string(chunk.get("text")) or "".join(texts), kind)
    for name in _FILES:
        if name in chunk:
            file = mapping(chunk[name])
            found.append(media_block(role, file.get("name") or file.get("fileName")))
    return found


FORMAT = Format(
    name="ai_studio", title="Google AI Studio prompt", recognises=_recognises, parse=_parse
)
