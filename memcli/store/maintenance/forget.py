"""Forgetting for good: what was said is gone from the file, and does not come back."""

import json
from collections.abc import Collection, Iterator, Sequence

from memcli.domain import YOU, Memory, MemoryId, SessionId, fingerprint
from memcli.store.index.memories import MemoryIndex
from memcli.store.index.passages import Index
from memcli.store.sqlite.connection import Database
from memcli.store.tables.memories import Memories


class Forgetting:
    """What was forgotten is known by digests alone."""

    def __init__(
        self, database: Database, index: Index, memories: Memories, memory_index: MemoryIndex
    ) -> None:
        self._db, self._index = database, index
        self._memories, self._memory_index = memories, memory_index

    def conversation(self, source: str, key: str) -> bool:
        """Return whether a whole conversation was forgotten."""
        return bool(self._known([_digest(source, key)]))

    def turns(self, source: str, conversation: str, keys: Sequence[str]) -> set[str]:
        """Return which turns of a conversation were forgotten with a stretch of it."""
        if not self._db.rows("select 1 from forgotten limit 1"):
            return set()
        digests = {_digest(source, conversation, key): key for key in keys}
        return {digests[digest] for digest in self._known(list(digests))}

    def forget(self, sessions: Collection[SessionId], memories: Collection[Memory] = ()) -> bool:
        """Delete sessions and memories so that no byte of them is left.

        A session is never taken in again: one of an endless chat takes its own turns along, any
        other one the conversation, and whatever is added to it later. With it go the memories
        that come from it alone.

        A memory does not come back from where it was found, only when it is said elsewhere. What
        the person wrote for it alone goes with it.

        Returns:
            Whether the last bytes are gone. Where another process reads the database at this
            moment, they go with the next write.
        """
        with self._db.transaction():
            for memory in memories:
                self._forget_memory(memory)
            self._remove(self._memories.resting_on(sessions))
            for session in sessions:
                self._forget(session)
            if sessions:
                self._db.rows("delete from files")  # what they gave may name it
            self._db.rows("delete from answers")  # what models said may quote it
            self._db.rows("update readings set reason = '', trace = null")  # readers, too
            for table in ("session_words", "passage_words", "turn_words", "memory_words"):
                self._db.rows(f"insert into {table} ({table}) values ('optimize')")
        [(busy, *_)] = self._db.rows("pragma wal_checkpoint(truncate)")
        return not busy

    def memory(self, memory: MemoryId, session: SessionId, turns: Collection[str]) -> bool:
        """Return whether a memory was forgotten that had any of these turns as a source."""
        if not self._db.rows("select 1 from forgotten limit 1"):
            return False
        [(source, conversation)] = self._db.rows(
            "select source, key from sessions join conversations"
            " on conversations.id = conversation_id where public = ?",
            session,
        )
        return bool(
            self._known([_memory_digest(memory, source, conversation, turn) for turn in turns])
        )

    def take_over(self, digests: Collection[str]) -> int:
        """Keep that things were forgotten in another database. What is in this one stays.

        Returns:
            Of how many that is so: they can come back, and grow.
        """
        new = set(digests) - self._known(list(digests))
        here = new.intersection(self._here()) if new else set()
        self._db.many(
            "insert into forgotten (digest) values (?)", [(each,) for each in sorted(new - here)]
        )
        return len(here)

    def _here(self) -> Iterator[str]:
        """Yield the digests that everything here would be forgotten by."""
        conversations = self._db.rows("select id, source, key, endless from conversations")
        for number, source, key, endless in conversations:
            yield _digest(source, key)
            turns = "select key from turns where conversation_id = ?"
            for (turn,) in self._db.rows(turns, number) if endless else ():
                yield _digest(source, key, turn)
        for where in self._db.rows(
            "select public, source, conversations.key, turn from memories"
            " join memory_sources on memory_id = memories.id"
            " join conversations on conversations.id = conversation_id"
        ):
            yield _memory_digest(*where)

    def _forget_memory(self, memory: Memory) -> None:
        sources = self._db.rows(
            "select source, conversations.key, turn, sessions.public from memories"
            " join memory_sources on memory_id = memories.id"
            " join turns on turns.conversation_id = memory_sources.conversation_id"
            " and turns.key = turn join sessions on sessions.id = session_id"
            " join conversations on conversations.id = turns.conversation_id"
            " where memories.public = ?",
            memory.id,
        )
        self._db.many(
            "insert or ignore into forgotten (digest) values (?)",
            [(_memory_digest(memory.id, *where),) for *where, _ in sources],
        )
        self._remove([memory])
        for session in {session for source, _, _, session in sources if source == YOU}:
            if not self._memories.of_sessions([session]):
                self._forget(session)

    def _remove(self, memories: Collection[Memory]) -> None:
        numbers = self._memories.numbers([memory.id for memory in memories])
        self._memory_index.remove(numbers)
        self._memories.remove(numbers)

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
        self._memories.lose(conversation, keys)
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


def _memory_digest(memory: MemoryId, source: str, conversation: str, turn: str) -> str:
    return fingerprint("forgotten memory", memory, source, conversation, turn)
