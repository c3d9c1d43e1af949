"""The file of a database: created private and whole, and checked before it is opened."""

import errno
import os
import stat
import time
from contextlib import closing, suppress
from pathlib import Path

import apsw

from memcli.errors import StoreError
from memcli.store.encryption.connect import connect
from memcli.store.encryption.database_key import DatabaseKey
from memcli.store.sqlite.migrations import APPLICATION_ID

_NAME_ATTEMPTS = 5


def create_private_file(path: Path, key: DatabaseKey | None) -> None:
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
        _remove_unused_names(target)
        part = target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(connect(part, key=key)) as new:
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


def _remove_unused_names(path: Path, status: os.stat_result | None = None) -> None:
    """Remove what a process left that was killed while it created a database.

    Args:
        path: of the database.
        status: of the database, to remove second names of it; None to remove old files.
    """
    from glob import escape

    target = Path(os.path.realpath(path))
    for left in target.parent.glob(f".{escape(target.name)}.????????.new"):
        with suppress(OSError):
            found = left.lstat()
            if os.path.samestat(found, status) if status else found.st_mtime < time.time() - 60:
                left.unlink()


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def is_same_file(status: os.stat_result, path: Path) -> bool:
    """Return whether a path still leads to the file that had a status."""
    try:
        return os.path.samestat(status, path.stat())
    except OSError:
        return False


def check_file(path: Path) -> os.stat_result:
    """Check that a file can be a database, and is known by one name only; return its status.

    Raises:
        StoreError: it is no file, was emptied, cannot be read, or has a second name, under which
            another process could write to it without knowing of the log of this one.
    """
    for attempt in range(_NAME_ATTEMPTS):
        try:
            status = path.stat()
        except OSError as error:
            raise StoreError(f"{path} cannot be opened: {_reason(error)}") from error
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"{path} is not a file", hint="name a file with `--db`")
        if status.st_nlink < 2:
            break
        _remove_unused_names(path, status)
        if attempt < _NAME_ATTEMPTS - 1:
            time.sleep(0.05)  # another process may just be creating it, and removes its own name
    else:
        raise StoreError(
            f"{path} has a second name (a hard link), and writing under both would damage it",
            hint=f"`cp {path} FILE` makes a file of its own; then `--db FILE`",
        )
    if not os.access(path, os.R_OK):
        raise StoreError(
            f"{path} cannot be opened: {os.strerror(errno.EACCES)}",
            hint=f"`ls -l {path}` shows its owner, who can type `chmod 600 {path}`",
        )
    if status.st_size == 0:
        raise StoreError(
            f"{path} is empty: it is no database, or was one",
            hint=f"put a backup in its place, or `rm {path}` to begin anew",
        )
    return status
