"""Conversations, their sessions and turns: the part of the database that is the truth."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from memcli.domain import Clock, Kind, Role, Session, SessionId, Turn
from memcli.errors import NotFoundError, StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters, milliseconds

ConversationNumber = int

_ANY_TIME = 1 << 62  # ms; later than every time
_COLUMNS = (
    "public, conversations.source, sessions.title, started_at, ended_at, utc_offset, participants,"
    " sessions.id"
)
_JOINED = "sessions join conversations on conversations.id = sessions.conversation_id"
TURN = (
    "key, role, text, speaker, sent_at, utc_offset, clock, kind, parent, active, edited_at,"
    " missing, included"
)


@dataclass(frozen=True, slots=True)
class Overview:
    """A session without its turns, for listing."""

    id: SessionId
    source: str
    title: str
    started_at: datetime | None
    ended_at: datetime | None
    participants: tuple[str, ...]
    turns: int


class Sessions:
    """Sessions by their public ids; conversations by number."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def near(
        self,
        conversation: ConversationNumber,
        since: datetime | None,
        until: datetime | None,
    ) -> list[Session]:
        """Return the sessions of a conversation that touch a span of time, earliest first.

        Sessions without a time touch every span. The others follow one another: before the last
        one that began before the span none need be looked at.
        """
        ids = "select id from sessions where conversation_id = ?1 and started_at"
        rows = self._db.rows(
            f"select {_COLUMNS} from {_JOINED} where sessions.id in ({ids} is null union all {ids}"
            " between coalesce((select max(started_at) from sessions where conversation_id = ?1"
            " and started_at <= ?2), ?2) and ?3) and (ended_at is null or ended_at >= ?2)"
            " order by started_at, ended_at, sessions.id",
            conversation,
            milliseconds(since) if since else -_ANY_TIME,
            milliseconds(until) if until else _ANY_TIME,
        )
        return [self._session(row) for row in rows]

    def holding(self, conversation: ConversationNumber, keys: Sequence[str]) -> list[Session]:
        """Return the sessions of a conversation that have any of these turns."""
        rows = self._db.rows(
            f"select {_COLUMNS} from {_JOINED} where sessions.id in (select session_id from turns"
            " where conversation_id = ? and key in (select value from json_each(?)))",
            *(conversation, json.dumps(keys)),
        )
        return [self._session(row) for row in rows]

    def beside(self, conversation: ConversationNumber, began: datetime) -> list[Session]:
        """Return the last session that began before a time, and the first that began after it."""
        found = []
        for sign, order in (("<", "desc"), (">", "asc")):
            rows = self._db.rows(
                f"select {_COLUMNS} from {_JOINED} where conversation_id = ?"
                f" and started_at {sign} ? order by started_at {order}, sessions.id {order}"
                " limit 1",
                *(conversation, milliseconds(began)),
            )
            found += [self._session(row) for row in rows]
        return found

    def add(self, conversation: ConversationNumber, session: Session) -> int:
        """Store a session with its turns; return its number, which the index uses."""
        [(number,)] = self._db.rows(
            "insert into sessions (public, conversation_id, title, started_at, ended_at,"
            " utc_offset, participants) values (?, ?, ?, ?, ?, ?, ?) returning id",
            *(session.id, conversation, session.title),
            session.started_at and milliseconds(session.started_at),
            session.ended_at and milliseconds(session.ended_at),
            _minutes_east(session.started_at),
            json.dumps(session.participants, ensure_ascii=False),
        )
        self._db.many(
            f"insert into turns (session_id, conversation_id, position, {TURN})"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (number, conversation, position, *_turn_row(turn))
                for position, turn in enumerate(session.turns, start=1)
            ],
        )
        return int(number)

    def number(self, session: SessionId) -> int | None:
        """Return the number of a session, None where there is none."""
        rows = self._db.rows("select id from sessions where public = ?", session)
        return rows[0][0] if rows else None

    def conversation_of(self, session: SessionId) -> ConversationNumber:
        """Return the conversation that a session is of."""
        [(number,)] = self._db.rows(
            "select conversation_id from sessions where public = ?", session
        )
        return int(number)

    def remove(self, number: int) -> None:
        """Delete a session and its turns."""
        self._db.rows("delete from sessions where id = ?", number)

    def rename(self, conversation: ConversationNumber, before: SessionId, first: str) -> None:
        """Let the id of a session that is no more mean the one that its first turn is in now."""
        self._db.rows(
            "insert or replace into aliases (public, conversation_id, key) values (?, ?, ?)",
            *(before, conversation, first),
        )

    def move_aliases(
        self, conversation: ConversationNumber, turns: Iterable[str], to: ConversationNumber
    ) -> None:
        """Let ids of sessions that are no more follow their first turns into another one."""
        self._db.rows(
            "update aliases set conversation_id = ?"
            " where conversation_id = ? and key in (select value from json_each(?))",
            *(to, conversation, json.dumps(list(turns))),
        )

    def get(self, session: str) -> Session:
        """Return the session with this id, or with the only id that begins so.

        The id of a session that was found to begin earlier still means it.

        Raises:
            NotFoundError: no session, or more than one, has such an id.
        """
        rows = self._db.rows(
            f"select {_COLUMNS} from {_JOINED} where public >= ?1 and public < ?1 || '~'"
            " order by public limit 2",
            session,
        ) or self._db.rows(
            f"select {_COLUMNS} from {_JOINED} where sessions.id in (select session_id from turns"
            " join aliases using (conversation_id, key) where public >= ?1 and public < ?1 || '~')"
            " limit 2",
            session,
        )
        if not rows or (len(rows) > 1 and rows[0][0] != session):
            what = "more than one session begins with" if rows else "no session"
            hint = "list sessions with `mem sessions`"
            if session.startswith("m_"):
                hint = f"`mem show {session}` shows a memory"
            elif not session.startswith("s_"):
                hint = "an id looks like `s_k3j`; `mem search WORDS` finds sessions by words"
            raise NotFoundError(f"{what} `{session}`", hint=hint)
        return self._session(rows[0])

    def by_number(self, number: int) -> Session:
        """Return the session with this number."""
        [row] = self._db.rows(f"select {_COLUMNS} from {_JOINED} where sessions.id = ?", number)
        return self._session(row)

    def numbers(self, filters: Filters) -> set[int]:
        """Return the numbers of the sessions that pass."""
        where, values = filters.where()
        rows = self._db.rows(f"select id from sessions where {where}", *values)
        return {number for (number,) in rows}

    def numbers_of(self, sessions: Collection[SessionId], filters: Filters) -> dict[SessionId, int]:
        """Return the numbers of those of these sessions that pass."""
        where, values = filters.where()
        rows = self._db.rows(
            "select public, id from sessions"
            f" where public in (select value from json_each(?)) and {where}",
            *(json.dumps(list(sessions)), *values),
        )
        return dict(rows)

    def overviews(self, filters: Filters, limit: int | None = None) -> Iterator[Overview]:
        """Yield the sessions that pass, latest first, those without a time last."""
        where, values = filters.where()
        rows = self._db.rows(
            f"select {_COLUMNS}, (select count(*) from turns where session_id = sessions.id"
            f" and active and kind in ('text', 'media', 'deleted')) from {_JOINED} where {where}"
            " order by started_at desc nulls last, public limit ?",
            *(*values, -1 if limit is None else limit),
        )
        for public, source, title, started, ended, offset, participants, _number, turns in rows:
            yield Overview(
                public, source, title, moment(started, offset), moment(ended, offset),
                tuple(json.loads(participants)), turns,
            )  # fmt: skip

    def _session(self, row: Sequence[Any]) -> Session:
        public, source, title, started, ended, offset, participants, number = row
        turns = self._db.rows(
            f"select {TURN} from turns where session_id = ? order by position", number
        )
        try:
            return Session(
                public,
                source,
                title,
                tuple(turn_of(turn) for turn in turns),
                moment(started, offset),
                moment(ended, offset),
                tuple(json.loads(participants)),
            )
        except ValueError as error:  # SQLite read it, but nobody wrote it so
            raise StoreError(f"{self._db.path} is damaged in session {public}") from error


