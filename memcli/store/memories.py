"""Memories and the turns they came from.

What is stored of a memory are its words and its sources; when it was said, what of it nothing
supports, and what superseded it follow from these whenever it is read, so that memories end the
same in whatever order they were found, and stay true when sources go.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memcli.domain import (
    YOU,
    Fact,
    Memory,
    MemoryId,
    MemoryType,
    SessionId,
    SourceTurn,
    public_id,
)
from memcli.errors import NotFoundError
from memcli.store.connection import Database
from memcli.store.filters import milliseconds
from memcli.store.sessions import moment
from memcli.store.succession import Claim, Standing, standings
from memcli.store.words import same

_COLUMNS = "memories.id, public, subject, key, type, value, tags, accepted, edited_into"


@dataclass(frozen=True, slots=True)
class MemoryFilters:
    """Limits on the memories looked at; None leaves a side open."""

    since: datetime | None = None  # said at this time or later
    until: datetime | None = None  # said before this time
    speaker: str | None = None  # somebody who says one of the sources; case is ignored
    type: MemoryType | None = None
    tag: str | None = None  # case is ignored

    def where(self) -> tuple[str, list[object]]:
        """Return a condition on the table `memories`, and its values."""
        sources = (
            "from memory_sources join turns on turns.conversation_id ="
            " memory_sources.conversation_id and turns.key = turn where memory_id = memories.id"
        )
        possible: list[tuple[str, object]] = [
            (f"(select max(sent_at) {sources}) >= ?", self.since and milliseconds(self.since)),
            (f"(select max(sent_at) {sources}) < ?", self.until and milliseconds(self.until)),
            (f"exists (select 1 {sources} and fold(speaker) = fold(?))", self.speaker),
            ("type = ?", self.type and self.type.value),
            ("exists (select 1 from json_each(tags) where fold(value) = fold(?))", self.tag),
        ]
        chosen = [(condition, value) for condition, value in possible if value is not None]
        return (
            " and ".join(["1", *(condition for condition, _ in chosen)]),
            [value for _, value in chosen],
        )


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    id: MemoryId
    subject: str
    fact: Fact
    accepted: bool
    edited_into: int | None


@dataclass(frozen=True, slots=True)
class _Link:
    """A source as it is stored, and where its turn is."""

    turn: SourceTurn
    said_at: int | None  # UTC, ms
    utc_offset: int  # minutes east
    by: str
    unsupported: tuple[str, ...]


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
            Its number, and whether it is new.
        """
        public = memory_id(fact)
        rows = self._db.rows(f"select {_COLUMNS} from memories where public = ?", public)
        if rows:
            number = rows[0][0]
            self._respell(_row(rows[0]), fact, by)
        else:
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
            " else min(by, excluded.by) end",
            [
                (number, conversation, key, by, json.dumps(list(lacking), ensure_ascii=False))
                for key, lacking in turns.items()
            ],
        )
        self._db.rows(
            "update memories set source_id ="
            " (select min(id) from memory_sources where memory_id = ?1) where id = ?1",
            number,
        )
        return number, not rows

    def _respell(self, known: _Row, fact: Fact, by: str) -> None:
        """Let the spelling and tags of a fact that is said again not depend on the order."""
        if by != YOU:
            if self._yours(known.number):
                return
            key, value = min((known.fact.key, known.fact.value), (fact.key, fact.value))
            fact = Fact(key, fact.type, value, (*known.fact.tags, *fact.tags))
        self._db.rows(
            "update memories set key = ?, value = ?, tags = ? where id = ?",
            *(fact.key, fact.value, _listed(fact.tags), known.number),
        )

    def _yours(self, number: int) -> bool:
        return bool(
            self._db.rows(
                "select 1 from memory_sources where memory_id = ? and by = ?", number, YOU
            )
        )

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
            raise NotFoundError(f"{what} `{memory}`", hint="list memories with `mem memories`")
        return self.by_number([rows[0][0]])[rows[0][0]]

    def find(self, filters: MemoryFilters) -> list[Memory]:
        """Return the memories that pass, the one said last first, those without a time last."""
        where, values = filters.where()
        found = self._load(where, values).values()
        return sorted(found, key=lambda one: (-_at(one), same(one.fact.key), one.id))

    def by_number(
        self, numbers: Collection[int], filters: MemoryFilters | None = None
    ) -> dict[int, Memory]:
        """Return those of these memories that are there and pass."""
        where, values = (filters or MemoryFilters()).where()
        chosen = "memories.id in (select value from json_each(?))"
        return self._load(f"{chosen} and {where}", [json.dumps(list(numbers)), *values])

    def of_sessions(self, sessions: Iterable[SessionId]) -> dict[int, Memory]:
        """Return the memories that have a source in these sessions."""
        return self._load(
            "memories.id in (select memory_id from memory_sources join turns"
            " on turns.conversation_id = memory_sources.conversation_id and turns.key = turn"
            " join sessions on sessions.id = session_id"
            " where sessions.public in (select value from json_each(?)))",
            [json.dumps(list(sessions))],
        )

    def history(self, memory: Memory) -> list[Memory]:
        """Return all there is about a memory's key, and its edits, as it was said."""
        found = self._load(
            "subject = ?1 or memories.id in (select edited_into from memories where subject = ?1)"
            " or edited_into in (select id from memories where subject = ?1)",
            [same(memory.fact.key)],
        )
        return sorted(found.values(), key=lambda one: (_at(one), one.id))

    def _load(self, where: str, values: Sequence[object]) -> dict[int, Memory]:
        wanted = {
            number for (number,) in self._db.rows(f"select id from memories where {where}", *values)
        }
        rows = [
            _row(row)
            for row in self._db.rows(
                f"select {_COLUMNS} from memories where subject in"
                f" (select subject from memories where {where})",
                *values,
            )
        ]
        links = self._links([row.number for row in rows])
        rows = [row for row in rows if row.number in links]
        standing = self._standings(rows, links)
        return {
            row.number: _memory(row, links[row.number], standing[row.id])
            for row in rows
            if row.number in wanted
        }

    def _links(self, numbers: Sequence[int]) -> dict[int, list[_Link]]:
        """Return the sources of each memory, as they were said."""
        found: dict[int, list[_Link]] = {}
        for number, session, position, key, said_at, offset, by, unsupported in self._db.rows(
            "select memory_id, sessions.public, position, turns.key, sent_at, turns.utc_offset,"
            " by, unsupported from memory_sources join turns on turns.conversation_id ="
            " memory_sources.conversation_id and turns.key = turn"
            " join sessions on sessions.id = session_id"
            " where memory_id in (select value from json_each(?))"
            " order by sent_at nulls first, sessions.public, position",
            json.dumps(numbers),
        ):
            turn = SourceTurn(SessionId(session), position, key)
            lacking = tuple(json.loads(unsupported))
            found.setdefault(number, []).append(_Link(turn, said_at, offset, by, lacking))
        return found

    def _standings(
        self, rows: Sequence[_Row], links: Mapping[int, Sequence[_Link]]
    ) -> dict[MemoryId, Standing]:
        edits = {row.edited_into for row in rows if row.edited_into is not None}
        public = {
            number: MemoryId(name)
            for number, name in self._db.rows(
                "select id, public from memories where id in (select value from json_each(?))",
                json.dumps(list(edits)),
            )
        }
        subjects: dict[str, list[Claim]] = {}
        for row in rows:
            edited = None if row.edited_into is None else public.get(row.edited_into)
            subjects.setdefault(row.subject, []).append(_claim(row, links[row.number], edited))
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

    def move(self, conversation: int, turns: Iterable[str], to: int) -> None:
        """Let sources follow turns that belong to another conversation from now on."""
        keys = json.dumps(list(turns))
        chosen = "conversation_id = ? and turn in (select value from json_each(?))"
        self._db.rows(
            f"update or ignore memory_sources set conversation_id = ? where {chosen}",
            *(to, conversation, keys),
        )
        self._db.rows(f"delete from memory_sources where {chosen}", conversation, keys)

    def resting_on(self, conversation: int, turns: Iterable[str]) -> list[int]:
        """Return the numbers of the memories that have no other sources than these."""
        among = "conversation_id = ?1 and turn in (select value from json_each(?2))"
        rows = self._db.rows(
            f"select memory_id from memory_sources where {among} except"
            " select other.memory_id from memory_sources join memory_sources as other"
            f" using (memory_id) where memory_sources.id in (select id from memory_sources where"
            f" {among}) and other.id not in (select id from memory_sources where {among})",
            *(conversation, json.dumps(list(turns))),
        )
        return [number for (number,) in rows]

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


