"""Reports the progress of an import, in bytes of the documents to read."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from memcli.formats import Document
from memcli.formats.sources import readable_bytes, total_bytes
from memcli.lazy_dataclasses import replace

# Takes the bytes that are read and stored, and about how many there are.
ProgressCallback = Callable[[int, int], None]


class TrackedOpener:
    """Opens a document, and knows how far it was read, also by another process.

    Args:
        open_document: opens it from the start.
    """

    def __init__(self, open_document: Callable[[], BinaryIO]) -> None:
        self._open = open_document
        self._stream: BinaryIO | None = None
        self.position = 0  # bytes that were read when this was last known

    def __call__(self) -> BinaryIO:
        """Open the document."""
        self._stream = self._open()
        return self._stream

    def __reduce__(self) -> tuple[object, ...]:
        """Return what another process opens the document with."""
        return TrackedOpener, (self._open,)

    def update_position(self) -> int:
        """Return the number of bytes that were read."""
        if self._stream:
            with suppress(ValueError, OSError):  # it is closed, or a pipe without positions
                self.position = self._stream.tell()
        return self.position


class ImportProgress:
    """Counts the bytes that are read and stored.

    For each document call `start`, for each of its batches `start_batch` and `store_share`,
    before the last batch `read_to_end`, and at last `finish`.

    Args:
        paths: everything that is to be read.
        callback: takes the bytes that are done and how many there are.
    """

    def __init__(self, paths: Iterable[Path], callback: ProgressCallback) -> None:
        self._callback = callback
        self._total = sum(map(total_bytes, paths))
        self._done = 0  # bytes of finished documents
        self._size = 0  # bytes of the current document
        self._batch_start = self._batch_end = 0  # positions of the current batch in it
        self._opener: TrackedOpener | None = None
        self._at_end = False  # True if the current document was read to its end

    def start(self, document: Document, *, counted: bool) -> Document:
        """Return a document whose reading is tracked.

        Args:
            document: the next one.
            counted: whether it lies at one of the paths; else its size is only known now.
        """
        self._size = readable_bytes(document.name, document.size)
        self._total += 0 if counted else self._size
        self._batch_start = self._batch_end = 0
        self._opener, self._at_end = TrackedOpener(document.open), False
        return replace(document, open=self._opener)

    def read_to_end(self) -> None:
        """Note that the next batch is the document's last one."""
        self._at_end = True

    def start_batch(self) -> None:
        """Note the end of the next batch, which was just read and will be stored."""
        self._batch_start, self._batch_end = self._batch_end, self._position()

    def store_share(self, share: float) -> None:
        """Report the share of the batch that is stored, from 0 to 1."""
        length = max(self._batch_end - self._batch_start, 0)
        done = self._done + self._batch_start + round(share * length)
        self._callback(done, max(self._total, done))

    def finish(self) -> None:
        """Note that a document is done."""
        self._done += self._size

    def skip(self, size: int) -> None:
        """Note that so many bytes need not be read."""
        self._total -= size

    def _position(self) -> int:
        if self._at_end:
            return self._size
        return min(self._opener.update_position(), self._size) if self._opener else 0
