"""From rows of the database to memories, and to what decides between them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memcli.domain import YOU, Fact, Memory, MemoryId, MemoryType, SessionId, SourceTurn
from memcli.store.sqlite.tokenize import same
from memcli.store.tables.sessions import moment
from memcli.store.tables.supersession import Claim, Standing

LINK = (  # columns of a link, from memory_sources, turns and sessions
    "memory_id, sessions.public, position, turns.key, sent_at, turns.utc_offset, by, unsupported"
)
ROW = "memories.id, public, subject, key, type, value, tags, accepted, edited_into"


@dataclass(frozen=True, slots=True)
class Link:
    """A source as it is stored, and where its turn is now."""

    turn: SourceTurn
    said_at: int | None  # UTC, ms
    utc_offset: int  # minutes east
    by: str
    unsupported: tuple[str, ...]  # of the fact, by this turn


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """A memory as it is stored; the rest of it follows."""

    number: int
    id: MemoryId
    subject: str
    fact: Fact
    vouched: bool  # for, by the person
    edited_into: int | None
    links: tuple[Link, ...]  # as they were said

    @property
    def by(self) -> str:
        """Who it is by: the person, if it is by them, too."""
        authors = {link.by for link in self.links}
        return YOU if YOU in authors else min(authors)

    @property
    def accepted(self) -> bool:
        """Whether the person accepted it, or wrote it."""
        return self.vouched or self.by == YOU

    @property
    def unsupported(self) -> tuple[str, ...]:
        """What none of the sources says, in the order of the fact."""
        first, *others = (link.unsupported for link in self.links)
        return tuple(one for one in first if all(one in other for other in others))

    def claim(self, edited_into: MemoryId | None) -> Claim:
        """Return what decides between this one and others."""
        return Claim(
            self.id,
            same(self.fact.value),
            self.links[-1].said_at,
            accepted=self.accepted,
            trusted=self.accepted or not self.unsupported,
            yours=self.by == YOU,
            edited_into=edited_into,
        )

    def memory(self, standing: Standing) -> Memory:
        """Return the memory."""
        last = self.links[-1]
        return Memory(
            self.id,
            self.fact,
            tuple(link.turn for link in self.links),
            moment(last.said_at, last.utc_offset),
            self.by,
            accepted=self.accepted,
            unsupported=self.unsupported,
            superseded_by=standing.superseded_by,
            edited=self.edited_into is not None,
            conflicts=standing.conflicts,
        )


def link(row: Sequence[Any]) -> tuple[int, Link]:
    """Return the number of a memory, and a source of it, of a row of LINK."""
    number, session, position, key, said_at, offset, by, unsupported = row
    turn = SourceTurn(SessionId(session), position, key)
    return number, Link(turn, said_at, offset, by, tuple(json.loads(unsupported)))


def stored_memory(row: Sequence[Any], links: Sequence[Link]) -> StoredMemory:
    """Return a memory of a row of ROW and its sources.

    Raises:
        ValueError: nobody wrote it so.
    """
    number, public, subject, key, kind, value, tags, vouched, edited_into = row
    fact = Fact(key, MemoryType(kind), value, tuple(json.loads(tags)))
    return StoredMemory(
        number, MemoryId(public), subject, fact, bool(vouched), edited_into, tuple(links)
    )
