"""Files, folders, zips and standard input as documents."""

import io
import mimetypes
import os
import posixpath
import re
import sys
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

# More than any real export; a bomb unpacks to a thousand times its size.
LARGEST_MEMBER = 64 << 30  # bytes, unpacked
LARGEST_RATIO = 200  # unpacked to packed; chat JSON reaches about 30
DEEPEST_ZIP = 3  # zips inside each other
LARGEST_ZIP_RATIO = 10  # of a zip in a zip, which hardly packs; it is kept while it is read

_ZIP = b"PK\x03\x04"
# OpenCode's messages, a file for each and for each of its parts: read with their sessions' files.
_PIECE = re.compile(r"((?:.*/)?storage/|)(?:message|part)/[^/]+/[^/]+\.json")
_SESSIONS = re.compile(r"((?:.*/)?storage/|)session/[^/]+")
_NOISE = ("__MACOSX/", ".DS_Store", "._", "Thumbs.db")


@dataclass(frozen=True, slots=True)
class Place:
    """A file on disk, or a stream, that holds documents: itself, or those of a zip."""

    name: str
    file: Path | None  # None for a stream, which cannot be looked at again
    documents: Callable[[], Iterator[Document]] = field(compare=False)  # raises InputError


def places(path: Path) -> Iterator[Place]:
    """Yield the files at a path in a fixed order: itself, or those of a folder.

    Zips are looked into, and zips inside them. `-` is standard input, kept in a private file
    without a name while it is read.

    Raises:
        InputError: there is nothing at the path, or it cannot be read.
    """
    if str(path) == "-":
        yield Place("standard input", None, partial(_kept, "standard input", sys.stdin.buffer))
        return
    try:
        if path.is_dir():
            for inner in sorted(_walked(path)):
                yield Place(str(inner), inner, partial(_file, inner, path))
        elif path.is_fifo() or path.is_char_device():
            yield Place(str(path), None, partial(_piped, path))
        elif path.is_file():
            yield Place(str(path), path, partial(_file, path, path.parent))
        elif path.exists():
            raise InputError(f"{path} is neither a file nor a folder")
        else:
            raise InputError(f"nothing at {path}")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def extent(path: Path) -> int:
    """Return about how many bytes there are to read at a path; 0 where nobody can tell."""
    try:
        if path.is_dir():
            return sum(map(extent, _walked(path)))
        if not path.is_file() or _noise(path.name):
            return 0
        if path.suffix.casefold() == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = archive.infolist()
            return sum(weight(each.filename, each.file_size) for each in found)
        return weight(path.name, path.stat().st_size)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return 0