def _turn_row(turn: Turn) -> tuple[object, ...]:
    """Return a turn's values in the order of TURN."""
    return (
        turn.key, turn.role, turn.text, turn.speaker,
        turn.sent_at and milliseconds(turn.sent_at), _minutes_east(turn.sent_at),
        turn.clock, turn.kind, turn.parent, turn.active,
        turn.edited_at and milliseconds(turn.edited_at), turn.missing, turn.included,
    )  # fmt: skip


def turn_of(row: Sequence[Any]) -> Turn:
    """Return a turn of its values in the order of TURN."""
    key, role, text, speaker, sent_at, offset, clock, kind, parent, active, *rest = row
    edited_at, missing, included = rest
    return Turn(
        key=key,
        role=Role(role),
        text=text,
        speaker=speaker,
        sent_at=moment(sent_at, offset),
        clock=Clock(clock),
        kind=Kind(kind),
        parent=parent,
        active=bool(active),
        edited_at=moment(edited_at, offset),
        missing=bool(missing),
        included=bool(included),
    )


def _minutes_east(moment: datetime | None) -> int:
    offset = moment.utcoffset() if moment else None
    return _minutes(offset) if offset else 0


@lru_cache(maxsize=256)  # every turn asks
def _minutes(offset: timedelta) -> int:
    return offset // timedelta(minutes=1)


def moment(sent_at: int | None, offset: int) -> datetime | None:
    """Return a stored time: milliseconds, UTC, as it was on a clock so many minutes east."""
    if sent_at is None:
        return None
    zone = timezone(timedelta(minutes=offset))
    return datetime.fromtimestamp(sent_at / 1000, UTC).astimezone(zone)
