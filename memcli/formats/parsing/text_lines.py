"""Text read line by line, in bounded memory for any content."""

import re
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample

LONGEST_LINE = 1 << 20  # characters

_LINE_END = re.compile(r"\r\n?|\n")
_BYTE_ORDER_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_lines(document: Document) -> Iterator[str | None]:
    """Yield each line without its end, and None for a line of more than LONGEST_LINE characters.

    The text is UTF-8, or UTF-16 with a byte order mark; invalid bytes are replaced.
    """
    with document.open() as stream:
        encoding = _detect_encoding(stream.read(2))
    with (
        document.open() as stream,
        TextIOWrapper(stream, encoding, errors="replace") as text,
    ):
        while line := text.readline(LONGEST_LINE + 1):
            if line.endswith("\n"):
                yield line[:-1]
            elif len(line) <= LONGEST_LINE:
                yield line
            else:
                _skip_rest_of_line(text)
                yield None


def sample_lines(sample: Sample, count: int) -> list[str]:
    """Return the first lines of a sample, at most `count`."""
    encoding = _detect_encoding(sample.head)
    text = sample.text if encoding == "utf-8-sig" else sample.head.decode(encoding, "replace")
    if "\n" not in text and "\r" not in text:  # a megabyte of JSON, asked for by many formats
        return [text]
    return _LINE_END.split(text, count)[:count]


def _detect_encoding(head: bytes) -> str:
    """Return the encoding that the byte order mark of a text names; UTF-8 without one."""
    return next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), "utf-8-sig")


def _skip_rest_of_line(text: IO[str]) -> None:
    while (part := text.readline(LONGEST_LINE)) and not part.endswith("\n"):
        pass