def _walked(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        piece = _PIECE.fullmatch(path.as_posix())
        if piece and Path(piece[1], "session").is_dir():
            continue
        if path.is_file() and not _noise(path.name):
            yield path


def weight(name: str, size: int | None) -> int:
    """Return how many bytes of a file there are to read: of a picture, a sound or a film, none."""
    kind, _ = mimetypes.guess_type(name)
    return 0 if kind and kind.startswith(("image/", "audio/", "video/")) else size or 0


def _file(path: Path, root: Path) -> Iterator[Document]:
    try:
        if zipfile.is_zipfile(path):
            yield from _Zip(str(path), path).documents()
            return
        with _opened(path) as stream:
            if stream.read(4) == _ZIP:
                raise InputError(f"{path} is a damaged zip: it has no list of its files")
        document = _plain(path, root)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    yield document


def _piped(path: Path) -> Iterator[Document]:
    with _opened(path) as stream:
        yield from _kept(str(path), stream)


def _kept(name: str, stream: BinaryIO) -> Iterator[Document]:
    kept = _Kept(stream)
    if kept.read(0, 4) == _ZIP:
        yield from _Zip(name, kept.open()).documents()
    else:
        yield Document(name, kept.open, size=kept.size())


def _plain(path: Path, root: Path) -> Document:
    status = path.stat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return Document(
        str(path),
        partial(_opened, path),
        modified,
        size=status.st_size,
        find=partial(_beside, path, root),
        folder=partial(_within, path, root),
    )


def _beside(path: Path, root: Path, relative: str) -> Document | None:
    """Return a file under the root by its way from another one."""
    found = Path(os.path.normpath(path.parent / relative))
    inside = found.is_relative_to(os.path.normpath(root))
    return _plain(found, root) if inside and found.is_file() else None


def _within(path: Path, root: Path, relative: str) -> list[Document]:
    """Return the files of a folder under the root by its way from a file."""
    found = Path(os.path.normpath(path.parent / relative))
    inside = found.is_relative_to(os.path.normpath(root))
    if not inside or not found.is_dir():
        return []
    return [_plain(each, root) for each in sorted(found.iterdir()) if each.is_file()]


class _Zip:
    """A zip, closed with the last document that lies in it."""

    def __init__(self, name: str, file: Path | BinaryIO, depth: int = 1) -> None:
        self._name, self._file, self._depth = name, file, depth
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(f"{name} is a damaged zip: {error}") from error
        self._members = {
            member.filename: member
            for member in self._archive.infolist()
            if not member.is_dir() and not _noise(member.filename)
        }
        # Members may share their bytes, so that none of them is too dense, but all together are.
        packed = file.stat().st_size if isinstance(file, Path) else file.seek(0, io.SEEK_END)
        unpacked = sum(one.file_size for one in self._members.values() if not _too_dense(one))
        if unpacked > LARGEST_RATIO * max(packed, 1 << 16):
            raise InputError(f"{name} unpacks to {unpacked:,} bytes: too much for chats")

    def __reduce__(self) -> tuple[Any, ...]:  # another process opens it again
        return _Zip, (self._name, self._file, self._depth)

    def documents(self) -> Iterator[Document]:
        """Yield what lies in it, by name."""
        for path in sorted(self._members):
            piece = _PIECE.fullmatch(path)
            if piece and piece[1] in self._roots:
                continue
            document = self._document(path)
            if not path.casefold().endswith(".zip"):
                yield document
                continue
            try:
                member = self._members[path]
                if self._depth >= DEEPEST_ZIP:
                    raise InputError(f"{document.name} is a zip in too many zips")
                if member.file_size > LARGEST_ZIP_RATIO * max(member.compress_size, 1 << 16):
                    raise InputError(f"{document.name} unpacks to more than a real zip does")
                with document.open() as stream:
                    kept = _Kept(stream)
                yield from _Zip(document.name, kept.open(), self._depth + 1).documents()
            except InputError as error:  # raised again by whoever opens it
                yield Document(document.name, partial(_refused, error))

    def _document(self, path: str) -> Document:
        return Document(
            f"{self._name}/{path}",
            partial(self._open, path),
            _zip_time(self._members[path]),
            size=self._members[path].file_size,
            find=partial(self._beside, path),
            folder=partial(self._within, path),
        )

    def _beside(self, path: str, relative: str) -> Document | None:
        found = posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
        return self._document(found) if found in self._members else None

    def _within(self, path: str, relative: str) -> list[Document]:
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
        return [self._document(found) for found in self._folders.get(folder, ())]

    @cached_property
    def _roots(self) -> set[str]:
        """Return where sessions of OpenCode lie beside their messages."""
        return {found[1] for found in map(_SESSIONS.fullmatch, self._folders) if found}

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        folders = defaultdict[str, list[str]](list)
        for path in sorted(self._members):
            folders[posixpath.dirname(path)].append(path)
        return folders

    def _open(self, path: str) -> BinaryIO:
        name, member = f"{self._name}/{path}", self._members[path]
        if _too_dense(member):
            raise InputError(f"{name} unpacks to {member.file_size:,} bytes: too much for a chat")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{name} is packed in an unknown way", hint="unzip it first")
        with _damage(name):
            stream = self._archive.open(member)

        def read(size: int) -> bytes:
            with _damage(name):
                return stream.read(size)

        return io.BufferedReader(_Stream(read, stream.close))


def _too_dense(member: zipfile.ZipInfo) -> bool:
    """Tell a bomb from a chat."""
    ratio = member.file_size / max(member.compress_size, 1 << 16)
    return member.file_size > LARGEST_MEMBER or ratio > LARGEST_RATIO


def _zip_time(member: zipfile.ZipInfo) -> datetime | None:
    """Return when a member was written: a wall clock of no known zone, so a day at best."""
    try:
        return datetime(*member.date_time, tzinfo=UTC) if member.date_time[0] > 1980 else None
    except ValueError:
        return None


class _Stream(io.RawIOBase):
    """A stream made of a way to read and a way to close."""

    def __init__(self, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._read, self._close = read, close
        self._at = 0  # bytes that were read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # typeshed's own type for it is private
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


class _Kept:
    """A stream that can be read only once, kept in a file without a name, for its owner alone."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last view of it
        while block := stream.read(1 << 20):
            self._file.write(block)

    def __del__(self) -> None:
        self._file.close()

    def open(self) -> BinaryIO:
        """Return a view of its own, from the start."""
        return io.BufferedReader(_View(self))

    def read(self, at: int, size: int) -> bytes:
        """Return so many bytes from a place on."""
        self._file.seek(at)
        return self._file.read(size)

    def size(self) -> int:
        """Return how many bytes there are."""
        return self._file.seek(0, io.SEEK_END)


class _View(io.RawIOBase):
    """A place in a kept stream; it keeps the stream alive."""

    def __init__(self, kept: _Kept) -> None:
        self._kept, self._at = kept, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}
        self._at = offset + (starts[whence] if whence in starts else self._kept.size())
        return self._at

    def readinto(self, buffer: Any) -> int:  # typeshed's own type for it is private
        block = self._kept.read(self._at, len(buffer))
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)


def _noise(name: str) -> bool:
    return any(name.startswith(noise) or f"/{noise}" in name for noise in _NOISE)
