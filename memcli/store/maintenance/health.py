"""Whether the database is whole, and what is searched is what was said."""

from memcli.store.sqlite.connection import Database

MOST_FAULTS = 10  # that are told
_SEARCHED = "active and (included or kind in ('text', 'media')) and has_words(text)"


class Health:
    """Checks, each in words a person understands; nothing found is nothing wrong.

    Raises:
        StoreError: from any check: the database is too damaged to be looked at.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def damage(self) -> list[str]:
        """Return what SQLite finds wrong with the file, full-text index included."""
        rows = self._db.rows(f"pragma integrity_check({MOST_FAULTS})")
        return [str(told).replace("\n", " ") for (told,) in rows if told != "ok"]

    def strays(self) -> list[str]:
        """Return which rows belong to something that is no more."""
        rows = self._db.rows(
            'select "table", parent, count(*) from pragma_foreign_key_check group by 1, 2'
        )
        return [f"{count} of {table} without their {parent}" for table, parent, count in rows]

    def words(self) -> list[str]:
        """Return where the full text is not that of the turns."""
        return [
            *self._against("sessions", "select id from sessions", "session_words_docsize"),
            *self._against(
                "turns", f"select id from turns where {_SEARCHED}", "turn_words_docsize"
            ),
            *self._against("passages", "select id from passages", "passage_words_docsize"),
            *self._against("memories", "select id from memories", "memory_words_docsize"),
            *self._cut(),
        ]

    def vectors(self) -> list[str]:
        """Return which passages are without a vector, and which vectors without a passage."""
        found = []
        for number, name, dimensions in self._db.rows(
            "select id, name, dimensions from embedders where serving"
        ):
            found += self._against(
                f"passages of {name}", "select id from passages", f"vectors_{number}"
            ) or self._against(
                f"vectors of {name}",
                f"select id from vectors_{number}",
                *(f"bits_{number}_rowids", "rowid"),
            )
            [(bent,)] = self._db.rows(
                f"select count(*) from vectors_{number} where length(embedding) < ?"
                " or embedding = zeroblob(length(embedding))",
                dimensions,
            )
            found += [f"{bent:,} vectors of {name} without a direction"] if bent else []
        [(passages,)] = self._db.rows("select exists (select 1 from passages)")
        [(served,)] = self._db.rows("select exists (select 1 from embedders where serving)")
        return ["no passage has a vector"] if passages and not served else found

    def _against(self, what: str, wanted: str, table: str, key: str = "id") -> list[str]:
        """Compare what should be in a table with what is."""
        [(missing, extra)] = self._db.rows(
            f"with wanted as ({wanted}) select"
            f" (select count(*) from wanted where id not in (select {key} from {table})),"
            f" (select count(*) from {table} where {key} not in (select id from wanted))"
        )
        told = ((missing, f"{missing:,} {what} not indexed"), (extra, f"{extra:,} {what} too many"))
        return [words for count, words in told if count]

    def _cut(self) -> list[str]:
        """Tell which sessions are not cut into passages as far as their last turn that counts."""
        [(count,)] = self._db.rows(
            "select count(*) from (select session_id, max(position) as last from turns"
            f" where {_SEARCHED} group by session_id) as said left join (select session_id,"
            " max(last) as last from passages group by session_id) as cut using (session_id)"
            " where said.last is not cut.last"
        )
        return [f"{count:,} sessions not cut into passages"] if count else []
