"""The output of `mem export`, which is read back to the same ids: sessions, then memories.

Every line is a JSON object.

    {"schema": "mem.export/1", "id": "s_...", "source": "chatgpt", "conversation": "<its key>",
     "title": "...", "endless": false, "updated_at": "2024-03-01T12:00:00.000+00:00",
     "revisions": [{"key": "<of a turn>", "text": "...", "digest": "..."}],
     "aliases": [{"id": "s_...", "key": "..."}],
     "turns": [{"key": "...", "role": "user", "text": "...", "sent_at": "...", "clock": "exact"}]}

The sessions of a conversation follow one another. Fields of a turn that have their default value
are left out.

    {"schema": "mem.export.memory/1", "id": "m_...", "key": "home", "type": "UserMemory",
     "value": "Lives in Porto", "tags": [], "accepted": false, "edited_into": null,
     "sources": [{"source": "chatgpt", "conversation": "...", "turn": "...", "by": "you"}]}

    {"schema": "mem.export.reading/1", "way": "...", "model": "...", "outcome": "added",
     "turns": [{"source": "chatgpt", "conversation": "...", "turn": "...", "digest": "...",
     "stop": 120}], "reason": "...", "memories": ["m_..."], "trace": null}

    {"schema": "mem.export.forgotten/1", "digest": "<hexadecimal digits>", "key": "…"}

The memory that replaced another by an edit comes before it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import TypeVar

from memcli.domain import (
    Clock,
    Conversation,
    Fact,
    Kind,
    MemoryId,
    MemoryType,
    Omission,
    PortableMemory,
    PortableReading,
    PortableSource,
    PortableTurn,
    ReadingOutcome,
    Revision,
    Role,
    SessionHistory,
    SessionId,
    Skipped,
    Tombstone,
    Turn,
)
from memcli.formats.format import Format, ParsedItem, ParseOptions, StoredItem
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.sample import Sample

SCHEMA = "mem.export/1"
MEMORY_SCHEMA = "mem.export.memory/1"
READING_SCHEMA = "mem.export.reading/1"
FORGOTTEN_SCHEMA = "mem.export.forgotten/1"

_FIRST_LINE = re.compile(
    r'\s*\{\s*"schema"\s*:\s*"mem\.export(?:\.memory|\.reading|\.forgotten)?/1"'
)
_MAX_TURN_CHARACTERS = 1 << 32
_DIGEST = re.compile("[0-9a-f]{32}|k[0-9a-f]{40}")
_Value = TypeVar("_Value")
_TURN_DEFAULTS = [(field.name, field.default) for field in fields(Turn)]  # reading them takes time


def session_record(session: SessionId, conversation: Conversation) -> dict[str, object]:
    """Return the JSON object of a session.

    Args:
        session: id of the session, written for people: an import derives it from the first turn.
        conversation: the turns and metadata of the session.
    """
    past = conversation.history or SessionHistory()
    return {
        "schema": SCHEMA,
        "id": session,
        "source": conversation.source,
        "conversation": conversation.key,
        "title": conversation.title,
        "endless": conversation.endless,
        "updated_at": _format_time(conversation.updated_at) if conversation.updated_at else None,
        "revisions": [
            {"key": revision.key, "text": revision.text, "digest": revision.digest}
            for revision in past.revisions
        ],
        "aliases": [{"id": alias, "key": key} for alias, key in past.aliases],
        "turns": [_turn_record(turn) for turn in conversation.turns],
    }


def memory_record(memory: MemoryId, kept: PortableMemory) -> dict[str, object]:
    """Return the JSON object of a memory.

    Args:
        memory: id of the memory, written for people: an import derives it from the fact.
        kept: the fact and its sources.
    """
    return {
        "schema": MEMORY_SCHEMA,
        "id": memory,
        "key": kept.fact.key,
        "type": kept.fact.type.value,
        "value": kept.fact.value,
        "tags": list(kept.fact.tags),
        "accepted": kept.accepted,
        "edited_into": kept.edited_into,
        "sources": [asdict(source) for source in kept.sources],
    }


def reading_record(kept: PortableReading) -> dict[str, object]:
    """Return the JSON object of a reader's result for a segment."""
    return {"schema": READING_SCHEMA, **asdict(kept)}


def forgotten_record(forgotten: Tombstone) -> dict[str, object]:
    """Return the JSON object of a digest whose content must not be imported again."""
    return {
        "schema": FORGOTTEN_SCHEMA,
        "digest": forgotten.digest,
        "key": forgotten.key,
    }


def _recognises(sample: Sample) -> bool:
    return bool(_FIRST_LINE.match(sample.text))


def _parse(document: Document, _options: ParseOptions) -> Iterator[ParsedItem]:
    for number, value in read_json_lines(document):
        if isinstance(value, BrokenValue):
            document.counter.see_parts([], Omission.UNREADABLE)
            yield Skipped(f"line {number}", value.reason)
            continue
        try:
            item = _parse_record(_Record(value))
            if isinstance(item, Conversation):
                document.counter.see(len(item.turns))
            yield item
        except ValueError as error:
            document.counter.see_parts([], Omission.UNREADABLE)
            yield Skipped(f"line {number}", f"is not as `mem export` writes it: {error}")


