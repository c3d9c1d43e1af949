"""The memory database as the rest of memcli sees it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from memcli.errors import StoreError
from memcli.store.index.memories import MemoryIndex
from memcli.store.index.passages import Index
from memcli.store.index.rebuild import Rewording
from memcli.store.index.vector_sets import Vectors
from memcli.store.maintenance.backup import back_up
from memcli.store.maintenance.export import Archive
from memcli.store.maintenance.forget import Forgetting
from memcli.store.maintenance.health import Health
from memcli.store.maintenance.statistics import Statistics
from memcli.store.sqlite.connection import Database
from memcli.store.tables.conversations import Conversations
from memcli.store.tables.memories import Memories
from memcli.store.tables.model_cache import Cache
from memcli.store.tables.readings import Reads
from memcli.store.tables.sessions import Sessions
from memcli.store.tables.sources import Sources

WAIT = 10.0  # seconds


class Store:
    """One memory database, in parts: conversations, their sessions, memories, the indexes, a cache.

    Every method of a part is all or nothing only inside `transaction()`.

        with Store(path) as store, store.transaction():
            store.sessions.add(...)

    Raises:
        StoreError: from any method, whenever SQLite refuses.
        BusyError: from any method that writes, while another process does.
    """

    def __init__(self, path: Path, *, wait: float = WAIT, read_only: bool = False) -> None:
        self._database = Database(path, wait=wait, read_only=read_only)
        self.conversations = Conversations(self._database)
        self.sessions = Sessions(self._database)
        self.archive = Archive(self._database, self.sessions)
        self.sources = Sources(self._database)
        self.index = Index(self._database)
        self.cache = Cache(self._database)
        self.rewording = Rewording(self._database, self.index)
        self.vectors = Vectors(self._database)
        self.health = Health(self._database)
        self.statistics = Statistics(self._database)
        self.memories = Memories(self._database)
        self.memory_index = MemoryIndex(self._database, self.index)
        self.forgetting = Forgetting(self._database, self.index, self.memories, self.memory_index)
        self.reads = Reads(self._database)

    @classmethod
    def existing(cls, path: Path, *, wait: float = WAIT, read_only: bool = False) -> Self:
        """Open a database that must be there already; read-only, nothing in it can change.

        Raises:
            StoreError: it is not.
        """
        if not path.exists():
            raise StoreError(
                f"nothing was ingested yet: no database at {path}", hint="mem ingest PATH"
            )
        return cls(path, wait=wait, read_only=read_only)

    def back_up(
        self, target: Path, *, replace: bool, verify: bool, told: Callable[[int, int], None]
    ) -> None:
        """Write a copy of the database as it is now; see `backup.back_up`."""
        back_up(self._database, target, replace=replace, verify=verify, told=told)

    def log_size(self) -> int:
        """Return how many bytes were written that are not yet in the database's own file."""
        log = self._database.path.with_name(f"{self._database.path.name}-wal")
        return log.stat().st_size if log.exists() else 0

    def take_over_log(self) -> None:
        """Bring what was written into the database's own file, as far as no reader needs it."""
        self._database.rows("pragma wal_checkpoint(truncate)")

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Inside another transaction, take part in that one."""
        return self._database.transaction()

    def snapshot(self) -> AbstractContextManager[None]:
        """Read everything as it is at one moment, whoever writes meanwhile."""
        return self._database.snapshot()

    def trial(self) -> AbstractContextManager[None]:
        """Do as in a transaction, and then as if nothing had happened."""
        return self._database.trial()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()
