"""Tars without compression as documents: Skype's export comes as one.

Nothing is unpacked to disk. A member is a stretch of the file, which is opened anew for each
reading, so that another process can read it, too.
"""

import io
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import BinaryIO

from memcli.errors import InputError
from memcli.formats.parsing.document import Document
from memcli.formats.zips import is_noise

TAR_HEAD = 512  # bytes of the head of a member
_MAGIC, _MAGIC_AT = b"ustar", 257
_MOST_MEMBERS = 200_000
_TAR_ERRORS = (tarfile.TarError, OSError, ValueError, EOFError)


def is_tar(head: bytes) -> bool:
    """Return whether a file is a tar, by its first TAR_HEAD bytes."""
    return head.startswith(_MAGIC, _MAGIC_AT)


def tar_documents(path: Path) -> Iterator[Document]:
    """Yield the files in a tar by name.

    Raises:
        InputError: the tar is damaged, or has too many members; nothing is yielded before.
    """
    members: dict[str, tuple[int, int]] = {}  # offset and size of each file
    try:
        with tarfile.open(path, "r:") as archive:
            for number, member in enumerate(archive):
                if number >= _MOST_MEMBERS:
                    raise InputError(f"{path} has more than {_MOST_MEMBERS:,} files")
                if member.isreg() and not member.issparse() and not is_noise(member.name):
                    members[normpath(member.name)] = member.offset_data, member.size
    except _TAR_ERRORS as error:
        raise InputError(f"{path} is a damaged tar: {error}") from error
    for name in sorted(members):
        yield _document(path, members, name)


def _document(path: Path, members: dict[str, tuple[int, int]], name: str) -> Document:
    offset, size = members[name]
    return Document(
        name=f"{path}/{name}",
        open=partial(_open_stretch, path, offset, size),
        size=size,
        file_finder=partial(_find_file, path, members, name),
    )


def _find_file(
    path: Path, members: dict[str, tuple[int, int]], name: str, relative: str
) -> Document | None:
    target = normpath(str(PurePosixPath(name).parent / relative))
    return _document(path, members, target) if target in members else None


def _open_stretch(path: Path, offset: int, size: int) -> BinaryIO:
    return io.BufferedReader(_Stretch(path, offset, size))


class _Stretch(io.RawIOBase):
    """A stretch of a file, read as a file of its own."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file = path.open("rb")
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        """Read bytes into a buffer, and return their number."""
        length = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._offset + self._at)
        data = self._file.read(length)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