def _row(row: Sequence[Any]) -> _Row:
    number, public, subject, key, type_, value, tags, accepted, edited_into = row
    fact = Fact(key, MemoryType(type_), value, tuple(json.loads(tags)))
    return _Row(number, MemoryId(public), subject, fact, bool(accepted), edited_into)


def _claim(row: _Row, links: Sequence[_Link], edited_into: MemoryId | None) -> Claim:
    accepted = row.accepted or _by(links) == YOU
    return Claim(
        row.id,
        same(row.fact.value),
        max((link.said_at for link in links if link.said_at is not None), default=None),
        accepted=accepted,
        trusted=accepted or not _unsupported(links),
        yours=_by(links) == YOU,
        edited_into=edited_into,
    )


def _memory(row: _Row, links: Sequence[_Link], standing: Standing) -> Memory:
    last, by = links[-1], _by(links)
    return Memory(
        row.id,
        row.fact,
        tuple(link.turn for link in links),
        moment(last.said_at, last.utc_offset),
        by,
        accepted=row.accepted or by == YOU,
        unsupported=_unsupported(links),
        superseded_by=standing.superseded_by,
        conflicts=standing.conflicts,
    )


def _by(links: Iterable[_Link]) -> str:
    authors = {link.by for link in links}
    return YOU if YOU in authors else min(authors)


def _unsupported(links: Sequence[_Link]) -> tuple[str, ...]:
    """Return what none of the sources says, in the order of the fact."""
    rest = [set(link.unsupported) for link in links]
    return tuple(one for one in links[0].unsupported if all(one in lacking for lacking in rest))


def _at(memory: Memory) -> float:
    return memory.said_at.timestamp() if memory.said_at else float("-inf")


def _listed(texts: Iterable[str]) -> str:
    """Return texts as a JSON list, each once; of those that are the same, the smallest."""
    distinct: dict[str, str] = {}
    for text in sorted(texts, reverse=True):
        distinct[same(text)] = text
    return json.dumps(sorted(distinct.values()), ensure_ascii=False)
