"""Connections to databases, encrypted or not: every one is opened here."""

import os
from pathlib import Path
from urllib.parse import quote

import apsw

from memcli.store.encryption.database_key import DatabaseKey

CIPHER = "aegis"
CREATE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
READ = apsw.SQLITE_OPEN_READONLY


def connect(
    path: Path, flags: int = CREATE, *, key: DatabaseKey | None, immutable: bool = False
) -> apsw.Connection:
    """Open a connection, and set its key before any statement can read the file.

    Args:
        path: the file.
        flags: `CREATE` or `READ`.
        key: None for a database that is not encrypted.
        immutable: True for a file that no process changes; SQLite then makes no file beside it.

    Raises:
        apsw.Error: the file cannot be opened. A wrong key shows at the first statement only.
    """
    address = file_address(path, immutable="1" if immutable else "0")
    database = apsw.Connection(address, flags=flags | apsw.SQLITE_OPEN_URI)
    if key:  # not as the caller's statement: those are logged, and kept for reuse
        database.execute(f"pragma cipher = '{CIPHER}'", can_cache=False)
        database.execute(f"pragma key = '{key.sqlite_key()}'", can_cache=False)
    return database


def file_address(path: Path, **parameters: str) -> str:
    """Return the address that SQLite opens a file by."""
    values = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"file:{quote(os.fsencode(path.absolute()))}?{values}"


def copy_address(path: Path, key: DatabaseKey | None) -> str:
    """Return the address that `vacuum into` writes a copy to, encrypted with a key if there is one.

    It contains the key: it must not reach an error or a log.
    """
    if key is None:
        return file_address(path, key="")
    return file_address(path, cipher=CIPHER, key=key.sqlite_key())