class _Record:
    """A JSON object whose values are checked when they are read.

    Raises:
        ValueError: it is not an object; or, from any method, a value is missing or has another
            type.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise ValueError("it is not an object")
        self._values: Mapping[str, object] = value

    def get(self, name: str, kind: type[_Value], *default: _Value) -> _Value:
        """Return a value, or the default if it is missing."""
        value = self._values.get(name)
        if value is None and default:
            return default[0]
        if not isinstance(value, kind):
            raise ValueError(f"`{name}` is {'missing' if value is None else 'of another type'}")
        return value

    def check_unicode(self) -> None:
        """Refuse surrogates, which the database cannot store."""
        try:
            json.dumps(self._values, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("it holds half of a character") from error

    def has(self, name: str) -> bool:
        """Return whether there is a value."""
        return self._values.get(name) is not None

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None if it is missing."""
        return self.get(name, str) if self.has(name) else None

    def time(self, name: str) -> datetime | None:
        """Return a time with its zone, or None if it is missing."""
        text = self.optional_text(name)
        moment = None if text is None else datetime.fromisoformat(text)
        if moment and (moment.tzinfo is None or not 1 < moment.year < 9999):
            raise ValueError(f"`{name}` is no time that can be stored")
        return moment

    def texts(self, *names: str) -> dict[str, str]:
        """Return several texts by name."""
        return {name: self.get(name, str) for name in names}

    def text_list(self, name: str) -> list[str]:
        """Return a list of texts, empty if it is missing."""
        values = self.get(name, list, [])
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"`{name}` is of another type")
        return values

    def records(self, name: str) -> list["_Record"]:
        """Return a list of objects, empty if it is missing."""
        return [_Record(value) for value in self.get(name, list, [])]


def _parse_record(record: _Record) -> StoredItem:
    parsers: dict[str, Callable[[_Record], StoredItem]] = {
        SCHEMA: _parse_conversation,
        MEMORY_SCHEMA: _parse_memory,
        READING_SCHEMA: _parse_reading,
        FORGOTTEN_SCHEMA: _parse_forgotten,
    }
    schema = record.get("schema", str)
    if schema not in parsers:
        raise ValueError(f"its schema is {schema}, not {SCHEMA}")
    if schema != SCHEMA:  # surrogates in a session are replaced later
        record.check_unicode()
    return parsers[schema](record)


def _parse_memory(record: _Record) -> PortableMemory:
    tags = tuple(record.text_list("tags"))
    edited_into = record.optional_text("edited_into")
    memory_type = MemoryType(record.get("type", str))
    fact = Fact(record.get("key", str), memory_type, record.get("value", str), tags)
    return PortableMemory(
        fact,
        tuple(
            PortableSource(**source.texts("source", "conversation", "turn", "by"))
            for source in record.records("sources")
        ),
        accepted=record.get("accepted", bool, False),
        edited_into=None if edited_into is None else MemoryId(edited_into),
    )


def _parse_reading(record: _Record) -> PortableReading:
    memories = record.text_list("memories")
    return PortableReading(
        tuple(map(_parse_kept_turn, record.records("turns"))),
        **record.texts("way", "model", "reason"),
        outcome=ReadingOutcome(record.get("outcome", str)),
        memories=tuple(map(MemoryId, memories)),
        trace=_parse_trace(record) if record.has("trace") else None,
    )


def _parse_kept_turn(record: _Record) -> PortableTurn:
    stop = record.get("stop", int)
    if not 0 <= stop <= _MAX_TURN_CHARACTERS:
        raise ValueError("`stop` is no position in a text")
    return PortableTurn(**record.texts("source", "conversation", "turn", "digest"), stop=stop)


def _parse_trace(record: _Record) -> tuple[object, ...]:
    for step in record.records("trace"):
        if step.has("error"):
            step.get("error", str)
        else:
            step.texts("thought", "tool")
            step.get("arguments", dict)
            step.get("result", str, "")
    return tuple(record.get("trace", list))


def _parse_forgotten(record: _Record) -> Tombstone:
    digest = record.get("digest", str)
    if not _DIGEST.fullmatch(digest):
        raise ValueError("`digest` is no digest")
    return Tombstone(digest, record.optional_text("key"))


def _parse_conversation(record: _Record) -> Conversation:
    revisions = (
        Revision(
            revision.optional_text("key"), revision.get("text", str), revision.get("digest", str)
        )
        for revision in record.records("revisions")
    )
    aliases = (
        (SessionId(alias.get("id", str)), alias.get("key", str))
        for alias in record.records("aliases")
    )
    return Conversation(
        source=record.get("source", str),
        key=record.get("conversation", str),
        title=record.get("title", str, ""),
        turns=tuple(map(_parse_turn, record.records("turns"))),
        endless=record.get("endless", bool, False),
        updated_at=record.time("updated_at"),
        history=SessionHistory(tuple(revisions), tuple(aliases)),
    )


def _parse_turn(record: _Record) -> Turn:
    return Turn(
        key=record.get("key", str),
        role=Role(record.get("role", str)),
        text=record.get("text", str),
        speaker=record.optional_text("speaker"),
        sent_at=record.time("sent_at"),
        clock=Clock(record.get("clock", str, Clock.NONE.value)),
        kind=Kind(record.get("kind", str, Kind.TEXT.value)),
        parent=record.optional_text("parent"),
        active=record.get("active", bool, True),
        edited_at=record.time("edited_at"),
        missing=record.get("missing", bool, False),
        included=record.get("included", bool, False),
    )


def _turn_record(turn: Turn) -> dict[str, object]:
    record: dict[str, object] = {}
    for name, default in _TURN_DEFAULTS:
        value = getattr(turn, name)
        if value != default:
            record[name] = _format_time(value) if isinstance(value, datetime) else value
    return record


def _format_time(moment: datetime) -> str:
    return moment.isoformat("T", "milliseconds")  # by name it takes a third longer


FORMAT = Format(name="memcli", recognises=_recognises, parse=_parse)
