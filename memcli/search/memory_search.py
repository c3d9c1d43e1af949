"""Memories found by words and meaning, and the sessions they lead to.

Words count by BM25 and meaning by cosine, as for sessions; superseded and unsupported memories
are found too, and each caller says whether it wants them.
"""

from collections.abc import Sequence

from memcli.domain import Memory, Passage, SessionId
from memcli.lazy_dataclasses import dataclass, replace
from memcli.protocols import Embedder
from memcli.search.fusion import scale_by_maximum, scale_by_range, weighted_sum
from memcli.search.question.other_words import Factors, covered_information, find_other_words
from memcli.search.question.vectors import question_vector
from memcli.store import Filters, IndexMatch, MemoryFilters, Store, query_terms

MEANING = 0.5  # weight of meaning; words weigh 1
DEPTH = 400  # most memories found by words, and most found by meaning
SESSION_DEPTH = 50  # as DEPTH, for memories that only lead a question to sessions
LEAST_COSINE = 0.45  # of a memory that shares no word with the query
SYNONYM = 0.9  # share of a term's information that another word for it has, in a memory
LEAST_CONFIDENCE = 0.5  # of a memory that answers a question
MOST_ANSWERS = 3  # current memories that are shown above the sessions


@dataclass(frozen=True, slots=True)
class MemoryHit:
    """A memory that a search found."""

    memory: Memory
    score: float  # in [0, 1]; 1 is best by words and by meaning
    confidence: float  # in [0, 1]; how much the memory has to do with the query at all


def search_memories(
    query: str,
    store: Store,
    embedder: Embedder,
    filters: MemoryFilters,
    *,
    depth: int = DEPTH,
) -> list[MemoryHit]:
    """Return the memories that a query is about, best first, superseded ones too.

    Args:
        query: in any words.
        store: the database with the memories.
        embedder: the model that made their vectors.
        filters: the memories that count.
        depth: most memories found by words, and most found by meaning.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    if store.memory_index.is_empty:
        return []
    terms = query_terms(query)
    others = find_other_words(query, store, Factors(related=0), among="memory").synonyms
    by_words = store.memory_index.match_terms(
        [*terms, *(one.term for one in others)],
        depth,
        weights=[1.0] * len(terms) + [one.factor for one in others],
    )
    vector = question_vector(query, embedder, store.cache)
    cosines = store.memory_index.nearest_memories(vector, embedder, depth)
    bm25 = scale_by_maximum({number: score for number, (score, _) in by_words.items()})
    scores = weighted_sum([(1.0, bm25), (MEANING, scale_by_range(cosines))])
    relevant = [
        number for number in scores if number in by_words or cosines.get(number, 0) >= LEAST_COSINE
    ]
    memories = store.memories.by_number(relevant, filters)
    term_weights = store.index.term_weights(terms)
    total = sum(term_weights.values()) or 1.0
    synonyms = {one.term: replace(one, information=SYNONYM) for one in others}
    hits = []
    for number in sorted(memories, key=lambda number: (-scores[number], memories[number].id)):
        _, matching = by_words.get(number, (0, ()))
        covered = covered_information(matching, synonyms, term_weights) / total
        confidence = (covered + max(cosines.get(number, 0.0), 0.0)) / 2
        hits.append(MemoryHit(memories[number], scores[number], confidence))
    return hits


def find_answering_memories(
    hits: Sequence[MemoryHit], store: Store, filters: Filters
) -> list[Memory]:
    """Return the memories that answer a question: current ones, and below them those they replaced.

    Args:
        hits: the memories that the question is about, best first.
        store: the database with the memories.
        filters: the sessions that count; one of them has a source of each memory.
    """
    likely = [hit for hit in hits if hit.confidence >= LEAST_CONFIDENCE and hit.memory.trusted]
    allowed = _source_sessions(likely, store, filters)
    memories = [
        hit.memory
        for hit in likely
        if any(source.session in allowed for source in hit.memory.sources)
    ]
    current = [memory for memory in memories if memory.current][:MOST_ANSWERS]
    chosen = {memory.id for memory in current}
    return current + [memory for memory in memories if memory.superseded_by in chosen]


def trusted_memories(hits: Sequence[MemoryHit]) -> list[Memory]:
    """Return the memories of hits that are current and whose sources support them, in order."""
    return [hit.memory for hit in hits if hit.memory.current and hit.memory.trusted]


def turns_behind_memories(
    hits: Sequence[MemoryHit], store: Store, filters: Filters
) -> list[IndexMatch]:
    """Return the turns that the memories a question is about came from.

    Superseded and unsupported memories lead nowhere.

    Args:
        hits: the memories that the question is about.
        store: the database with the memories.
        filters: the sessions that count.

    Returns:
        Each turn as a passage of its own; scores in [0, 1] are comparable between questions.
    """
    trusted = [hit for hit in hits if hit.memory.current and hit.memory.trusted]
    numbers = _source_sessions(trusted, store, filters)
    return [
        IndexMatch(
            numbers[source.session],
            Passage(source.position, source.position),
            hit.score * hit.confidence,
        )
        for hit in trusted
        for source in hit.memory.sources
        if source.session in numbers
    ]


def _source_sessions(
    hits: Sequence[MemoryHit], store: Store, filters: Filters
) -> dict[SessionId, int]:
    """Return the sessions that memories came from and that pass the filters, with their numbers."""
    ids = {source.session for hit in hits for source in hit.memory.sources}
    return store.sessions.numbers_of(ids, filters) if ids else {}
