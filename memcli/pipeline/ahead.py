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
from io import BytesIO
from operator import attrgetter
from queue import Queue
from threading import Thread
from traceback import format_exc
from types import MappingProxyType
from typing import IO

from memcli.domain import Conversation, Turn
from memcli.errors import InputError
from memcli.formats import Document, Format, Reading, load
from memcli.formats.base import Parsed

LARGE = 32 << 20  # bytes; it takes as long to start a process as to parse a tenth of that

_TURNS = 1_000  # sent at once, about
_MESSAGES = 16  # parsed, and waiting to be sent
_FIELDS = attrgetter(*Turn.__slots__)

Message = tuple[list[Parsed], Exception | bool]  # and whether that was all, or what ended it


def parsed(document: Document, found: Format, reading: Reading) -> Iterator[Parsed]:
    """Yield what a document holds, as the format's `parse` does.

    Raises:
        InputError: as `parse` does; or what read it was killed.
    """
    task = _task(document, found, reading)
    return found.parse(document, reading) if task is None else _received(task, document.name)


def _task(document: Document, found: Format, reading: Reading) -> bytes | None:
    """Return what another process has to know; None where it is better done by this one."""
    if document.size < LARGE or found.grows or _cores() < 2:
        return None
    with suppress(TypeError, AttributeError, pickle.PicklingError):
        return pickle.dumps((document, found.name, reading))
    return None


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _received(task: bytes, name: str) -> Iterator[Parsed]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "memcli.pipeline.ahead"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # interrupting is up to this one
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(task)
                process.stdin.close()
            ended: Exception | bool = False
            while not ended:
                batch, ended = pickle.load(process.stdout)
                yield from batch
            if isinstance(ended, Exception):
                raise ended
        except (EOFError, pickle.UnpicklingError) as error:
            raise InputError(f"{name} ends in the middle: what read it was killed") from error
        finally:
            process.kill()


def _serve(task: IO[bytes], results: IO[bytes]) -> None:
    """Parse one document, as far ahead as there is room for; give up when nobody listens."""
    document, name, reading = pickle.load(task)
    waiting: Queue[bytes] = Queue(_MESSAGES)
    found = load(name).parse(document, reading)
    Thread(target=_parse, args=(found, waiting), daemon=True).start()
    with suppress(BrokenPipeError):
        while message := waiting.get():
            results.write(message)
            results.flush()


def _parse(found: Iterator[Parsed], waiting: Queue[bytes]) -> None:
    batch: list[Parsed] = []
    turns = 0
    ended: Exception | bool = True
    try:
        for one in found:
            batch.append(one)
            turns += len(one.turns) if isinstance(one, Conversation) else 1
            if turns >= _TURNS:
                waiting.put(_packed((batch, False)))
                batch, turns = [], 0
    except InputError as error:
        ended = error
    except Exception as error:  # whatever it is, it belongs to who waits
        error.add_note(format_exc())
        ended = error
    try:
        waiting.put(_packed((batch, ended)))
    finally:
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
