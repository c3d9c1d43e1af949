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
from memcli.text.chunking import split_passages, window_texts

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
    missing, after, size = store.vector_sets.count_missing(number), 0, SMALLEST
    made = covered = 0
    turns = store.vector_sets.window_turns(number)
    while window := store.vector_sets.missing_passages(number, after, WINDOW):
        after = window[-1][0]
        with store.snapshot():
            state = store.data_version()
            texts = dict(_texts(store, store.vector_sets.unchanged_passages(window), turns))
        longest = sorted(texts, key=lambda place: -len(texts[place][0]))
        while longest:
            batch, longest = longest[:size], longest[size:]
            began = monotonic()
            part = {place: texts[place] for place in batch}
            vectors = _embed(store, embedder, number, part, turns, state)
            made += len(vectors)
            covered += len({passage for passage, _ in vectors})
            pace = SECONDS / max(monotonic() - began, 1e-3)
            size = min(max(SMALLEST, int(len(batch) * min(pace, 2))), LARGEST)
            progress("vectors", min(covered, missing), missing)
    return made


def _embed(
    store: Store,
    embedder: Embedder,
    number: int,
    texts: dict[PassageLocation, list[str]],
    turns: int,
    state: int,
) -> list[tuple[int, int]]:
    """Make and store vectors, except of passages that have changed meanwhile.

    Returns:
        The number of the passage and that of the window of each vector.

    Args:
        store: the database.
        embedder: makes the vectors.
        number: of the set of vectors.
        texts: of the windows of the passages.
        turns: of a window.
        state: what `data_version` was before the texts were read.
    """
    places = list(texts)
    vectors = embedder.embed([text for place in places for text in texts[place]])
    with store.transaction():
        unchanged = set(places)
        if store.data_version() != state:  # another process has written
            now = dict(_texts(store, store.vector_sets.unchanged_passages(places), turns))
            unchanged = {place for place in places if now.get(place) == texts[place]}
        windows = [(place, window) for place in places for window in range(len(texts[place]))]
        rows = [row for row, (place, _) in enumerate(windows) if place in unchanged]
        stored = [(windows[row][0][0], windows[row][1]) for row in rows]
        store.vector_sets.add_vectors(number, stored, vectors[rows])
    return stored


def _texts(
    store: Store, places: Sequence[PassageLocation], turns: int
) -> Iterator[tuple[PassageLocation, list[str]]]:
    """Yield the texts of passages, which exist; each session is read once.

    Args:
        store: the database.
        places: the passages, those of a session one after the other.
        turns: that a vector stands for; 0 is a whole passage.
    """
    for number, group in groupby(places, key=itemgetter(1)):
        session = store.sessions.by_number(number)
        for place in group:
            yield place, window_texts(session, place[2], turns)
