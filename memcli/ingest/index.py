"""Making sessions findable: cut into passages, indexed by their words, embedded."""

from collections.abc import Callable, Iterable

from memcli.domain import Session
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.text.chunking import passage_text, passages

EMBEDDED = 256  # passages at a time: few enough to tell how far it is


def index(
    sessions: Iterable[tuple[int, Session]],
    store: Store,
    embedder: Embedder,
    told: Callable[[float], None] = lambda _share: None,
) -> None:
    """Make stored sessions findable. Inside the caller's transaction it is all or nothing.

    Args:
        sessions: each with its number.
        store: where they are.
        embedder: makes the vectors.
        told: how much of that is done, from 0 to 1.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    numbers: list[int] = []
    texts: list[str] = []
    for number, session in sessions:
        cut = passages(session)
        numbers += store.index.add(number, session, cut)
        texts += [passage_text(session, passage) for passage in cut]
    for first in range(0, len(texts), EMBEDDED):
        part = slice(first, first + EMBEDDED)
        store.index.add_vectors(numbers[part], embedder.embed(texts[part]), embedder)
        told(min(first + EMBEDDED, len(texts)) / len(texts))
