"""The turns that memories came from."""

import json
from collections.abc import Collection, Iterable

from memcli.domain import Fact, MemoryType
from memcli.store.sqlite.connection import Database
from memcli.store.tables.memory_rows import to_json

_OF_TURNS = "conversation_id = ? and turn in (select value from json_each(?))"


class MemorySourceTable:
    """The table of the sources of memories. A trigger deletes a memory with its last source."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of_turns(self, conversation: int, turns: Iterable[str]) -> list[tuple[int, str, Fact]]:
        """Return the memories that have sources among these turns.

        Returns:
            (number of a memory, key of a turn, fact) of each source.
        """
        rows = self._db.rows(
            "select memories.id, turn, key, type, value, tags from memory_sources"
            f" join memories on memories.id = memory_id where {_OF_TURNS}",
            *(conversation, json.dumps(list(turns))),
        )
        return [
            (number, turn, Fact(key, MemoryType(kind), value, tuple(json.loads(tags))))
            for number, turn, key, kind, value, tags in rows
        ]

    def set_unsupported(
        self, number: int, conversation: int, turn: str, unsupported: Collection[str]
    ) -> None:
        """Store the details of a memory that one of its sources does not support."""
        self._db.rows(
            "update memory_sources set unsupported = ?"
            " where memory_id = ? and conversation_id = ? and turn = ?",
            *(to_json(unsupported), number, conversation, turn),
        )

    def move(self, conversation: int, turns: Iterable[str], to: int) -> None:
        """Let sources follow their turns into another conversation."""
        keys = json.dumps(list(turns))
        self._db.rows(
            f"update or ignore memory_sources set conversation_id = ? where {_OF_TURNS}",
            *(to, conversation, keys),
        )
        self._db.rows(f"delete from memory_sources where {_OF_TURNS}", conversation, keys)

    def remove(self, conversation: int, turns: Iterable[str]) -> None:
        """Delete the sources among these turns, and so the memories that have no others."""
        self._db.rows(
            f"delete from memory_sources where {_OF_TURNS}",
            *(conversation, json.dumps(list(turns))),
        )
