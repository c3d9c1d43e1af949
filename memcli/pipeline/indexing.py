"""Making sessions findable: cut into passages, indexed by their words, embedded."""

from collections.abc import Iterable

from memcli.domain import Session
from memcli.pipeline.chunking import passage_text, passages
from memcli.protocols import Embedder
from memcli.store import Store


def index(sessions: Iterable[tuple[int, Session]], store: Store, embedder: Embedder) -> None:
    """Make stored sessions findable. Inside the caller's transaction it is all or nothing.

    Args:
        sessions: each with its number.
        store: where they are.
        embedder: makes the vectors.

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
    if texts:
        store.index.add_vectors(numbers, embedder.embed(texts), embedder)
