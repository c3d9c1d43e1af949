"""The connection to SQLite: opened one way, and used through one method for all statements."""

import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import apsw

from memcli.debug import is_debugging, log
from memcli.errors import BusyError, MemError, StoreError
from memcli.files import remove_leftover_parts, sync
from memcli.store.encryption.connect import CREATE, READ, connect, copy_address
from memcli.store.encryption.database_key import DatabaseKey, encrypted_salt
from memcli.store.sqlite.database_file import check_file, create_private_file, is_same_file
from memcli.store.sqlite.migrations import APPLICATION_ID, is_current, migrate

_OPEN_ATTEMPTS = 5
_PAGES_PER_STEP = 1024  # 4 MB
_STEPS_PER_CHECK = 2_000  # of SQLite's virtual machine: far less than a millisecond
_STEPS_PER_REPORT = 100_000  # the same, where progress is reported
_LEAST_UNUSED = 1 << 20  # bytes of unused pages that are given back
_MOST_UNUSED = 10  # one page in so many may be unused
_MOST_COPIED = 1 << 30  # bytes: SQLite's copy is in memory, so that no text is left on a disk
_OTHER_FILE = "name another file with `--db`"
_ERROR_TEXTS = {
    apsw.NotADBError: "is not a database",
    apsw.CorruptError: "is damaged",
    apsw.FullError: "cannot grow: the disk is full",
    apsw.ReadOnlyError: "cannot be written to",
    apsw.CantOpenError: "cannot be opened",
    apsw.IOError: "cannot be read or written",
    apsw.PermissionsError: "may not be opened",
}


