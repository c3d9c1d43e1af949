"""Permanent deletion: no byte of it stays in the file, and an import does not bring it back."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Self

from memcli.domain import YOU, Memory, MemoryId, SessionId, Tombstone, Turn, fingerprint
from memcli.lazy_dataclasses import dataclass
from memcli.store.index import full_text
from memcli.store.index.memory_index import MemoryIndex
from memcli.store.index.search_index import SearchIndex
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.times import optional_milliseconds
from memcli.store.tables.memories import MemoryTable
from memcli.store.tables.memory_sources import MemorySourceTable
from memcli.store.tables.session_texts import load_undamaged_texts
from memcli.store.tables.source_files import SourceTable
from memcli.store.tables.tombstones import TombstoneTable


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
        self._tombstones = TombstoneTable(database)
        self._memories, self._memory_sources = memories, memory_sources
        self._memory_index = memory_index

    def is_conversation_forgotten(self, source: str, key: str) -> bool:
        """Return whether a whole conversation was forgotten."""
        return bool(self._tombstones.find([_digest(source, key)]))

    def forgotten_turns(self, source: str, conversation: str, keys: Sequence[str]) -> set[str]:
        """Return those of these turns that were forgotten with a session of an endless chat."""
        if self._tombstones.is_empty():
            return set()
        digests = {_digest(source, conversation, key): key for key in keys}
        return {digests[digest] for digest in self._tombstones.find(digests)}

    def forgotten_copies(self, turns: Sequence[Turn]) -> set[str]:
        """Return the keys of turns that were forgotten in a conversation of any name.

        A chat has the name of its file, which anybody may change. A turn is known again by its
        time, speaker and text, together with those of a turn beside it.
        """
        if self._tombstones.is_empty():
            return set()
        messages = [_TimedMessage.of(turn) for turn in turns]
        digests = [
            set(_neighbour_digests(*around)) for around in _with_neighbours([None, *messages, None])
        ]
        found = self._tombstones.find(set().union(*digests))
        return {turn.key for turn, own in zip(turns, digests, strict=True) if own & found}

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
            names, texts = self._names(sessions), self._texts(sessions)
            for session in sessions:
                self._delete_session(session)
            if sessions:
                self._db.rows("delete from files")  # their reports may name it
                SourceTable(self._db).remove_named_after(names)
            self._db.rows("delete from answers")  # cached outputs of models may quote it
            self._db.rows("update readings set reason = '', trace = null")  # so may readings
            full_text.erase_keys(self._db, texts)
            self._db.rows("insert into memory_words (memory_words) values ('optimize')")
        [(busy, *_)] = self._db.rows("pragma wal_checkpoint(truncate)")
        return not busy

    def is_memory_forgotten(
        self, memory: MemoryId, session: SessionId, turns: Collection[str]
    ) -> bool:
        """Return whether a memory was forgotten that had any of these turns as a source."""
        if self._tombstones.is_empty():
            return False
        [(source, conversation)] = self._db.rows(
            "select source, key from sessions join conversations"
            " on conversations.id = conversation_id where public = ?",
            session,
        )
        return bool(
            self._tombstones.find(
                [_memory_digest(memory, source, conversation, turn) for turn in turns]
            )
        )

    def add_tombstones(self, tombstones: Collection[Tombstone]) -> int:
        """Store the tombstones of another database, except those of items that are stored here.

        Returns:
            The number of exceptions; these items stay, and imports can extend them.
        """
        return self._tombstones.add_foreign(
            tombstones, set(self._present_items()), set(self._present_copies())
        )

    def _present_items(self) -> Iterator[str]:
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

    def _present_copies(self) -> Iterator[str]:
        """Yield the tombstones that forgetting each stored session would leave for its copies."""
        for (number,) in self._db.rows("select id from sessions"):
            yield from self._copy_digests(number)

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
        self._tombstones.add(_memory_digest(memory.id, *source) for *source, _ in sources)
        self._remove_memories([memory])
        for session in {session for source, _, _, session in sources if source == YOU}:
            if not self._memories.from_sessions([session]):
                self._delete_session(session)

    def _remove_memories(self, memories: Collection[Memory]) -> None:
        numbers = self._memories.numbers([memory.id for memory in memories])
        self._memory_index.remove(numbers)
        self._memories.remove(numbers)

    def _delete_session(self, session: SessionId) -> None:
        found = self._db.rows(
            "select sessions.id, conversations.id, source, key, endless from sessions"
            " join conversations on conversations.id = conversation_id where public = ?",
            session,
        )
        if not found:  # a note that was deleted with its memory
            return
        [(number, conversation, source, key, endless)] = found
        keys = [
            turn for (turn,) in self._db.rows("select key from turns where session_id = ?", number)
        ]
        digests = [_digest(source, key, turn) for turn in keys] if endless else []
        copies = self._copy_digests(number)
        self._tombstones.add([*(digests or [_digest(source, key)]), *copies])
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

    def _names(self, sessions: Collection[SessionId]) -> set[str]:
        """Return the names that the files of sessions may have: of the chats, and of people."""
        rows = self._db.rows(
            "select title, participants, key from sessions join conversations"
            " on conversations.id = conversation_id"
            " where public in (select value from json_each(?))",
            json.dumps(list(sessions)),
        )
        people = (name for _, participants, _ in rows for name in json.loads(participants))
        chats = (name for title, _, key in rows for name in (title, key))
        return {*people, *chats} - {"user", "assistant", "me"}

    def _texts(self, sessions: Collection[SessionId]) -> list[str]:
        """Return the titles, texts and speakers of sessions, and the texts that they had before."""
        rows = self._db.rows(
            "select id, title || ' ' || participants from sessions"
            " where public in (select value from json_each(?))",
            json.dumps(list(sessions)),
        )
        texts = [title for _, title in rows]
        for number, _ in rows:
            texts += load_undamaged_texts(self._db, number)
        former = self._db.rows(
            "select speaker from turns where session_id in (select value from json_each(?1))"
            " union all select revisions.text from revisions where conversation_id in"
            " (select conversation_id from sessions"
            " where id in (select value from json_each(?1)))",
            json.dumps([number for number, _ in rows]),
        )
        return [*texts, *(text for (text,) in former if text)]

    def _copy_digests(self, session: int) -> list[str]:
        """Return the digests by which the turns of a session are known again in any conversation.

        Args:
            session: its number.
        """
        [(conversation, started_at)] = self._db.rows(
            "select conversation_id, started_at from sessions where id = ?", session
        )
        beside = "select id from sessions where conversation_id = ? and started_at"
        before = self._db.rows(
            f"{beside} < ? order by started_at desc, id desc limit 1", conversation, started_at
        )
        after = self._db.rows(
            f"{beside} > ? order by started_at, id limit 1", conversation, started_at
        )
        own = self._messages(session)
        first = self._messages(before[0][0])[-1:] if before else []
        last = self._messages(after[0][0])[:1] if after else []
        chain = [*(first or [None]), *own, *(last or [None])]
        return [
            digest for around in _with_neighbours(chain) for digest in _neighbour_digests(*around)
        ]

    def _messages(self, session: int) -> list["_TimedMessage | None"]:
        """Return the turns of a session in order, None for one whose text is damaged."""
        turns = self._db.rows(
            "select sent_at, speaker from turns where session_id = ? order by position", session
        )
        texts = load_undamaged_texts(self._db, session)
        lost = [None] * (len(turns) - len(texts))
        known = zip(turns, texts, strict=False)
        found = (_TimedMessage(sent_at, speaker, text) for (sent_at, speaker), text in known)
        return [*found, *lost]


@dataclass(frozen=True, slots=True)
class _TimedMessage:
    """The facts by which a turn is known again, whatever its chat is called."""

    sent_at: int | None  # ms
    speaker: str | None
    text: str

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """Return the facts of a turn."""
        return cls(optional_milliseconds(turn.sent_at), turn.speaker, turn.text)


_Chain = Sequence[_TimedMessage | None]


def _with_neighbours(chain: _Chain) -> Iterator[_Chain]:
    """Yield each message but the first and last of a chain between its two neighbours."""
    for at in range(1, len(chain) - 1):
        yield chain[at - 1 : at + 2]


def _neighbour_digests(
    before: _TimedMessage | None, message: _TimedMessage | None, after: _TimedMessage | None
) -> Iterator[str]:
    """Yield two digests of a message, each with a neighbour; none for one without a time.

    The same words at the same minute in two chats are no proof; two such messages in a row are.
    """
    if message is None or message.sent_at is None:
        return
    for place, other in (("after", before), ("before", after)):
        if other is None or other.sent_at is not None:
            facts = (other.sent_at, other.speaker, other.text) if other else ()
            own = (message.sent_at, message.speaker, message.text)
            yield fingerprint("forgotten copy", place, *own, *facts)


def _digest(source: str, conversation: str, turn: str | None = None) -> str:
    return fingerprint("forgotten", source, conversation, *([turn] if turn is not None else []))


def _memory_digest(memory: MemoryId, source: str, conversation: str, turn: str) -> str:
    return fingerprint("forgotten memory", memory, source, conversation, turn)
