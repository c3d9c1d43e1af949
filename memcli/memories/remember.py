"""Keeps facts as memories, each with the turns that support it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memcli.domain import Fact, MemoryId, Segment, Session
from memcli.errors import InputError, NotFoundError
from memcli.memories.grounding import lacking, reground
from memcli.protocols import Embedder, Vectors
from memcli.search.fusion import scale_by_maximum, scale_by_range, weighted_sum
from memcli.search.memory_search import MEANING
from memcli.store import MOST_TERMS, Filters, Store, asked, memory_id, same
from memcli.text.chunking import said
from memcli.text.sanitize import clean

MOST_SOURCES = 3  # turns that one segment gives a memory
SUPPORTS = 0.6  # of the best turn's score: what another one needs to be a source, too


class Memories:
    """Memories in a store, found and supported with an embedder's help."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._embedder = store, embedder
        self._read: _Turns | None = None  # the segment read last: facts come by the handful

    def remember(self, fact: Fact, segment: Segment, *, model: str) -> MemoryId:
        """Keep a fact with the turns of a segment that support it best.

        A fact that is known already gets these turns as further sources. When it was said, what
        it supersedes and what of it is unsupported follows from its sources alone, so that
        segments may be read in any order. Takes part in the caller's transaction.

        Args:
            fact: as a model put it.
            segment: what the model read.
            model: its name and fingerprint.

        Returns:
            The id of the memory. Where the person forgot the same fact from the same segment it
            means nothing: nothing is kept then.

        Raises:
            InputError: the fact has no key or no value.
            NotFoundError: the segment has no turns.
        """
        fact = sound(fact)
        public = memory_id(fact)
        with self._store.transaction():
            turns = self._turns_of(segment)
            keys = [turns.session.turns[at - 1].key for at in turns.positions]
            if not self._store.forgetting.memory(public, turns.session.id, keys):
                self.keep(fact, turns.session, self._supporting(fact, turns), by=model)
        return public

    def keep(
        self, fact: Fact, session: Session, sources: dict[str, tuple[str, ...]], *, by: str
    ) -> None:
        """Store and index a fact whose sources are known."""
        with self._store.transaction():
            number, changed = self.store(fact, session, sources, by=by)
            self.embed([number] if changed else [])

    def store(
        self, fact: Fact, session: Session, sources: dict[str, tuple[str, ...]], *, by: str
    ) -> tuple[int, bool]:
        """Store a fact and its words; return its number, and whether it has to be embedded."""
        conversation = self._store.sessions.conversation_of(session.id)
        before = self._store.memories.numbers([memory_id(fact)])
        number, changed = self._store.memories.add(fact, conversation, sources, by)
        if changed:
            known = self._store.memories.by_number([number])[number].fact
            self._store.memory_index.add(number, known)
        if before:
            self._look_again(number)
        return number, changed

    def _look_again(self, number: int) -> None:
        """Hold a fact, as it is spelled now, against all its sources."""
        memory = self._store.memories.by_number([number])[number]
        for session in dict.fromkeys(source.session for source in memory.sources):
            reground(self._store.sessions.get(session), self._store, memory=number)

    def embed(self, numbers: Sequence[int] | None = None) -> None:
        """Make the vectors of these memories, or of those that have none of this embedder's."""
        if numbers is None:
            numbers = self._store.memory_index.unembedded(self._embedder)
        memories = self._store.memories.by_number(numbers)
        if memories:
            vectors = self._embedder.embed([_told(one.fact) for one in memories.values()])
            with self._store.transaction():
                self._store.memory_index.add_vectors(list(memories), vectors, self._embedder)

    def _turns_of(self, segment: Segment) -> "_Turns":
        session = self._store.sessions.get(segment.session)
        if self._read is None or (self._read.segment, self._read.session) != (segment, session):
            positions = _readable(session, segment)
            texts = [said(session.turns[at - 1]) for at in positions]
            self._read = _Turns(segment, session, positions, self._embedder.embed(texts))
        return self._read

    def _supporting(self, fact: Fact, turns: "_Turns") -> dict[str, tuple[str, ...]]:
        """Return the keys of the turns that support a fact best, and what each does not say.

        What these lack, another turn of the segment may say: then it is a source, too.
        """
        session = turns.session
        scores = self._scores(fact, turns)
        ranked = sorted(scores, key=lambda at: (-scores[at], at))
        missing = {at: lacking(fact, session.turns[at - 1], session.participants) for at in ranked}
        chosen = [at for at in ranked[:MOST_SOURCES] if scores[at] >= SUPPORTS * scores[ranked[0]]]
        open_ = set.intersection(*(set(missing[at]) for at in chosen))
        for at in ranked:
            if open_ - set(missing[at]):
                chosen.append(at)
                open_ &= set(missing[at])
        return {session.turns[at - 1].key: missing[at] for at in chosen}

    def _scores(self, fact: Fact, turns: "_Turns") -> dict[int, float]:
        """Return how well each turn supports a fact, by position, in [0, 1].

        Only these turns count, not how rare a word is elsewhere: what was ingested or read
        before plays no part.
        """
        number = self._store.sessions.number(turns.session.id)
        assert number is not None, "it was just read"
        terms = asked(" ".join((fact.value, fact.key)))[:MOST_TERMS]
        among = Filters(among=(number,))
        found = self._store.index.with_words("turn", terms, among, len(turns.session.turns))
        having = {one.place.first: one.terms for one in found if one.place}
        words = _covered(terms, {at: having.get(at, ()) for at in turns.positions})
        [vector] = self._embedder.embed([_told(fact)])
        near = dict(zip(turns.positions, map(float, turns.vectors @ vector), strict=True))
        return weighted_sum([(1.0, scale_by_maximum(words)), (MEANING, scale_by_range(near))])


@dataclass(frozen=True, slots=True)
class _Turns:
    """The turns of a segment that may be sources."""

    segment: Segment
    session: Session
    positions: tuple[int, ...]
    vectors: Vectors  # of each


def sound(fact: Fact) -> Fact:
    """Return a fact whose text any database and terminal can hold.

    Raises:
        InputError: it has no key or no value.
    """
    fact = replace(
        fact,
        key=" ".join(clean(fact.key).split()),
        value=clean(fact.value).strip(),
        tags=tuple(filter(None, (" ".join(clean(tag).split()) for tag in fact.tags))),
    )
    for name, text in (("key", fact.key), ("value", fact.value)):
        if not same(text):
            raise InputError(f"a memory needs a {name}")
    return fact


def _readable(session: Session, segment: Segment) -> tuple[int, ...]:
    """Return the positions in a segment of somebody's words; where it has none, all of them."""
    positions = range(max(segment.first, 1), min(segment.last, len(session.turns)) + 1)
    if not positions:
        raise NotFoundError(f"{session.id} has no turns {segment.first} to {segment.last}")
    searched = tuple(at for at in positions if session.turns[at - 1].searched)
    return searched or tuple(positions)


def _covered(terms: Sequence[str], having: dict[int, Sequence[str]]) -> dict[int, float]:
    """Return how many of the terms each place has, the fewer places have one the more it counts."""
    weights = {term: 1 / max(sum(term in had for had in having.values()), 1) for term in terms}
    return {at: sum(weights[term] for term in had) for at, had in having.items()}


def _told(fact: Fact) -> str:
    """Return a fact as it is embedded."""
    return f"{fact.key}: {fact.value}"
