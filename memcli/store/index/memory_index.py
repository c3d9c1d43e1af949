"""The index of memories: their words and their vectors, which can be rebuilt from them."""

from collections.abc import Collection, Sequence

from memcli.domain import Fact
from memcli.protocols import Embedder, Vectors
from memcli.store.index.embedders import active_embedder_number, require_active_embedder
from memcli.store.index.term_statistics import bm25_select
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import normalize_for_index

_TABLE_PREFIX = "memory_vectors_"  # followed by the number of the embedder


class MemoryIndex:
    """Full text and vectors of memories, by their numbers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def is_empty(self) -> bool:
        """True if there are no memories to find."""
        [(any_memory,)] = self._db.rows("select exists(select 1 from memories)")
        return not any_memory

    def add(self, number: int, fact: Fact) -> None:
        """Index the present words of a memory."""
        self._db.rows("delete from memory_words where rowid = ?", number)
        text = "\n".join((fact.key, fact.value, *fact.tags))
        self._db.rows(
            "insert into memory_words (rowid, text) values (?, ?)",
            number,
            normalize_for_index(text),
        )

    def add_vectors(self, numbers: Sequence[int], vectors: Vectors, embedder: Embedder) -> None:
        """Store the vectors of memories.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        table = f"{_TABLE_PREFIX}{require_active_embedder(self._db, embedder)}"
        self._db.rows(
            f"create virtual table if not exists {table} using"
            f" vec0(embedding float[{embedder.dimensions}] distance_metric=cosine)"
        )
        self._db.many(f"delete from {table} where rowid = ?", [(number,) for number in numbers])
        self._db.many(
            f"insert into {table} (rowid, embedding) values (?, ?)",
            [(number, vector.tobytes()) for number, vector in zip(numbers, vectors, strict=True)],
        )

    def remove(self, numbers: Collection[int]) -> None:
        """Delete the words and vectors of memories."""
        for table in ("memory_words", *self._vector_tables()):
            self._db.many(f"delete from {table} where rowid = ?", [(one,) for one in numbers])

    def match_terms(
        self, terms: Sequence[str], limit: int, *, weights: Sequence[float] | None = None
    ) -> dict[int, tuple[float, tuple[str, ...]]]:
        """Return the memories that have any of the terms, with their BM25 scores and terms.

        Args:
            terms: the terms, as `query_terms` and `synonym_terms` return them.
            limit: the most memories to return.
            weights: factors of the terms' scores, 1 by default.
        """
        select, values = bm25_select(self._db, "memory_words", terms, weights)
        if not select:
            return {}
        rows = self._db.rows(
            f"with scored as ({select}) select place, sum(score) as score, group_concat(term)"
            " from scored join memories on memories.id = place group by place"
            " order by score desc, place limit ?",
            *(*values, limit),
        )
        return {
            number: (score, tuple(terms[int(at)] for at in indexes.split(",")))
            for number, score, indexes in rows
        }

    def nearest_memories(self, vector: bytes, embedder: Embedder, limit: int) -> dict[int, float]:
        """Return the memories nearest to a vector of float32 numbers, with cosines in [-1, 1].

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        table = f"{_TABLE_PREFIX}{active_embedder_number(self._db, embedder)}"
        if table not in self._vector_tables():
            return {}
        rows = self._db.rows(
            f"with near as (select rowid, distance from {table} where embedding match ? and k = ?)"
            " select memories.id, 1 - distance from near join memories on memories.id = near.rowid"
            " order by distance, memories.id",
            *(vector, limit),
        )
        return {number: score for number, score in rows if score is not None}

    def numbers_without_vector(self, embedder: Embedder) -> list[int]:
        """Return the numbers of the memories that have no vector of this embedder."""
        table = f"{_TABLE_PREFIX}{active_embedder_number(self._db, embedder)}"
        embedded = f" except select rowid from {table}" if table in self._vector_tables() else ""
        rows = self._db.rows(f"select id from memories{embedded} order by 1")
        return [number for (number,) in rows]

    def _vector_tables(self) -> list[str]:
        rows = self._db.rows(
            "select name from sqlite_schema where type = 'table' and name glob ?"
            " and sql like 'create virtual table%' order by name",
            f"{_TABLE_PREFIX}*",
        )
        return [name for (name,) in rows]
