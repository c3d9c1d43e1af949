"""Encrypting a database, decrypting it, and changing its key: always into a new file.

A kill at any moment leaves the old file whole or the new one. Nothing is left of the other: the log
is moved into the main file before, a half-written new file is removed by the next command, and what
was in the old file is overwritten once the new one is in its place.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from memcli.errors import BusyError, StoreError
from memcli.files import atomic_write
from memcli.store.encryption.database_key import DatabaseKey
from memcli.store.maintenance.backup import check_copy
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.database_file import is_same_file

_BLOCK = 1 << 20  # bytes


def rewrite_database(
    path: Path,
    key: DatabaseKey | None,
    *,
    wait: float,
    progress: Callable[[int, int], None],
) -> None:
    """Encrypt a database with a key, or decrypt it; all that it holds stays, to the row number.

    Args:
        path: the database.
        key: None to decrypt it.
        wait: seconds to wait for another process that writes to it.
        progress: is called with the bytes written, and about all there are to write.

    Raises:
        StoreError: the database is damaged, or the new file cannot be written.
        BusyError: another process has it open.
    """
    target = Path(os.path.realpath(path))
    with ExitStack() as stack:
        try:  # closed after the connection: closing it before would release SQLite's locks
            old = stack.enter_context(target.open("r+b", buffering=0))
        except OSError as error:
            raise StoreError(f"{path} cannot be opened: {error.strerror}") from error
        database = stack.enter_context(closing(Database(target, wait=wait)))
        database.become_only_connection()
        status = os.fstat(old.fileno())
        if not is_same_file(status, target):
            raise BusyError(f"another process has just replaced {path}", hint="try again")
        with atomic_write(target, StoreError) as part:
            database.rewrite_to(
                part, key, lambda: progress(part.stat().st_size, max(status.st_size, 1))
            )
            check_copy(part, target)
        with suppress(OSError):  # the file has no name any more
            _overwrite(old.fileno(), os.fstat(old.fileno()).st_size)


def _overwrite(descriptor: int, size: int) -> None:
    for start in range(0, size, _BLOCK):
        os.pwrite(descriptor, bytes(min(_BLOCK, size - start)), start)
    os.fsync(descriptor)
