"""Checks that the database is undamaged and that the index agrees with the turns."""

from memcli.store.sqlite.connection import Database

MAX_FAULTS = 10  # faults that SQLite reports
_SEARCHABLE = "active and (included or kind in ('text', 'media')) and has_words(text)"


class HealthChecks:
    """Checks of the database; each returns its findings as texts, none if all is well.

    Raises:
        StoreError: from any check, if the database is too damaged to read.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def check_file(self) -> list[str]:
        """Return the faults that SQLite finds in the file, its full-text index included."""
        rows = self._db.rows(f"pragma integrity_check({MAX_FAULTS})")
        return [str(fault).replace("\n", " ") for (fault,) in rows if fault != "ok"]

    def check_references(self) -> list[str]:
        """Return the rows that refer to a row that does not exist."""
        rows = self._db.rows(
            'select "table", parent, count(*) from pragma_foreign_key_check group by 1, 2'
        )
        return [f"{count} of {table} without their {parent}" for table, parent, count in rows]

    def check_full_text(self) -> list[str]:
        """Return the differences between the full text and the turns and memories."""
        return [
            *self._compare("sessions", "select id from sessions", "session_words_docsize"),
            *self._compare(
                "turns", f"select id from turns where {_SEARCHABLE}", "turn_words_docsize"
            ),
            *self._compare("passages", "select id from passages", "passage_words_docsize"),
            *self._compare("memories", "select id from memories", "memory_words_docsize"),
            *self._check_passages(),
        ]

    def check_vectors(self) -> list[str]:
        """Return the passages without a vector, and the vectors without a passage or direction."""
        findings = []
        for number, name, dimensions in self._db.rows(
            "select id, name, dimensions from embedders where serving"
        ):
            findings += self._compare(
                f"passages of {name}", "select id from passages", f"vectors_{number}"
            ) or self._compare(
                f"vectors of {name}",
                f"select id from vectors_{number}",
                *(f"bits_{number}_rowids", "rowid"),
            )
            [(without_direction,)] = self._db.rows(
                f"select count(*) from vectors_{number} where length(embedding) < ?"
                " or embedding = zeroblob(length(embedding))",
                dimensions,
            )
            if without_direction:
                findings.append(f"{without_direction:,} vectors of {name} without a direction")
        [(passages,)] = self._db.rows("select exists (select 1 from passages)")
        [(has_embedder,)] = self._db.rows("select exists (select 1 from embedders where serving)")
        return ["no passage has a vector"] if passages and not has_embedder else findings

    def _compare(self, name: str, expected: str, table: str, key: str = "id") -> list[str]:
        """Return how the rows of a table differ from those that a select expects, by number."""
        [(missing, extra)] = self._db.rows(
            f"with expected as ({expected}) select"
            f" (select count(*) from expected where id not in (select {key} from {table})),"
            f" (select count(*) from {table} where {key} not in (select id from expected))"
        )
        findings = []
        if missing:
            findings.append(f"{missing:,} {name} not indexed")
        if extra:
            findings.append(f"{extra:,} {name} too many")
        return findings

    def _check_passages(self) -> list[str]:
        """Return how many sessions have no passages up to their last searchable turn."""
        [(count,)] = self._db.rows(
            "select count(*) from (select session_id, max(position) as last from turns"
            f" where {_SEARCHABLE} group by session_id) as turns_end left join (select session_id,"
            " max(last) as last from passages group by session_id) as passages_end"
            " using (session_id) where turns_end.last is not passages_end.last"
        )
        return [f"{count:,} sessions not cut into passages"] if count else []
