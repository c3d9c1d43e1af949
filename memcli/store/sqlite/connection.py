"""Opening SQLite the one way memcli uses it, and speaking to it through one door."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import apsw

from memcli.domain import fingerprint
from memcli.errors import BusyError, StoreError
from memcli.store.sqlite.migrations import APPLICATION_ID, is_current, migrate
from memcli.store.sqlite.tokenize import count

_PAGES = 1024  # copied at a time: 4 MB
_HARD = {
    apsw.NotADBError: "is not a database",
    apsw.CorruptError: "is damaged",
    apsw.FullError: "cannot grow: the disk is full",
    apsw.ReadOnlyError: "cannot be written to",
    apsw.CantOpenError: "cannot be opened",
    apsw.IOError: "cannot be read or written",
    apsw.PermissionsError: "may not be opened",
}


class Database:
    """One connection: rows out, errors as people understand them."""

    def __init__(self, path: Path, *, wait: float, read_only: bool = False) -> None:
        """Open a database, make it if it is not there, and bring it up to date.

        Args:
            path: the file; its folder is made, private to the person, if it is not there.
            wait: seconds to wait for another writer.
            read_only: neither make it nor change anything, its version included.

        Raises:
            StoreError: it cannot be opened, is no memory database, or a newer memcli made it.
            BusyError: another process kept it locked.
        """
        self.path = path
        self._wait = int(wait * 1000)  # ms
        if not read_only:
            _create_private(path)
        writing = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        flags = apsw.SQLITE_OPEN_READONLY if read_only else writing
        with self._translated():
            self._db = apsw.Connection(str(path), flags=flags)
            try:
                self._db.set_busy_timeout(self._wait)
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
        """Run one statement: the only door to SQLite."""
        with self._translated():
            return self._db.execute(sql, values).fetchall()

    def many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        """Run one statement once for each sequence of values."""
        with self._translated():
            self._db.executemany(sql, values)

    def stem(self, word: str) -> str:
        """Return a word as the full-text index keeps it."""
        tokenize = self._db.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])
        tokens = tokenize(
            word.encode("utf-8", "replace"),
            apsw.FTS5_TOKENIZE_QUERY,
            None,
            include_offsets=False,
            include_colocated=False,
        )
        return " ".join(map(str, tokens))

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[None]:
        """All or nothing. Inside another transaction, take part in that one.

        Raises:
            BusyError: another process kept the database locked, or without `wait` has it locked.
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
    def trial(self) -> Iterator[None]:
        """A transaction that leaves nothing behind."""
        self.rows("begin immediate")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self.rows("rollback")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything as it is now, whoever writes meanwhile; inside another one, as it was."""
        if self._db.in_transaction:
            yield
            return
        self.rows("begin")
        try:
            yield
        finally:
            if self._db.in_transaction:
                self.rows("rollback")

    def copy_to(self, path: Path, told: Callable[[int, int], None]) -> None:
        """Copy the database as it is at one moment, whoever writes meanwhile, into one file.

        Args:
            path: an empty file.
            told: how many pages were copied, of how many.
        """
        with self.snapshot(), self._translated(path), closing(apsw.Connection(str(path))) as copy:
            self.rows("select 1 from sqlite_schema")  # this is the moment
            copy.execute("pragma journal_mode = off")  # whoever is interrupted removes the file
            with copy.backup("main", self._db, "main") as pages:
                while not pages.done:
                    pages.step(_PAGES)
                    told(pages.page_count - pages.remaining, pages.page_count)
            copy.execute("pragma journal_mode = delete")  # nothing of it in a file beside it

    def _check_owner(self) -> None:
        # In this order: another process may just be making the database, mark and tables at once.
        filled = self._db.execute("select 1 from sqlite_schema").fetchall()
        [(application,)] = self._db.execute("pragma application_id").fetchall()
        if filled and application != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is a database of another program",
                hint="name another file with `--db`",
            )

    def _check_version(self) -> None:
        if not is_current(self._db):
            raise StoreError(
                f"{self.path} was made by another version of memcli",
                hint="`mem sessions` brings it up to date, if this one is the newer",
            )

    @contextmanager
    def _translated(self, named: Path | None = None) -> Iterator[None]:
        path = named or self.path
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
            raise StoreError(f"{path} is damaged: it holds text that is no UTF-8") from error
        except apsw.InterruptError as error:
            raise KeyboardInterrupt from error
        except apsw.Error as error:
            what = next((text for kind, text in _HARD.items() if isinstance(error, kind)), None)
            told = f"{path} {what}" if what else f"{path}: {error}"
            raise StoreError(told, hint="name another file with `--db`") from error


def _create_private(path: Path) -> None:
    """Make the file, readable by its owner alone, before SQLite does."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}") from error


def _vector_extension() -> str:
    """Return where sqlite-vec's library is, without importing the package: it imports numpy."""
    found = find_spec("sqlite_vec")
    if found is None or found.origin is None:
        raise StoreError("sqlite-vec is not installed", hint="`pip install sqlite-vec`")
    return str(Path(found.origin).parent / "vec0")


def _fold(*values: object) -> str:
    return unicodedata.normalize("NFKC", str(values[0])).casefold()


def _has_words(*values: object) -> bool:
    return bool(str(values[0]).strip())


_FUNCTIONS = {
    "digest": fingerprint,
    "fold": _fold,
    "has_words": _has_words,
    "count_words": lambda *values: count(str(values[0])),
}
