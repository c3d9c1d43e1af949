"""Rebuilds everything that is derived from turns: passages, full text, vectors.

The full text is made in one transaction, while the old one serves. Each batch of vectors is one
transaction: a process that is killed loses a few seconds of work, questions are answered and
exports imported meanwhile, and when none is missing one transaction switches to the new ones.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from time import monotonic

from memcli.callbacks import ignore
from memcli.ingest.recut import recut_all
from memcli.lazy_dataclasses import dataclass
from memcli.memories.grounding import check_sources_again
from memcli.memories.remember import MemoryWriter
from memcli.protocols import Embedder
from memcli.store import Filters, MemoryFilters, PassageLocation, Store
from memcli.text.chunking import split_passages, text_of_turns

WINDOW = 2048  # passages that are sorted by length together
SMALLEST, LARGEST = 16, 1024  # passages in one transaction
SECONDS = 5.0  # duration of a batch, about, which is the most that a kill loses

StepProgress = Callable[[str, int, int], None]  # takes the step, and how much of it is done


@dataclass(frozen=True, slots=True)
class ReindexResult:
    """Counts of what was rebuilt."""

    sessions: int  # with new full text
    vectors: int
    embedder: str


def reindex(
    store: Store,
    embedder: Embedder,
    *,
    embedder_name: str | None,
    rebuild: bool,
    progress: StepProgress = ignore,
) -> ReindexResult:
    """Make a vector of an embedder for every passage, and switch to that embedder.

    Args:
        store: the database.
        embedder: makes the vectors.
        embedder_name: the name that opens it again, as the person gave it.
        rebuild: whether to make existing full text and vectors again.
        progress: takes the step, how much of it is done, and of how much.

    Raises:
        BackendError: the model failed; finished batches are kept.
        BusyError: another process kept the database locked.
    """
    sessions = _rebuild_text(store, progress) if rebuild else 0
    number = store.vector_sets.start(embedder, embedder_name, recompute=rebuild)
    made = 0
    while True:
        made += _make_missing_vectors(store, embedder, number, progress)
        if store.vector_sets.activate_if_complete(number):
            MemoryWriter(store, embedder).embed()
            return ReindexResult(sessions, made, embedder.name)


def _rebuild_text(store: Store, progress: StepProgress) -> int:
    """Make passages and full text again; return the number of sessions."""
    with store.transaction():
        store.text_rebuild.clear_full_text()
        store.text_rebuild.restore_vector_search()
        store.text_rebuild.remove_orphans()
        recut_all(store)
        numbers = sorted(store.sessions.numbers(Filters()))
        for done, number in enumerate(numbers, start=1):
            session = store.sessions.by_number(number)
            store.text_rebuild.index_session(number, session, split_passages(session))
            check_sources_again(session, store)
            progress("words", done, len(numbers))
        for number, memory in store.memories.find_by_number(MemoryFilters()).items():
            store.memory_index.add(number, memory.fact)
    return len(numbers)


def _make_missing_vectors(
    store: Store, embedder: Embedder, number: int, progress: StepProgress
) -> int:
    """Make the vectors that are missing from a set; return their number."""
    missing, made, after, size = store.vector_sets.count_missing(number), 0, 0, SMALLEST
    while window := store.vector_sets.missing_passages(number, after, WINDOW):
        after = window[-1][0]
        with store.snapshot():
            state = store.data_version()
            texts = dict(_texts(store, store.vector_sets.unchanged_passages(window)))
        longest = sorted(texts, key=lambda place: -len(texts[place]))
        while longest:
            batch, longest = longest[:size], longest[size:]
            began = monotonic()
            made += _embed(store, embedder, number, {place: texts[place] for place in batch}, state)
            pace = SECONDS / max(monotonic() - began, 1e-3)
            size = min(max(SMALLEST, int(len(batch) * min(pace, 2))), LARGEST)
            progress("vectors", min(made, missing), missing)
    return made


def _embed(
    store: Store,
    embedder: Embedder,
    number: int,
    texts: dict[PassageLocation, str],
    state: int,
) -> int:
    """Make and store vectors, except of passages that have changed meanwhile.

    Args:
        store: the database.
        embedder: makes the vectors.
        number: of the set of vectors.
        texts: of the passages.
        state: what `data_version` was before the texts were read.
    """
    places = list(texts)
    vectors = embedder.embed([texts[place] for place in places])
    with store.transaction():
        rows = list(range(len(places)))
        if store.data_version() != state:  # another process has written
            now = dict(_texts(store, store.vector_sets.unchanged_passages(places)))
            rows = [row for row, place in enumerate(places) if now.get(place) == texts[place]]
        store.vector_sets.add_vectors(number, [places[row][0] for row in rows], vectors[rows])
    return len(rows)


def _texts(
    store: Store, places: Sequence[PassageLocation]
) -> Iterator[tuple[PassageLocation, str]]:
    """Yield the texts of passages, which exist; the turns of each session are read once."""
    for session, group in groupby(places, key=itemgetter(1)):
        turns = store.sessions.by_number(session).turns
        for place in group:
            passage = place[2]
            yield place, text_of_turns(turns[passage.first - 1 : passage.last], passage)
