"""The table of embedders. The vectors of embedder n are in tables that end in _n."""

from memcli.errors import StoreError
from memcli.protocols import Embedder, SentenceEmbedder
from memcli.store.index import passage_vectors
from memcli.store.sqlite.connection import Database


def active_embedder_number(database: Database, embedder: Embedder) -> int | None:
    """Return the number of an embedder, or None while the database has no vectors.

    Raises:
        StoreError: the vectors in use are of another embedder.
    """
    rows = database.rows("select id, fingerprint, name from embedders where serving")
    for number, fingerprint, name in rows:
        if fingerprint != embedder.fingerprint:
            raise StoreError(
                f"{database.path} has vectors of {name}, not of {embedder.name}",
                hint=f"`mem index --embedder {embedder.name}` embeds everything again",
            )
        return int(number)
    return None


def require_active_embedder(database: Database, embedder: Embedder) -> int:
    """Return the number of an embedder, which becomes the active one if there is none.

    Raises:
        StoreError: the vectors in use are of another embedder.
    """
    number = active_embedder_number(database, embedder)
    return add_embedder(database, embedder, active=True) if number is None else number


def add_embedder(database: Database, embedder: Embedder, *, active: bool) -> int:
    """Create the tables of an embedder's vectors, and return its number.

    Args:
        database: the database.
        embedder: the embedder.
        active: True if questions are compared with its vectors from now on.
    """
    [(number,)] = database.rows(
        "insert into embedders (fingerprint, name, dimensions, serving, turns)"
        " values (?, ?, ?, ?, ?) returning id",
        *(embedder.fingerprint, embedder.name, embedder.dimensions, active),
        embedder.window_turns if isinstance(embedder, SentenceEmbedder) else 0,
    )
    passage_vectors.create_tables(database, number, embedder.dimensions)
    return int(number)


def embedder_numbers(database: Database) -> list[int]:
    """Return the numbers of all embedders that have vectors: at most two."""
    return [number for (number,) in database.rows("select id from embedders")]
