"""What memcli prints: results to stdout, everything else to stderr, nothing that could harm."""

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from unicodedata import bidirectional

from memcli.errors import MemError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console
    from rich.text import Text

# Control characters and escape sequences, and what turns the direction of a line around.
_HARMFUL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.DOTALL,
)
# What JSON would leave as it is, though it harms, or ends a line to some.
_UNPRINTED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


WIDEST = 120  # columns: longer lines are hard to read


class _Result(io.FileIO):
    """The raw side of stdout."""

    left = False  # whether its reader has seen enough

    def write(self, block: "ReadableBuffer", /) -> int:
        """Write; where that is impossible, whatever else is written is dropped.

        A reader who has seen enough (`mem search x | head -1`) is no error.

        Raises:
            MemError: the disk is full, or the like.
        """
        try:
            return super().write(block)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                _Result.left = True
                return memoryview(block).nbytes
            raise MemError(f"cannot write the result: {error.strerror}") from error


def guard_streams() -> None:
    """Let nothing that stdout is, lacks or cannot spell end in a traceback."""
    # Where they are closed (`mem search x >&-`), Python has None in their place.
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  # lives as long as mem
    is_ours = sys.stdout is sys.__stdout__ is not None  # tests put others there
    stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    if is_ours:
        stdout = io.TextIOWrapper(
            io.BufferedWriter(_Result(stdout.fileno(), "w", closefd=False)),
            encoding=stdout.encoding,
            errors="backslashreplace",
            line_buffering=stdout.isatty(),
        )
    sys.stdout = stdout


def nobody_reads() -> bool:
    """Return whether the reader of stdout has left: work that never ends by itself may end."""
    return _Result.left


def safe(text: str) -> str:
    """Return a text that a terminal prints and does not obey; line breaks and tabs stay."""
    return _HARMFUL.sub("", text.replace("\r\n", "\n"))


def isolated(text: str) -> str:
    """Return a text that keeps its direction to itself, where some of it runs from right to left.

    Between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, what stands beside it stays in place.
    """
    if any(bidirectional(letter) in ("R", "AL", "AN") for letter in text):
        return f"\u2068{text}\u2069"
    return text


def note(message: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(f"mem: {safe(message)}\n")


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own."""
    every_letter = sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(document, ensure_ascii=not every_letter)
    sys.stdout.write(_UNPRINTED.sub(lambda one: f"\\u{ord(one[0]):04x}", text) + "\n")
    sys.stdout.flush()


def print_jsonl(documents: Iterable[Mapping[str, object]]) -> None:
    """Print JSON objects, one a line."""
    for document in documents:
        print_json(document)


def console(stream: TextIO | None = None) -> "Console":
    """Return a console for a stream, stdout by default: plain where that is not a terminal."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() else 100
    made = Console(
        file=stream, highlight=False, markup=False, emoji=False, width=width, soft_wrap=False
    )
    made.width = min(made.width, WIDEST)
    return made


def can_draw(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can take back what it shows."""
    return stream.isatty() and not console(stream).is_dumb_terminal


def print_line(out: "Console", line: "Text") -> None:
    """Print a line as one line: on a terminal up to its edge, elsewhere whole."""
    if out.is_terminal:
        out.print(line, no_wrap=True, overflow="ellipsis")
    else:
        out.print(line, soft_wrap=True)
