"""A thread with a database connection of its own, which runs the newest job only."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TypeVar

from memcli.errors import MemError
from memcli.store import Store

T = TypeVar("T")


class JobCancelledError(Exception):
    """A newer job took the place of this one."""


class StoreThread:
    """Runs jobs one after the other; a new job cancels the one before it.

    The database is opened by the first job, read-only, and stays open.
    """

    def __init__(self, database: Path) -> None:
        self._path = database
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mem-browse")
        self._store: Store | None = None
        self._cancelled = Event()  # of the newest job

    async def run(self, job: Callable[[Store], T]) -> T:
        """Run a job in the thread and return its result.

        Raises:
            JobCancelledError: a newer job came, or the thread was closed.
            MemError: the job raised it.
        """
        self.cancel()
        cancelled = self._cancelled = Event()
        future = self._executor.submit(self._run, job, cancelled)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def cancel(self) -> None:
        """Cancel the job that runs, if any: its SQL stops at once."""
        self._cancelled.set()

    def close(self) -> None:
        """Cancel the job that runs, close the database, and end the thread."""
        self.cancel()
        with suppress(RuntimeError, MemError):  # the thread has ended before
            self._executor.submit(self._close_store).result(timeout=5)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Callable[[Store], T], cancelled: Event) -> T:
        if cancelled.is_set():
            raise JobCancelledError
        if self._store is None:
            self._store = Store.existing(self._path, read_only=True)
        try:
            with self._store.cancel_when(cancelled.is_set):
                return job(self._store)
        except KeyboardInterrupt as error:  # a statement was stopped
            raise JobCancelledError from error

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.__exit__(None, None, None)
            self._store = None
