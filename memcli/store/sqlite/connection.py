"""The connection to SQLite: opened one way, and used through one method for all statements."""

import os
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import apsw

from memcli.debug import is_debugging, log
from memcli.domain import fingerprint
from memcli.errors import BusyError, StoreError
from memcli.store.sqlite.migrations import APPLICATION_ID, is_current, migrate
from memcli.store.sqlite.tokenize import count_words

_NAME_ATTEMPTS = 5
_PAGES_PER_STEP = 1024  # 4 MB
_STEPS_PER_CHECK = 2000  # of SQLite's machine, far less than a millisecond
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

    def __init__(self, path: Path, *, wait: float, read_only: bool = False) -> None:
        """Open a database, create it if it does not exist, and migrate it to the newest schema.

        Args:
            path: the file; if its folder does not exist it is created, private to the person.
            wait: seconds to wait for another writing process.
            read_only: neither create nor change the database, its schema included.

        Raises:
            StoreError: it cannot be opened, is not a memory database, or a newer memcli made it.
            BusyError: another process kept it locked for too long.
        """
        self.path = path
        self._wait = int(wait * 1000)  # ms
        if not read_only:
            _create_private_file(path)
        _check_file(path)
        read_write = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        flags = apsw.SQLITE_OPEN_READONLY if read_only else read_write
        with self._translate_errors():
            self._db = apsw.Connection(str(path), flags=flags)
            try:
                self._db.set_busy_timeout(self._wait)
                if is_debugging():
                    self._db.trace_v2(apsw.SQLITE_TRACE_PROFILE, _log_statement)
                self._check_owner()
                self._db.enable_load_extension(True)
                self._db.load_extension(_vector_extension())
                self._db.enable_load_extension(False)
                for name, function in _FUNCTIONS.items():
                    self._db.create_scalar_function(name, function, 1, deterministic=True)
                if read_only:
                    self._check_version()
                    return
                for setting in ("journal_mode = wal", "foreign_keys = on", "secure_delete = on"):
                    self._db.execute(f"pragma {setting}")
                self._db.execute("pragma synchronous = normal")
                migrate(self._db)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Run one statement and return its rows. All SQL goes through this method and `many`."""
        with self._translate_errors():
            return self._db.execute(sql, values).fetchall()

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

    def copy_to(self, path: Path, progress: Callable[[int, int], None]) -> None:
        """Copy one state of the database into a file, even if another process writes meanwhile.

        Args:
            path: an empty file.
            progress: is called with the number of pages copied, and of all pages.
        """
        with (
            self.snapshot(),
            self._translate_errors(path),
            closing(apsw.Connection(str(path))) as copy,
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

    def _check_owner(self) -> None:
        # Read in this order: another process may just be creating mark and tables, both at once.
        has_tables = self._db.execute("select 1 from sqlite_schema").fetchall()
        [(application_id,)] = self._db.execute("pragma application_id").fetchall()
        if has_tables and application_id != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is a database of another program",
                hint="name another file with `--db`",
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
            hint = "name another file with `--db`"
            if isinstance(error, apsw.CorruptError):
                hint = "`mem doctor` says what can be repaired"
            raise StoreError(message, hint=hint) from error


def _create_private_file(path: Path) -> None:
    """Create a database, readable by its owner alone, whole or not at all.

    So a file without content is no database that was just being created: something emptied it.

    Raises:
        StoreError: it cannot be created.
    """
    target = Path(os.path.realpath(path))  # of a link that leads nowhere yet
    if target.exists():
        return
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(apsw.Connection(str(part))) as new:
                new.execute(f"pragma application_id = {APPLICATION_ID}")
                new.execute("pragma journal_mode = wal").fetchall()
            _move_to_unused(part, target)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, apsw.Error) as error:
        raise StoreError(f"cannot make {path}: {_reason(error)}") from error


def _move_to_unused(part: Path, target: Path) -> None:
    """Move a file to a path, unless another process has just put its own there."""
    try:
        os.link(part, target)
    except FileExistsError:
        return
    except OSError:  # a disk without hard links
        if not target.exists():
            part.rename(target)


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _check_file(path: Path) -> None:
    """Check that a file can be a database, and is known by one name only.

    Raises:
        StoreError: it was emptied, cannot be read, or has a second name, under which another
            process could write to it without knowing of the log of this one.
    """
    for attempt in range(_NAME_ATTEMPTS):
        try:
            status = path.stat()
        except OSError as error:
            raise StoreError(f"{path} cannot be opened: {_reason(error)}") from error
        if status.st_nlink < 2:
            break
        if attempt < _NAME_ATTEMPTS - 1:
            time.sleep(0.05)  # another process may just be creating it, and removes its own name
    else:
        raise StoreError(
            f"{path} has a second name (a hard link), and writing under both would damage it",
            hint=f"`cp {path} FILE` makes a file of its own; then `--db FILE`",
        )
    if status.st_size == 0:
        raise StoreError(
            f"{path} is empty: it is no database, or was one",
            hint=f"put a backup in its place, or `rm {path}` to begin anew",
        )


def _vector_extension() -> str:
    """Return the path of sqlite-vec's library. Importing its package would import numpy."""
    spec = find_spec("sqlite_vec")
    if spec is None or spec.origin is None:
        raise StoreError("sqlite-vec is not installed", hint="`pip install sqlite-vec`")
    return str(Path(spec.origin).parent / "vec0")


def _fold(*values: object) -> str:
    return unicodedata.normalize("NFKC", str(values[0])).casefold()


def _has_words(*values: object) -> bool:
    return bool(str(values[0]).strip())


_FUNCTIONS = {  # SQL functions of ours, each with one argument
    "digest": fingerprint,
    "fold": _fold,
    "has_words": _has_words,
    "count_words": lambda *values: count_words(str(values[0])),
}


def _log_statement(event: Mapping[str, Any]) -> None:  # Any: SQLite's, by kind of event
    """Log a statement that has run: its text, to which values are bound apart, and its time."""
    log("sql", seconds=f"{event['nanoseconds'] / 1e9:.6f}", text=" ".join(event["sql"].split()))
