"""A file of an export as parsers see it: a stream of bytes, and the files that lie near it."""

from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

from memcli.formats.parsing.message_counter import MessageCounter
from memcli.lazy_dataclasses import dataclass, field


@dataclass(slots=True)
class LogPosition:
    """The position up to which a log was read, at the end of a whole line.

    The reader of a log moves it forward.
    """

    offset: int = 0  # bytes
    line: int = 0  # number of lines before the offset


def _find_no_file(_path: str) -> None:
    """Return None, for a document that has no files near it."""


def _list_no_files(_path: str) -> "list[Document]":
    """Return an empty list, for a document that has no folders near it."""
    return []


@dataclass(frozen=True, slots=True)
class Document:
    """One file of an export: on disk, inside a zip, or from standard input."""

    name: str  # the name shown to a person, such as "export.zip/conversations.json"
    open: Callable[[], BinaryIO] = field(compare=False)  # every call starts at the first byte
    modified_at: datetime | None = field(default=None, compare=False)  # aware; None if unknown
    log_position: LogPosition | None = field(
        default=None, compare=False
    )  # set for a log that was read before
    size: int | None = field(default=None, compare=False)  # bytes; None if unknown
    file_finder: Callable[[str], "Document | None"] = field(default=_find_no_file, compare=False)
    folder_lister: Callable[[str], "list[Document]"] = field(default=_list_no_files, compare=False)
    counter: MessageCounter = field(default_factory=MessageCounter, compare=False)
    consulted: set[str] = field(default_factory=set, compare=False)  # names of files it looked up

    def find_file(self, path: str) -> "Document | None":
        """Return another file of the same export, or None if it does not exist.

        Args:
            path: relative, as in a link in this file: `users.json`, `../users.json`. A path that
                leads out of the folder or zip that is being imported finds no file.
        """
        found = self.file_finder(path)
        if found is not None:
            self.consulted.add(found.name)
        return found

    def list_folder(self, path: str) -> "list[Document]":
        """Return the files of a folder of the same export, sorted by name.

        The list is empty if the folder does not exist.

        Args:
            path: path of the folder, as `beside` takes it.
        """
        return self.folder_lister(path)


def strip_byte_order_mark(data: bytes) -> bytes:
    """Return the first bytes of a UTF-8 file without a byte order mark."""
    return data.removeprefix(b"\xef\xbb\xbf")
