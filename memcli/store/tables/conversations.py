"""Conversations as they are told apart: by source and key, and copies by time."""

import json
from collections.abc import Sequence
from datetime import datetime

from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.times import milliseconds, to_datetime

_COLUMNS = "conversations.id, conversations.key, as_of, source, endless"


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A stored conversation without its turns."""

    number: int
    key: str
    as_of: datetime | None  # the time of its newest copy
    source: str
    endless: bool


class ConversationTable:
    """The table of conversations, and of the revisions of their turns and titles."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, source: str, key: str) -> ConversationInfo | None:
        """Return a conversation, or None if it is not stored."""
        rows = self._db.rows(
            f"select {_COLUMNS} from conversations where source = ? and key = ?", source, key
        )
        return _to_head(*rows[0]) if rows else None

    def add(self, source: str, key: str, *, endless: bool, cut_rule: int = 0) -> ConversationInfo:
        """Store a new conversation.

        Args:
            source: of the conversation.
            key: its key.
            endless: whether it is cut into sessions at quiet gaps.
            cut_rule: the number of the rules by which it is cut; 0: the next import cuts it.
        """
        [(number,)] = self._db.rows(
            "insert into conversations (source, key, endless, cut_rule) values (?, ?, ?, ?)"
            " returning id",
            *(source, key, endless, cut_rule),
        )
        return ConversationInfo(number, key, None, source, endless)

    def set_newest_copy(self, number: int, as_of: datetime) -> None:
        """Store the time of the newest copy of a conversation."""
        self._db.rows(
            "update conversations set as_of = ? where id = ?", milliseconds(as_of), number
        )

    def cut_before(self, rule: int) -> list[ConversationInfo]:
        """Return the conversations that were cut into sessions by older rules than this one.

        Those that every rule leaves whole are not among them: they have times and an end.
        """
        rows = self._db.rows(
            f"select {_COLUMNS} from conversations where cut_rule < ? and (endless or exists"
            " (select 1 from sessions where conversation_id = conversations.id"
            " and started_at is null)) order by id",
            rule,
        )
        return [_to_head(*row) for row in rows]

    def set_cut_rule(self, number: int, rule: int) -> None:
        """Store by which rule a conversation is cut into sessions."""
        self._db.rows("update conversations set cut_rule = ? where id = ?", rule, number)

    def beginning_with(self, source: str, keys: Sequence[str]) -> list[ConversationInfo]:
        """Return the conversations in which a session begins with one of these turns."""
        rows = self._db.rows(
            f"select distinct {_COLUMNS} from json_each(?) as wanted"
            " cross join turns on turns.key = wanted.value and position = 1"
            " cross join conversations on conversations.id = conversation_id"
            " where source = ? order by conversations.key",
            *(json.dumps(keys), source),
        )
        return [_to_head(*row) for row in rows]

    def existing_turns(self, number: int, keys: Sequence[str]) -> set[str]:
        """Return those of these turns, named by key, that a conversation has."""
        rows = self._db.rows(
            "select key from turns where conversation_id = ?"
            " and key in (select value from json_each(?))",
            *(number, json.dumps(keys)),
        )
        return {key for (key,) in rows}

    def thread_starters(self, source: str, chat: str, keys: Sequence[str]) -> set[str]:
        """Return those of these turns of a chat that are the first turn of a stored thread."""
        rows = self._db.rows(
            "select turns.key from json_each(?) cross join conversations"
            " on source = ? and conversations.key = ? || '/' || value"
            " cross join turns on conversation_id = conversations.id and turns.key = value",
            *(json.dumps(keys), source, chat),
        )
        return {key for (key,) in rows}

    def revision_digests(self, number: int) -> set[str]:
        """Return the digests of all revisions of a conversation."""
        rows = self._db.rows("select digest from revisions where conversation_id = ?", number)
        return {digest for (digest,) in rows}

    def add_revision(self, number: int, digest: str, text: str, key: str | None) -> None:
        """Store the text of a turn, or without a key a title, before it is replaced."""
        self._db.rows(
            "insert or ignore into revisions (conversation_id, key, text, digest)"
            " values (?, ?, ?, ?)",
            *(number, key, text, digest),
        )


def _to_head(
    number: int, key: str, as_of: int | None, source: str, endless: int
) -> ConversationInfo:
    return ConversationInfo(number, key, to_datetime(as_of), source, bool(endless))
