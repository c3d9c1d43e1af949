"""Questions from standard input: one a line, each answered before the next one is waited for."""

import os
import sys
from collections.abc import Iterator

from memcli.errors import InputError, UsageError

LONGEST = 1 << 20  # bytes of a question
STDIN = "-"


def check_question(question: str) -> None:
    """Go on only if something is asked.

    Raises:
        UsageError: the question is empty.
    """
    if not question.strip():
        raise UsageError("the question is empty", hint='mem ask "What did I decide about the car?"')


def questions(*, null: bool) -> Iterator[str]:
    """Yield the questions on standard input; blank ones are left out.

    Args:
        null: whether they end in NUL instead of the end of the line, and may have several lines.

    Raises:
        InputError: one is longer than LONGEST, or standard input cannot be read.
    """
    for number, raw in enumerate(_records(b"\0" if null else b"\n"), start=1):
        if len(raw) > LONGEST:
            raise InputError(
                f"question {number} on standard input is longer than {LONGEST:,} bytes"
            )
        question = raw.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if question:
            yield question


def _records(end: bytes) -> Iterator[bytes]:
    """Yield what stands before each end, and after the last; too long ones only as far as read."""
    if sys.stdin is None:  # closed
        return
    held = b""
    while block := _read():
        *whole, held = (held + block).split(end)
        yield from whole
        if len(held) > LONGEST:
            break
    if held:
        yield held


def _read() -> bytes:
    """Return what there is already: nobody waits for more before the first is answered."""
    try:
        return os.read(sys.stdin.fileno(), 1 << 16)
    except (OSError, ValueError) as error:
        raise InputError(f"standard input cannot be read: {error}") from error