class Database:
    """One connection, which returns rows and raises errors that people understand."""

    def __init__(
        self,
        path: Path,
        *,
        wait: float,
        read_only: bool = False,
        new_key: DatabaseKey | None = None,
        progress: Callable[[int, int], object] = lambda _done, _of: None,
        schema: int | None = None,
    ) -> None:
        """Open a database, create it if it does not exist, and migrate it to the newest schema.

        Args:
            path: the file; if its folder does not exist it is created, private to the person.
            wait: seconds to wait for another writing process.
            read_only: neither create nor change the database, its schema included.
            new_key: encrypts the database if it is created.
            progress: is called with the sessions that a migration has converted, and all of them.
            schema: the number of the last step to take, to create a database as it once was.

        Raises:
            StoreError: it cannot be opened, is not a memory database, or a newer memcli made it.
            BusyError: another process kept it locked for too long.
        """
        self.path = path
        self.key: DatabaseKey | None = None
        self._wait = int(wait * 1000)  # ms
        self._numbers: dict[tuple[str, ...], int] = {}
        self._numbers_at = (0, 0)  # the state of the database that they were read from
        if not read_only:
            remove_leftover_parts(Path(os.path.realpath(path)))
            create_private_file(path, new_key)
        with self._translate_errors():
            self._db = self._connect(READ if read_only else CREATE)
            try:
                # Without statistics no value changes a plan; SQLite would make each plan again.
                self._db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
                self._db.enable_load_extension(True)
                self._db.load_extension(_vector_extension())
                self._db.enable_load_extension(False)
                self._db.create_scalar_function("fold", _fold, 1, deterministic=True)
                if read_only:
                    self._check_version()
                    return
                for setting in ("journal_mode = wal", "secure_delete = on", "synchronous = normal"):
                    self._db.execute(f"pragma {setting}")
                if migrate(self._db, progress, until=schema):
                    self._give_pages_back()
                self._db.execute("pragma foreign_keys = on")
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the connection.

        Raises:
            StoreError: the log could not be moved into the file; nothing committed is lost.
        """
        with self._translate_errors():
            self._db.close()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Run one statement and return its rows. All SQL goes through this method and `many`."""
        with self._translate_errors():
            return self._db.execute(sql, values).fetchall()

    def number_cache(self) -> dict[tuple[str, ...], int]:
        """Return numbers that were read from the database, by name; empty once anybody changed it.

        Callers add what they read.
        """
        [(version,)] = self.rows("pragma data_version")
        state = (int(version), self._db.total_changes())
        if state != self._numbers_at:
            self._numbers.clear()
            self._numbers_at = state
        return self._numbers

    def many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        """Run one statement once for each sequence of values."""
        with self._translate_errors():
            self._db.executemany(sql, values)

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[None]:
        """Run the block as one transaction, or as a part of the transaction around it.

        Args:
            wait: wait for another writing process, as long as the database was opened with.

        Raises:
            BusyError: another process has the database locked.
        """
        if self._db.in_transaction:
            yield
            return
        self._db.set_busy_timeout(self._wait if wait else 0)
        try:
            self.rows("begin immediate")
        finally:
            self._db.set_busy_timeout(self._wait)
        try:
            yield
            self.rows("commit")
        except BaseException:
            if self._db.in_transaction:
                self.rows("rollback")
            raise

    @contextmanager
    def cancel_when(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Stop the statements of the block as soon as `cancelled` returns True.

        Raises:
            KeyboardInterrupt: a statement was stopped; as after Ctrl-C, its result is not wanted.
        """
        self._db.set_progress_handler(cancelled, _STEPS_PER_CHECK)
        try:
            yield
        finally:
            self._db.set_progress_handler(None)

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Run the block as a transaction that is rolled back at its end."""
        self.rows("begin immediate")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self.rows("rollback")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let the block read one state of the database, even while another process writes."""
        if self._db.in_transaction:
            yield
            return
        self.rows("begin")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self.rows("rollback")

    def check_pages(self, most: int) -> list[str]:
        """Return the faults, `most` at most, that SQLite finds in the pages of the file.

        Virtual tables are checked as the ordinary tables that they consist of: FTS5's own check
        of its index takes six times as long, and ours counts its words.
        """
        with (
            self._translate_errors(),
            closing(connect(self.path, READ, key=self.key)) as plain,
        ):
            plain.set_busy_timeout(self._wait)
            plain.drop_modules(None)
            return [fault for (fault,) in plain.execute(f"pragma integrity_check({most})")]

    def copy_to(self, path: Path, progress: Callable[[int, int], None]) -> None:
        """Copy one state of the database into a file, even if another process writes meanwhile.

        Args:
            path: an empty file.
            progress: is called with the number of pages copied, and of all pages.
        """
        with (
            self.snapshot(),
            self._translate_errors(path),
            closing(connect(path, key=self.key)) as copy,
        ):
            self.rows(
                "select 1 from sqlite_schema"
            )  # this statement fixes the state that is copied
            copy.execute("pragma journal_mode = off")  # an interrupted caller removes the file
            with copy.backup("main", self._db, "main") as pages:
                while not pages.done:
                    pages.step(_PAGES_PER_STEP)
                    progress(pages.page_count - pages.remaining, pages.page_count)
            copy.execute("pragma journal_mode = delete")  # the copy then has no second file

    def become_only_connection(self) -> None:
        """Let no other process open the database until this connection is closed.

        The write-ahead log is moved into the main file, and there is none from then on.

        Raises:
            BusyError: another process has it open.
        """
        with self._translate_errors():
            try:
                self._db.execute("pragma locking_mode = exclusive").fetchall()
                self._db.execute("pragma journal_mode = truncate").fetchall()
                self._db.execute("pragma journal_mode = memory").fetchall()
                Path(f"{self.path}-journal").unlink(missing_ok=True)  # it is empty
            except apsw.BusyError as error:
                raise BusyError(
                    f"another process has {self.path} open",
                    hint="try again when it is done; `mem mcp` holds it for as long as it runs",
                ) from error
        sync(self.path.parent)  # so that no older log comes back after a power loss

    def rewrite_to(
        self, path: Path, key: DatabaseKey | None, progress: Callable[[], object]
    ) -> None:
        """Write the database into an empty file, row by row, encrypted with a key or not.

        Args:
            path: the empty file.
            key: None for a database that is not encrypted.
            progress: is called now and then.
        """

        def report() -> bool:
            progress()
            return False

        with self._translate_errors():
            self._db.set_progress_handler(report, _STEPS_PER_REPORT)
            try:  # not `rows`: an error of SQLite's would name the address, which holds the key
                self._db.execute("vacuum into ?", [copy_address(path, key)], can_cache=False)
            except apsw.CantOpenError:
                raise StoreError(f"cannot write {path}") from None
            finally:
                self._db.set_progress_handler(None)

    def _connect(self, flags: int) -> apsw.Connection:
        """Open the file at the path, even if another process is just encrypting it.

        That process holds the old file until a new one is in its place. Whoever waited for the old
        one finds at the first statement that it is not at the path any more.

        Raises:
            StoreError: it cannot be opened, or is not a memory database.
            WrongKeyError: it is encrypted with another key.
        """
        for _ in range(_OPEN_ATTEMPTS):
            before = check_file(self.path)
            self.key = _find_key(self.path)
            database = connect(self.path, flags, key=self.key)
            try:
                database.set_busy_timeout(self._wait)
                if is_debugging():
                    database.trace_v2(apsw.SQLITE_TRACE_PROFILE, _log_statement)
                self._check_owner(database)
                if is_same_file(before, self.path):
                    return database
            except apsw.NotADBError as error:
                if is_same_file(before, self.path):
                    database.close()
                    raise self._unreadable() from error
            except BaseException:
                database.close()
                raise
            database.close()
        raise BusyError(f"another process keeps replacing {self.path}", hint="try again")

    def _give_pages_back(self) -> None:
        """Make the file smaller after a migration, if much of it is unused.

        SQLite writes a copy and moves it into the file in one transaction. If that fails, or the
        copy would be large, later imports use the pages.
        """
        size, pages, unused = (
            int(str(self._db.execute(f"pragma {name}").get))
            for name in ("page_size", "page_count", "freelist_count")
        )
        used = (pages - unused) * size
        if unused * size < _LEAST_UNUSED or unused * _MOST_UNUSED < pages or used > _MOST_COPIED:
            return
        if shutil.disk_usage(self.path.parent).free < 3 * used:
            return
        with suppress(apsw.BusyError, apsw.FullError, apsw.IOError, apsw.CantOpenError):
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")

    def _unreadable(self) -> MemError:
        """Return the error of a file whose first page cannot be read."""
        if self.key is None:
            return StoreError(f"{self.path} is not a database", hint=_OTHER_FILE)
        if self.key.fits():
            return StoreError(
                f"{self.path} is damaged: the key is right, and its first page is not",
                hint="put a backup in its place",
            )
        return self.key.wrong_key_error(self.path)

    def _check_owner(self, database: apsw.Connection) -> None:
        # Read in this order: another process may just be creating mark and tables, both at once.
        has_tables = database.execute("select 1 from sqlite_schema").fetchall()
        [(application_id,)] = database.execute("pragma application_id").fetchall()
        if has_tables and application_id != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is a database of another program",
                hint=_OTHER_FILE,
            )

    def _check_version(self) -> None:
        if not is_current(self._db):
            raise StoreError(
                f"{self.path} was made by another version of memcli",
                hint="if this memcli is the newer one, `mem sessions` migrates it",
            )

    @contextmanager
    def _translate_errors(self, other_path: Path | None = None) -> Iterator[None]:
        """Raise an error of ours for one of SQLite's; it names this database or the other path."""
        path = other_path or self.path
        try:
            yield
        except apsw.BusyError as error:
            raise BusyError(
                f"another process is writing to {path}",
                hint="try again when it is done, or wait longer with `--wait SECONDS`",
            ) from error
        except apsw.ExtensionLoadingError as error:
            raise StoreError(f"sqlite-vec cannot be loaded: {error}") from error
        except UnicodeDecodeError as error:
            raise StoreError(f"{path} is damaged: it holds text that is not UTF-8") from error
        except apsw.InterruptError as error:
            raise KeyboardInterrupt from error
        except apsw.Error as error:
            texts = (text for kind, text in _ERROR_TEXTS.items() if isinstance(error, kind))
            text = next(texts, None)
            message = f"{path} {text}" if text else f"{path}: {error}"
            hint = _OTHER_FILE
            if isinstance(error, apsw.CorruptError):
                hint = "`mem doctor` says what can be repaired"
            elif isinstance(error, apsw.FullError):
                hint = f"make room: `df -h {path.parent}`"
            raise StoreError(message, hint=hint) from error


def _find_key(path: Path) -> DatabaseKey | None:
    """Return the key of a database; see `find_key`, which most databases need not import."""
    if encrypted_salt(path) is None:
        return None
    from memcli.store.encryption.key_sources import find_key

    return find_key(path)


def _vector_extension() -> str:
    """Return the path of sqlite-vec's library. Importing its package would import numpy."""
    spec = find_spec("sqlite_vec")
    if spec is None or spec.origin is None:
        raise StoreError("sqlite-vec is not installed", hint="`pip install sqlite-vec`")
    return str(Path(spec.origin).parent / "vec0")


def _fold(*values: object) -> str:
    return unicodedata.normalize("NFKC", str(values[0])).casefold()


def _log_statement(event: Mapping[str, Any]) -> None:  # Any: SQLite's, by kind of event
    """Log a statement that has run: its text, to which values are bound apart, and its time."""
    log("sql", seconds=f"{event['nanoseconds'] / 1e9:.6f}", text=" ".join(event["sql"].split()))
