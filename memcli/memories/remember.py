"""Facts into the store, with the turns that support them, and out again by words and meaning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memcli.domain import Fact, Memory, MemoryId, Passage, Segment, Session
from memcli.errors import InputError, NotFoundError
from memcli.memories.regrounding import reground
from memcli.protocols import Embedder, Vectors
from memcli.search.fusion import by_maximum, by_range, weighted
from memcli.search.question_vectors import question_vector
from memcli.store import MOST_TERMS, Filters, Found, MemoryFilters, Store, asked, memory_id, same
from memcli.text.chunking import said
from memcli.text.sanitize import clean

MOST_SOURCES = 3  # turns that one segment gives a memory
SUPPORTS = 0.6  # of the best turn's score: what another one needs to be a source, too
MEANING = 0.5  # how much it counts beside words, which count 1
DEPTH = 400  # memories looked at, by words and by meaning
KEYS = 50  # of these, that may lead a question to sessions
LEAST_COSINE = 0.45  # of a memory that shares no word with the query


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that a search found."""

    memory: Memory
    score: float  # in [0, 1]; 1 is best by words and by meaning
    certainty: float  # in [0, 1]; how much it has to do with the query at all


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

    def search(self, query: str, *, limit: int) -> list[Memory]:
        """Return the current, trusted memories that a query is about, best first.

        Args:
            query: in any words.
            limit: most memories to return.
        """
        hits = self.hits(query, MemoryFilters())
        return [hit.memory for hit in hits if hit.memory.current and hit.memory.trusted][:limit]

    def hits(self, query: str, filters: MemoryFilters, depth: int = DEPTH) -> list[Hit]:
        """Return the memories that pass and are about a query, best first, superseded ones too.

        Args:
            query: in any words.
            filters: which memories count.
            depth: memories looked at, by words and by meaning.
        """
        terms = asked(query)
        words = self._store.memory_index.with_words(terms, depth)
        vector = question_vector(query, self._embedder, self._store.cache)
        near = self._store.memory_index.nearest(vector, self._embedder, depth)
        bm25 = by_maximum({number: score for number, (score, _) in words.items()})
        scores = weighted([(1.0, bm25), (MEANING, by_range(near))])
        found = [one for one in scores if one in words or near.get(one, 0) >= LEAST_COSINE]
        memories = self._store.memories.by_number(found, filters)
        weights = self._store.index.weights(terms)
        total = sum(weights.values()) or 1.0
        return [
            Hit(
                memories[one],
                scores[one],
                _certainty(
                    sum(weights[term] for term in words.get(one, (0, ()))[1]) / total,
                    near.get(one, 0.0),
                ),
            )
            for one in sorted(memories, key=lambda one: (-scores[one], memories[one].id))
        ]

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
        from memcli.memories.grounding import lacking  # takes 10 ms, and a search needs none

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
        return weighted([(1.0, by_maximum(words)), (MEANING, by_range(near))])


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


def _certainty(covered: float, cosine: float) -> float:
    """Return the mean of two measures that do not depend on what else was found."""
    return (covered + max(cosine, 0.0)) / 2


def memory_keys(question: str, store: Store, embedder: Embedder, filters: Filters) -> list[Found]:
    """Return the turns behind the memories that a question is about: further ways to sessions.

    What was superseded or is unsupported shows no way.

    Args:
        question: in the person's own words.
        store: where the memories are.
        embedder: of their vectors.
        filters: which sessions count.

    Returns:
        Turns, each as a passage of its own; scores in [0, 1] are comparable between questions.
    """
    hits = Memories(store, embedder).hits(question, MemoryFilters(), KEYS)
    used = [hit for hit in hits if hit.memory.current and hit.memory.trusted]
    if not used:
        return []
    ids = {source.session for hit in used for source in hit.memory.sources}
    numbers = store.sessions.numbers_of(ids, filters)
    return [
        Found(
            numbers[source.session],
            Passage(source.position, source.position),
            hit.score * hit.certainty,
        )
        for hit in used
        for source in hit.memory.sources
        if source.session in numbers
    ]
