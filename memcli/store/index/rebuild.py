"""Rebuilding of the full text and the passages from the turns."""

from collections.abc import Sequence

from memcli.domain import Passage, Session
from memcli.store.index import full_text, passage_vectors
from memcli.store.index.embedders import embedder_numbers
from memcli.store.index.search_index import SearchIndex
from memcli.store.sqlite.connection import Database


class TextIndexRebuild:
    """The rebuilding of the index, except for vectors, which unchanged passages keep."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self._db, self._index = database, index

    def clear_full_text(self) -> None:
        """Create the full-text tables again, empty."""
        full_text.recreate_word_tables(self._db)
        self._db.rows("delete from memory_words")
        self._db.rows("update sessions set indexed = null")

    def index_session(self, number: int, session: Session, passages: Sequence[Passage]) -> None:
        """Index a session again.

        Args:
            number: the number of the session.
            session: the session.
            passages: its new passages.
        """
        known = full_text.passages_of(self._db, number)
        if list(known.values()) == list(passages):  # they and their vectors stay
            words = full_text.word_rows(self._db, number, session, known)
            full_text.set_passage_lengths(self._db, words)
            full_text.add_words(self._db, words.rows)
            return
        old_vectors = {
            embedder: passage_vectors.vectors_of_session(self._db, embedder, number)
            for embedder in embedder_numbers(self._db)
        }
        self._index.remove(number)
        numbers = self._index.add(number, session, passages)
        for embedder, vectors in old_vectors.items():
            new = dict(zip(numbers, passages, strict=True))
            unchanged = [
                ((number, window), vector)
                for number, passage in new.items()
                for window, vector in vectors.get(passage, ())
            ]
            places, kept = [place for place, _ in unchanged], [vector for _, vector in unchanged]
            passage_vectors.add_rows(self._db, embedder, places, kept)

    def restore_vector_search(self) -> None:
        """Make the tables that vectors are searched by again from the vectors themselves."""
        for number, dimensions in self._db.rows("select id, dimensions from embedders"):
            passage_vectors.restore_bits(self._db, number, dimensions)

    def remove_orphans(self) -> None:
        """Delete passages without a session, and vectors without a passage."""
        self._db.rows("delete from passages where session_id not in (select id from sessions)")
        for embedder in embedder_numbers(self._db):
            passage_vectors.remove_orphans(self._db, embedder)
