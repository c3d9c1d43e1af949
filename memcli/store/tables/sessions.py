"""Sessions and their turns. With the conversations, all else in the database follows from them."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from memcli.domain import Session, SessionId
from memcli.errors import NotFoundError, StoreError
from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.times import (
    milliseconds,
    optional_milliseconds,
    to_datetime,
    utc_offset_minutes,
)
from memcli.store.tables.checksums import SESSION_COLUMNS, checksum_of
from memcli.store.tables.packed_texts import pack_texts, unpack_texts
from memcli.store.tables.session_rows import TURN_COLUMNS, to_turn, turn_values

ConversationNumber = int  # the id of a row of `conversations`

_ANY_TIME = 1 << 62  # ms, later than any time
_COLUMNS = (
    "public, conversations.source, sessions.title, started_at, ended_at, utc_offset, participants,"
    " sessions.id"
)
_JOINED = "sessions join conversations on conversations.id = sessions.conversation_id"
_SELECT = (  # rows of `_to_session`
    f"select {_COLUMNS}, packed from {_JOINED} left join texts on texts.session_id = sessions.id"
)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session without its turns, for lists."""

    id: SessionId
    source: str
    title: str
    started_at: datetime | None
    ended_at: datetime | None
    participants: tuple[str, ...]
    turns: int  # number of turns that are messages, on the branch that was kept


