"""SQLite databases of other programs, which are never written and never trusted."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

MAGIC = b"SQLite format 3\x00"

_MAX_STEPS = 2_000_000_000  # of SQLite's virtual machine in one statement: minutes, not days
_STEPS_PER_CHECK = 1_000_000

Rows = Callable[..., Iterator[tuple[Any, ...]]]  # (sql, *values)


@contextmanager
def open_database(document: Document) -> Iterator[Rows]:
    """Open a private copy of a database and its log, and return a function for queries.

    The copy is needed because a program may be writing the database at this moment, and because
    SQLite would write files beside it.

    Raises:
        InputError: the document is not a database, is damaged, or a query takes too long.
    """
    import apsw

    with tempfile.TemporaryDirectory(prefix="mem-") as folder:
        path = Path(folder) / "copy.db"
        try:
            _copy(document, path)
            for ending in ("-wal", "-journal"):
                log = document.find_file(document.name.rpartition("/")[2] + ending)
                if log is not None:
                    _copy(log, Path(f"{path}{ending}"))
            database = apsw.Connection(str(path))
        except (apsw.Error, OSError) as error:
            raise InputError(f"{document.name} cannot be read: {error}") from error
        try:
            database.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
            database.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
            yield _query_function(document.name, database)
        finally:
            database.close(True)


def table_columns(document: Document, head: bytes) -> dict[str, set[str]]:
    """Return the columns of each table of a database; empty if the document is not a database.

    Args:
        document: a document of any format.
        head: its first bytes.
    """
    if not head.startswith(MAGIC):
        return {}
    try:
        with open_database(document) as rows:
            columns: dict[str, set[str]] = {}
            for table, column in rows(
                "select tables.name, columns.name from sqlite_master as tables,"
                " pragma_table_info(tables.name) as columns where tables.type = 'table'"
            ):
                columns.setdefault(table, set()).add(column)
            return columns
    except InputError:
        return {}


def _copy(document: Document, path: Path) -> None:
    with document.open() as source, path.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _query_function(name: str, database: Any) -> Rows:  # Any: apsw is imported where it is used
    import apsw

    def rows(sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        steps = 0

        def exceeds_limit() -> bool:
            nonlocal steps
            steps += _STEPS_PER_CHECK
            return steps > _MAX_STEPS

        database.set_progress_handler(exceeds_limit, _STEPS_PER_CHECK)
        try:
            yield from database.execute(sql, values)
        except apsw.InterruptError as error:
            raise InputError(f"{name} takes too long to read") from error
        except (apsw.Error, UnicodeDecodeError) as error:  # a column may hold invalid UTF-8
            raise InputError(f"{name} is damaged: {error}") from error

    return rows
