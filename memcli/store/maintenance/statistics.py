"""What is in the database, counted."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from memcli.store.sqlite.connection import Database
from memcli.store.tables.sessions import moment


@dataclass(frozen=True, slots=True)
class Month:
    """How many sessions of a source began in a month."""

    month: str | None  # "2024-03"; None for sessions without a time
    source: str
    sessions: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who speaks, and how many turns are theirs."""

    name: str
    turns: int


@dataclass(frozen=True, slots=True)
class VectorCount:
    """The vectors of one embedder."""

    embedder: str
    dimensions: int
    count: int
    serving: bool  # whether questions are put to it; else it is not complete yet


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything, once."""

    sessions: int
    turns: int  # that somebody said
    words: int  # of them; a character of an unspaced script is a word
    revisions: int
    memories: int
    first: datetime | None
    last: datetime | None
    size: int  # bytes on the disk, with what was not yet taken over from the log


class Statistics:
    """Counts over all that is kept."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def totals(self) -> Totals:
        """Return the counts."""
        [(sessions, turns, words, revisions, first, last)] = self._db.rows(
            "select (select count(*) from sessions), (select count(*) from turns where"
            " kind in ('text', 'media', 'deleted') and active), (select coalesce(sum("
            "count_words(text)), 0) from turns where kind in ('text', 'media') and active),"
            " (select count(*) from revisions), (select min(started_at) from sessions),"
            " (select max(ended_at) from sessions)"
        )
        size = sum(path.stat().st_size for path in self._files() if path.exists())
        return Totals(
            *(sessions, turns, words, revisions, self._memories()),
            first=moment(first, 0),
            last=moment(last, 0),
            size=size,
        )

    def months(self) -> list[Month]:
        """Return how many sessions began when, by month and source; the undated ones first."""
        rows = self._db.rows(
            "select strftime('%Y-%m', started_at / 1000 + utc_offset * 60, 'unixepoch') as month,"
            " source, count(*) from sessions join conversations"
            " on conversations.id = conversation_id group by month, source"
            " order by month, source"
        )
        return [Month(*row) for row in rows]

    def people(self) -> list[Person]:
        """Return who has a name, by how much they say."""
        rows = self._db.rows(
            "select speaker, count(*) as said from turns where speaker is not null and active"
            " and kind in ('text', 'media', 'deleted') group by fold(speaker)"
            " order by said desc, speaker"
        )
        return [Person(*row) for row in rows]

    def vectors(self) -> list[VectorCount]:
        """Return how many vectors there are of each embedder."""
        found = []
        for number, name, dimensions, serving in self._db.rows(
            "select id, name, dimensions, serving from embedders order by serving desc, id"
        ):
            [(count,)] = self._db.rows(f"select count(*) from bits_{number}_rowids")
            found.append(VectorCount(name, dimensions, count, bool(serving)))
        return found

    def _memories(self) -> int:
        """Return how many memories there are, where the schema has any."""
        if not self._db.rows("select 1 from sqlite_schema where name = 'memories'"):
            return 0
        [(count,)] = self._db.rows("select count(*) from memories")
        return int(count)

    def _files(self) -> tuple[Path, Path]:
        return self._db.path, self._db.path.with_name(f"{self._db.path.name}-wal")
