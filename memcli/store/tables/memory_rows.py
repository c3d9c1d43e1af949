"""Conversion of rows of `memories` and `memory_sources` to memories."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from memcli.domain import YOU, Fact, Memory, MemoryId, MemoryType, SessionId, SourceTurn
from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.times import to_datetime
from memcli.store.sqlite.tokenize import normalized_key
from memcli.store.tables.supersession import KeyCandidate, SupersessionStatus

MEMORY_COLUMNS = "memories.id, public, subject, key, type, value, tags, accepted, edited_into"
LINK_COLUMNS = (  # of memory_sources with SOURCE_JOINS
    "memory_id, sessions.public, position, turns.key, sent_at, turns.utc_offset, by, unsupported"
)
SOURCE_JOINS = (  # from memory_sources to its turns and their sessions
    "join turns on turns.conversation_id = memory_sources.conversation_id and turns.key = turn"
    " join sessions on sessions.id = session_id"
)


@dataclass(frozen=True, slots=True)
class SourceLink:
    """A source of a memory as it is stored, with the present place of its turn."""

    turn: SourceTurn
    said_at: int | None  # UTC, ms
    utc_offset: int  # minutes east
    by: str
    unsupported: tuple[str, ...]  # details of the fact that this turn does not support


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """A memory as it is stored; its other properties are derived from its sources and others."""

    number: int
    id: MemoryId
    subject: str
    fact: Fact
    accepted_by_user: bool
    edited_into: int | None
    links: tuple[SourceLink, ...]  # in order of time

    @property
    def by(self) -> str:
        """The author: the person, if they wrote it, too; else a model."""
        authors = {link.by for link in self.links}
        return YOU if YOU in authors else min(authors)

    @property
    def accepted(self) -> bool:
        """True if the person accepted or wrote it."""
        return self.accepted_by_user or self.by == YOU

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The details that no source supports, in the order of the fact."""
        first, *others = (link.unsupported for link in self.links)
        return tuple(one for one in first if all(one in other for other in others))

    def candidate(self, edited_into: MemoryId | None) -> KeyCandidate:
        """Return what decides between this memory and others with its key."""
        return KeyCandidate(
            self.id,
            value=normalized_key(self.fact.value),
            said_at=self.links[-1].said_at,
            accepted=self.accepted,
            trusted=self.accepted or not self.unsupported,
            by_user=self.by == YOU,
            edited_into=edited_into,
        )

    def memory(self, status: SupersessionStatus) -> Memory:
        """Return the memory with its status among those with its key."""
        last = self.links[-1]
        return Memory(
            id=self.id,
            fact=self.fact,
            sources=tuple(link.turn for link in self.links),
            said_at=to_datetime(last.said_at, last.utc_offset),
            by=self.by,
            accepted=self.accepted,
            unsupported=self.unsupported,
            superseded_by=status.superseded_by,
            edited=self.edited_into is not None,
            conflicts=status.conflicts,
        )


def to_source_link(row: Sequence[Any]) -> tuple[int, SourceLink]:
    """Return the number of a memory and a source of it, from a row of LINK_COLUMNS."""
    number, session, position, key, said_at, offset, by, unsupported = row
    turn = SourceTurn(SessionId(session), position, key)
    return number, SourceLink(turn, said_at, offset, by, tuple(json.loads(unsupported)))


def to_stored_memory(row: Sequence[Any], links: Sequence[SourceLink]) -> StoredMemory:
    """Return a memory from a row of MEMORY_COLUMNS and its sources.

    Raises:
        ValueError: a value is none that memcli writes.
    """
    number, public, subject, key, kind, value, tags, accepted, edited_into = row
    return StoredMemory(
        number=number,
        id=MemoryId(public),
        subject=subject,
        fact=Fact(key, MemoryType(kind), value, tuple(json.loads(tags))),
        accepted_by_user=bool(accepted),
        edited_into=edited_into,
        links=tuple(links),
    )


def to_json(texts: Iterable[str]) -> str:
    """Return a JSON list of texts."""
    return json.dumps(list(texts), ensure_ascii=False)
