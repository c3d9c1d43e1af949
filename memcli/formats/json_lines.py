"""JSON lines: a value a line, of logs that are still being written, too."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from memcli.formats.base import Document, Sample
from memcli.formats.json_stream import Broken

LONGEST_LINE = 64 << 20  # bytes; logs of coding agents have lines of 20 MB


def rows(document: Document, *, growing: bool = False) -> Iterator[tuple[int, Any]]:
    """Yield (number of the line from 1, its value, or Broken where it is no JSON).

    Blank lines are passed over. A line of more than LONGEST_LINE bytes is Broken, and is never
    held whole.

    Args:
        document: UTF-8, with or without a byte order mark; what is not UTF-8 is replaced.
        growing: leave out a last line that is half written.
    """
    with document.open() as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            ended = line.endswith(b"\n")
            if not ended and len(line) > LONGEST_LINE:
                while (more := stream.readline(1 << 20)) and not more.endswith(b"\n"):
                    pass
                yield number, Broken(f"is a line of more than {LONGEST_LINE >> 20} MB")
                continue
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            value = _loads(text)
            if not (growing and not ended and isinstance(value, Broken)):
                yield number, value


def first_rows(sample: Sample, count: int = 20) -> list[dict[str, Any]]:
    """Return the objects among the first lines of a sample; none where its first line is none.

    The last line of the head counts only where it is whole.
    """
    lines = sample.text.splitlines()
    found = [_loads(line.encode("utf-8", "replace")) for line in islice(lines, count) if line]
    if not found or not isinstance(found[0], dict):
        return []
    return [row for row in found if isinstance(row, dict)]


def _loads(line: bytes) -> Any:  # whatever JSON holds
    try:
        return json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        return Broken(f"is no JSON: {error}")
