"""The memory database as the rest of memcli sees it."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from memcli.errors import StoreError
from memcli.store.cache import Cache
from memcli.store.connection import Database
from memcli.store.conversations import Conversations
from memcli.store.forgetting import Forgetting
from memcli.store.index import Index
from memcli.store.memories import Memories
from memcli.store.memory_index import MemoryIndex
from memcli.store.reads import Reads
from memcli.store.sessions import Sessions
from memcli.store.sources import Sources

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

    def __init__(self, path: Path, *, wait: float = WAIT) -> None:
        self._database = Database(path, wait=wait)
        self.conversations = Conversations(self._database)
        self.sessions = Sessions(self._database)
        self.sources = Sources(self._database)
        self.index = Index(self._database)
        self.cache = Cache(self._database)
        self.memories = Memories(self._database)
        self.memory_index = MemoryIndex(self._database, self.index)
        self.forgetting = Forgetting(self._database, self.index, self.memories, self.memory_index)
        self.reads = Reads(self._database)

    @classmethod
    def existing(cls, path: Path, *, wait: float = WAIT) -> Self:
        """Open a database that must be there already.

        Raises:
            StoreError: it is not.
        """
        if not path.exists():
            raise StoreError(
                f"nothing was ingested yet: no database at {path}", hint="mem ingest PATH"
            )
        return cls(path, wait=wait)

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Inside another transaction, take part in that one."""
        return self._database.transaction()

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
