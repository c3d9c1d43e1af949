"""The full text and the passages, made again from the turns."""

from collections.abc import Sequence

from memcli.domain import Passage, Session
from memcli.store.index.passage_vectors import put, remove
from memcli.store.index.passages import Index
from memcli.store.sqlite.connection import Database

_TABLES = ("session_words", "passage_words", "turn_words", "memory_words")


class Rewording:
    """Everything but vectors. Vectors of passages that stay as they are, stay."""

    def __init__(self, database: Database, index: Index) -> None:
        self._db, self._index = database, index

    def clear(self) -> None:
        """Make the full-text tables anew, empty, as they are declared and set up."""
        for table in _TABLES:
            [(declared,)] = self._db.rows("select sql from sqlite_schema where name = ?", table)
            settings = self._db.rows(f"select k, v from {table}_config where k != 'version'")
            self._db.rows(f"drop table {table}")
            self._db.rows(declared)
            self._db.many(f"insert into {table} ({table}, rank) values (?, ?)", settings)

    def session(self, number: int, session: Session, passages: Sequence[Passage]) -> None:
        """Make a session findable again.

        Args:
            number: of the session.
            session: what it holds.
            passages: its windows.
        """
        kept = self._vectors(number)
        self._index.remove(number)
        numbers = self._index.add(number, session, passages)
        for embedder, vectors in kept.items():
            now = dict(zip(numbers, passages, strict=True))
            there = [at for at, passage in now.items() if passage in vectors]
            put(self._db, embedder, there, [vectors[now[at]] for at in there])

    def strays(self) -> None:
        """Remove passages and vectors that belong to nothing."""
        self._db.rows("delete from passages where session_id not in (select id from sessions)")
        for embedder in self._embedders():
            there = (
                f"select id from vectors_{embedder} union select rowid from bits_{embedder}_rowids"
            )
            remove(self._db, embedder, f"{there} except select id from passages")

    def _vectors(self, number: int) -> dict[int, dict[Passage, bytes]]:
        """Return the vectors of a session as they are kept, by embedder and passage."""
        return {
            embedder: {
                Passage(*place): vector
                for vector, *place in self._db.rows(
                    f"select embedding, first, last, start, stop from vectors_{embedder}"
                    " join passages using (id) where session_id = ?",
                    number,
                )
            }
            for embedder in self._embedders()
        }

    def _embedders(self) -> list[int]:
        return [number for (number,) in self._db.rows("select id from embedders")]
