"""A file of the person's: there whole or not at all, and readable by nobody else."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from memcli.errors import BackendError, BusyError


@contextmanager
def private_file(target: Path, failure: Callable[[str], Exception]) -> Iterator[Path]:
    """Give a path of an empty file to write to, which becomes the target when the block ends well.

    Until then the target is as it was; if the block fails, or is interrupted, what was written is
    removed. A link in the target's place is replaced, not followed.

    Args:
        target: the file.
        failure: makes the error that is raised where the file cannot be written.
    """
    part = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            yield part
            sync(part)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync(target.parent)
    except OSError as error:
        raise failure(f"cannot write {target}: {error.strerror or error}") from error


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes the target when the block ends well.

    Until then the target is as it was; if the block fails, or is interrupted, what was written is
    removed. What a killed process left behind is written over by the next one.

    Raises:
        BackendError: the disk is full, or something else keeps the file from being written.
        BusyError: another process is writing the same file.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("ab") as file:
            _lock(file.fileno(), target)
            try:
                yield part
                os.fsync(file.fileno())
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        sync(target.parent)
    except OSError as error:
        raise BackendError(
            f"{target} cannot be written: {error.strerror}",
            hint=f"`df -h {target.parent}` shows the space left"
            if error.errno == errno.ENOSPC
            else None,
        ) from error


def _lock(descriptor: int, target: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError(f"another process is writing {target}") from error
