"""JSON lines: one value per line, also in logs that are still being written."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.formats.parsing.json_stream import BrokenValue, parse_or_broken
from memcli.formats.parsing.sample import Sample
from memcli.lazy_dataclasses import replace

LONGEST_LINE = 64 << 20  # bytes; logs of coding agents have lines of 20 MB
HEAD = 1 << 16  # bytes at the start of a log, read again with its new lines: they name the session

_BLANK = object()


def read_json_lines(document: Document, *, growing: bool = False) -> Iterator[tuple[int, Any]]:
    """Yield (line number from 1, value of the line, or Broken if it is not JSON).

    Blank lines are left out. A line of more than LONGEST_LINE bytes is Broken, and is never held
    in memory as a whole.

    Args:
        document: UTF-8, with or without a byte order mark; invalid bytes are replaced. A document
            with a log position is read from there, after its first HEAD bytes.
        growing: leave out an incomplete last line.
    """
    mark = document.log_position
    resume_at = replace(mark) if mark else None
    with document.open() as stream:
        number = offset = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            offset += len(line)
            is_complete = line.endswith(b"\n")
            value: Any
            if not is_complete and len(line) > LONGEST_LINE:
                skipped, is_complete = _skip_rest_of_line(stream)
                offset += skipped
                value = BrokenValue(f"is longer than {LONGEST_LINE >> 20} MB")
            else:
                text = strip_byte_order_mark(line) if number == 1 else line
                value = parse_or_broken(text) if text.strip() else _BLANK
            if value is not _BLANK and not (
                growing and not is_complete and isinstance(value, BrokenValue)
            ):
                yield number, value
            if mark and is_complete:
                mark.offset, mark.line = offset, number
            if resume_at and HEAD <= offset < resume_at.offset:
                number, offset = resume_at.line, stream.seek(resume_at.offset)


def _skip_rest_of_line(stream: BinaryIO) -> tuple[int, bool]:
    """Skip to the end of a line; return the number of bytes, and whether the line has an end."""
    skipped = 0
    while part := stream.readline(1 << 20):
        skipped += len(part)
        if part.endswith(b"\n"):
            return skipped, True
    return skipped, False


def sample_objects(sample: Sample, count: int = 20) -> list[dict[str, Any]]:
    """Return the JSON objects among the first lines of a sample.

    The list is empty if the first line is not an object. The last line of the head counts only if
    it is complete.
    """
    lines = sample.text.splitlines()
    values = [parse_or_broken(line) for line in islice(lines, count) if line]
    if not values or not isinstance(values[0], dict):
        return []
    return [value for value in values if isinstance(value, dict)]
