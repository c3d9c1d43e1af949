"""The full text and the passages, made again from the turns."""

from collections.abc import Sequence

from memcli.domain import Passage, Session
from memcli.store.connection import Database
from memcli.store.index import Index

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
        for table, vectors in kept.items():
            self._db.many(
                f"insert into {table} (rowid, embedding) values (?, ?)",
                [
                    (now, vectors[passage])
                    for now, passage in zip(numbers, passages, strict=True)
                    if passage in vectors
                ],
            )

    def strays(self) -> None:
        """Remove passages and vectors that belong to nothing."""
        self._db.rows("delete from passages where session_id not in (select id from sessions)")
        for table in self._tables():
            self._db.rows(
                f"delete from {table} where rowid in (select rowid from {table}_rowids"
                " where rowid not in (select id from passages))"
            )

    def _vectors(self, number: int) -> dict[str, dict[Passage, bytes]]:
        """Return the vectors of a session, by table and passage."""
        return {
            table: {
                Passage(*place): vector
                for vector, *place in self._db.rows(
                    f"select embedding, first, last, start, stop from {table}"
                    f" join passages on passages.id = {table}.rowid where {table}.rowid in"
                    " (select id from passages where session_id = ?)",
                    number,
                )
            }
            for table in self._tables()
        }

    def _tables(self) -> list[str]:
        return [f"vectors_{number}" for (number,) in self._db.rows("select id from embedders")]
