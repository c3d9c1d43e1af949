"""What `mem export` writes, and reads back to the same ids: a session a line.

    {"schema": "mem.export/1", "id": "s_...", "source": "chatgpt", "conversation": "<its key>",
     "title": "...", "endless": false, "updated_at": "2024-03-01T12:00:00.000+00:00",
     "revisions": [{"key": "<of a turn>", "text": "...", "digest": "..."}],
     "aliases": [{"id": "s_...", "key": "..."}],
     "turns": [{"key": "...", "role": "user", "text": "...", "sent_at": "...", "clock": "exact"}]}

The sessions of a conversation follow one another. What is as a turn has it by default is left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import TypeVar

from memcli.domain import Clock, Conversation, Kind, Past, Revision, Role, SessionId, Skipped, Turn
from memcli.formats.base import Document, Format, Parsed, Reading, Sample
from memcli.formats.json_lines import rows
from memcli.formats.json_stream import Broken

SCHEMA = "mem.export/1"

_BEGINS = re.compile(r'\s*\{\s*"schema"\s*:\s*"mem\.export/1"')
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


def _recognises(sample: Sample) -> bool:
    return bool(_BEGINS.match(sample.text))


def _parse(document: Document, _reading: Reading) -> Iterator[Parsed]:
    for number, value in rows(document):
        if isinstance(value, Broken):
            yield Skipped(f"line {number}", value.why)
            continue
        try:
            yield _conversation(_Row(value))
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

    def maybe(self, name: str) -> str | None:
        """Return a text, None where there is none."""
        return None if self._row.get(name) is None else self.get(name, str)

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


def _conversation(row: _Row) -> Conversation:
    if (schema := row.get("schema", str)) != SCHEMA:
        raise ValueError(f"its schema is {schema}, not {SCHEMA}")
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
