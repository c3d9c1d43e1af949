"""Permanent deletion: no byte of it stays in the file, and an import does not bring it back."""

import json
from collections.abc import Collection, Iterator, Sequence

from memcli.domain import YOU, Memory, MemoryId, SessionId, fingerprint
from memcli.store.index.memory_index import MemoryIndex
from memcli.store.index.search_index import SearchIndex
from memcli.store.sqlite.connection import Database
from memcli.store.tables.memories import MemoryTable
from memcli.store.tables.memory_sources import MemorySourceTable


class Deletion:
    """The deletion of sessions and memories, and the digests (tombstones) that it leaves."""

    def __init__(
        self,
        database: Database,
        *,
        index: SearchIndex,
        memories: MemoryTable,
        memory_sources: MemorySourceTable,
        memory_index: MemoryIndex,
    ) -> None:
        self._db, self._index = database, index
        self._memories, self._memory_sources = memories, memory_sources
        self._memory_index = memory_index

    def is_conversation_forgotten(self, source: str, key: str) -> bool:
        """Return whether a whole conversation was forgotten."""
        return bool(self._stored_tombstones([_digest(source, key)]))

    def forgotten_turns(self, source: str, conversation: str, keys: Sequence[str]) -> set[str]:
        """Return those of these turns that were forgotten with a session of an endless chat."""
        if not self._db.rows("select 1 from forgotten limit 1"):
            return set()
        digests = {_digest(source, conversation, key): key for key in keys}
        return {digests[digest] for digest in self._stored_tombstones(list(digests))}

    def forget(self, sessions: Collection[SessionId], memories: Collection[Memory] = ()) -> bool:
        """Delete sessions and memories so that no byte of them is left.

        A session is never imported again. For an endless chat this holds for the turns of the
        session; for any other conversation it holds for all of it, and for turns that are added
        later. Memories that have no other source are deleted with the session.

        A memory does not come back from the turns it was found in, only if it is said elsewhere.
        A note that the person wrote for this memory alone is deleted with it.

        Returns:
            True if the last bytes are gone. False if another process is reading the database at
            this moment: then they go with the next write.
        """
        with self._db.transaction():
            for memory in memories:
                self._delete_memory(memory)
            self._remove_memories(self._memories.only_from_sessions(sessions))
            for session in sessions:
                self._delete_session(session)
            if sessions:
                self._db.rows("delete from files")  # their reports may name it
            self._db.rows("delete from answers")  # cached outputs of models may quote it
            self._db.rows("update readings set reason = '', trace = null")  # so may readings
            for table in ("session_words", "passage_words", "turn_words", "memory_words"):
                self._db.rows(f"insert into {table} ({table}) values ('optimize')")
        [(busy, *_)] = self._db.rows("pragma wal_checkpoint(truncate)")
        return not busy

    def is_memory_forgotten(
        self, memory: MemoryId, session: SessionId, turns: Collection[str]
    ) -> bool:
        """Return whether a memory was forgotten that had any of these turns as a source."""
        if not self._db.rows("select 1 from forgotten limit 1"):
            return False
        [(source, conversation)] = self._db.rows(
            "select source, key from sessions join conversations"
            " on conversations.id = conversation_id where public = ?",
            session,
        )
        return bool(
            self._stored_tombstones(
                [_memory_digest(memory, source, conversation, turn) for turn in turns]
            )
        )

    def add_tombstones(self, digests: Collection[str]) -> int:
        """Store the tombstones of another database, except those of items that are stored here.

        Returns:
            The number of exceptions; these items stay, and imports can extend them.
        """
        new = set(digests) - self._stored_tombstones(list(digests))
        present = new.intersection(self._present_digests()) if new else set()
        self._db.many(
            "insert into forgotten (digest) values (?)", [(each,) for each in sorted(new - present)]
        )
        return len(present)

    def _present_digests(self) -> Iterator[str]:
        """Yield the tombstones that forgetting each stored item would leave."""
        conversations = self._db.rows("select id, source, key, endless from conversations")
        for number, source, key, endless in conversations:
            yield _digest(source, key)
            turns = "select key from turns where conversation_id = ?"
            for (turn,) in self._db.rows(turns, number) if endless else ():
                yield _digest(source, key, turn)
        for source in self._db.rows(
            "select public, source, conversations.key, turn from memories"
            " join memory_sources on memory_id = memories.id"
            " join conversations on conversations.id = conversation_id"
        ):
            yield _memory_digest(*source)

    def _delete_memory(self, memory: Memory) -> None:
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
            [(_memory_digest(memory.id, *source),) for *source, _ in sources],
        )
        self._remove_memories([memory])
        for session in {session for source, _, _, session in sources if source == YOU}:
            if not self._memories.from_sessions([session]):
                self._delete_session(session)

    def _remove_memories(self, memories: Collection[Memory]) -> None:
        numbers = self._memories.numbers([memory.id for memory in memories])
        self._memory_index.remove(numbers)
        self._memories.remove(numbers)

    def _delete_session(self, session: SessionId) -> None:
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
        self._memory_sources.remove(conversation, keys)
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

    def _stored_tombstones(self, digests: Sequence[str]) -> set[str]:
        rows = self._db.rows(
            "select digest from forgotten where digest in (select value from json_each(?))",
            json.dumps(digests),
        )
        return {digest for (digest,) in rows}


def _digest(source: str, conversation: str, turn: str | None = None) -> str:
    return fingerprint("forgotten", source, conversation, *([turn] if turn is not None else []))


def _memory_digest(memory: MemoryId, source: str, conversation: str, turn: str) -> str:
    return fingerprint("forgotten memory", memory, source, conversation, turn)
