"""Waiting for slow work, but never too long.

Sockets have time-outs for one read each, none for an answer that comes a byte at a time, and none
for a name that is being looked up. So the work is done in threads of its own, which end with the
process or when they next come to themselves, and the wait is for a queue.
"""

from collections.abc import Generator, Iterator, Sequence
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_AHEAD = 64  # items that work may be ahead of who takes them
_POLL = 0.2  # seconds


class _End:
    """A piece of work has come to its end; `error` is what ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def awaited(works: Sequence[Generator[T]], *, silence: float, whole: float) -> Iterator[T]:
    """Yield what pieces of work yield, as it comes, each done in a thread of its own.

    Leaving early closes the works as soon as they yield again.

    Args:
        works: generators that nobody has started; their errors are raised here.
        silence: seconds to wait for the next item.
        whole: seconds to wait altogether.

    Raises:
        TimeoutError: an item, or the end, did not come in time.
    """
    queue: Queue[T | _End] = Queue(_AHEAD)
    left = Event()
    for work in works:
        Thread(target=_do, args=(work, queue, left), daemon=True).start()
    end, running = monotonic() + whole, len(works)
    try:
        while running:
            wait = min(silence, end - monotonic())
            try:
                item = queue.get(timeout=max(wait, 0.0))
            except Empty:
                raise TimeoutError(silence if wait == silence else whole) from None
            if not isinstance(item, _End):
                yield item
            elif item.error:
                raise item.error
            else:
                running -= 1
    finally:
        left.set()


def _do(work: Generator[T], queue: "Queue[T | _End]", left: Event) -> None:
    error: BaseException | None = None
    try:
        for item in work:
            if not _put(item, queue, left):
                work.close()
                return
    except BaseException as raised:  # whatever it is, it belongs to who waits
        error = raised
    _put(_End(error), queue, left)


def _put(item: "T | _End", queue: "Queue[T | _End]", left: Event) -> bool:
    """Hand an item over; return False where nobody takes it any more."""
    while not left.is_set():
        try:
            queue.put(item, timeout=_POLL)
        except Full:
            continue
        return True
    return False
