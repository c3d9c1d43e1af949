"""Time limits for slow work.

Sockets have time-outs for one read each, none for a reply that comes a byte at a time, and none
for the lookup of a name. So the work runs in threads of its own, which end with the process or when
they next yield, and the caller waits for a queue.
"""

from collections.abc import Generator, Iterator, Sequence
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_MAX_QUEUED = 64  # items that work may be ahead of their consumer
_POLL = 0.2  # seconds


class _End:
    """The end of a piece of work, with the error that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def run_with_timeout(
    works: Sequence[Generator[T]], *, idle_timeout: float, total_timeout: float
) -> Iterator[T]:
    """Yield the items of several pieces of work as they come, each run in a thread of its own.

    Closing this iterator early closes the works as soon as they yield again.

    Args:
        works: generators that were not started; their errors are raised here.
        idle_timeout: seconds to wait for the next item.
        total_timeout: seconds to wait altogether.

    Raises:
        TimeoutError: an item, or the end, did not come in time.
    """
    queue: Queue[T | _End] = Queue(_MAX_QUEUED)
    abandoned = Event()
    for work in works:
        Thread(target=_run, args=(work, queue, abandoned), daemon=True).start()
    end, running = monotonic() + total_timeout, len(works)
    try:
        while running:
            timeout = min(idle_timeout, end - monotonic())
            try:
                item = queue.get(timeout=max(timeout, 0.0))
            except Empty:
                raise TimeoutError(
                    idle_timeout if timeout == idle_timeout else total_timeout
                ) from None
            if not isinstance(item, _End):
                yield item
            elif item.error:
                raise item.error
            else:
                running -= 1
    finally:
        abandoned.set()


def _run(work: Generator[T], queue: "Queue[T | _End]", abandoned: Event) -> None:
    error: BaseException | None = None
    try:
        for item in work:
            if not _put(item, queue, abandoned):
                work.close()
                return
    except BaseException as raised:  # it is raised again in the caller's thread
        error = raised
    _put(_End(error), queue, abandoned)


def _put(item: "T | _End", queue: "Queue[T | _End]", abandoned: Event) -> bool:
    """Put an item into the queue; return False if its consumer has gone."""
    while not abandoned.is_set():
        try:
            queue.put(item, timeout=_POLL)
        except Full:
            continue
        return True
    return False
