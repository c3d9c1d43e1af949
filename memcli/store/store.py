"""The memory database: one object with a part for each table or task."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from memcli.errors import StoreError
from memcli.store.encryption.database_key import DatabaseKey
from memcli.store.index.full_text import count_unwritten, write_missing
from memcli.store.index.memory_index import MemoryIndex
from memcli.store.index.rebuild import TextIndexRebuild
from memcli.store.index.search_index import SearchIndex
from memcli.store.index.vector_sets import VectorSets
from memcli.store.sqlite.connection import Database
from memcli.store.tables.conversations import ConversationTable
from memcli.store.tables.memories import MemoryTable
from memcli.store.tables.memory_sources import MemorySourceTable
from memcli.store.tables.model_cache import ModelCache
from memcli.store.tables.readings import ReadingTable
from memcli.store.tables.sessions import SessionTable
from memcli.store.tables.source_files import SourceTable
from memcli.store.tables.tombstones import TombstoneTable

if TYPE_CHECKING:
    from memcli.store.maintenance.deletion import Deletion
    from memcli.store.maintenance.export import StoreExport
    from memcli.store.maintenance.health import HealthChecks
    from memcli.store.maintenance.statistics import Statistics

DEFAULT_WAIT = 10.0  # seconds


class Store:
    """A memory database, with a part for each table or task.

    A method of a part may run several statements: use `transaction()` to apply all or none.

        with Store(path) as store, store.transaction():
            store.sessions.add(...)

    Raises:
        StoreError: from any method, if SQLite fails.
        BusyError: from any method that writes, while another process is writing.
    """

    def __init__(
        self,
        path: Path,
        *,
        wait: float = DEFAULT_WAIT,
        read_only: bool = False,
        new_key: DatabaseKey | None = None,
        progress: Callable[[int, int], object] = lambda _done, _of: None,
    ) -> None:
        self._database = Database(
            path, wait=wait, read_only=read_only, new_key=new_key, progress=progress
        )
        self.conversations = ConversationTable(self._database)
        self.sessions = SessionTable(self._database)
        self.sources = SourceTable(self._database)
        self.index = SearchIndex(self._database)
        self.cache = ModelCache(self._database)
        self.text_rebuild = TextIndexRebuild(self._database, self.index)
        self.vector_sets = VectorSets(self._database)
        self.memories = MemoryTable(self._database)
        self.memory_sources = MemorySourceTable(self._database)
        self.memory_index = MemoryIndex(self._database)
        self.readings = ReadingTable(self._database)
        if read_only:
            self._require_words()
            return
        TombstoneTable(self._database).key_plain_digests()
        write_missing(self._database, progress)

    # What looks after the database is imported when it is first used: few commands need it.

    @cached_property
    def export(self) -> "StoreExport":
        """All that is kept, in a form that can be read again."""
        from memcli.store.maintenance.export import StoreExport

        return StoreExport(self._database, self.sessions)

    @cached_property
    def health(self) -> "HealthChecks":
        """Checks of the database, and their repairs."""
        from memcli.store.maintenance.health import HealthChecks

        return HealthChecks(self._database)

    @cached_property
    def statistics(self) -> "Statistics":
        """Counts."""
        from memcli.store.maintenance.statistics import Statistics

        return Statistics(self._database)

    @cached_property
    def deletion(self) -> "Deletion":
        """The erasure of what is to be forgotten."""
        from memcli.store.maintenance.deletion import Deletion

        return Deletion(
            self._database,
            index=self.index,
            memories=self.memories,
            memory_sources=self.memory_sources,
            memory_index=self.memory_index,
        )

    @classmethod
    def existing(
        cls,
        path: Path,
        *,
        wait: float = DEFAULT_WAIT,
        read_only: bool = False,
        progress: Callable[[int, int], object] = lambda _done, _of: None,
    ) -> Self:
        """Open a database that must exist already; with `read_only`, nothing in it can change.

        Args:
            path: the file.
            wait: seconds to wait for another writing process.
            read_only: whether nothing may change.
            progress: is called with the sessions that an upgrade has converted, and all of them.

        Raises:
            StoreError: it does not exist.
        """
        if not path.exists():
            raise StoreError(
                f"nothing was ingested yet: no database at {path}",
                hint="`mem ingest PATH` imports an export, `mem ingest --discover` finds those on"
                " this machine",
            )
        return cls(path, wait=wait, read_only=read_only, progress=progress)

    @property
    def key(self) -> DatabaseKey | None:
        """The key of the database, None if it is not encrypted."""
        return self._database.key

    def back_up(
        self, target: Path, *, replace: bool, verify: bool, progress: Callable[[int, int], None]
    ) -> None:
        """Write a copy of the database; see `backup.back_up`."""
        from memcli.store.maintenance.backup import back_up

        back_up(self._database, target, replace=replace, verify=verify, progress=progress)

    def known_backups(self) -> list[Path]:
        """Return the backups that still are where `back_up` wrote them."""
        from memcli.store.maintenance.backup import known_backups

        return known_backups(self._database)

    def owns(self, path: Path) -> bool:
        """Return whether a file is the database itself, or one of its logs."""
        database = Path(os.path.realpath(self._database.path))
        file = Path(os.path.realpath(path))
        names = {f"{database.name}{ending}" for ending in ("", "-wal", "-shm", "-journal")}
        return file.name in names and file.parent == database.parent

    def log_size(self) -> int:
        """Return the size of the write-ahead log in bytes."""
        log = self._database.path.with_name(f"{self._database.path.name}-wal")
        return log.stat().st_size if log.exists() else 0

    def merge_log(self) -> None:
        """Move the write-ahead log into the database's main file, unless a reader needs it."""
        self._database.rows("pragma wal_checkpoint(truncate)")

    def data_version(self) -> int:
        """Return a number that changes when another connection has written to the database."""
        [(version,)] = self._database.rows("pragma data_version")
        return int(version)

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context manager that runs its block as a transaction, or a part of one."""
        return self._database.transaction()

    def snapshot(self) -> AbstractContextManager[None]:
        """Return a context manager whose block reads one state of the database."""
        return self._database.snapshot()

    def cancel_when(self, cancelled: Callable[[], bool]) -> AbstractContextManager[None]:
        """Return a context manager whose statements stop when `cancelled` returns True.

        A statement that was stopped raises KeyboardInterrupt.
        """
        return self._database.cancel_when(cancelled)

    def dry_run(self) -> AbstractContextManager[None]:
        """Return a context manager that runs its block as a transaction and rolls it back."""
        return self._database.dry_run()

    def _require_words(self) -> None:
        """Refuse a database some sessions of which would not be found.

        Raises:
            StoreError: an upgrade has not yet written all words again.
        """
        if missing := count_unwritten(self._database):
            self._database.close()
            raise StoreError(
                f"the upgrade of {self._database.path} is not finished: {missing:,} sessions"
                " cannot be searched yet",
                hint="`mem sessions` finishes it",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()
