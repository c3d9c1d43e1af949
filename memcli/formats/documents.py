"""Files, folders, zips and standard input as documents."""

import io
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats.base import Document

# More than any real export; a bomb unpacks to a thousand times its size.
LARGEST_MEMBER = 64 << 30  # bytes, unpacked
LARGEST_RATIO = 200  # unpacked to packed; chat JSON reaches about 30

_NOISE = ("__MACOSX/", ".DS_Store", "._", "Thumbs.db")


def documents(path: Path) -> Iterator[Document]:
    """Yield the files at a path in a fixed order: itself, those of a folder, those of a zip.

    `-` is standard input, kept in a private file without a name while it is read.

    What cannot be read in a folder raises when it is opened.

    Raises:
        InputError: there is nothing at the path, it cannot be read, or a zip is damaged.
    """
    if str(path) == "-":
        yield _standard_input()
        return
    try:
        if path.is_dir():
            for inner in sorted(p for p in path.rglob("*") if p.is_file() and not _noise(p.name)):
                try:
                    yield from _file(inner)
                except InputError as error:  # raised again by whoever opens it
                    yield Document(str(inner), partial(_refused, error))
        elif path.exists():
            yield from _file(path)
        else:
            raise InputError(f"nothing at {path}")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _file(path: Path) -> Iterator[Document]:
    if not (path.is_file() or path.is_fifo() or path.is_char_device()):
        raise InputError(f"{path} is neither a file nor a folder")
    if path.is_fifo() or path.is_char_device():
        with path.open("rb") as stream:
            yield Document(str(path), _Kept(stream).open)
        return
    if zipfile.is_zipfile(path):
        yield from _members(path)
        return
    with _opened(path) as stream:
        if stream.read(4) == b"PK\x03\x04":
            raise InputError(f"{path} is a damaged zip: it has no list of its files")
    yield Document(str(path), partial(_opened, path))


def _members(path: Path) -> Iterator[Document]:
    try:
        archive = zipfile.ZipFile(path)  # closed with the last document that lies in it
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is a damaged zip: {error}") from error
    members = [m for m in archive.infolist() if not m.is_dir() and not _noise(m.filename)]
    for member in sorted(members, key=lambda each: each.filename):
        name = f"{path}/{member.filename}"
        yield Document(name, partial(_member, name, archive, member))


def _member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    if member.file_size > LARGEST_MEMBER or (
        member.file_size > LARGEST_RATIO * max(member.compress_size, 1 << 16)
    ):
        raise InputError(f"{name} unpacks to {member.file_size:,} bytes: too much for a chat")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{name} is packed in an unknown way", hint="unzip it first")
    with _damage(name):
        stream = archive.open(member)

    def read(size: int) -> bytes:
        with _damage(name):
            return stream.read(size)

    return io.BufferedReader(_Stream(read, stream.close))


class _Stream(io.RawIOBase):
    """A stream made of a way to read and a way to close."""

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._read, self._close = read, close

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # typeshed's own type for it is private
        block = self._read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise InputError(f"{name} is damaged: {error}") from error
    except RuntimeError as error:  # what zipfile raises for a password
        raise InputError(f"{name} is encrypted", hint="unzip it first") from error


def _refused(error: InputError) -> BinaryIO:
    raise error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _standard_input() -> Document:
    return Document("standard input", _Kept(sys.stdin.buffer).open)


class _Kept:
    """A stream that can be read only once, kept in a file without a name, for its owner alone."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last view of it
        while block := stream.read(1 << 20):
            self._file.write(block)

    def __del__(self) -> None:
        self._file.close()

    def open(self) -> BinaryIO:
        at = 0

        def read(size: int) -> bytes:
            nonlocal at
            self._file.seek(at)
            found = self._file.read(size)
            at += len(found)
            return found

        return io.BufferedReader(_Stream(read, lambda: None))


def _noise(name: str) -> bool:
    return any(name.startswith(noise) or f"/{noise}" in name for noise in _NOISE)
