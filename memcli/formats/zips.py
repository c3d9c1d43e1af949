"""Zips as documents: their members, and those of zips inside them; zip bombs are refused."""

import io
import posixpath
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats import piece_layouts
from memcli.formats.parsing.document import Document
from memcli.formats.spool import SpooledStream

# Limits above any real export; a bomb unpacks to a thousand times its size.
LARGEST_MEMBER = 64 << 30  # bytes, unpacked
LARGEST_RATIO = 200  # unpacked to packed bytes; JSON of chats reaches about 30
DEEPEST_ZIP = 3  # zips inside each other
LARGEST_ZIP_RATIO = 10  # of a zip in a zip, which hardly shrinks, and is stored while it is read

ZIP_MAGIC = b"PK\x03\x04"
_LEAST_PACKED = 1 << 16  # bytes; ratios of smaller members say little
ZIP_ERRORS = (  # raised by zipfile for damaged zips and members
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
)
_NOISE = ("__MACOSX/", ".DS_Store", "._", "Thumbs.db")


def is_noise(name: str) -> bool:
    """Return whether a file is written by an operating system and never part of an export."""
    return any(name.startswith(noise) or f"/{noise}" in name for noise in _NOISE)


class ZipSource:
    """A zip, which is closed with its last document."""

    def __init__(self, name: str, file: Path | BinaryIO, depth: int = 1) -> None:
        self._name, self._file, self._depth = name, file, depth
        try:
            self._archive = zipfile.ZipFile(file)
        except ZIP_ERRORS as error:
            raise InputError(f"{name} is a damaged zip: {error}") from error
        self._members = {
            member.filename: member
            for member in self._archive.infolist()
            if not member.is_dir() and not is_noise(member.filename)
        }
        # Members may share their packed bytes, so that only all of them together are too dense.
        packed = file.stat().st_size if isinstance(file, Path) else file.seek(0, io.SEEK_END)
        unpacked = sum(
            member.file_size for member in self._members.values() if not _is_too_dense(member)
        )
        if unpacked > LARGEST_RATIO * max(packed, _LEAST_PACKED):
            raise InputError(f"{name} unpacks to {unpacked:,} bytes: too much for chats")

    def __reduce__(self) -> tuple[Any, ...]:  # another process opens the zip again
        return ZipSource, (self._name, self._file, self._depth)

    def documents(self) -> Iterator[Document]:
        """Yield the members by name, and in place of a zip its members."""
        for path in sorted(self._members):
            if self._is_piece(path):
                continue
            document = self._document(path)
            if not path.casefold().endswith(".zip"):
                yield document
                continue
            try:
                yield from self._inner_documents(document, self._members[path])
            except InputError as error:  # raised again when the document is opened
                yield Document(document.name, partial(_raise, error))

    def _inner_documents(self, document: Document, member: zipfile.ZipInfo) -> Iterator[Document]:
        if self._depth >= DEEPEST_ZIP:
            raise InputError(f"{document.name} is a zip in too many zips")
        if member.file_size > LARGEST_ZIP_RATIO * max(member.compress_size, _LEAST_PACKED):
            raise InputError(f"{document.name} unpacks to more than a real zip does")
        with document.open() as stream:
            spooled = SpooledStream(document.name, stream)
        yield from ZipSource(document.name, spooled.open(), self._depth + 1).documents()

    def _document(self, path: str) -> Document:
        return Document(
            name=f"{self._name}/{path}",
            open=partial(self._open, path),
            modified_at=_modification_time(self._members[path]),
            size=self._members[path].file_size,
            file_finder=partial(self._find_file, path),
            folder_lister=partial(self._list_folder, path),
        )

    def _find_file(self, path: str, relative: str) -> Document | None:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
        return self._document(target) if target in self._members else None

    def _list_folder(self, path: str, relative: str) -> list[Document]:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
        return [self._document(member) for member in self._folders.get(target, ())]

    def _is_piece(self, path: str) -> bool:
        """Return whether a member is read together with the main file of its session."""
        for layout in piece_layouts():
            match = layout.path.fullmatch(path)
            if match and f"{match[1]}{layout.main_folder}" in self._parents:
                return True
        return False

    @cached_property
    def _parents(self) -> set[str]:
        """The folders that have folders with members."""
        return {posixpath.dirname(folder) for folder in self._folders}

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        """The members of each folder, by name."""
        folders = defaultdict[str, list[str]](list)
        for path in sorted(self._members):
            folders[posixpath.dirname(path)].append(path)
        return folders

    def _open(self, path: str) -> BinaryIO:
        name, member = f"{self._name}/{path}", self._members[path]
        if _is_too_dense(member):
            raise InputError(f"{name} unpacks to {member.file_size:,} bytes: too much for a chat")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{name} is packed in an unknown way", hint="unzip it first")
        with _translate_errors(name):
            stream = self._archive.open(member)

        def read(size: int) -> bytes:
            with _translate_errors(name):
                return stream.read(size)

        return io.BufferedReader(_MemberStream(read, stream.close))


def _is_too_dense(member: zipfile.ZipInfo) -> bool:
    """Return whether a member unpacks to so many bytes that it must be a bomb."""
    ratio = member.file_size / max(member.compress_size, _LEAST_PACKED)
    return member.file_size > LARGEST_MEMBER or ratio > LARGEST_RATIO


def _modification_time(member: zipfile.ZipInfo) -> datetime | None:
    """Return the time of a member: a wall clock in an unknown zone, so exact to a day at best."""
    try:
        return datetime(*member.date_time, tzinfo=UTC) if member.date_time[0] > 1980 else None
    except ValueError:
        return None


class _MemberStream(io.RawIOBase):
    """A stream made of a function that reads and a function that closes."""

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._read, self._close = read, close
        self._at = 0  # number of bytes that were read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # Any: the type that typeshed uses is private
        block = self._read(len(buffer))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Raise InputError for what zipfile raises for damaged and encrypted members."""
    try:
        yield
    except ZIP_ERRORS as error:
        raise InputError(f"{name} is damaged: {error}") from error
    except RuntimeError as error:  # raised by zipfile if a password is needed
        raise InputError(f"{name} is encrypted", hint="unzip it first") from error


def _raise(error: InputError) -> BinaryIO:
    raise error
