"""Counts of what is in the database."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.times import to_datetime
from memcli.store.tables.session_texts import load_texts

NO_FILTERS = Filters()
_TEXTS = (  # tables and columns with what people said before, or wrote
    ("revisions", "text"),
    ("sessions", "title"),
    ("memories", "value"),
)
_PAGE_ROWS = 500
_SPEAKER = "coalesce(speaker, iif(role = 'user', 'me', null))"


@dataclass(frozen=True, slots=True)
class MonthCount:
    """The number of sessions of a source that began in a month."""

    month: str | None  # "2024-03"; None for sessions without a time
    source: str
    sessions: int


@dataclass(frozen=True, slots=True)
class SpeakerCount:
    """A speaker and the number of their turns."""

    name: str
    turns: int


@dataclass(frozen=True, slots=True)
class SpeakerActivity:
    """A speaker, the number of their turns and sessions, and when and where they spoke."""

    name: str
    turns: int
    sessions: int
    first: datetime | None
    last: datetime | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VectorCount:
    """The number of vectors of one embedder."""

    embedder: str
    dimensions: int
    count: int
    active: bool  # True if questions are compared with them; False if the set is not complete yet


@dataclass(frozen=True, slots=True)
class StoreTotals:
    """The totals over the whole database."""

    sessions: int
    turns: int  # number of messages
    words: int  # number of their words; a character of an unspaced script counts as one
    revisions: int
    memories: int
    first: datetime | None
    last: datetime | None
    size: int  # bytes on the disk, including the write-ahead log


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes of the database, and of the text that it holds."""

    text_bytes: int  # of all turns, in UTF-8
    database_bytes: int
    unused_bytes: int  # of pages that hold nothing
    by_table: dict[str, int]  # of tables and indexes, the largest first


class Statistics:
    """The counts over the whole database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def totals(self) -> StoreTotals:
        """Return the totals."""
        [(sessions, turns, words, revisions, memories, first, last)] = self._db.rows(
            "select count(*), coalesce(sum(messages), 0), coalesce(sum(words), 0),"
            " (select count(*) from revisions), (select count(*) from memories),"
            " min(started_at), max(ended_at) from sessions"
        )
        size = sum(path.stat().st_size for path in self._files() if path.exists())
        return StoreTotals(
            sessions=sessions,
            turns=turns,
            words=words + self._uncounted_words(),
            revisions=revisions,
            memories=memories,
            first=to_datetime(first),
            last=to_datetime(last),
            size=size,
        )

    def disk_use(self) -> DiskUse:
        """Return the bytes of tables and indexes. It reads the whole database."""
        [(size,)] = self._db.rows("pragma page_size")
        [(pages,)] = self._db.rows("pragma page_count")
        [(unused,)] = self._db.rows("pragma freelist_count")
        tables = self._db.rows(
            "select name, sum(pgsize) as size from dbstat group by name order by size desc, name"
        )
        return DiskUse(
            text_bytes=sum(len(text.encode()) for text in self.turn_texts()),
            database_bytes=pages * size,
            unused_bytes=unused * size,
            by_table=dict(tables),
        )

    def sessions_by_month(self, filters: Filters = NO_FILTERS) -> list[MonthCount]:
        """Return the number of sessions by month and source, those without a time first."""
        where, values = filters.where()
        rows = self._db.rows(
            "select strftime('%Y-%m', started_at / 1000 + utc_offset * 60, 'unixepoch') as month,"
            " source, count(*) from sessions join conversations"
            f" on conversations.id = conversation_id where {where} group by month, source"
            " order by month, source",
            *values,
        )
        return [MonthCount(*row) for row in rows]

    def count_undated(self, filters: Filters) -> int:
        """Return the number of sessions without a time that pass the filters."""
        where, values = filters.where()
        [(count,)] = self._db.rows(
            f"select count(*) from sessions where started_at is null and {where}", *values
        )
        return int(count)

    def turns_by_speaker(self) -> list[SpeakerCount]:
        """Return the speakers with a name, those with most turns first."""
        rows = self._db.rows(
            "select speaker, count(*) as turns from turns where speaker is not null and active"
            " and kind in ('text', 'media', 'deleted') group by fold(speaker)"
            " order by turns desc, speaker"
        )
        return [SpeakerCount(*row) for row in rows]

    def activity_by_speaker(self, filters: Filters) -> list[SpeakerActivity]:
        """Return the speakers and what they did, those with most turns first.

        The turns that a person wrote to an assistant without a name are of "me".
        """
        where, values = filters.where()
        rows = self._db.rows(
            f"select {_SPEAKER} as name, count(*) as turns, count(distinct session_id),"
            " min(sent_at), max(sent_at), json_group_array(distinct source) from turns"
            " join sessions on sessions.id = session_id"
            " join conversations on conversations.id = sessions.conversation_id"
            " where name is not null and active and kind in ('text', 'media', 'deleted')"
            f" and {where} group by fold(name) order by turns desc, name",
            *values,
        )
        return [
            SpeakerActivity(
                name=name,
                turns=turns,
                sessions=sessions,
                first=to_datetime(first),
                last=to_datetime(last),
                sources=tuple(sorted(json.loads(sources))),
            )
            for name, turns, sessions, first, last, sources in rows
        ]

    def vectors_by_embedder(self) -> list[VectorCount]:
        """Return the number of vectors of each embedder."""
        counts = []
        for number, name, dimensions, serving in self._db.rows(
            "select id, name, dimensions, serving from embedders order by serving desc, id"
        ):
            [(count,)] = self._db.rows(f"select count(*) from bits_{number}_rowids")
            counts.append(VectorCount(name, dimensions, count, bool(serving)))
        return counts

    def sample_texts(self, size: int) -> list[str]:
        """Return the texts of turns from all over the archive, at most `size` of them."""
        [(last,)] = self._db.rows("select coalesce(max(id), 0) from turns")
        places = sorted({1 + at * last // size for at in range(size)})
        rows = self._db.rows(
            "select session_id, position from turns where id in (select value from json_each(?))",
            json.dumps(places),
        )
        return [load_texts(self._db, session)[position - 1] for session, position in rows]

    def texts(self) -> Iterator[str]:
        """Yield every text that was said or remembered, former ones and titles included."""
        yield from self.turn_texts()
        for table, column in _TEXTS:
            last = 0
            while rows := self._db.rows(
                f"select id, {column} from {table} where id > ? order by id limit {_PAGE_ROWS}",
                last,
            ):
                yield from (text for _, text in rows)
                last = rows[-1][0]

    def turn_texts(self) -> Iterator[str]:
        """Yield the text of every turn."""
        for (session,) in self._db.rows("select id from sessions order by id"):
            yield from load_texts(self._db, session)

    def _uncounted_words(self) -> int:
        """Return the number of words of the sessions whose words were not counted yet."""
        from memcli.store.sqlite.tokenize import count_words

        words, texts, last = 0, list[str](), None
        for session, position in self._db.rows(
            "select session_id, position from turns where active and kind in ('text', 'media')"
            " and session_id in (select id from sessions where words is null) order by session_id"
        ):
            if session != last:
                texts, last = load_texts(self._db, session), session
            words += count_words(texts[position - 1])
        return words

    def _files(self) -> tuple[Path, Path]:
        return self._db.path, self._db.path.with_name(f"{self._db.path.name}-wal")
