"""Folders for temporary files, which only the person can read and which no end of a run leaves.

All lie in one folder of the person's own. A run holds a lock on its folder for as long as it
lives; a folder that nobody holds was left by a run that was killed, and the next one removes it.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = ".lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder that only the person can read, and remove it when the block ends.

    Raises:
        OSError: the temporary disk is full, or cannot be written to.
    """
    from shutil import rmtree
    from tempfile import mkdtemp

    with _locked_parent(create=True) as parent:
        _remove_leftovers(parent)
        folder = Path(mkdtemp(prefix="mem-", dir=parent))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        os.close(lock)
        remove_leftovers()


def remove_leftovers() -> None:
    """Remove the folders of runs that were killed."""
    if not _may_have_leftovers():
        return
    with suppress(OSError), _locked_parent(create=False) as parent:
        _remove_leftovers(parent)
        if parent:
            parent.rmdir()  # fails while another run has a folder there


def _may_have_leftovers() -> bool:
    """Return whether there is anything to look at: `tempfile` takes 2 ms to import.

    All places are looked at that `tempfile.gettempdir` may choose.
    """
    named = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    places = [*filter(None, named), "/tmp", "/var/tmp", "/usr/tmp", "."]
    return any(Path(place, f"mem-{os.getuid()}").exists() for place in places)


def _remove_leftovers(parent: Path | None) -> None:
    for folder in parent.iterdir() if parent else ():
        with suppress(OSError):  # its run still lives
            lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                from shutil import rmtree

                rmtree(folder)
            finally:
                os.close(lock)


@contextmanager
def _locked_parent(*, create: bool) -> Iterator[Path | None]:
    """Hold the lock on the folder of the temporary folders, in which nobody else then works.

    The path is None if another user has put something in its place: temporary folders then lie
    beside it, and nobody removes those that a killed run left.

    Raises:
        OSError: the folder does not exist and is not created, or cannot be.
    """
    from tempfile import gettempdir

    parent = Path(gettempdir()) / f"mem-{os.getuid()}"
    while True:
        if create:
            parent.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            if not create:
                raise
            continue  # another run has just removed it
        except OSError:
            yield None
            return
        try:
            status = os.fstat(lock)
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                yield None
                return
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_same_folder(parent, status):
                yield parent
                return
        finally:
            os.close(lock)


def _is_same_folder(parent: Path, status: os.stat_result) -> bool:
    """Return whether a path still leads to a folder that was opened."""
    try:
        return os.path.samestat(parent.lstat(), status)
    except FileNotFoundError:
        return False
