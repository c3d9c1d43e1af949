"""Indexes stored sessions: cuts them into passages, indexes their words, embeds them."""

from collections.abc import Callable, Iterable

from memcli.callbacks import ignore
from memcli.domain import Session
from memcli.protocols import Embedder
from memcli.store import Store
from memcli.text.chunking import passage_text, split_passages

EMBEDDED = 256  # passages embedded at once: few enough for frequent reports of progress


def index_sessions(
    sessions: Iterable[tuple[int, Session]],
    store: Store,
    embedder: Embedder,
    on_progress: Callable[[float], None] = ignore,
) -> None:
    """Index stored sessions. Inside the caller's transaction it is all or nothing.

    Args:
        sessions: each with its number.
        store: the database.
        embedder: makes the vectors.
        on_progress: takes the share of the work that is done, from 0 to 1.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    numbers: list[int] = []
    texts: list[str] = []
    for number, session in sessions:
        cut = split_passages(session)
        numbers += store.index.add(number, session, cut)
        texts += [passage_text(session, passage) for passage in cut]
    for first in range(0, len(texts), EMBEDDED):
        part = slice(first, first + EMBEDDED)
        store.index.add_vectors(numbers[part], embedder.embed(texts[part]), embedder)
        on_progress(min(first + EMBEDDED, len(texts)) / len(texts))
