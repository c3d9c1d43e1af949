"""What `mem export` writes, and reads back to the same ids: a session a line, then the memories.

    {"schema": "mem.export/1", "id": "s_...", "source": "chatgpt", "conversation": "<its key>",
     "title": "...", "endless": false, "updated_at": "2024-03-01T12:00:00.000+00:00",
     "revisions": [{"key": "<of a turn>", "text": "...", "digest": "..."}],
     "aliases": [{"id": "s_...", "key": "..."}],
     "turns": [{"key": "...", "role": "user", "text": "...", "sent_at": "...", "clock": "exact"}]}

The sessions of a conversation follow one another. What is as a turn has it by default is left out.

    {"schema": "mem.export.memory/1", "id": "m_...", "key": "home", "type": "UserMemory",
     "value": "Lives in Porto", "tags": [], "accepted": false, "edited_into": null,
     "sources": [{"source": "chatgpt", "conversation": "...", "turn": "...", "by": "you"}]}

    {"schema": "mem.export.reading/1", "way": "...", "model": "...", "outcome": "added",
     "turns": [{"source": "chatgpt", "conversation": "...", "turn": "...", "digest": "...",
     "stop": 120}], "reason": "...", "memories": ["m_..."], "trace": null}

    {"schema": "mem.export.forgotten/1", "digest": "<32 hexadecimal digits>"}

What a memory was edited into comes before it.
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
    Forgotten,
    KeptMemory,
    KeptReading,
    KeptSource,
    KeptTurn,
    Kind,
    MemoryId,
    MemoryType,
    Outcome,
    Past,
    Revision,
    Role,
    SessionId,
    Skipped,
    Turn,
)
from memcli.formats.format import Format, Kept, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import rows
from memcli.formats.parsing.json_stream import Broken
from memcli.formats.parsing.sample import Sample

SCHEMA = "mem.export/1"
MEMORY_SCHEMA = "mem.export.memory/1"
READING_SCHEMA = "mem.export.reading/1"
FORGOTTEN_SCHEMA = "mem.export.forgotten/1"

_BEGINS = re.compile(r'\s*\{\s*"schema"\s*:\s*"mem\.export(?:\.memory|\.reading|\.forgotten)?/1"')
_LONGEST = 1 << 32  # characters of a turn
_DIGEST = re.compile("[0-9a-f]{32}")
_Value = TypeVar("_Value")


def written(session: SessionId, kept: Conversation) -> dict[str, object]:
    """Return a session as JSON has it.

    Args:
        session: its id, for people: it is read back from its first turn.
        kept: what it holds.
    """
    past = kept.past or Past()
    return {
        "schema": SCHEMA,
        "id": session,
        "source": kept.source,
        "conversation": kept.key,
        "title": kept.title,
        "endless": kept.endless,
        "updated_at": _time_written(kept.updated_at) if kept.updated_at else None,
        "revisions": [
            {"key": one.key, "text": one.text, "digest": one.digest} for one in past.revisions
        ],
        "aliases": [{"id": alias, "key": key} for alias, key in past.aliases],
        "turns": [_turn_written(turn) for turn in kept.turns],
    }


def written_memory(memory: MemoryId, kept: KeptMemory) -> dict[str, object]:
    """Return a memory as JSON has it.

    Args:
        memory: its id, for people: it follows from what it says.
        kept: what it holds.
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


def written_reading(kept: KeptReading) -> dict[str, object]:
    """Return what a reader made of a segment as JSON has it."""
    return {"schema": READING_SCHEMA, **asdict(kept)}


def written_forgotten(forgotten: Forgotten) -> dict[str, object]:
    """Return what must not come back as JSON has it."""
    return {"schema": FORGOTTEN_SCHEMA, "digest": forgotten.digest}


def _recognises(sample: Sample) -> bool:
    return bool(_BEGINS.match(sample.text))


def _parse(document: Document, _reading: Reading) -> Iterator[Parsed]:
    for number, value in rows(document):
        if isinstance(value, Broken):
            yield Skipped(f"line {number}", value.why)
            continue
        try:
            yield _parsed(_Row(value))
        except ValueError as error:
            yield Skipped(f"line {number}", f"is not as `mem export` writes it: {error}")


