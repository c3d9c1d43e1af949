"""Reads the JSON of `mem memories import`: exported memories, or facts that a person wrote."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from memcli.domain import YOU, Fact, MemoryId, MemoryType, SessionId
from memcli.errors import InputError
from memcli.ingest.own_facts import ExportedMemory, ExportedSource
from memcli.typed_table import TypedTable


def read_facts(text: str, name: str) -> list[ExportedMemory]:
    """Read the output of `mem memories export`, or facts that a person wrote.

    Args:
        text: `{"memories": [...]}`, a list, or an object a line; of a memory only `key` and
            `value` are needed.
        name: of the file, for errors.

    Raises:
        InputError: the text is none of these, or a fact lacks a key.
    """
    return [
        _read_memory(TypedTable(found, where, syntax="JSON"))
        for where, found in _find_memories(text, name)
    ]


def _find_memories(text: str, name: str) -> Iterator[tuple[str, Any]]:  # Any: as JSON has it
    """Yield the place of every memory, and the memory."""
    whole = _parse(text)
    if isinstance(whole, dict) and "memories" in whole:
        whole = whole["memories"]
        if not isinstance(whole, list):
            raise InputError(f"{name}: `memories` is not a list")
    if isinstance(whole, list):
        yield from ((f"{name}: memory {at}", one) for at, one in enumerate(whole, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found = _parse(line)
            if found is None:
                raise InputError(f"{name}: line {number} is not JSON")
            yield f"{name}: line {number}", found


def _parse(text: str) -> Any:  # Any: as JSON has it; None if it is no JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_memory(table: TypedTable) -> ExportedMemory:
    try:
        kind = MemoryType(table.get("type", str, MemoryType.USER.value))
    except ValueError as error:
        known = " or ".join(each.value for each in MemoryType)
        raise table.error(f"`type` must be {known}") from error
    tags = tuple(map(str, table.get("tags", list, [])))
    superseded_by = table.get("superseded_by", str, "")
    return ExportedMemory(
        fact=Fact(table.get("key", str), kind, table.get("value", str), tags),
        said_at=_read_time(table, "said_at"),
        by=table.get("by", str, YOU),
        accepted=table.content.get("accepted") is True,
        edited_into=MemoryId(superseded_by) if table.content.get("edited") is True else None,
        sources=tuple(map(_read_source, table.get_tables("sources"))),
    )


def _read_source(table: TypedTable) -> ExportedSource:
    return ExportedSource(
        session=SessionId(table.get("session", str)),
        key=table.get("key", str),
        text=table.get("text", str, ""),
        at=_read_time(table, "at"),
    )


def _read_time(table: TypedTable, key: str) -> datetime | None:
    value = table.get(key, str, "")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)  # fails for a time before the year 1 there
        return moment
    except (ValueError, OverflowError) as error:
        raise table.error(f"`{key}` is no time", hint="2024-03-01T12:00:00Z") from error