class SessionTable:
    """The table of sessions. Public ids name them outside; numbers name them in the index."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def overlapping(
        self, conversation: ConversationNumber, since: datetime | None, until: datetime | None
    ) -> list[Session]:
        """Return the sessions of a conversation that overlap a span of time, earliest first.

        Sessions without a time overlap every span. The others do not overlap one another, so the
        search begins with the last session that began before the span.
        """
        ids = "select id from sessions where conversation_id = ?1 and started_at"
        rows = self._db.rows(
            f"{_SELECT} where sessions.id in ({ids} is null union all {ids}"
            " between coalesce((select max(started_at) from sessions where conversation_id = ?1"
            " and started_at <= ?2), ?2) and ?3) and (ended_at is null or ended_at >= ?2)"
            " order by started_at, ended_at, sessions.id",
            conversation,
            milliseconds(since) if since else -_ANY_TIME,
            milliseconds(until) if until else _ANY_TIME,
        )
        return [self._session(row) for row in rows]

    def with_turns(self, conversation: ConversationNumber, keys: Sequence[str]) -> list[Session]:
        """Return the sessions of a conversation that have any of these turns, named by key."""
        rows = self._db.rows(
            f"{_SELECT} where sessions.id in (select session_id from turns"
            " where conversation_id = ? and key in (select value from json_each(?)))",
            *(conversation, json.dumps(keys)),
        )
        return [self._session(row) for row in rows]

    def before(self, conversation: ConversationNumber, start: datetime) -> Session | None:
        """Return the last session that began before a time."""
        rows = self._db.rows(
            f"{_SELECT} where conversation_id = ? and started_at < ?"
            " order by started_at desc, sessions.id desc limit 1",
            *(conversation, milliseconds(start)),
        )
        return self._session(rows[0]) if rows else None

    def after(
        self, conversation: ConversationNumber, end: datetime, known: Collection[SessionId]
    ) -> Session | None:
        """Return the first session that began at a time or later, except for known ones."""
        rows = self._db.rows(
            f"{_SELECT} where conversation_id = ? and started_at >= ?"
            " and public not in (select value from json_each(?))"
            " order by started_at, ended_at, sessions.id limit 1",
            *(conversation, milliseconds(end), json.dumps(list(known))),
        )
        return self._session(rows[0]) if rows else None

    def in_order(self, conversation: ConversationNumber) -> list[int]:
        """Return the numbers of the sessions of a conversation, earliest first."""
        rows = self._db.rows(
            "select id from sessions where conversation_id = ? order by started_at, ended_at, id",
            conversation,
        )
        return [number for (number,) in rows]

    def add(self, conversation: ConversationNumber, session: Session) -> int:
        """Store a session with its turns, and return its number."""
        start, end = (
            optional_milliseconds(session.started_at),
            optional_milliseconds(session.ended_at),
        )
        offset = utc_offset_minutes(session.started_at)
        people = json.dumps(session.participants, ensure_ascii=False)
        own = (session.id, session.title, start, end, offset, people)
        turns = [
            (position, *turn_values(turn)) for position, turn in enumerate(session.turns, start=1)
        ]
        packed = pack_texts([turn.text.encode() for turn in session.turns])
        [(number,)] = self._db.rows(
            f"insert into sessions ({SESSION_COLUMNS}, conversation_id, messages, checksum)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
            *(*own, conversation),
            sum(turn.active and turn.kind.is_message for turn in session.turns),
            checksum_of([own, *turns], packed),
        )
        self._db.many(
            f"insert into turns (session_id, conversation_id, position, {TURN_COLUMNS})"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, conversation, *turn) for turn in turns],
        )
        self._db.rows("insert into texts (session_id, packed) values (?, ?)", number, packed)
        return int(number)

    def number(self, session: SessionId) -> int | None:
        """Return the number of a session, or None if it does not exist."""
        rows = self._db.rows("select id from sessions where public = ?", session)
        return rows[0][0] if rows else None

    def conversation_of(self, session: SessionId) -> ConversationNumber:
        """Return the conversation that a session belongs to."""
        [(number,)] = self._db.rows(
            "select conversation_id from sessions where public = ?", session
        )
        return int(number)

    def remove(self, number: int) -> None:
        """Delete a session and its turns."""
        self._db.rows("delete from sessions where id = ?", number)

    def add_alias(
        self, conversation: ConversationNumber, former: SessionId, first_turn: str
    ) -> None:
        """Let a former id stand for the session that has its first turn, named by key, now."""
        self._db.rows(
            "insert or replace into aliases (public, conversation_id, key) values (?, ?, ?)",
            *(former, conversation, first_turn),
        )

    def move_aliases(
        self, conversation: ConversationNumber, turns: Iterable[str], to: ConversationNumber
    ) -> None:
        """Let former ids follow their first turns into another conversation."""
        self._db.rows(
            "update aliases set conversation_id = ?"
            " where conversation_id = ? and key in (select value from json_each(?))",
            *(to, conversation, json.dumps(list(turns))),
        )

    def get(self, session: str) -> Session:
        """Return the session with this id, or the only one whose id begins with it.

        Former ids of a session also find it.

        Raises:
            NotFoundError: no session, or more than one, has such an id.
        """
        rows = self._db.rows(
            f"{_SELECT} where public >= ?1 and public < ?1 || '~' order by public limit 2",
            session,
        ) or self._db.rows(
            f"{_SELECT} where sessions.id in (select session_id from turns"
            " join aliases using (conversation_id, key) where public >= ?1 and public < ?1 || '~')"
            " limit 2",
            session,
        )
        if not rows or (len(rows) > 1 and rows[0][0] != session):
            problem = "more than one session begins with" if rows else "no session"
            hint = "list sessions with `mem sessions`"
            if session.startswith("m_"):
                hint = f"`mem show {session}` shows a memory"
            elif not session.startswith("s_"):
                hint = "an id looks like `s_k3j`; `mem search WORDS` finds sessions by words"
            raise NotFoundError(f"{problem} `{session}`", hint=hint)
        return self._session(rows[0])

    def by_number(self, number: int) -> Session:
        """Return the session with this number."""
        [row] = self._db.rows(f"{_SELECT} where sessions.id = ?", number)
        return self._session(row)

    def by_numbers(self, numbers: Collection[int]) -> dict[int, Session]:
        """Return the sessions with these numbers, by number: two statements read them all."""
        wanted = json.dumps(list(numbers))
        turns: dict[int, list[Any]] = {number: [] for number in numbers}
        for number, *turn in self._db.rows(
            f"select session_id, {TURN_COLUMNS} from turns"
            " where session_id in (select value from json_each(?)) order by session_id, position",
            wanted,
        ):
            turns[number].append(turn)
        rows = self._db.rows(
            f"{_SELECT} where sessions.id in (select value from json_each(?))", wanted
        )
        found = {row[-2]: self._to_session(row, turns[row[-2]]) for row in rows}
        return {number: found[number] for number in numbers}

    def numbers(self, filters: Filters) -> set[int]:
        """Return the numbers of the sessions that pass the filters."""
        where, values = filters.where()
        rows = self._db.rows(f"select id from sessions where {where}", *values)
        return {number for (number,) in rows}

    def numbers_of(self, sessions: Collection[SessionId], filters: Filters) -> dict[SessionId, int]:
        """Return the number of each of these sessions that passes the filters."""
        where, values = filters.where()
        rows = self._db.rows(
            "select public, id from sessions"
            f" where public in (select value from json_each(?)) and {where}",
            *(json.dumps(list(sessions)), *values),
        )
        return dict(rows)

    def public_ids(self, numbers: Collection[int]) -> dict[int, SessionId]:
        """Return the public id of each of these sessions, by its number."""
        rows = self._db.rows(
            "select id, public from sessions where id in (select value from json_each(?))",
            json.dumps(list(numbers)),
        )
        return dict(rows)

    def summaries(self, filters: Filters, limit: int | None = None) -> Iterator[SessionSummary]:
        """Yield the sessions that pass, latest first, then those without a time."""
        where, values = filters.where()
        rows = self._db.rows(
            f"select {_COLUMNS}, messages from {_JOINED} where {where}"
            " order by started_at desc nulls last, public limit ?",
            *(*values, -1 if limit is None else limit),
        )
        for public, source, title, started, ended, offset, participants, _number, turns in rows:
            yield SessionSummary(
                id=public,
                source=source,
                title=title,
                started_at=to_datetime(started, offset),
                ended_at=to_datetime(ended, offset),
                participants=tuple(json.loads(participants)),
                turns=turns,
            )

    def _session(self, row: Sequence[Any]) -> Session:
        turns = self._db.rows(
            f"select {TURN_COLUMNS} from turns where session_id = ? order by position", row[-2]
        )
        return self._to_session(row, turns)

    def _to_session(self, row: Sequence[Any], turns: Sequence[Sequence[Any]]) -> Session:
        """Return the session of a row of _SELECT, and of rows of its turns."""
        public, source, title, started, ended, offset, participants, _number, packed = row
        try:
            texts = unpack_texts(packed or b"")
            return Session(
                id=public,
                source=source,
                title=title,
                turns=tuple(to_turn(turn, text) for turn, text in zip(turns, texts, strict=True)),
                started_at=to_datetime(started, offset),
                ended_at=to_datetime(ended, offset),
                participants=tuple(json.loads(participants)),
            )
        except ValueError as error:  # SQLite can read the row, but memcli never wrote it
            raise StoreError(
                f"{self._db.path} is damaged in session {public}",
                hint="`mem doctor` says what can be repaired",
            ) from error