class _Row:
    """A JSON object whose values have to be of the right type.

    Raises:
        ValueError: it is no object, or from any method: a value is missing, or of another type.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise ValueError("it is no object")
        self._row: Mapping[str, object] = value

    def get(self, name: str, kind: type[_Value], *default: _Value) -> _Value:
        """Return a value; where it is missing, the default."""
        value = self._row.get(name)
        if value is None and default:
            return default[0]
        if not isinstance(value, kind):
            raise ValueError(f"`{name}` is {'missing' if value is None else 'of another type'}")
        return value

    def check(self) -> None:
        """Refuse what no database holds."""
        try:
            json.dumps(self._row, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half of a letter is in it") from error

    def has(self, name: str) -> bool:
        """Return whether there is a value."""
        return self._row.get(name) is not None

    def maybe(self, name: str) -> str | None:
        """Return a text, None where there is none."""
        return self.get(name, str) if self.has(name) else None

    def time(self, name: str) -> datetime | None:
        """Return a time with its zone, None where there is none."""
        text = self.maybe(name)
        moment = None if text is None else datetime.fromisoformat(text)
        if moment and (moment.tzinfo is None or not 1 < moment.year < 9999):
            raise ValueError(f"`{name}` is no time that can be kept")
        return moment

    def rows(self, name: str) -> list["_Row"]:
        """Return a list of objects."""
        return [_Row(value) for value in self.get(name, list, [])]


def _parsed(row: _Row) -> Kept:
    kinds: dict[str, Callable[[_Row], Kept]] = {
        SCHEMA: _conversation,
        MEMORY_SCHEMA: _memory,
        READING_SCHEMA: _reading,
        FORGOTTEN_SCHEMA: _forgotten,
    }
    schema = row.get("schema", str)
    if schema not in kinds:
        raise ValueError(f"its schema is {schema}, not {SCHEMA}")
    if schema != SCHEMA:  # of a session what cannot be kept is left out
        row.check()
    return kinds[schema](row)


def _memory(row: _Row) -> KeptMemory:
    tags = row.get("tags", list, [])
    if not all(isinstance(tag, str) for tag in tags):
        raise ValueError("`tags` is of another type")
    edited_into = row.maybe("edited_into")
    fact = Fact(
        row.get("key", str), MemoryType(row.get("type", str)), row.get("value", str), tuple(tags)
    )
    return KeptMemory(
        fact,
        tuple(
            KeptSource(**_texts(one, "source", "conversation", "turn", "by"))
            for one in row.rows("sources")
        ),
        accepted=row.get("accepted", bool, False),
        edited_into=None if edited_into is None else MemoryId(edited_into),
    )


def _reading(row: _Row) -> KeptReading:
    memories = row.get("memories", list, [])
    if not all(isinstance(memory, str) for memory in memories):
        raise ValueError("`memories` is of another type")
    return KeptReading(
        tuple(map(_turn_read, row.rows("turns"))),
        **_texts(row, "way", "model", "reason"),
        outcome=Outcome(row.get("outcome", str)),
        memories=tuple(map(MemoryId, memories)),
        trace=_trace(row) if row.has("trace") else None,
    )


def _turn_read(row: _Row) -> KeptTurn:
    stop = row.get("stop", int)
    if not 0 <= stop <= _LONGEST:
        raise ValueError("`stop` is no place in a text")
    return KeptTurn(**_texts(row, "source", "conversation", "turn", "digest"), stop=stop)


def _trace(row: _Row) -> tuple[object, ...]:
    for step in row.rows("trace"):
        if step.has("error"):
            step.get("error", str)
        else:
            _texts(step, "thought", "tool")
            step.get("arguments", dict)
            step.get("result", str, "")
    return tuple(row.get("trace", list))


def _texts(row: _Row, *names: str) -> dict[str, str]:
    return {name: row.get(name, str) for name in names}


def _forgotten(row: _Row) -> Forgotten:
    digest = row.get("digest", str)
    if not _DIGEST.fullmatch(digest):
        raise ValueError("`digest` is no digest")
    return Forgotten(digest)


def _conversation(row: _Row) -> Conversation:
    revisions = (
        Revision(one.maybe("key"), one.get("text", str), one.get("digest", str))
        for one in row.rows("revisions")
    )
    aliases = ((SessionId(one.get("id", str)), one.get("key", str)) for one in row.rows("aliases"))
    return Conversation(
        row.get("source", str),
        row.get("conversation", str),
        row.get("title", str, ""),
        tuple(map(_turn, row.rows("turns"))),
        row.get("endless", bool, False),
        row.time("updated_at"),
        Past(tuple(revisions), tuple(aliases)),
    )


def _turn(row: _Row) -> Turn:
    return Turn(
        key=row.get("key", str),
        role=Role(row.get("role", str)),
        text=row.get("text", str),
        speaker=row.maybe("speaker"),
        sent_at=row.time("sent_at"),
        clock=Clock(row.get("clock", str, Clock.NONE.value)),
        kind=Kind(row.get("kind", str, Kind.TEXT.value)),
        parent=row.maybe("parent"),
        active=row.get("active", bool, True),
        edited_at=row.time("edited_at"),
        missing=row.get("missing", bool, False),
        included=row.get("included", bool, False),
    )


def _turn_written(turn: Turn) -> dict[str, object]:
    shape: dict[str, object] = {}
    for field in fields(turn):
        value = getattr(turn, field.name)
        if value != field.default:
            shape[field.name] = _time_written(value) if isinstance(value, datetime) else value
    return shape


def _time_written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


FORMAT = Format(
    name="memcli",
    title="what `mem export` writes",
    recognises=_recognises,
    parse=_parse,
)
