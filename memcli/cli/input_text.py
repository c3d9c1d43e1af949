"""Questions and documents that a user gives on standard input or in a file."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from memcli.cli.output.console import note, printable
from memcli.errors import InputError, UsageError

LONGEST_QUESTION = 1 << 20  # bytes
LONGEST_TEXT = 64 << 20  # bytes
STDIN = "-"


def join_question(words: Sequence[str]) -> str:
    """Return the question that was typed, in quotes or word by word.

    Raises:
        UsageError: it is empty.
    """
    question = " ".join(words)
    if not question.strip():
        raise UsageError("the question is empty", hint="`mem ask where is my passport`")
    return question


def note_keyboard(what: str) -> None:
    """Say that input is awaited, if standard input is a terminal: otherwise nothing would show it.

    Args:
        what: the input in words: "an export", "questions, one a line,".
    """
    if sys.stdin and sys.stdin.isatty():
        note(f"reading {what} from the keyboard; Ctrl-D ends it, Ctrl-C cancels")


def read_questions(*, null: bool) -> Iterator[str]:
    """Yield the questions on standard input, each before the next one is read; skip blank ones.

    Args:
        null: whether questions end with NUL instead of a line break, and may have several lines.

    Raises:
        InputError: one is longer than LONGEST_QUESTION, or standard input cannot be read.
    """
    note_keyboard("questions, one a line,")
    for number, raw in enumerate(_records(b"\0" if null else b"\n"), start=1):
        if len(raw) > LONGEST_QUESTION:
            raise InputError(
                f"question {number} on standard input is longer than {LONGEST_QUESTION:,} bytes"
            )
        question = raw.decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if question:
            yield question


def read_text_input(file: Path) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        InputError: it cannot be read, is not UTF-8, or is longer than LONGEST_TEXT.
    """
    try:
        if str(file) == STDIN:
            note_keyboard("JSON")
            raw = sys.stdin.buffer.read(LONGEST_TEXT + 1)
        else:
            with file.open("rb") as stream:
                raw = stream.read(LONGEST_TEXT + 1)
        if len(raw) > LONGEST_TEXT:
            raise InputError(f"{file} is longer than {LONGEST_TEXT:,} bytes")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{printable(str(file))} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{printable(str(file))} is not UTF-8") from error


def _records(end: bytes) -> Iterator[bytes]:
    """Yield the bytes before each end mark, and those after the last one.

    A record that is too long is yielded as far as it has been read.
    """
    if sys.stdin is None:  # standard input is closed
        return
    unfinished = b""
    while block := _read_block():
        *whole, unfinished = (unfinished + block).split(end)
        yield from whole
        if len(unfinished) > LONGEST_QUESTION:
            break
    if unfinished:
        yield unfinished


def _read_block() -> bytes:
    """Return the bytes that are there already, so that the first question need not wait for more.

    Raises:
        InputError: standard input cannot be read.
    """
    try:
        return os.read(sys.stdin.fileno(), 1 << 16)
    except (OSError, ValueError) as error:
        raise InputError(f"standard input cannot be read: {error}") from error
