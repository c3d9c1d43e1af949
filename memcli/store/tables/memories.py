"""Memories and the turns they came from.

What is stored of a memory are its words and its sources; when it was said, what of it nothing
supports, and what superseded it follow from these whenever it is read, so that memories end the
same in whatever order they were found, and stay true when sources go.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from memcli.domain import (
    YOU,
    Fact,
    Memory,
    MemoryId,
    MemoryType,
    SessionId,
    Turn,
    public_id,
)
from memcli.errors import NotFoundError, StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import milliseconds
from memcli.store.sqlite.tokenize import same
from memcli.store.tables.memory_rows import LINK, ROW, Link, StoredMemory, link, stored_memory
from memcli.store.tables.sessions import TURN, turn_of
from memcli.store.tables.supersession import Claim, Standing, standings

_JOINED = (  # to memory_sources
    "join turns on turns.conversation_id = memory_sources.conversation_id and turns.key = turn"
    " join sessions on sessions.id = session_id"
)


@dataclass(frozen=True, slots=True)
class MemoryFilters:
    """Limits on the memories looked at; None leaves a side open."""

    since: datetime | None = None  # said at this time or later
    until: datetime | None = None  # said before this time
    speaker: frozenset[str] | None = None  # any of whom says one of the sources; case is ignored
    type: MemoryType | None = None
    tag: str | None = None  # case is ignored

    def where(self) -> tuple[str, list[object]]:
        """Return a condition on the table `memories`, and its values."""
        sources = f"from memory_sources {_JOINED} where memory_id = memories.id"
        names = "(select fold(value) from json_each(?))"
        speaker = None if self.speaker is None else json.dumps(sorted(self.speaker))
        possible: list[tuple[str, object]] = [
            (f"(select max(sent_at) {sources}) >= ?", self.since and milliseconds(self.since)),
            (f"(select max(sent_at) {sources}) < ?", self.until and milliseconds(self.until)),
            (f"exists (select 1 {sources} and fold(speaker) in {names})", speaker),
            ("type = ?", self.type and self.type.value),
            ("exists (select 1 from json_each(tags) where fold(value) = fold(?))", self.tag),
        ]
        chosen = [(condition, value) for condition, value in possible if value is not None]
        return (
            " and ".join(["1", *(condition for condition, _ in chosen)]),
            [value for _, value in chosen],
        )


class Memories:
    """Memories by their public ids; `number` is what the index knows them by."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, fact: Fact, conversation: int, turns: Mapping[str, Collection[str]], by: str
    ) -> tuple[int, bool]:
        """Store a fact with its sources, or add these to the same fact's.

        Two facts are the same where key, type and value differ in no more than `words.same`
        says. What the person wrote keeps their spelling and tags.

        Args:
            fact: what is remembered.
            conversation: number of the one it was said in.
            turns: keys of its source turns, at least one; what each does not say of the fact.
            by: YOU, or the model.

        Returns:
            Its number, and whether its words are new.
        """
        public = memory_id(fact)
        changed = True
        known = self._load("public = ?", [public])
        for number, memory in known.items():
            changed = self._respell(number, memory, fact, by)
        if not known:
            [(number,)] = self._db.rows(
                "insert into memories (public, subject, key, type, value, tags, source_id)"
                " values (?, ?, ?, ?, ?, ?, -1) returning id",  # which no commit would let pass
                *(public, same(fact.key), fact.key, fact.type.value, fact.value),
                _listed(fact.tags),
            )
        self._db.many(
            "insert into memory_sources (memory_id, conversation_id, turn, by, unsupported)"
            " values (?, ?, ?, ?, ?) on conflict (memory_id, conversation_id, turn) do update"
            f" set by = case when '{YOU}' in (by, excluded.by) then '{YOU}'"
            " else min(by, excluded.by) end, unsupported = excluded.unsupported",
            [
                (number, conversation, key, by, _unsupported(lacking))
                for key, lacking in turns.items()
            ],
        )
        self._db.rows(
            "update memories set source_id ="
            " (select min(id) from memory_sources where memory_id = ?1) where id = ?1",
            number,
        )
        return number, changed

    def _respell(self, number: int, known: Memory, fact: Fact, by: str) -> bool:
        """Let the spelling and tags of a fact that is said again not depend on the order.

        Returns:
            Whether they changed.
        """
        if by != YOU:
            if known.by == YOU:
                return False
            fact = Fact(
                min(known.fact.key, fact.key),
                fact.type,
                min(known.fact.value, fact.value),
                (*known.fact.tags, *fact.tags),
            )
        self._db.rows(
            "update memories set key = ?, value = ?, tags = ? where id = ?",
            *(fact.key, fact.value, _listed(fact.tags), number),
        )
        return fact != known.fact

    def numbers(self, memories: Iterable[MemoryId]) -> list[int]:
        """Return the numbers of those memories that are there."""
        rows = self._db.rows(
            "select id from memories where public in (select value from json_each(?))",
            json.dumps(list(memories)),
        )
        return [number for (number,) in rows]

    def get(self, memory: str) -> Memory:
        """Return the memory with this id, or with the only id that begins so.

        Raises:
            NotFoundError: no memory, or more than one, has such an id.
        """
        rows = self._db.rows(
            "select id, public from memories where public >= ?1 and public < ?1 || '~'"
            " order by public limit 2",
            memory,
        )
        if not rows or (len(rows) > 1 and rows[0][1] != memory):
            what = "more than one memory begins with" if rows else "no memory"
            hint = "list memories with `mem memories`"
            if memory.startswith("s_"):
                hint = f"`mem show {memory}` shows a session"
            raise NotFoundError(f"{what} `{memory}`", hint=hint)
        return self.by_number([rows[0][0]])[rows[0][0]]

    def find(self, filters: MemoryFilters) -> list[Memory]:
        """Return the memories that pass, the one said last first, those without a time last."""
        found = self.numbered(filters).values()
        return sorted(found, key=lambda one: (-_at(one), same(one.fact.key), one.id))

    def numbered(self, filters: MemoryFilters) -> dict[int, Memory]:
        """Return the memories that pass, by their numbers."""
        where, values = filters.where()
        return self._load(where, values)

    def by_number(
        self, numbers: Collection[int], filters: MemoryFilters | None = None
    ) -> dict[int, Memory]:
        """Return those of these memories that are there and pass."""
        where, values = (filters or MemoryFilters()).where()
        chosen = "memories.id in (select value from json_each(?))"
        return self._load(f"{chosen} and {where}", [json.dumps(list(numbers)), *values])

    def of_sessions(self, sessions: Iterable[SessionId]) -> list[Memory]:
        """Return the memories that have a source in these sessions."""
        found = self._load(
            f"memories.id in (select memory_id from memory_sources {_JOINED}"
            " where sessions.public in (select value from json_each(?)))",
            [json.dumps(list(sessions))],
        )
        return list(found.values())

    def resting_on(self, sessions: Collection[SessionId]) -> list[Memory]:
        """Return the memories that have no source but in these sessions."""
        return [
            memory
            for memory in self.of_sessions(sessions)
            if all(source.session in sessions for source in memory.sources)
        ]

    def history(self, memory: Memory) -> list[Memory]:
        """Return all there is about a memory's key, and its edits, as it was said."""
        found = self._load(
            "subject = ?1 or memories.id in (select edited_into from memories where subject = ?1)"
            " or edited_into in (select id from memories where subject = ?1)",
            [same(memory.fact.key)],
        )
        return sorted(found.values(), key=lambda one: (_at(one), one.id))

    def quotes(self, memory: Memory) -> list[Turn]:
        """Return the turns that a memory came from, in the order of its sources."""
        keys = ", ".join(f"turns.{column.strip()}" for column in TURN.split(","))
        rows = self._db.rows(
            f"select sessions.public, {keys} from memories"
            f" join memory_sources on memory_id = memories.id {_JOINED}"
            " where memories.public = ?",
            memory.id,
        )
        found = {(session, row[0]): turn_of(row) for session, *row in rows}
        return [found[source.session, source.key] for source in memory.sources]

    def _load(self, where: str, values: Sequence[object]) -> dict[int, Memory]:
        wanted = {
            number for (number,) in self._db.rows(f"select id from memories where {where}", *values)
        }
        rows = self._db.rows(
            f"select {ROW} from memories where subject in"
            f" (select subject from memories where {where})",
            *values,
        )
        try:
            links = self._links([row[0] for row in rows])
            stored = [stored_memory(row, links[row[0]]) for row in rows if row[0] in links]
        except ValueError as error:  # SQLite read it, but nobody wrote it so
            raise StoreError(f"{self._db.path} is damaged in a memory") from error
        standing = self._standings(stored)
        return {one.number: one.memory(standing[one.id]) for one in stored if one.number in wanted}

    def _links(self, numbers: Sequence[int]) -> dict[int, list[Link]]:
        """Return the sources of each memory, as they were said."""
        found: dict[int, list[Link]] = {}
        for row in self._db.rows(
            f"select {LINK} from memory_sources {_JOINED}"
            " where memory_id in (select value from json_each(?))"
            " order by sent_at nulls first, sessions.public, position",
            json.dumps(numbers),
        ):
            number, each = link(row)
            found.setdefault(number, []).append(each)
        return found

    def _standings(self, stored: Sequence[StoredMemory]) -> dict[MemoryId, Standing]:
        edits = [one.edited_into for one in stored if one.edited_into is not None]
        public = {
            number: MemoryId(name)
            for number, name in self._db.rows(
                "select id, public from memories where id in (select value from json_each(?))",
                json.dumps(edits),
            )
        }
        subjects: dict[str, list[Claim]] = {}
        for one in stored:
            edited = None if one.edited_into is None else public.get(one.edited_into)
            subjects.setdefault(one.subject, []).append(one.claim(edited))
        return {
            key: standing
            for claims in subjects.values()
            for key, standing in standings(claims).items()
        }

    def accept(self, memory: MemoryId) -> None:
        """Keep that the person vouches for a memory."""
        self._db.rows("update memories set accepted = 1 where public = ?", memory)

    def supersede(self, memory: MemoryId, edit: MemoryId) -> None:
        """Keep that the person edited one memory into another."""
        self._db.rows("update memories set edited_into = null where public = ?", edit)
        self._db.rows(
            "update memories set edited_into = (select id from memories where public = ?2)"
            " where public = ?1 and ?1 != ?2",
            *(memory, edit),
        )

    def restore_edit(self, memory: MemoryId, edit: MemoryId) -> None:
        """Keep an edit that another database knew of, unless this one knows better."""
        self._db.rows(
            "with recursive later (id) as (select id from memories where public = ?2 union"
            " select edited_into from memories join later using (id) where edited_into not null)"
            " update memories set edited_into = (select id from memories where public = ?2)"
            " where public = ?1 and edited_into is null and id not in later",
            *(memory, edit),
        )

    def resting(self, conversation: int, turns: Iterable[str]) -> list[tuple[int, str, Fact]]:
        """Return what rests on turns of a conversation: number of a memory, key of a turn, fact."""
        rows = self._db.rows(
            "select memories.id, turn, key, type, value, tags from memory_sources"
            " join memories on memories.id = memory_id where conversation_id = ?"
            " and turn in (select value from json_each(?))",
            *(conversation, json.dumps(list(turns))),
        )
        return [
            (number, turn, Fact(key, MemoryType(kind), value, tuple(json.loads(tags))))
            for number, turn, key, kind, value, tags in rows
        ]

    def doubt(self, number: int, conversation: int, turn: str, lacking: Collection[str]) -> None:
        """Keep what a source does not say of a memory."""
        self._db.rows(
            "update memory_sources set unsupported = ?"
            " where memory_id = ? and conversation_id = ? and turn = ?",
            *(_unsupported(lacking), number, conversation, turn),
        )

    def move(self, conversation: int, turns: Iterable[str], to: int) -> None:
        """Let sources follow turns that belong to another conversation from now on."""
        keys = json.dumps(list(turns))
        chosen = "conversation_id = ? and turn in (select value from json_each(?))"
        self._db.rows(
            f"update or ignore memory_sources set conversation_id = ? where {chosen}",
            *(to, conversation, keys),
        )
        self._db.rows(f"delete from memory_sources where {chosen}", conversation, keys)

    def remove(self, numbers: Iterable[int]) -> None:
        """Delete memories; what they superseded is current again."""
        self._db.many("delete from memories where id = ?", [(number,) for number in numbers])

    def lose(self, conversation: int, turns: Iterable[str]) -> None:
        """Drop the sources among these turns, and the memories that have no others."""
        self._db.rows(
            "delete from memory_sources where conversation_id = ?"
            " and turn in (select value from json_each(?))",
            *(conversation, json.dumps(list(turns))),
        )


def memory_id(fact: Fact) -> MemoryId:
    """Return the id of a fact: the same for the same fact, wherever and whenever it is found."""
    return MemoryId(public_id("m_", same(fact.key), fact.type.value, same(fact.value)))


def _unsupported(lacking: Iterable[str]) -> str:
    return json.dumps(list(lacking), ensure_ascii=False)


def _at(memory: Memory) -> float:
    return memory.said_at.timestamp() if memory.said_at else float("-inf")


def _listed(texts: Iterable[str]) -> str:
    """Return texts as a JSON list, each once; of those that are the same, the smallest."""
    distinct: dict[str, str] = {}
    for text in sorted(texts, reverse=True):
        distinct[same(text)] = text
    return json.dumps(sorted(distinct.values()), ensure_ascii=False)
