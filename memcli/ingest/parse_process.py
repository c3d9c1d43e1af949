"""Large documents are parsed by a process of their own, while what they said is stored.

Both take about as long, so that with two cores an import takes little more than half the time.
Where there is one core, or a document that only this process can read, such as a stream, it is
parsed here: nothing differs but the time.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from itertools import islice
from operator import attrgetter
from queue import Queue
from threading import Thread
from types import MappingProxyType
from typing import IO

from memcli.domain import Conversation, Turn
from memcli.errors import InputError
from memcli.formats import Document, Format, Reading, load
from memcli.formats.format import Parsed
from memcli.ingest.progress import Watched

LARGE = 32 << 20  # bytes; it takes as long to start a process as to parse a tenth of that

_TURNS = 1_000  # sent at once, about
_MESSAGES = 16  # parsed, and waiting to be sent
_FIELDS = attrgetter(*Turn.__slots__)

# What was read, how far that is, and whether it was all, or what ended it.
Message = tuple[list[Parsed], int, InputError | bool]


def parsed(document: Document, found: Format, reading: Reading) -> Iterator[Parsed]:
    """Yield what a document holds, as the format's `parse` does.

    Raises:
        InputError: as `parse` does.
    """
    task, taken = _task(document, found, reading), 0
    if task is not None:
        try:
            for batch, place in _received(task):
                if isinstance(document.open, Watched):
                    document.open.place = place
                for one in batch:
                    taken += 1
                    yield one
            return
        except (EOFError, pickle.UnpicklingError, OSError):
            pass  # no other process can be had, or it was killed: the rest is parsed here
    yield from islice(found.parse(document, reading), taken, None)


def _task(document: Document, found: Format, reading: Reading) -> bytes | None:
    """Return what another process has to know; None where it is better done by this one."""
    if (document.size or 0) < LARGE or found.grows or _cores() < 2 or not sys.executable:
        return None
    with suppress(TypeError, AttributeError, pickle.PicklingError):
        return pickle.dumps((document, found.name, reading))
    return None


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _received(task: bytes) -> Iterator[tuple[list[Parsed], int]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "memcli.ingest.parse_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # interrupting is up to this one
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(task)
            process.stdin.close()
            ended: InputError | bool = False
            while not ended:
                batch, place, ended = pickle.load(process.stdout)
                yield batch, place
            if isinstance(ended, InputError):
                raise ended
        finally:
            process.kill()


def _serve(task: IO[bytes], results: IO[bytes]) -> None:
    """Parse one document, as far ahead as there is room for; give up when nobody listens."""
    document, name, reading = pickle.load(task)
    waiting: Queue[bytes] = Queue(_MESSAGES)
    watched = Watched(document.open)
    found = load(name).parse(replace(document, open=watched), reading)
    Thread(target=_parse, args=(found, watched, waiting), daemon=True).start()
    with suppress(BrokenPipeError):
        while message := waiting.get():
            results.write(message)
            results.flush()


def _parse(found: Iterator[Parsed], watched: Watched, waiting: Queue[bytes]) -> None:
    batch: list[Parsed] = []
    turns = 0
    ended: InputError | bool = True
    try:
        for one in found:
            batch.append(one)
            turns += len(one.turns) if isinstance(one, Conversation) else 1
            if turns >= _TURNS:
                waiting.put(_packed((batch, watched.look(), False)))
                batch, turns = [], 0
    except InputError as error:
        ended = error
    except Exception:  # a bug, which shows itself where the rest is parsed
        os._exit(0)
    waiting.put(_packed((batch, watched.look(), ended)))
    waiting.put(b"")


class _Pickler(pickle.Pickler):
    """Writes turns as their fields, in a third of the time."""

    dispatch_table = MappingProxyType({Turn: lambda turn: (Turn, _FIELDS(turn))})


def _packed(message: Message) -> bytes:
    stream = BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(message)
    return stream.getvalue()


if __name__ == "__main__":
    try:
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    finally:
        os._exit(0)  # at once: nobody waits for what is still being parsed
