"""The vectors of all passages, made again while the old ones serve, and then switched to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from memcli.domain import Passage
from memcli.errors import StoreError
from memcli.protocols import Embedder
from memcli.protocols import Vectors as Rows
from memcli.store.index import passage_vectors
from memcli.store.index.passages import make_vectors
from memcli.store.index.quantization import quantized
from memcli.store.sqlite.connection import Database

Place = tuple[int, int, Passage]  # numbers of a passage and of its session, and where it is


@dataclass(frozen=True, slots=True)
class Served:
    """The embedder whose vectors questions are compared with."""

    name: str
    fingerprint: str


class Vectors:
    """At most two sets of vectors: one serves, and of another not all are made yet."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def recorded(self) -> str | None:
        """Return how the person named the embedder that serves, None where nobody named it."""
        rows = self._db.rows("select named from embedders where serving")
        return rows[0][0] if rows else None

    def serving(self) -> Served | None:
        """Return the embedder that serves, None where nothing is embedded yet."""
        rows = self._db.rows("select name, fingerprint from embedders where serving")
        return Served(*rows[0]) if rows else None

    def unfinished(self) -> str | None:
        """Return how the embedder was named whose vectors are not all made yet."""
        rows = self._db.rows("select coalesce(named, name) from embedders where not serving")
        return rows[0][0] if rows else None

    def begin(self, embedder: Embedder, named: str | None, *, anew: bool) -> int:
        """Return the number of the set to fill: the one that serves, or one that is to follow it.

        A set of another embedder that is not complete yet is dropped.

        Args:
            embedder: whose vectors.
            named: how the person named it: what opens it again.
            anew: whether vectors that it has already are made again.
        """
        with self._db.transaction():
            rows = self._db.rows("select id, fingerprint, serving from embedders order by serving")
            for number, fingerprint, serving in rows:
                if fingerprint == embedder.fingerprint and not (serving and anew):
                    self._name(number, named)
                    if serving:
                        self._drop_unfinished()
                    return int(number)
            self._drop_unfinished()
            number = make_vectors(self._db, embedder, serving=not rows)
            self._name(number, named)
        return number

    def missing(self, number: int) -> int:
        """Return how many passages have no vector in a set."""
        [(count,)] = self._db.rows(f"select count(*) {_without(number)}")
        return int(count)

    def places(self, number: int, after: int, limit: int) -> list[Place]:
        """Return passages without a vector in a set, by number, after that number."""
        rows = self._db.rows(
            f"select id, session_id, first, last, start, stop {_without(number)} and id > ?"
            " order by id limit ?",
            *(after, limit),
        )
        return [(passage, session, Passage(*place)) for passage, session, *place in rows]

    def there(self, places: Sequence[Place]) -> list[Place]:
        """Return those that are still passages of their sessions."""
        rows = self._db.rows(
            "select id, session_id, first, last, start, stop from passages"
            " where id in (select value from json_each(?)) order by id",
            json.dumps([passage for passage, *_ in places]),
        )
        wanted = set(places)
        now = [(passage, session, Passage(*place)) for passage, session, *place in rows]
        return [place for place in now if place in wanted]

    def put(self, number: int, passages: Sequence[int], vectors: Rows) -> None:
        """Store vectors of passages that have none yet.

        Raises:
            StoreError: the set is gone.
        """
        if not self._db.rows("select 1 from embedders where id = ?", number):
            raise StoreError(
                "another process took up another embedder meanwhile",
                hint="`mem doctor` says which one",
            )
        passage_vectors.put(self._db, number, passages, quantized(vectors))

    def switch(self, number: int) -> bool:
        """Let a set serve from now on, and drop the one before; tell whether it is complete."""
        with self._db.transaction():
            if self._db.rows(f"select 1 {_without(number)} limit 1"):
                return False
            rows = self._db.rows("select id from embedders where serving and id != ?", number)
            for (before,) in rows:
                self._drop(before)
            self._db.rows("update embedders set serving = 1 where id = ?", number)
        return True

    def _name(self, number: int, named: str | None) -> None:
        self._db.rows("update embedders set named = ? where id = ?", named, number)

    def _drop_unfinished(self) -> None:
        for (number,) in self._db.rows("select id from embedders where not serving"):
            self._drop(number)

    def _drop(self, number: int) -> None:
        passage_vectors.drop(self._db, number)
        self._db.rows(f"drop table if exists memory_vectors_{number}")
        self._db.rows("delete from embedders where id = ?", number)


def _without(number: int) -> str:
    return (
        f"from passages where not exists (select 1 from vectors_{number} as made"
        " where made.id = passages.id)"
    )
