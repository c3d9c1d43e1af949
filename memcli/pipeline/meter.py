"""How far an import is, in bytes of what there is to read."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from memcli.formats import Document
from memcli.formats.documents import extent, weight

Progress = Callable[[int, int], None]  # bytes that are read and stored, of about how many


def unheard(_done: int, _of: int) -> None:
    """Tell nobody."""


class Meter:
    """Tells how many bytes are through, of about how many.

    Args:
        paths: all that is to be read.
        progress: told.
    """

    def __init__(self, paths: Iterable[Path], progress: Progress) -> None:
        self._progress = progress
        self._of = sum(map(extent, paths))
        self._done = 0  # of documents that are through
        self._size = self._before = self._now = 0  # of this one; where its last batches end
        self._stream: BinaryIO | None = None
        self._whole = False  # to its end

    def begin(self, document: Document, *, counted: bool) -> Document:
        """Return a document whose reading is watched.

        Args:
            document: the next one.
            counted: whether it lies at one of the paths; else it is only known now.
        """
        self._size = weight(document.name, document.size)
        self._of += 0 if counted else self._size
        self._before = self._now = 0
        self._stream, self._whole = None, False

        def opened() -> BinaryIO:
            self._stream = document.open()
            return self._stream

        return replace(document, open=opened)

    def last(self) -> None:
        """Note that what follows is a document's last batch."""
        self._whole = True

    def batch(self) -> None:
        """Note where the next batch ends: it was just read, and will be stored."""
        self._before, self._now = self._now, self._place()

    def stored(self, share: float) -> None:
        """Tell how much of the batch is stored, from 0 to 1."""
        done = self._done + self._before + round(share * max(self._now - self._before, 0))
        self._progress(done, max(self._of, done))

    def end(self) -> None:
        """Note that a document is through."""
        self._done += self._size

    def pass_over(self, size: int) -> None:
        """Note that so many bytes need not be read."""
        self._of -= size

    def _place(self) -> int:
        if self._whole:
            return self._size
        try:
            return min(self._stream.tell(), self._size) if self._stream else 0
        except ValueError:  # closed: it was read at once, and nobody knows what is still to come
            return self._now
