"""The atomic write of a file: it is there whole or not at all."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from memcli.errors import BackendError, BusyError


@contextmanager
def atomic_write(target: Path, failure: Callable[[str], Exception]) -> Iterator[Path]:
    """Write a small file atomically, readable by its owner alone.

    The block writes to the path that it is given, an empty file beside the target that no other
    process writes, so that any number of processes may write the same target: the last one wins.
    The half that a killed process left there is written over by the next one. A link in the
    target's place is replaced, not followed.

    Args:
        target: the file.
        failure: makes the error that is raised if the file cannot be written.
    """
    try:
        with _unused_part(target) as part, _replacement(target, part):
            yield part
    except OSError as error:
        raise failure(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def atomic_writes(
    folder: Path, failure: Callable[[str], Exception]
) -> Iterator[Callable[[str, bytes], None]]:
    """Write many small files into a folder, each atomically, readable by its owner alone.

    The block gets a function that takes the name of a file and its content. All go through one
    partial file, which a third of the time of `atomic_write` is enough for, and reach the disk
    together at the end.

    Args:
        folder: the folder.
        failure: makes the error that is raised if a file cannot be written.
    """
    target = folder
    try:
        with _unused_part(folder / "files") as lock:
            part = lock.with_suffix(".new")

            def write(name: str, content: bytes) -> None:
                nonlocal target
                target = folder / name
                flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
                with open(os.open(part, flags, 0o600), "wb") as stream:  # noqa: PTH123  # a number
                    stream.write(content)
                part.replace(target)

            try:
                yield write
            finally:
                part.unlink(missing_ok=True)
                lock.unlink(missing_ok=True)
        os.sync()
    except OSError as error:
        raise failure(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def locked_atomic_write(target: Path) -> Iterator[Path]:
    """Write a large file atomically, one process at a time.

    The block writes to the path that it is given, which is always the same for a target: the next
    process overwrites the gigabytes that a killed one left behind.

    Raises:
        BackendError: the disk is full, or something else keeps the file from being written.
        BusyError: another process is writing the same file.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("ab") as file:
            _lock(file.fileno(), target)
            with _replacement(target, part):
                yield part
    except OSError as error:
        raise BackendError(
            f"{target} cannot be written: {error.strerror}",
            hint=f"`df -h {target.parent}` shows the space left"
            if error.errno == errno.ENOSPC
            else None,
        ) from error


@contextmanager
def _unused_part(target: Path) -> Iterator[Path]:
    """Hold the lock on the first partial file of a target that no other process holds, emptied."""
    for number in count():
        part = _part_path(target, number)
        lock = os.open(part, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have moved the file to the target before it was locked.
            if os.path.samestat(os.fstat(lock), part.lstat()):
                os.fchmod(lock, 0o600)
                if os.fstat(lock).st_size:
                    _remove_logs(part)
                os.ftruncate(lock, 0)
                yield part
                return
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(lock)


def remove_leftover_parts(target: Path) -> None:
    """Remove the halves that killed processes left of a file, none that is being written."""
    for number in count():
        part = _part_path(target, number)
        if not os.path.lexists(part):
            return
        with suppress(OSError):  # a process that lives writes it
            lock = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_logs(part)
                part.unlink()
            finally:
                os.close(lock)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, which only its owner can read, and make it survive a power loss.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    begin = b"\n" if before and not before.endswith(b"\n") else b""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(begin + line.encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _replacement(target: Path, part: Path) -> Iterator[None]:
    """Move a partial file to its target when the block ends well; remove it if the block fails."""
    try:
        yield
        sync(part)
        part.replace(target)
    except BaseException:
        _remove_logs(part)
        part.unlink(missing_ok=True)
        raise
    sync(target.parent)


def _remove_logs(part: Path) -> None:
    """Remove the logs of a half-written database, which SQLite would play back into the next."""
    for ending in ("-journal", "-wal", "-shm"):
        Path(f"{part}{ending}").unlink(missing_ok=True)


def _part_path(target: Path, number: int) -> Path:
    return target.with_name(f".{target.name[:200]}.{number}.part")


def _lock(descriptor: int, target: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError(f"another process is writing {target}") from error
