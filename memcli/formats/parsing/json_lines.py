"""JSON lines: a value a line, of logs that are still being written, too."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, loaded
from memcli.formats.parsing.sample import Sample

LONGEST_LINE = 64 << 20  # bytes; logs of coding agents have lines of 20 MB
HEAD = 1 << 16  # bytes of a log that are read again with its new lines: they say whose it is

_BLANK = object()


def rows(document: Document, *, growing: bool = False) -> Iterator[tuple[int, Any]]:
    """Yield (number of the line from 1, its value, or Broken where it is no JSON).

    Blank lines are passed over. A line of more than LONGEST_LINE bytes is Broken, and is never
    held whole.

    Args:
        document: UTF-8, with or without a byte order mark; what is not UTF-8 is replaced.
        growing: leave out a last line that is half written.

    A document with a mark is read from there, after its HEAD.
    """
    mark = document.mark
    resumed = replace(mark) if mark else None
    with document.open() as stream:
        number = offset = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            offset += len(line)
            ended = line.endswith(b"\n")
            value: Any
            if not ended and len(line) > LONGEST_LINE:
                skipped, ended = _rest_of_line(stream)
                offset += skipped
                value = Broken(f"is a line of more than {LONGEST_LINE >> 20} MB")
            else:
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                value = loaded(text.decode("utf-8", "replace")) if text.strip() else _BLANK
            if not (growing and not ended and isinstance(value, Broken)) and value is not _BLANK:
                yield number, value
            if mark and ended:
                mark.offset, mark.line = offset, number
            if resumed and HEAD <= offset < resumed.offset:
                number, offset = resumed.line, stream.seek(resumed.offset)


def _rest_of_line(stream: BinaryIO) -> tuple[int, bool]:
    """Pass over a line; return of how many bytes the rest was, and whether it ended."""
    passed = 0
    while part := stream.readline(1 << 20):
        passed += len(part)
        if part.endswith(b"\n"):
            return passed, True
    return passed, False


def first_rows(sample: Sample, count: int = 20) -> list[dict[str, Any]]:
    """Return the objects among the first lines of a sample; none where its first line is none.

    The last line of the head counts only where it is whole.
    """
    lines = sample.text.splitlines()
    found = [loaded(line) for line in islice(lines, count) if line]
    if not found or not isinstance(found[0], dict):
        return []
    return [row for row in found if isinstance(row, dict)]
