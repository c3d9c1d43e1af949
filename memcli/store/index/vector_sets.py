"""Re-embedding: a second set of vectors is filled while the first is in use, then replaces it."""

import json
from collections.abc import Sequence

from memcli.domain import Passage
from memcli.errors import StoreError
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder, Vectors
from memcli.store.index import passage_vectors
from memcli.store.index.embedders import add_embedder
from memcli.store.index.quantization import quantize_vectors
from memcli.store.sqlite.connection import Database

PassageLocation = tuple[
    int, int, Passage
]  # the number of a passage, of its session, and the passage


@dataclass(frozen=True, slots=True)
class ActiveEmbedder:
    """The embedder whose vectors questions are compared with."""

    name: str
    fingerprint: str
    turns: int  # that a vector stands for; 0 is a whole passage


class VectorSets:
    """The sets of passages' vectors: one in use, and perhaps one that is not complete yet."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def active_embedder_name(self) -> str | None:
        """Return the name that the person gave for the active embedder, or None."""
        rows = self._db.rows("select named from embedders where serving")
        return rows[0][0] if rows else None

    def active_embedder(self) -> ActiveEmbedder | None:
        """Return the active embedder, or None if nothing is embedded yet."""
        rows = self._db.rows("select name, fingerprint, turns from embedders where serving")
        return ActiveEmbedder(*rows[0]) if rows else None

    def incomplete_embedder_name(self) -> str | None:
        """Return the name of the embedder whose set is not complete yet, or None."""
        rows = self._db.rows("select coalesce(named, name) from embedders where not serving")
        return rows[0][0] if rows else None

    def start(self, embedder: Embedder, name: str | None, *, recompute: bool) -> int:
        """Return the number of the set to fill: the one in use, or one that will replace it.

        An incomplete set of another embedder is dropped.

        Args:
            embedder: the embedder of the set.
            name: the name that the person gave for it, which opens it again; stored with the set.
            recompute: True if existing vectors are to be computed again.
        """
        with self._db.transaction():
            rows = self._db.rows("select id, fingerprint, serving from embedders order by serving")
            for number, fingerprint, serving in rows:
                if fingerprint == embedder.fingerprint and not (serving and recompute):
                    self._set_name(number, name)
                    if serving:
                        self._drop_unfinished()
                    return int(number)
            self._drop_unfinished()
            number = add_embedder(self._db, embedder, active=not rows)
            self._set_name(number, name)
        return number

    def count_missing(self, number: int) -> int:
        """Return the number of passages without a vector in a set."""
        [(count,)] = self._db.rows(f"select count(*) {self._passages_without_vector(number)}")
        return int(count)

    def missing_passages(self, number: int, after: int, limit: int) -> list[PassageLocation]:
        """Return passages without a vector in a set, in order, whose numbers are above `after`."""
        rows = self._db.rows(
            "select id, session_id, first, last, start, stop"
            f" {self._passages_without_vector(number)} and id > ? order by id limit ?",
            *(after, limit),
        )
        return [(passage, session, Passage(*place)) for passage, session, *place in rows]

    def unchanged_passages(self, passages: Sequence[PassageLocation]) -> list[PassageLocation]:
        """Return those of these passages that still exist unchanged."""
        rows = self._db.rows(
            "select id, session_id, first, last, start, stop from passages"
            " where id in (select value from json_each(?)) order by id",
            json.dumps([passage for passage, *_ in passages]),
        )
        wanted = set(passages)
        present = [(passage, session, Passage(*place)) for passage, session, *place in rows]
        return [place for place in present if place in wanted]

    def window_turns(self, number: int) -> int:
        """Return how many turns a vector of a set stands for; 0 is a whole passage."""
        return passage_vectors.window_turns(self._db, number)

    def add_vectors(self, number: int, places: Sequence[tuple[int, int]], vectors: Vectors) -> None:
        """Store vectors of passages that have none in a set yet.

        Args:
            number: the number of the set.
            places: the number of each vector's passage, and which of its windows it is, from 0.
            vectors: the vectors.

        Raises:
            StoreError: another process has dropped the set.
        """
        if not self._db.rows("select 1 from embedders where id = ?", number):
            raise StoreError(
                "another process has switched to another embedder",
                hint="`mem doctor` shows which one",
            )
        passage_vectors.add_rows(self._db, number, places, quantize_vectors(vectors))

    def activate_if_complete(self, number: int) -> bool:
        """Put a set in use and drop the one before, if it is complete; return whether it is."""
        with self._db.transaction():
            if self._db.rows(f"select 1 {self._passages_without_vector(number)} limit 1"):
                return False
            rows = self._db.rows("select id from embedders where serving and id != ?", number)
            for (previous,) in rows:
                self._drop(previous)
            self._db.rows("update embedders set serving = 1 where id = ?", number)
        return True

    def _set_name(self, number: int, named: str | None) -> None:
        self._db.rows("update embedders set named = ? where id = ?", named, number)

    def _drop_unfinished(self) -> None:
        for (number,) in self._db.rows("select id from embedders where not serving"):
            self._drop(number)

    def _drop(self, number: int) -> None:
        passage_vectors.drop_tables(self._db, number)
        self._db.rows(f"drop table if exists memory_vectors_{number}")
        self._db.rows("delete from embedders where id = ?", number)

    def _passages_without_vector(self, number: int) -> str:
        shift = passage_vectors.passage_shift(self._db, number)
        return (
            f"from passages where not exists (select 1 from vectors_{number} as made"
            f" where made.id = passages.id << {shift})"
        )
