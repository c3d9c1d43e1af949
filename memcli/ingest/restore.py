"""Restores the memories, readings and deletions that another database exported."""

from collections.abc import Iterator, Sequence

from memcli.domain import (
    Doubt,
    MemoryId,
    PortableMemory,
    PortableReading,
    PortableSource,
    Session,
    Skipped,
    Tombstone,
    Turn,
)
from memcli.errors import InputError
from memcli.memories.grounding import unsupported_details
from memcli.memories.remember import MemoryWriter, sanitize_fact
from memcli.protocols import Embedder
from memcli.store import Store, memory_id


class ArchiveRestorer:
    """An import of an export's memories and readings, and at the end of its deletions.

    A memory gets the sources whose turns are here, unless the memory was forgotten here.
    """

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._memories = store, MemoryWriter(store, embedder)
        self._forgotten: list[Tombstone] = []
        self.new: set[MemoryId] = set()

    def restore(self, batch: Sequence[object]) -> list[Skipped]:
        """Store the memories and readings of a batch, all or none.

        Returns:
            A warning for each memory that no turn here supports.
        """
        self._forgotten += [one for one in batch if isinstance(one, Tombstone)]
        exported = [one for one in batch if isinstance(one, PortableMemory)]
        readings = [one for one in batch if isinstance(one, PortableReading)]
        if not (exported or readings):
            return []
        with self._store.transaction():
            changed: dict[int, None] = {}
            skipped = [why for one in exported if (why := self._restore_memory(one, changed))]
            self._memories.embed(list(changed))
            for reading in readings:
                self._store.readings.restore(reading)
        return skipped

    def finish(self, name: str) -> Iterator[Doubt]:
        """Keep the export's deletions, and yield a warning if this database keeps a deleted item.

        Args:
            name: of the export.
        """
        if not self._forgotten:
            return
        with self._store.transaction():
            here = self._store.deletion.add_tombstones(self._forgotten)
        if here == 1:
            yield Doubt(name, "1 item that was forgotten in the exported database is kept here")
        elif here:
            yield Doubt(
                name, f"{here:,} items that were forgotten in the exported database are kept here"
            )

    def _restore_memory(self, exported: PortableMemory, changed: dict[int, None]) -> Skipped | None:
        """Store a memory; return a warning if no turn here supports it.

        Args:
            exported: the memory.
            changed: numbers of memories whose words changed; that of this one is added.
        """
        try:
            fact = sanitize_fact(exported.fact)
        except InputError as error:
            return Skipped("a memory", str(error))
        public = memory_id(fact)
        known = bool(self._store.memories.numbers([public]))
        found = [(*place, each.by) for each in exported.sources if (place := self._find_turn(each))]
        if not found:
            return Skipped(f"memory {public}", "no turn that it came from is here")
        for session, turn, by in found:
            if self._store.deletion.is_memory_forgotten(public, session.id, [turn.key]):
                continue
            missing = unsupported_details(fact, turn, session.participants)
            number, worded = self._memories.add_without_vector(
                fact, session, {turn.key: missing}, by=by
            )
            if worded:
                changed[number] = None
        if not known and self._store.memories.numbers([public]):
            self.new.add(public)
        if exported.accepted:
            self._store.memories.accept(public)
        if exported.edited_into:
            self._store.memories.restore_edit(public, exported.edited_into)
        return None

    def _find_turn(self, source: PortableSource) -> tuple[Session, Turn] | None:
        """Return the session that has a source turn now, and the turn; None if it is not here."""
        head = self._store.conversations.get(source.source, source.conversation)
        if head is None:
            return None
        for session in self._store.sessions.with_turns(head.number, [source.turn]):
            return session, next(turn for turn in session.turns if turn.key == source.turn)
        return None
