"""The documents that a path leads to: a file, a folder, a zip, or standard input."""

import io
import mimetypes
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats import piece_layouts
from memcli.formats.parsing.document import Document
from memcli.formats.spool import SpooledStream
from memcli.formats.tars import TAR_HEAD, is_tar, tar_documents
from memcli.formats.zips import ZIP_ERRORS, ZIP_MAGIC, ZipSource, is_noise
from memcli.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """A file on disk, or a stream, and the documents in it: itself, or the members of a zip."""

    name: str
    file: Path | None  # None for a stream, which cannot be read again
    documents: Callable[[], Iterator[Document]] = field(compare=False)  # raises InputError


def find_sources(path: Path) -> Iterator[DocumentSource]:
    """Yield the sources at a path in a fixed order: a file, or the files of a folder.

    The documents of a zip are its members, and those of zips inside it. The path `-` is standard
    input, which is kept in a private file without a name while it is read.

    Raises:
        InputError: the path does not exist or cannot be read.
    """
    if str(path) == "-":
        name = "standard input"
        yield DocumentSource(name, None, partial(_stream_documents, name, sys.stdin.buffer))
        return
    try:
        if path.is_dir():
            yield from _folder_sources(path)
        elif path.is_fifo() or path.is_char_device():
            yield DocumentSource(str(path), None, partial(_pipe_documents, path))
        elif path.is_file():
            yield DocumentSource(str(path), path, partial(_file_documents, path, path.parent))
        elif path.exists():
            raise InputError(f"{path} is neither a file nor a folder")
        else:
            raise InputError(f"no file or folder at {path}")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def total_bytes(path: Path) -> int:
    """Return roughly how many bytes there are to read at a path; 0 if it cannot be known."""
    try:
        if path.is_dir():
            return sum(map(total_bytes, _files_in(path, [])))
        if not path.is_file() or is_noise(path.name):
            return 0
        if path.suffix.casefold() == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
            return sum(readable_bytes(member.filename, member.file_size) for member in members)
        return readable_bytes(path.name, path.stat().st_size)
    except ZIP_ERRORS:
        return 0


def readable_bytes(name: str, size: int | None) -> int:
    """Return how many bytes of a file there are to read, which is 0 for pictures, audio and video.

    Args:
        name: of the file.
        size: in bytes; None if unknown.
    """
    kind, _ = mimetypes.guess_type(name)
    return 0 if kind and kind.startswith(("image/", "audio/", "video/")) else size or 0


def _folder_sources(folder: Path) -> Iterator[DocumentSource]:
    """Yield the files of a folder, and the entries that cannot be read, which raise when read."""
    failures: list[OSError] = []
    for file in sorted(_files_in(folder, failures)):
        yield DocumentSource(str(file), file, partial(_file_documents, file, folder))
    for error in failures:
        name = os.fsdecode(error.filename or folder)
        yield DocumentSource(name, None, partial(_raise, _unreadable(name, error)))


def _files_in(folder: Path, failures: list[OSError]) -> Iterator[Path]:
    """Yield the files of a folder that are documents of their own.

    Args:
        folder: the folder.
        failures: takes the errors of entries that cannot be read.
    """
    for parent, _, names in os.walk(folder, onerror=failures.append):
        for path in (Path(parent, name) for name in names if not is_noise(name)):
            try:
                if path.is_file() and not _is_piece(path):
                    yield path
            except OSError as error:
                failures.append(error)


def _is_piece(path: Path) -> bool:
    """Return whether a file is read together with the main file of its session."""
    for layout in piece_layouts():
        match = layout.path.fullmatch(path.as_posix())
        if match and Path(match[1], layout.main_folder).is_dir():
            return True
    return False


def _file_documents(path: Path, root: Path) -> Iterator[Document]:
    """Yield a file, or the members of a zip.

    Args:
        path: of the file.
        root: folder of the export, which relative paths never leave.
    """
    try:
        if zipfile.is_zipfile(path):
            yield from ZipSource(str(path), path).documents()
            return
        with _open_file(path) as stream:
            head = stream.read(TAR_HEAD)
        if head.startswith(ZIP_MAGIC):
            raise InputError(f"{path} is a damaged zip: it has no list of its files")
        if is_tar(head):
            yield from tar_documents(path)
            return
        document = _file_document(path, root)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    yield document


def _pipe_documents(path: Path) -> Iterator[Document]:
    with _open_file(path) as stream:
        yield from _stream_documents(str(path), stream)


def _stream_documents(name: str, stream: BinaryIO) -> Iterator[Document]:
    spooled = SpooledStream(name, stream)
    if spooled.read(0, 4) == ZIP_MAGIC:
        yield from ZipSource(name, spooled.open()).documents()
    else:
        yield Document(name, spooled.open, size=spooled.size())


def _file_document(path: Path, root: Path) -> Document:
    status = path.stat()
    return Document(
        name=str(path),
        open=partial(_open_file, path),
        modified_at=_modification_time(status.st_mtime),
        size=status.st_size,
        file_finder=partial(_find_file, path, root),
        folder_lister=partial(_list_folder, path, root),
    )


def _modification_time(seconds: float) -> datetime | None:
    """Return the time of a file; None if it is in no year that a date can have."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _find_file(path: Path, root: Path, relative: str) -> Document | None:
    """Return a file under the root by its path relative to another file."""
    target = Path(os.path.normpath(path.parent / relative))
    inside = target.is_relative_to(os.path.normpath(root))
    try:
        return _file_document(target, root) if inside and target.is_file() else None
    except (OSError, ValueError) as error:
        raise _unreadable(target, error) from error


def _list_folder(path: Path, root: Path, relative: str) -> list[Document]:
    """Return the files of a folder under the root by its path relative to a file."""
    target = Path(os.path.normpath(path.parent / relative))
    inside = target.is_relative_to(os.path.normpath(root))
    try:
        if not inside or not target.is_dir():
            return []
        return [_file_document(file, root) for file in sorted(target.iterdir()) if file.is_file()]
    except (OSError, ValueError) as error:
        raise _unreadable(target, error) from error


class _ReadFile(io.FileIO):
    """A file whose reading raises InputError."""

    def readinto(self, buffer: Any, /) -> int:  # Any: the type that typeshed uses is private
        try:
            return super().readinto(buffer) or 0
        except OSError as error:
            raise _unreadable(str(self.name), error) from error


def _open_file(path: Path) -> BinaryIO:
    try:
        return io.BufferedReader(_ReadFile(path), 1 << 16)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path | str, error: OSError | ValueError) -> InputError:
    """Return the error of a path that cannot be read, or that no path can be: it has a NUL."""
    return InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")


def _raise(error: InputError) -> Iterator[Document]:
    raise error
