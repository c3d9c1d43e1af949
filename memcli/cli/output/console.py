"""Printing: results to stdout, everything else to stderr, and nothing that controls a terminal."""

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from unicodedata import bidirectional

from memcli.cli.output.styling.plain_text import PlainConsole
from memcli.errors import MemError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console
    from rich.text import Text

# Control characters, escape sequences, and characters that reverse the direction of a line.
_HARMFUL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.DOTALL,
)
_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_DIRECTION_MARK = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Characters that JSON allows, but that control a terminal or end a line for some programs.
_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

MAX_WIDTH = 120  # columns; longer lines are hard to read
PIPE_WIDTH = 100  # columns of what is not printed to a terminal


class _RawStdout(io.FileIO):
    """The unbuffered stream below stdout."""

    reader_left = False  # whether the program that reads stdout has closed it

    def write(self, block: "ReadableBuffer", /) -> int:
        """Write a block; after a failure, drop everything else that is written.

        It is not an error if the reader has seen enough (`mem search x | head -1`).

        Raises:
            MemError: the disk is full, or writing failed in another way.
        """
        try:
            return super().write(block)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                _RawStdout.reader_left = True
                return memoryview(block).nbytes
            raise MemError(f"cannot write the result: {error.strerror}") from error


def guard_streams() -> None:
    """Replace stdout and stderr so that no state or encoding of them ends in a traceback."""
    # A closed stream (`mem search x >&-`) is None in Python.
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  # open until mem ends
    is_ours = sys.stdout is sys.__stdout__ is not None  # tests replace stdout
    stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    if is_ours:
        stdout = io.TextIOWrapper(
            io.BufferedWriter(_RawStdout(stdout.fileno(), "w", closefd=False)),
            encoding=stdout.encoding,
            errors="backslashreplace",
            line_buffering=stdout.isatty(),
        )
    sys.stdout = stdout


def stdout_closed() -> bool:
    """Return whether the reader of stdout has closed it, so that endless work may end."""
    return _RawStdout.reader_left


def printable(text: str) -> str:
    """Return a text without characters that control a terminal; line breaks and tabs stay."""
    return _HARMFUL.sub("", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return a text on one line, for names of files and people in messages and lists.

    A line break in a name could begin a line that looks like another message, and a mark of
    direction could turn a line round.
    """
    return _LINE_BREAK.sub(r"\\n", printable(_DIRECTION_MARK.sub("", text).strip("\r\n")))


def join_lines(text: str) -> str:
    """Return a text on one line, with a space for each line break and run of white space.

    A name of a person or of a chat comes from a file that others wrote; with a line break in it,
    it could begin a line that looks like another one.
    """
    return " ".join(printable(text).split())


def isolate_direction(text: str) -> str:
    """Return a text that does not change the direction of text beside it.

    A text with letters that run from right to left is put between FIRST STRONG ISOLATE and POP
    DIRECTIONAL ISOLATE; any other is returned as it is.
    """
    if any(bidirectional(letter) in ("R", "AL", "AN") for letter in text):
        return f"\u2068{text}\u2069"
    return text


def note(message: str) -> None:
    """Write a message to stderr, one that is not part of the result."""
    sys.stderr.write(f"mem: {one_line(message)}\n")


def hide_remarks(hidden: bool) -> None:
    """Let `remark` print nothing from now on, or print again."""
    _Remarks.hidden = hidden


def remark(message: str) -> None:
    """Write to stderr what may help, but is neither the result nor a failure, unless `-q` is given.

    See `hide_remarks`.
    """
    if not _Remarks.hidden:
        note(message)


class _Remarks:
    """The switch for remarks: `--quiet` decides for the whole command."""

    hidden = False


def write_line(text: object = "") -> None:
    """Print a line of the result as it is."""
    sys.stdout.write(f"{text}\n")


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own."""
    unicode_output = sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(document, ensure_ascii=not unicode_output)
    # None of those characters is printable. Python knows without looking whether a text is ASCII.
    if "\x7f" in text or not (text.isascii() or text.isprintable()):
        text = _ESCAPED_IN_JSON.sub(lambda one: f"\\u{ord(one[0]):04x}", text)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_jsonl(documents: Iterable[Mapping[str, object]]) -> None:
    """Print JSON objects, one per line."""
    for document in documents:
        print_json(document)


def console(stream: TextIO | None = None) -> "Console":
    """Return a console for a stream, stdout by default; without colour if it is no terminal."""
    stream = stream or sys.stdout
    if stream.isatty():
        return rich_console(stream)
    plain: Any = PlainConsole(stream, PIPE_WIDTH)
    return plain  # type: ignore[no-any-return]  # it does what is used of a `Console`


def rich_console(stream: TextIO) -> "Console":
    """Return a console of rich's, which also prints tables."""
    from rich.console import Console

    width = None if stream.isatty() else PIPE_WIDTH
    out = Console(
        file=stream, highlight=False, markup=False, emoji=False, width=width, soft_wrap=False
    )
    out.width = min(out.width, MAX_WIDTH)
    return out


def supports_live_output(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can erase what it shows."""
    return stream.isatty() and not console(stream).is_dumb_terminal


def print_line(out: "Console", line: "Text") -> None:
    """Print a text on one line: cut off at the edge of a terminal, whole elsewhere."""
    if out.is_terminal:
        out.print(line, no_wrap=True, overflow="ellipsis")
    else:
        out.print(line, soft_wrap=True)
