"""What is derived from turns, made again: passages, full text, vectors.

The full text is made in one transaction, while the old one serves. Vectors are made a batch a
transaction: a process that is killed loses a few seconds of work, questions are answered and
exports imported meanwhile, and when none is missing one transaction switches to the new ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from memcli.memories.grounding import reground
from memcli.memories.remember import Memories
from memcli.protocols import Embedder
from memcli.store import Filters, MemoryFilters, Place, Store
from memcli.text.chunking import passage_text, passages

WINDOW = 2048  # passages that are sorted by length together
SMALLEST, LARGEST = 16, 1024  # passages in one transaction
SECONDS = 5.0  # that a batch should take: what a kill loses at most, about

Progress = Callable[[str, int, int], None]  # what, how much is done, of how much


@dataclass(frozen=True, slots=True)
class Remade:
    """What was made again."""

    sessions: int  # whose words were
    vectors: int
    embedder: str


def reindex(
    store: Store,
    embedder: Embedder,
    *,
    named: str | None,
    rebuild: bool,
    progress: Progress = lambda _what, _done, _of: None,
) -> Remade:
    """Give every passage a vector of an embedder, and let that one serve.

    Args:
        store: what to index.
        embedder: makes the vectors.
        named: how the person named it: what opens it again.
        rebuild: whether to make the words and the vectors again that are there.
        progress: told how far it is.

    Raises:
        BackendError: the model failed; what was done stays done.
        BusyError: another process kept the database.
    """
    sessions = _reword(store, progress) if rebuild else 0
    number = store.vectors.begin(embedder, named, anew=rebuild)
    made = 0
    while True:
        made += _fill(store, embedder, number, progress)
        if store.vectors.switch(number):
            Memories(store, embedder).embed()
            return Remade(sessions, made, embedder.name)


def _reword(store: Store, progress: Progress) -> int:
    """Make passages and full text again; return of how many sessions."""
    with store.transaction():
        store.rewording.clear()
        store.rewording.strays()
        numbers = sorted(store.sessions.numbers(Filters()))
        for done, number in enumerate(numbers, start=1):
            session = store.sessions.by_number(number)
            store.rewording.session(number, session, passages(session))
            reground(session, store)
            progress("words", done, len(numbers))
        for number, memory in store.memories.numbered(MemoryFilters()).items():
            store.memory_index.add(number, memory.fact)
    return len(numbers)


def _fill(store: Store, embedder: Embedder, number: int, progress: Progress) -> int:
    """Make the vectors that are missing from a set; return how many were."""
    missing, made, after, size = store.vectors.missing(number), 0, 0, SMALLEST
    while window := store.vectors.places(number, after, WINDOW):
        after = window[-1][0]
        texts = dict(_texts(store, window))
        longest = sorted(texts, key=lambda place: -len(texts[place]))
        while longest:
            batch, longest = longest[:size], longest[size:]
            began = monotonic()
            made += _embed(store, embedder, number, {place: texts[place] for place in batch})
            pace = SECONDS / max(monotonic() - began, 1e-3)
            size = min(max(SMALLEST, int(len(batch) * min(pace, 2))), LARGEST)
            progress("vectors", min(made, missing), missing)
    return made


def _embed(store: Store, embedder: Embedder, number: int, texts: dict[Place, str]) -> int:
    """Make and store vectors, but for passages that say something else by now."""
    places = list(texts)
    vectors = embedder.embed([texts[place] for place in places])
    with store.transaction():
        now = dict(_texts(store, places))
        rows = [row for row, place in enumerate(places) if now.get(place) == texts[place]]
        store.vectors.put(number, [places[row][0] for row in rows], vectors[rows])
    return len(rows)


def _texts(store: Store, places: Sequence[Place]) -> Iterator[tuple[Place, str]]:
    """Yield what passages say; those that are no more are left out."""
    there = store.vectors.there(places)
    sessions = {number: store.sessions.by_number(number) for _, number, _ in there}
    for place in there:
        yield place, passage_text(sessions[place[1]], place[2])
