"""SQLite databases of other programs, which are never written and never trusted."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from memcli.errors import InputError
from memcli.formats.parsing.document import Document
from memcli.formats.spool import copy_bounded, spool_error
from memcli.temporary import temporary_folder

MAGIC = b"SQLite format 3\x00"
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")  # begins a journal that is to be rolled back
_LONGEST_VALUE = 128 << 20  # bytes of one text, or of one row

_MAX_STEPS = 2_000_000_000  # of SQLite's virtual machine in one statement: minutes, not days
_STEPS_PER_CHECK = 1_000_000

Rows = Callable[..., Iterator[tuple[Any, ...]]]  # (sql, *values)


@contextmanager
def open_database(document: Document) -> Iterator[Rows]:
    """Open a private copy of a database and its log, and return a function for queries.

    The copy is needed because a program may be writing the database at this moment, and because
    SQLite would write files beside it. Nothing in the copy can act: SQLite follows no rollback
    journal, which may name any file to be deleted, and runs no trigger, no view and no extension.

    Raises:
        InputError: the document is not a database, is damaged, is in the middle of a transaction,
            or a query takes too long.
    """
    import apsw

    _check_finished(document)
    with _private_copy(document) as path:
        try:
            database = apsw.Connection(*_arguments(path))
        except apsw.Error as error:
            raise InputError(f"{document.name} cannot be read: {error}") from error
        try:
            _disarm(database)
            yield _query_function(document.name, database)
        finally:
            database.close(True)


def table_columns(document: Document, head: bytes) -> dict[str, set[str]]:
    """Return the columns of each table of a database; empty if the document is not a database.

    Args:
        document: a document of any format.
        head: its first bytes.

    Raises:
        InputError: the document is in the middle of a transaction.
    """
    if not head.startswith(MAGIC):
        return {}
    _check_finished(document)
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


@contextmanager
def _private_copy(document: Document) -> Iterator[Path]:
    """Copy a database, and its write-ahead log if there is one, into a private folder."""
    with ExitStack() as stack:
        try:
            path = stack.enter_context(temporary_folder()) / "copy.db"
            _copy(document, path)
            log = document.find_file(_beside(document, "-wal"))
            if log is not None:
                _copy(log, Path(f"{path}-wal"))
        except OSError as error:
            raise spool_error(document.name, error) from error
        yield path


def _copy(document: Document, path: Path) -> None:
    with document.open() as source, path.open("xb") as target:
        copy_bounded(document.name, source, target)


def _beside(document: Document, ending: str) -> str:
    return document.name.rpartition("/")[2] + ending


def _check_finished(document: Document) -> None:
    """Check that no journal of a database is to be rolled back.

    Raises:
        InputError: one is.
    """
    journal = document.find_file(_beside(document, "-journal"))
    if journal is None:
        return
    with journal.open() as stream:
        if stream.read(len(_JOURNAL_MAGIC)) != _JOURNAL_MAGIC:
            return
    raise InputError(
        f"{document.name} is in the middle of a change",
        hint="quit the program that writes it, or open it there once, and import it again",
    )


def _arguments(path: Path) -> tuple[str, int]:
    """Return what SQLite opens a copy with: as a file that never changes, unless it has a log."""
    import apsw

    if Path(f"{path}-wal").exists():
        return str(path), apsw.SQLITE_OPEN_READWRITE
    return f"{path.as_uri()}?immutable=1", apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def _disarm(database: Any) -> None:  # Any: apsw is imported where it is used
    """Let nothing that a database contains act."""
    import apsw

    for setting, value in (
        (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
        (apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0),
    ):
        database.config(setting, value)
    database.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    database.limit(apsw.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)


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
