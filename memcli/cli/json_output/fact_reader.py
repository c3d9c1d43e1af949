"""Memories as JSON: what `mem memories` prints, and what `mem memories import` reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from memcli.domain import YOU, Fact, MemoryId, MemoryType, SessionId, Turn
from memcli.errors import InputError
from memcli.ingest.own_facts import Record, RecordedSource

Shape = dict[str, object]
Quotes = Sequence[Turn]  # of a memory's sources, in their order


def read_facts(text: str, name: str) -> list[Record]:
    """Read what `mem memories export` wrote, or facts that somebody wrote down.

    Args:
        text: `{"memories": [...]}`, a list, or an object a line; of a memory only `key` and
            `value` are needed.
        name: of the file, for errors.

    Raises:
        InputError: it is none of these, or a fact lacks something.
    """
    return [_record(found, where) for where, found in _objects(text, name)]


def _objects(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every memory, and where it stands."""
    whole = _parsed(text)
    if isinstance(whole, dict) and "memories" in whole:
        whole = whole["memories"]
        if not isinstance(whole, list):
            raise InputError(f"{name}: `memories` is no list")
    if isinstance(whole, list):
        yield from ((f"{name}: memory {at}", one) for at, one in enumerate(whole, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found = _parsed(line)
            if found is None:
                raise InputError(f"{name}: line {number} is no JSON")
            yield f"{name}: line {number}", found


def _parsed(text: str) -> Any:  # whatever JSON holds; None where it is none
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _record(found: object, where: str) -> Record:
    table = _Table(found, where)
    try:
        kind = MemoryType(table.text("type", MemoryType.USER.value))
    except ValueError as error:
        known = " or ".join(each.value for each in MemoryType)
        raise InputError(f"{where}: `type` is not {known}") from error
    superseded_by = table.text("superseded_by", "")
    return Record(
        Fact(table.text("key"), kind, table.text("value"), tuple(map(str, table.list("tags")))),
        table.time("said_at"),
        table.text("by", YOU),
        accepted=table.found.get("accepted") is True,
        edited_into=MemoryId(superseded_by) if table.found.get("edited") is True else None,
        sources=tuple(_source(source, where) for source in table.list("sources")),
    )


def _source(found: object, where: str) -> RecordedSource:
    table = _Table(found, f"{where}: a source")
    return RecordedSource(
        SessionId(table.text("session")), table.text("key"), table.text("text", ""),
        table.time("at"),
    )  # fmt: skip


class _Table:
    """A JSON object that should have certain things."""

    def __init__(self, found: object, where: str) -> None:
        if not isinstance(found, Mapping):
            raise InputError(f"{where} is no JSON object")
        self.found, self._where = found, where

    def text(self, key: str, default: str | None = None) -> str:
        value = self.found.get(key)
        value = default if value is None else value
        if not isinstance(value, str):
            raise InputError(
                f"{self._where}: `{key}` is {'missing' if value is None else 'no text'}"
            )
        return value

    def list(self, key: str) -> list[Any]:
        value = self.found.get(key)
        if value is not None and not isinstance(value, list):
            raise InputError(f"{self._where}: `{key}` is no list")
        return value or []

    def time(self, key: str) -> datetime | None:
        value = self.text(key, "")
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moment.astimezone(UTC)  # or it is before the year 1 there
            return moment
        except (ValueError, OverflowError) as error:
            raise InputError(
                f"{self._where}: `{key}` is no time", hint="2024-03-01T12:00:00Z"
            ) from error
