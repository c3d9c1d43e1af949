"""Memories, with their filters.

Only the words and the sources of a memory are stored. The time it was said, the details that no
source supports, and the memory that supersedes it are derived whenever it is loaded: so the result
does not depend on the order in which memories were found, and stays true when sources are deleted.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from memcli.domain import YOU, Fact, Memory, MemoryId, MemoryType, SessionId, Turn, public_id
from memcli.errors import NotFoundError
from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.times import optional_milliseconds, to_datetime
from memcli.store.sqlite.tokenize import normalized_key
from memcli.store.tables.memory_loader import load_memories
from memcli.store.tables.memory_rows import SOURCE_JOINS, to_json
from memcli.store.tables.session_rows import TURN_COLUMNS, to_turn
from memcli.store.tables.session_texts import load_texts


@dataclass(frozen=True, slots=True)
class MemoryFilters:
    """Limits on the memories that count; None is no limit."""

    since: datetime | None = None  # said at this time or later
    until: datetime | None = None  # said before this time
    speaker: frozenset[str] | None = None  # one of these names said a source; case is ignored
    type: MemoryType | None = None
    tag: str | None = None  # case is ignored

    def where(self) -> tuple[str, list[object]]:
        """Return an SQL condition on the table `memories`, and its values."""
        sources = f"from memory_sources {SOURCE_JOINS} where memory_id = memories.id"
        names = "(select fold(value) from json_each(?))"
        speaker = None if self.speaker is None else json.dumps(sorted(self.speaker))
        possible: list[tuple[str, object]] = [
            (f"(select max(sent_at) {sources}) >= ?", optional_milliseconds(self.since)),
            (f"(select max(sent_at) {sources}) < ?", optional_milliseconds(self.until)),
            (f"exists (select 1 {sources} and fold(speaker) in {names})", speaker),
            ("type = ?", self.type and self.type.value),
            ("exists (select 1 from json_each(tags) where fold(value) = fold(?))", self.tag),
        ]
        chosen = [(condition, value) for condition, value in possible if value is not None]
        return (
            " and ".join(["1", *(condition for condition, _ in chosen)]),
            [value for _, value in chosen],
        )


class MemoryTable:
    """The table of memories. Public ids name them outside; numbers name them in the index."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, fact: Fact, conversation: int, turns: Mapping[str, Collection[str]], by: str
    ) -> tuple[int, bool]:
        """Store a fact with its sources, or add the sources if the fact is known.

        Two facts are the same if they have the same type, and the same `normalized_key` of their
        keys and values. A fact that the person wrote keeps their spelling and tags.

        Args:
            fact: the fact.
            conversation: number of the conversation it was said in.
            turns: the keys of its source turns, at least one, each with the details of the fact
                that the turn does not support.
            by: YOU, or name and fingerprint of the model that found it.

        Returns:
            The number of the memory, and whether its words are new or have changed.
        """
        public = memory_id(fact)
        changed = True
        known = load_memories(self._db, "public = ?", [public])
        for number, memory in known.items():
            spelling = _merge_spellings(memory, fact, by)
            changed = spelling != memory.fact
            self._db.rows(
                "update memories set key = ?, value = ?, tags = ? where id = ?",
                *(spelling.key, spelling.value, _normalize_tags(spelling.tags), number),
            )
        if not known:
            [(number,)] = self._db.rows(
                "insert into memories (public, subject, key, type, value, tags, source_id)"
                " values (?, ?, ?, ?, ?, ?, -1) returning id",  # no commit would accept -1
                *(public, normalized_key(fact.key), fact.key, fact.type.value, fact.value),
                _normalize_tags(fact.tags),
            )
        self._db.many(
            "insert into memory_sources (memory_id, conversation_id, turn, by, unsupported)"
            " values (?, ?, ?, ?, ?) on conflict (memory_id, conversation_id, turn) do update"
            f" set by = case when '{YOU}' in (by, excluded.by) then '{YOU}'"
            " else min(by, excluded.by) end, unsupported = excluded.unsupported",
            [
                (number, conversation, key, by, to_json(unsupported))
                for key, unsupported in turns.items()
            ],
        )
        self._db.rows(
            "update memories set source_id ="
            " (select min(id) from memory_sources where memory_id = ?1) where id = ?1",
            number,
        )
        return number, changed

    def numbers(self, memories: Iterable[MemoryId]) -> list[int]:
        """Return the numbers of those of these memories that exist."""
        rows = self._db.rows(
            "select id from memories where public in (select value from json_each(?))",
            json.dumps(list(memories)),
        )
        return [number for (number,) in rows]

    def get(self, memory: str) -> Memory:
        """Return the memory with this id, or the only one whose id begins with it.

        Raises:
            NotFoundError: no memory, or more than one, has such an id.
        """
        rows = self._db.rows(
            "select id, public from memories where public >= ?1 and public < ?1 || '~'"
            " order by public limit 2",
            memory,
        )
        if not rows or (len(rows) > 1 and rows[0][1] != memory):
            problem = "more than one memory begins with" if rows else "no memory"
            hint = "list memories with `mem memories`"
            if memory.startswith("s_"):
                hint = f"`mem show {memory}` shows a session"
            raise NotFoundError(f"{problem} `{memory}`", hint=hint)
        return self.by_number([rows[0][0]])[rows[0][0]]

    def find(self, filters: MemoryFilters) -> list[Memory]:
        """Return the memories that pass, latest first, then those without a time."""
        memories = self.find_by_number(filters).values()
        return sorted(
            memories, key=lambda one: (-_timestamp(one), normalized_key(one.fact.key), one.id)
        )

    def find_by_number(self, filters: MemoryFilters) -> dict[int, Memory]:
        """Return the memories that pass the filters, by their numbers."""
        where, values = filters.where()
        return load_memories(self._db, where, values)

    def by_number(
        self, numbers: Collection[int], filters: MemoryFilters | None = None
    ) -> dict[int, Memory]:
        """Return those of these memories that exist and pass the filters, by their numbers."""
        where, values = (filters or MemoryFilters()).where()
        chosen = "memories.id in (select value from json_each(?))"
        return load_memories(
            self._db, f"{chosen} and {where}", [json.dumps(list(numbers)), *values]
        )

    def from_sessions(self, sessions: Iterable[SessionId]) -> list[Memory]:
        """Return the memories that have a source in these sessions."""
        memories = load_memories(
            self._db,
            f"memories.id in (select memory_id from memory_sources {SOURCE_JOINS}"
            " where sessions.public in (select value from json_each(?)))",
            [json.dumps(list(sessions))],
        )
        return list(memories.values())

    def only_from_sessions(self, sessions: Collection[SessionId]) -> list[Memory]:
        """Return the memories all of whose sources are in these sessions."""
        return [
            memory
            for memory in self.from_sessions(sessions)
            if all(source.session in sessions for source in memory.sources)
        ]

    def history(self, memory: Memory) -> list[Memory]:
        """Return all memories with the key of a memory, and its edits, in order of time."""
        memories = load_memories(
            self._db,
            "subject = ?1 or memories.id in (select edited_into from memories where subject = ?1)"
            " or edited_into in (select id from memories where subject = ?1)",
            [normalized_key(memory.fact.key)],
        )
        return sorted(memories.values(), key=lambda one: (_timestamp(one), one.id))

    def last_stated_at(self, key: str) -> datetime | None:
        """Return the latest time at which the person stated a fact with this key."""
        [(time,)] = self._db.rows(
            "select max(sent_at) from memories join memory_sources on memory_id = memories.id"
            f" {SOURCE_JOINS} where subject = ? and by = ?",
            *(normalized_key(key), YOU),
        )
        return to_datetime(time)

    def earlier_wordings(self, memory: Memory) -> list[Memory]:
        """Return the memories that are superseded by a memory, or by one of those, and no other.

        They would be current again, if it were deleted without them.
        """
        found: dict[MemoryId, Memory] = {memory.id: memory}
        history = self.history(memory)
        while more := [
            one for one in history if one.superseded_by in found and one.id not in found
        ]:
            found |= {one.id: one for one in more}
        return [one for one in found.values() if one.id != memory.id]

    def source_turns(self, memory: Memory) -> list[Turn]:
        """Return the turns that a memory came from, in the order of its sources."""
        columns = ", ".join(f"turns.{column.strip()}" for column in TURN_COLUMNS.split(","))
        rows = self._db.rows(
            f"select sessions.id, sessions.public, position, {columns} from memories"
            f" join memory_sources on memory_id = memories.id {SOURCE_JOINS}"
            " where memories.public = ?",
            memory.id,
        )
        texts = {number: load_texts(self._db, number) for number in {row[0] for row in rows}}
        turns = {
            (session, row[0]): to_turn(row, texts[number][position - 1])
            for number, session, position, *row in rows
        }
        return [turns[source.session, source.key] for source in memory.sources]

    def accept(self, memory: MemoryId) -> None:
        """Mark a memory as accepted by the person."""
        self._db.rows("update memories set accepted = 1 where public = ?", memory)

    def supersede(self, memory: MemoryId, edit: MemoryId) -> None:
        """Store that the person edited one memory into another."""
        self._db.rows("update memories set edited_into = null where public = ?", edit)
        self._db.rows(
            "update memories set edited_into = (select id from memories where public = ?2)"
            " where public = ?1 and ?1 != ?2",
            *(memory, edit),
        )

    def restore_edit(self, memory: MemoryId, edit: MemoryId) -> None:
        """Store an edit that another database exported, unless this one has an edit already."""
        self._db.rows(
            "with recursive later (id) as (select id from memories where public = ?2 union"
            " select edited_into from memories join later using (id) where edited_into not null)"
            " update memories set edited_into = (select id from memories where public = ?2)"
            " where public = ?1 and edited_into is null and id not in later",
            *(memory, edit),
        )

    def remove(self, numbers: Iterable[int]) -> None:
        """Delete memories; those that they superseded are current again."""
        self._db.many("delete from memories where id = ?", [(number,) for number in numbers])


def memory_id(fact: Fact) -> MemoryId:
    """Return the id of a fact: equal for the same fact, wherever and whenever it is found."""
    return MemoryId(
        public_id("m_", normalized_key(fact.key), fact.type.value, normalized_key(fact.value))
    )


def _timestamp(memory: Memory) -> float:
    return memory.said_at.timestamp() if memory.said_at else float("-inf")


def _normalize_tags(tags: Iterable[str]) -> str:
    """Return tags as a JSON list, each once; of those with equal keys, the smallest."""
    distinct = {normalized_key(tag): tag for tag in sorted(tags, reverse=True)}
    return to_json(sorted(distinct.values()))


def _merge_spellings(known: Memory, fact: Fact, by: str) -> Fact:
    """Return the spelling and tags of a fact that was found again, whatever was found first."""
    if by == YOU:
        return fact
    if known.by == YOU:
        return known.fact
    return Fact(
        key=min(known.fact.key, fact.key),
        type=fact.type,
        value=min(known.fact.value, fact.value),
        tags=(*known.fact.tags, *fact.tags),
    )
