"""How far an import is, in bytes of what there is to read."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from memcli.formats import Document
from memcli.formats.sources import extent, weight

# Is told the bytes that are read and stored, and about how many there are.
ProgressCallback = Callable[[int, int], None]


def ignore_progress(_done: int, _of: int) -> None:
    """Do nothing: the progress callback of callers that want none."""


class Watched:
    """Opens a document, and knows how far it was read, be it by another process.

    Args:
        opened: opens it from the start.
    """

    def __init__(self, opened: Callable[[], BinaryIO]) -> None:
        self._opened = opened
        self._stream: BinaryIO | None = None
        self.place = 0  # bytes: how far it was read, when that was known last

    def __call__(self) -> BinaryIO:
        """Open it."""
        self._stream = self._opened()
        return self._stream

    def __reduce__(self) -> tuple[object, ...]:
        """Return what another process opens it by."""
        return Watched, (self._opened,)

    def look(self) -> int:
        """Return how far it was read."""
        if self._stream:
            with suppress(ValueError, OSError):  # closed, or a pipe: nobody knows how far it is
                self.place = self._stream.tell()
        return self.place


class Meter:
    """Tells how many bytes are through, of about how many.

    Args:
        paths: all that is to be read.
        progress: told.
    """

    def __init__(self, paths: Iterable[Path], progress: ProgressCallback) -> None:
        self._progress = progress
        self._of = sum(map(extent, paths))
        self._done = 0  # of documents that are through
        self._size = self._before = self._now = 0  # of this one; where its last batches end
        self._watched: Watched | None = None
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
        self._watched, self._whole = Watched(document.open), False
        return replace(document, open=self._watched)

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
        return min(self._watched.look(), self._size) if self._watched else 0
