"""Keeps facts as memories, each with the turns that support it."""

from collections.abc import Sequence

from memcli.domain import Fact, MemoryId, Segment, Session
from memcli.errors import InputError, NotFoundError
from memcli.lazy_dataclasses import dataclass, replace
from memcli.memories.grounding import check_sources_again, unsupported_details
from memcli.protocols import Embedder, Vectors
from memcli.search.fusion import scale_by_maximum, scale_by_range, weighted_sum
from memcli.search.memory_search import MEANING
from memcli.store import MAX_TERMS, Filters, Store, memory_id, normalized_key, query_terms
from memcli.text.chunking import turn_text
from memcli.text.sanitize import sanitize_text

MOST_SOURCES = 3  # turns of one segment that become sources by their score
LEAST_SUPPORT = 0.6  # of the best turn's score, for another turn to become a source


class MemoryWriter:
    """A writer of memories: it finds the turns that support a fact, stores it, and indexes it."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._embedder = store, embedder
        self._last_segment: _SegmentTurns | None = None  # a segment often yields several facts

    def remember(self, fact: Fact, segment: Segment, *, model: str) -> MemoryId:
        """Keep a fact with the turns of a segment that support it best.

        A fact that is known already gets these turns as further sources. The time when it was said,
        the memories that it supersedes and its unsupported details follow from its sources alone,
        so segments may be read in any order. It takes part in the caller's transaction.

        Args:
            fact: as a model put it.
            segment: the part of a session that the model read.
            model: its name and fingerprint.

        Returns:
            The id of the memory. If the person forgot the same fact from the same segment, nothing
            is kept, and the id leads to nothing.

        Raises:
            InputError: the fact has no key or no value.
            NotFoundError: the segment has no turns.
        """
        fact = sanitize_fact(fact)
        identifier = memory_id(fact)
        with self._store.transaction():
            turns = self._segment_turns(segment)
            keys = [turns.session.turns[at - 1].key for at in turns.positions]
            if not self._store.deletion.is_memory_forgotten(identifier, turns.session.id, keys):
                self.add(fact, turns.session, self._choose_sources(fact, turns), by=model)
        return identifier

    def add(
        self, fact: Fact, session: Session, sources: dict[str, tuple[str, ...]], *, by: str
    ) -> None:
        """Store and index a fact whose sources are known.

        Args:
            fact: the fact.
            session: the session of its sources.
            sources: keys of turns, each with the details of the fact that the turn does not
                support.
            by: name and fingerprint of the model that wrote it, or YOU.
        """
        with self._store.transaction():
            number, needs_vector = self.add_without_vector(fact, session, sources, by=by)
            self.embed([number] if needs_vector else [])

    def add_without_vector(
        self, fact: Fact, session: Session, sources: dict[str, tuple[str, ...]], *, by: str
    ) -> tuple[int, bool]:
        """Store a fact and its words, as `keep` does, but without a vector.

        Returns:
            Its number, and whether it needs a new vector: see `embed`.
        """
        conversation = self._store.sessions.conversation_of(session.id)
        was_known = bool(self._store.memories.numbers([memory_id(fact)]))
        number, needs_vector = self._store.memories.add(fact, conversation, sources, by)
        if needs_vector:
            stored = self._store.memories.by_number([number])[number].fact
            self._store.memory_index.add(number, stored)
        if was_known:
            self._check_all_sources(number)
        return number, needs_vector

    def embed(self, numbers: Sequence[int] | None = None) -> None:
        """Make the vectors of memories.

        Args:
            numbers: of the memories; None takes all that have no vector of this embedder.
        """
        if numbers is None:
            numbers = self._store.memory_index.numbers_without_vector(self._embedder)
        memories = self._store.memories.by_number(numbers)
        if memories:
            vectors = self._embedder.embed([_fact_text(one.fact) for one in memories.values()])
            with self._store.transaction():
                self._store.memory_index.add_vectors(list(memories), vectors, self._embedder)

    def _check_all_sources(self, number: int) -> None:
        """Check a fact, as it is spelled now, against all its sources."""
        memory = self._store.memories.by_number([number])[number]
        for session in dict.fromkeys(source.session for source in memory.sources):
            check_sources_again(self._store.sessions.get(session), self._store, memory=number)

    def _segment_turns(self, segment: Segment) -> "_SegmentTurns":
        session, last = self._store.sessions.get(segment.session), self._last_segment
        if last is None or (last.segment, last.session) != (segment, session):
            positions = _source_positions(session, segment)
            texts = [turn_text(session.turns[at - 1]) for at in positions]
            last = _SegmentTurns(segment, session, positions, self._embedder.embed(texts))
            self._last_segment = last
        return last

    def _choose_sources(self, fact: Fact, turns: "_SegmentTurns") -> dict[str, tuple[str, ...]]:
        """Return the keys of the turns that support a fact best, with the details that each lacks.

        A turn that supports a detail which no better turn supports is a source, too.
        """
        session = turns.session
        scores = self._score_turns(fact, turns)
        ranked = sorted(scores, key=lambda at: (-scores[at], at))
        missing = {
            at: unsupported_details(fact, session.turns[at - 1], session.participants)
            for at in ranked
        }
        least = LEAST_SUPPORT * scores[ranked[0]]
        chosen = [at for at in ranked[:MOST_SOURCES] if scores[at] >= least]
        unsupported = set.intersection(*(set(missing[at]) for at in chosen))
        for at in ranked:
            if unsupported - set(missing[at]):
                chosen.append(at)
                unsupported &= set(missing[at])
        return {session.turns[at - 1].key: missing[at] for at in chosen}

    def _score_turns(self, fact: Fact, turns: "_SegmentTurns") -> dict[int, float]:
        """Return how well each turn supports a fact, by position, in [0, 1].

        A word's rarity is counted among these turns alone, so that sessions that were imported or
        read before play no part.
        """
        number = self._store.sessions.number(turns.session.id)
        assert number is not None, "it was just read"
        terms = query_terms(" ".join((fact.value, fact.key)))[:MAX_TERMS]
        filters = Filters(among=(number,))
        found = self._store.index.match_terms("turn", terms, filters, len(turns.session.turns))
        matching = {one.passage.first: one.terms for one in found if one.passage}
        words = _term_coverage(terms, {at: matching.get(at, ()) for at in turns.positions})
        [vector] = self._embedder.embed([_fact_text(fact)])
        cosines = dict(zip(turns.positions, map(float, turns.vectors @ vector), strict=True))
        return weighted_sum([(1.0, scale_by_maximum(words)), (MEANING, scale_by_range(cosines))])


@dataclass(frozen=True, slots=True)
class _SegmentTurns:
    """The turns of a segment that may be sources."""

    segment: Segment
    session: Session
    positions: tuple[int, ...]
    vectors: Vectors  # one for each position


def sanitize_fact(fact: Fact) -> Fact:
    """Return a fact whose text any database and terminal can hold.

    Raises:
        InputError: it has no key or no value.
    """
    fact = replace(
        fact,
        key=" ".join(sanitize_text(fact.key).split()),
        value=sanitize_text(fact.value).strip(),
        tags=tuple(filter(None, (" ".join(sanitize_text(tag).split()) for tag in fact.tags))),
    )
    for name, text in (("key", fact.key), ("value", fact.value)):
        if not normalized_key(text):
            raise InputError(f"a memory needs a {name}")
    return fact


def _source_positions(session: Session, segment: Segment) -> tuple[int, ...]:
    """Return the positions in a segment of people's words; all positions, if it has none."""
    positions = range(max(segment.first, 1), min(segment.last, len(session.turns)) + 1)
    if not positions:
        raise NotFoundError(f"{session.id} has no turns {segment.first} to {segment.last}")
    searched = tuple(at for at in positions if session.turns[at - 1].is_searchable)
    return searched or tuple(positions)


def _term_coverage(terms: Sequence[str], matching: dict[int, Sequence[str]]) -> dict[int, float]:
    """Return how many of the terms each turn has; the fewer turns have a term, the more it counts.

    Args:
        terms: of a fact.
        matching: the terms that each turn has, by its position.
    """
    weights = {
        term: 1 / max(sum(term in found for found in matching.values()), 1) for term in terms
    }
    return {at: sum(weights[term] for term in found) for at, found in matching.items()}


def _fact_text(fact: Fact) -> str:
    """Return the text of a fact that is embedded."""
    return f"{fact.key}: {fact.value}"
