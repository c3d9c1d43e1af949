"""Forgetting for good: what was said is gone from the file, and does not come back."""

import json
from collections.abc import Collection, Sequence

from memcli.domain import SessionId, fingerprint
from memcli.store.connection import Database
from memcli.store.index import Index


class Forgetting:
    """What was forgotten is known by digests alone."""

    def __init__(self, database: Database, index: Index) -> None:
        self._db, self._index = database, index

    def conversation(self, source: str, key: str) -> bool:
        """Return whether a whole conversation was forgotten."""
        return bool(self._known([_digest(source, key)]))

    def turns(self, source: str, conversation: str, keys: Sequence[str]) -> set[str]:
        """Return which turns of a conversation were forgotten with a stretch of it."""
        if not self._db.rows("select 1 from forgotten limit 1"):
            return set()
        digests = {_digest(source, conversation, key): key for key in keys}
        return {digests[digest] for digest in self._known(list(digests))}

    def forget(self, sessions: Collection[SessionId]) -> bool:
        """Delete sessions so that no byte of them is left, and never take them in again.

        A session of an endless chat takes its own turns along; any other one the conversation,
        and whatever is added to it later.

        Returns:
            Whether the last bytes are gone. Where another process reads the database at this
            moment, they go with the next write.
        """
        with self._db.transaction():
            for session in sessions:
                self._forget(session)
            # What models said may quote it, and what files gave may name it.
            self._db.rows("delete from answers")
            self._db.rows("update readings set reason = '', trace = null")
            self._db.rows("delete from files")
            for table in ("session_words", "passage_words", "turn_words"):
                self._db.rows(f"insert into {table} ({table}) values ('optimize')")
        [(busy, *_)] = self._db.rows("pragma wal_checkpoint(truncate)")
        return not busy

    def _forget(self, session: SessionId) -> None:
        [(number, conversation, source, key, endless)] = self._db.rows(
            "select sessions.id, conversations.id, source, key, endless from sessions"
            " join conversations on conversations.id = conversation_id where public = ?",
            session,
        )
        keys = [
            turn for (turn,) in self._db.rows("select key from turns where session_id = ?", number)
        ]
        digests = [_digest(source, key, turn) for turn in keys] if endless else []
        self._db.many(
            "insert or ignore into forgotten (digest) values (?)",
            [(digest,) for digest in digests or [_digest(source, key)]],
        )
        self._index.remove(number)
        self._db.rows("delete from sessions where id = ?", number)
        for table in ("revisions", "aliases", "read_turns"):
            self._db.rows(
                f"delete from {table} where conversation_id = ?"
                " and key in (select value from json_each(?))",
                *(conversation, json.dumps(keys)),
            )
        self._db.rows(
            "delete from conversations where id = ?1"
            " and not exists (select 1 from sessions where conversation_id = ?1)",
            conversation,
        )

    def _known(self, digests: Sequence[str]) -> set[str]:
        rows = self._db.rows(
            "select digest from forgotten where digest in (select value from json_each(?))",
            json.dumps(digests),
        )
        return {digest for (digest,) in rows}


def _digest(source: str, conversation: str, turn: str | None = None) -> str:
    return fingerprint("forgotten", source, conversation, *([turn] if turn is not None else []))
