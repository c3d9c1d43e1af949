"""A stream that can be read only once, stored so that it can be read again."""

import errno
import io
import os
import tempfile
from contextlib import suppress
from typing import IO, Any, BinaryIO

from memcli.errors import InputError

LARGEST_STREAM = 8  # GiB, by default: above any export without its pictures
_VARIABLE = "MEM_MAX_STREAM"  # GiB, as a person sets it


class SpooledStream:
    """The bytes of a stream in a file without a name, which only this process can read.

    Raises:
        InputError: the stream is endless or cannot be read, or the temporary disk is full.
    """

    def __init__(self, name: str, stream: BinaryIO) -> None:
        try:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last open view
        except OSError as error:
            raise spool_error(name, error) from error
        try:
            copy_bounded(name, stream, self._file)
            self._file.flush()
        except OSError as error:
            raise spool_error(name, error) from error

    def __del__(self) -> None:
        if "_file" in self.__dict__:
            with suppress(OSError):  # the disk was full
                self._file.close()

    def open(self) -> BinaryIO:
        """Return a stream that starts at the first byte."""
        return io.BufferedReader(_View(self))

    def read(self, at: int, size: int) -> bytes:
        """Return at most `size` bytes from a position on."""
        self._file.seek(at)
        return self._file.read(size)

    def size(self) -> int:
        """Return the number of bytes."""
        return self._file.seek(0, io.SEEK_END)


def copy_bounded(name: str, stream: BinaryIO, target: IO[bytes]) -> None:
    """Copy a stream into a temporary file.

    Args:
        name: of the stream, for the error.
        stream: the stream.
        target: the file.

    Raises:
        InputError: the stream has more bytes than any export, and may be endless.
        OSError: the stream cannot be read, or the temporary disk is full.
    """
    limit = _largest_stream()
    size = 0
    while block := stream.read(1 << 20):
        size += len(block)
        if size > limit:
            raise InputError(
                f"{name} has more than {limit / (1 << 30):g} GiB",
                hint=f"`export {_VARIABLE}=GIB` allows more, if it is an export",
            )
        target.write(block)


def spool_error(name: str, error: OSError) -> InputError:
    """Return the error of a stream that could not be copied into a temporary file."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = tempfile.gettempdir()
        return InputError(
            f"{name} cannot be read: the disk of {folder} is full",
            hint="`export TMPDIR=FOLDER` names a folder on another disk",
        )
    return InputError(f"{name} cannot be read: {error.strerror or error}")


def _largest_stream() -> int:
    """Return the largest number of bytes of a stream.

    Raises:
        InputError: the person's limit is no number.
    """
    text = os.environ.get(_VARIABLE) or str(LARGEST_STREAM)
    try:
        size = float(text) * (1 << 30)
        if not 0 < size < float("inf"):
            raise ValueError
    except ValueError:
        raise InputError(f"{_VARIABLE} is `{text}`, not a number of GiB") from None
    return int(size)


class _View(io.RawIOBase):
    """A position in a spooled stream; the view keeps the stream open."""

    def __init__(self, spooled: SpooledStream) -> None:
        self._spooled, self._at = spooled, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}
        self._at = offset + (starts[whence] if whence in starts else self._spooled.size())
        return self._at

    def readinto(self, buffer: Any) -> int:  # Any: the type that typeshed uses is private
        block = self._spooled.read(self._at, len(buffer))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)
