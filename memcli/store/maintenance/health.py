"""Checks that the database is undamaged and that the index agrees with the turns."""

from collections.abc import Iterator, Sequence

from memcli.store.index.passage_vectors import passage_shift
from memcli.store.maintenance.vector_bits import count_wrong_bits
from memcli.store.sqlite.connection import Database
from memcli.store.tables.checksums import (
    sessions_that_differ,
    sessions_without_checksum,
    set_checksum,
)
from memcli.store.tables.session_rows import SEARCHABLE

MAX_FAULTS = 10  # faults that SQLite reports
_SEGMENT_BITS = 37  # the number of a segment stands above so many bits of a row of FTS5's data
_LAST_SEGMENT = 0xFFFF  # greater numbers are of lists of deleted rows
_BATCH = 500  # sessions in one transaction


class HealthChecks:
    """Checks of the database; each returns its findings as texts, none if all is well.

    Raises:
        StoreError: from any check, if the database is too damaged to read.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def check_file(self) -> list[str]:
        """Return the faults that SQLite finds in the file."""
        faults = self._db.check_pages(MAX_FAULTS)
        return [str(fault).replace("\n", " ") for fault in faults if fault != "ok"]

    def check_checksums(self) -> list[str]:
        """Return the sessions whose text is not as it was written."""
        differing = list(sessions_that_differ(self._db))
        if not differing:
            return []
        shown = ", ".join(differing[:MAX_FAULTS])
        more = f" and {len(differing) - MAX_FAULTS} more" if len(differing) > MAX_FAULTS else ""
        return [f"not as they were written: {shown}{more}"]

    def count_unchecked(self) -> int:
        """Return the number of sessions without a checksum."""
        return len(sessions_without_checksum(self._db))

    def add_checksums(self) -> None:
        """Compute the checksums that are missing, in case an older memcli stored the sessions."""
        for numbers in _batches(sessions_without_checksum(self._db)):
            with self._db.transaction():
                for number in numbers:
                    set_checksum(self._db, number)

    def check_references(self) -> list[str]:
        """Return the rows that refer to a row that does not exist."""
        rows = self._db.rows(
            'select "table", parent, count(*) from pragma_foreign_key_check group by 1, 2'
        )
        return [f"{count} of {table} without their {parent}" for table, parent, count in rows]

    def check_full_text(self) -> list[str]:
        """Return the differences between the full text and the turns and memories."""
        return [
            *self._compare("sessions", "select id from sessions", "title_words_docsize"),
            *self._compare(
                "turns", f"select id from turns where {SEARCHABLE}", "turn_words_docsize"
            ),
            *self._compare("memories", "select id from memories", "memory_words_docsize"),
            *self._check_passages(),
            *self._check_texts("session_words", "sessions"),
            *self._check_texts("passage_words", "passages"),
            *(
                finding
                for grain in ("session", "title", "passage", "turn", "memory")
                for finding in self._check_words(f"{grain}_words")
            ),
        ]

    def check_vectors(self) -> list[str]:
        """Return the passages without a vector, and the vectors without a passage or direction."""
        findings = []
        for number, name, dimensions in self._db.rows(
            "select id, name, dimensions from embedders where serving"
        ):
            findings += self._check_embedder(number, name, dimensions)
            findings += self._check_memory_vectors(number, name)
        [(passages,)] = self._db.rows("select exists (select 1 from passages)")
        [(has_embedder,)] = self._db.rows("select exists (select 1 from embedders where serving)")
        return ["no passage has a vector"] if passages and not has_embedder else findings

    def _compare(self, name: str, expected: str, table: str) -> list[str]:
        """Return how the rows of a table differ from those that a select expects, by number."""
        [(missing, extra)] = self._db.rows(
            "select count(*) - count(made.rowid),"
            f" (select count(*) from {table}) - count(made.rowid) from ({expected}) as expected"
            f" left join {table} as made on made.rowid = expected.id"
        )
        return _differences(name, missing, extra)

    def _check_texts(self, table: str, texts: str) -> list[str]:
        """Return how many texts are not in a table that keeps no sizes, or are not there at all."""
        [(missing, difference)] = self._db.rows(
            f"select count(*) - count(tokens), (select sum(texts) from text_totals where name = ?)"
            f" - count(tokens) from {texts}",
            table,
        )
        findings = [f"{missing:,} {texts} not indexed"] if missing else []
        if difference:
            kind = "too many" if difference > 0 else "not indexed"
            findings.append(f"{abs(difference):,} {texts} {kind}")
        return findings

    def _check_words(self, table: str) -> list[str]:
        """Return whether the full text has fewer words than it had when it was written, or more."""
        self._db.rows(
            f"create virtual table if not exists temp.all_{table}"
            f" using fts5vocab(main, {table}, row)"
        )
        totals = self._db.rows("select words from text_totals where name = ?", table)
        if totals:
            [(present,)] = self._db.rows(f"select coalesce(sum(doc), 0) from temp.all_{table}")
            [(written,)] = totals
        else:
            [(present,)] = self._db.rows(f"select coalesce(sum(cnt), 0) from temp.all_{table}")
            sizes = self._db.rows(f"select sz from {table}_docsize")
            written = _sum_varints(b"".join(size for (size,) in sizes))
        name = table.removesuffix("_words")
        missing = f"{written - present:,} of {written:,} words of the {name} index are missing"
        if present > written:
            missing = f"the {name} index has {present - written:,} words too many"
        [(segments,)] = self._db.rows(
            f"select count(*) from (select id >> {_SEGMENT_BITS} as segment from {table}_data"
            f" where segment between 1 and {_LAST_SEGMENT} except select segid from {table}_idx)"
        )
        unreachable = [f"{segments:,} parts of the {name} index cannot be reached"]
        return [missing] if present != written else unreachable if segments else []

    def _check_embedder(self, number: int, name: str, dimensions: int) -> list[str]:
        """Return how an embedder's vectors differ from the passages, and their bits from them."""
        shift = passage_shift(self._db, number)
        [(missing, extra, without_direction)] = self._db.rows(
            "select (select count(*) from passages"
            f" where id << {shift} not in (select id from vectors_{number})),"
            f" count(*) filter (where id >> {shift} not in (select id from passages)),"
            " count(*) filter (where length(embedding) < ? or"
            f" embedding = zeroblob(length(embedding))) from vectors_{number}",
            dimensions,
        )
        findings = _differences(f"passages of {name}", missing, extra) or self._compare(
            f"vectors of {name}", f"select id from vectors_{number}", f"bits_{number}_rowids"
        )
        if without_direction:
            findings.append(f"{without_direction:,} vectors of {name} without a direction")
        if not findings and (wrong := count_wrong_bits(self._db, number, dimensions)):
            findings.append(f"{wrong:,} vectors of {name} cannot be searched")
        return findings

    def _check_memory_vectors(self, number: int, name: str) -> list[str]:
        """Return how many memories cannot be found by meaning."""
        table = f"memory_vectors_{number}"
        if not self._db.rows("select 1 from sqlite_schema where name = ?", table):
            [(count,)] = self._db.rows("select count(*) from memories")
        else:
            [(count,)] = self._db.rows(
                f"select count(*) from memories where not exists (select 1 from {table} as made"
                " where made.rowid = memories.id and vec_length(made.embedding))"
            )
        return [f"{count:,} memories without a vector of {name}"] if count else []

    def _check_passages(self) -> list[str]:
        """Return how many sessions have no passages up to their last searchable turn."""
        [(count,)] = self._db.rows(
            "select count(*) from (select session_id, max(position) as last from turns"
            f" where {SEARCHABLE} group by session_id) as turns_end left join (select session_id,"
            " max(last) as last from passages group by session_id) as passages_end"
            " using (session_id) where turns_end.last is not passages_end.last"
        )
        return [f"{count:,} sessions not cut into passages"] if count else []


def _differences(name: str, missing: int, extra: int) -> list[str]:
    findings = [f"{missing:,} {name} not indexed"] if missing else []
    return [*findings, f"{extra:,} {name} too many"] if extra else findings


def _sum_varints(raw: bytes) -> int:
    """Return the sum of numbers of seven bits in a byte, whose high bit says that more follow."""
    total = number = 0
    for byte in raw:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            total, number = total + number, 0
    return total


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), _BATCH):
        yield numbers[first : first + _BATCH]
