"""A stream that can be read only once, stored so that it can be read again."""

import io
import tempfile
from typing import Any, BinaryIO


class SpooledStream:
    """The bytes of a stream in a file without a name, which only this process can read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last open view
        while block := stream.read(1 << 20):
            self._file.write(block)

    def __del__(self) -> None:
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
