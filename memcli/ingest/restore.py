"""What another database wrote down beside its sessions: memories, readings, what it forgot."""

from collections.abc import Iterator, Sequence

from memcli.domain import (
    Doubt,
    Forgotten,
    KeptMemory,
    KeptReading,
    KeptSource,
    MemoryId,
    Session,
    Skipped,
    Turn,
)
from memcli.errors import InputError
from memcli.memories.grounding import lacking
from memcli.memories.remember import Memories, sound
from memcli.protocols import Embedder
from memcli.store import Store, memory_id


class ArchiveRestorer:
    """Takes in an export's memories and readings, and in the end what was forgotten.

    A memory gets the sources whose turns are here, and whose memory was not forgotten here.
    """

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._memories = store, Memories(store, embedder)
        self._forgotten: list[str] = []
        self.new: set[MemoryId] = set()

    def restore(self, batch: Sequence[object]) -> list[Skipped]:
        """Store those of a batch, all or none; return the memories that nothing here supports."""
        self._forgotten += [one.digest for one in batch if isinstance(one, Forgotten)]
        kept = [one for one in batch if isinstance(one, KeptMemory)]
        readings = [one for one in batch if isinstance(one, KeptReading)]
        if not (kept or readings):
            return []
        with self._store.transaction():
            changed: dict[int, None] = {}
            skipped = [why for one in kept if (why := self._restore(one, changed))]
            self._memories.embed(list(changed))
            for reading in readings:
                self._store.reads.restore(reading)
        return skipped

    def end(self, name: str) -> Iterator[Doubt]:
        """Keep what was forgotten there, and yield what there is to say about it.

        Args:
            name: of the export.
        """
        if not self._forgotten:
            return
        with self._store.transaction():
            here = self._store.forgetting.take_over(self._forgotten)
        if here == 1:
            yield Doubt(name, "something that was forgotten where this was written stays here")
        elif here:
            what = f"{here:,} things that were forgotten where this was written stay here"
            yield Doubt(name, what)

    def _restore(self, kept: KeptMemory, changed: dict[int, None]) -> Skipped | None:
        try:
            fact = sound(kept.fact)
        except InputError as error:
            return Skipped("a memory", str(error))
        public = memory_id(fact)
        known = bool(self._store.memories.numbers([public]))
        found = [(*place, each.by) for each in kept.sources if (place := self._place(each))]
        if not found:
            return Skipped(f"memory {public}", "no turn that it came from is here")
        for session, turn, by in found:
            if self._store.forgetting.memory(public, session.id, [turn.key]):
                continue
            missing = lacking(fact, turn, session.participants)
            number, worded = self._memories.store(fact, session, {turn.key: missing}, by=by)
            changed |= {number: None} if worded else {}
        if not known and self._store.memories.numbers([public]):
            self.new.add(public)
        if kept.accepted:
            self._store.memories.accept(public)
        if kept.edited_into:
            self._store.memories.restore_edit(public, kept.edited_into)
        return None

    def _place(self, source: KeptSource) -> tuple[Session, Turn] | None:
        """Return a source turn and the session it is in now, if it is here."""
        head = self._store.conversations.get(source.source, source.conversation)
        if head is None:
            return None
        for session in self._store.sessions.holding(head.number, [source.turn]):
            return session, next(turn for turn in session.turns if turn.key == source.turn)
        return None
