"""Parses large documents in a process of their own, while this one stores the conversations.

Both take about as long, so that with two cores an import takes little more than half the time.
With one core, or for a document that only this process can read, such as a stream, this process
parses: nothing differs but the time.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from operator import attrgetter
from queue import Queue
from threading import Thread
from types import MappingProxyType
from typing import IO

from memcli.domain import Conversation, Turn
from memcli.errors import InputError
from memcli.formats import Document, Format, ParseOptions, load_format
from memcli.formats.format import ParsedItem
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.ingest.import_progress import TrackedOpener
from memcli.lazy_dataclasses import replace
from memcli.temporary import remove_leftovers

LARGE = 32 << 20  # bytes; starting a process takes as long as parsing a tenth of that

_BATCH_TURNS = 1_000  # turns of a message, about
_QUEUED_MESSAGES = 16  # messages that are parsed and wait to be sent
_FIELDS = attrgetter(*Turn.__slots__)

# Parsed items; the position in the document; True at its end, or the error that ended it.
ParseMessage = tuple[list[ParsedItem], int, InputError | bool]
# The last message: counts of the document's messages, and the files that the parser looked up.
ParseSummary = tuple[MessageCounter, set[str]]


def parse_document(
    document: Document, found: Format, parse_options: ParseOptions
) -> Iterator[ParsedItem]:
    """Yield the items of a document, and count its messages, as the format's `parse` does.

    Raises:
        InputError: as `parse` does.
    """
    task, count = _pickle_task(document, found, parse_options), 0
    if task is not None:
        try:
            for batch, position in _parse_elsewhere(task, document):
                if isinstance(document.open, TrackedOpener):
                    document.open.position = position
                for one in batch:
                    count += 1
                    yield one
            return
        except (EOFError, pickle.UnpicklingError, OSError):
            pass  # no process could be started, or it was killed: the rest is parsed here
    yield from islice(found.parse(document, parse_options), count, None)


def _pickle_task(document: Document, found: Format, parse_options: ParseOptions) -> bytes | None:
    """Return the task for another process; None if this one had better parse."""
    if (document.size or 0) < LARGE or found.grows or _cores() < 2 or not sys.executable:
        return None
    with suppress(TypeError, AttributeError, pickle.PicklingError):
        return pickle.dumps((document, found.name, parse_options))
    return None


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _parse_elsewhere(task: bytes, document: Document) -> Iterator[tuple[list[ParsedItem], int]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "memcli.ingest.parse_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # Ctrl-C reaches this process alone
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(task)
            process.stdin.close()
            ended: InputError | bool = False
            while not ended:
                batch, position, ended = pickle.load(process.stdout)
                yield batch, position
            counter, consulted = pickle.load(process.stdout)
            document.counter.update(counter)
            document.consulted.update(consulted)
            if isinstance(ended, InputError):
                raise ended
        finally:
            process.kill()
            process.wait()
            remove_leftovers()  # copies that it was reading


def _serve(task: IO[bytes], results: IO[bytes]) -> None:
    """Parse one document, as far ahead as the queue allows; stop when the reader is gone."""
    document, name, parse_options = pickle.load(task)
    queue: Queue[bytes] = Queue(_QUEUED_MESSAGES)
    opener = TrackedOpener(document.open)
    document = replace(document, open=opener)
    found = load_format(name).parse(document, parse_options)
    Thread(target=_fill_queue, args=(found, document, opener, queue), daemon=True).start()
    with suppress(BrokenPipeError):
        while message := queue.get():
            results.write(message)
            results.flush()


def _fill_queue(
    found: Iterator[ParsedItem], document: Document, opener: TrackedOpener, queue: Queue[bytes]
) -> None:
    batch: list[ParsedItem] = []
    turns = 0
    ended: InputError | bool = True
    try:
        for one in found:
            batch.append(one)
            turns += len(one.turns) if isinstance(one, Conversation) else 1
            if turns >= _BATCH_TURNS:
                queue.put(_pickle_message((batch, opener.update_position(), False)))
                batch, turns = [], 0
    except InputError as error:
        ended = error
    except Exception:  # a bug, which appears again when the other process parses the rest
        os._exit(0)
    queue.put(_pickle_message((batch, opener.update_position(), ended)))
    queue.put(_pickle_message((document.counter, document.consulted)))
    queue.put(b"")


class _Pickler(pickle.Pickler):
    """A pickler that writes turns as their fields, in a third of the time."""

    dispatch_table = MappingProxyType({Turn: lambda turn: (Turn, _FIELDS(turn))})


def _pickle_message(message: ParseMessage | ParseSummary) -> bytes:
    stream = BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(message)
    return stream.getvalue()


if __name__ == "__main__":
    try:
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    finally:
        os._exit(0)  # at once: nobody waits for the rest
