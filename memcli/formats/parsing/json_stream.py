"""JSON of any size, read one value at a time; and parsers of damaged JSON.

Exports are single lines of many gigabytes, and some are damaged. Existing streaming parsers stop at
the first invalid byte of a file, and need memory that grows with the square of the nesting (ijson
3.6: 100,000 brackets, more than 20 GB). So this module finds the beginning and the end of the
wanted values by brackets and quotes alone, and the standard library parses each of them: a broken
value is reported, and the next one is read. Values that are complete in the buffer and valid, which
are nearly all, are parsed by the standard library directly.
"""

import codecs
import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.lazy_dataclasses import dataclass

LARGEST_VALUE = 64 << 20  # bytes of one wanted value, or of one string outside of them
DEEPEST = 200  # brackets around wanted values; real exports have fewer than 30

_BLOCK = 1 << 19  # bytes
_MAX_VALUE_DEPTH = 1 << 17  # brackets inside each other in a wanted value, before the search stops
_QUOTE = 0x22
_SPACE = re.compile(rb"[\s,:]*+")
_TEXT_SPACE = re.compile(r"[\s,:]*+", re.ASCII)  # the same for decoded text
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BARE = re.compile(rb'[^\s,:\[\]{}"]++')
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)  # up to a bracket
_DECODER = json.JSONDecoder(strict=False)  # strings may hold control characters

# Keys from the top; "[]" stands for any position in a list, and in a wanted path "*" for any key.
JsonPath = tuple[str, ...]


class Edge(Enum):
    """The beginning or the end of an object or list that is not itself wanted."""

    BEGIN = "begin"
    END = "end"


@dataclass(frozen=True, slots=True)
class BrokenValue:
    """A wanted value that is not valid JSON."""

    reason: str


def read_elements(document: Document, *lists: str) -> Iterator[Any]:
    """Yield the elements of the top-level list, or of the lists at these dotted paths.

    If "" is among the paths and the file has no such elements, the top-level value is yielded.

    Yields:
        Each element as Python values, or Broken if it is not valid JSON.

    Raises:
        InputError: the file ends in the middle, or is not JSON. Values yielded before are valid.
    """
    wanted = [("[]",), *((*path.split("."), "[]") for path in lists if path)]
    has_elements = False
    for path, value in scan_json(document, wanted):
        if path in wanted and not isinstance(value, Edge):
            has_elements = True
            yield value
    if not has_elements and "" in lists:
        for path, value in scan_json(document, [()]):
            if path == ():
                yield value


def scan_json(document: Document, wanted: Sequence[JsonPath]) -> Iterator[tuple[JsonPath, Any]]:
    """Scan a JSON document and yield its values and their paths, in the order of the file.

    Args:
        document: a file of JSON.
        wanted: paths of the values to yield as a whole. Paths inside them are not reported. "*"
            stands for any key of an object.

    Yields:
        (path, value): a wanted value as Python values, or Broken; any other text, number, true,
        false or null; Edge.BEGIN and Edge.END for any other object or list.

    Raises:
        InputError: the file ends in the middle, holds a value of more than LARGEST_VALUE bytes,
            is nested deeper than DEEPEST around the wanted values, or is not JSON.
    """
    with document.open() as stream:
        yield from _Scanner(document.name, stream, wanted).events()


class _Scanner:
    def __init__(self, name: str, stream: BinaryIO, wanted: Sequence[JsonPath]) -> None:
        self._name, self._stream = name, stream
        self._wanted = frozenset(path for path in wanted if "*" not in path)
        self._patterns = [path for path in wanted if "*" in path]
        self._buffer = b""
        self._at = 0  # position in the buffer
        self._buffer_start = 0  # position of the buffer in the file, in bytes
        self._at_eof = False
        # A part of the buffer decoded as text, and the position of its end in the buffer; and one
        # position in both: in bytes of the buffer and in characters of the text.
        self._text, self._text_end, self._byte, self._character = "", 0, 0, 0
        self._read_more()
        self._at = len(self._buffer) - len(strip_byte_order_mark(self._buffer))

    def events(self) -> Iterator[tuple[JsonPath, Any]]:  # noqa: C901  # a state machine reads best whole
        """Yield the pairs that `scan` describes."""
        # One entry per open container: "[]" in a list; in an object, "." and the current key, or
        # None before a key.
        stack: list[str | None] = []
        path: JsonPath | None = ()  # None if the stack has changed since
        while self._skip_space() or stack:
            if self._is_exhausted():
                raise self._early_end()
            byte = self._buffer[self._at]
            if byte in b"]}":
                if not stack or (stack[-1] == "[]") != (byte == 0x5D):
                    raise self._error("is not JSON")
                self._at += 1
                stack.pop()
                path = _path(stack)
                yield path, Edge.END
            elif stack and stack[-1] is None and byte == 0x22:
                stack[-1] = "." + str(parse_or_broken(self._take_token(_STRING)))
                path = None
                continue
            else:
                path = _path(stack) if path is None else path
                if path in self._wanted or (self._patterns and self._matches(path)):
                    for value in self._values(in_list=bool(stack) and stack[-1] == "[]"):
                        yield path, value
                elif byte in b"[{":
                    self._at += 1
                    if len(stack) >= DEEPEST:
                        raise self._error("is nested too deeply")
                    yield path, Edge.BEGIN
                    stack.append("[]" if byte == 0x5B else None)
                    path = None
                    continue
                else:
                    yield (
                        path,
                        parse_or_broken(self._take_token(_STRING if byte == 0x22 else _BARE)),
                    )
            if stack and stack[-1] != "[]":
                stack[-1] = path = None
            if not stack:
                break
        if self._skip_space():
            raise self._error("goes on after its end")

    def _matches(self, path: JsonPath) -> bool:
        """Return whether a path matches a wanted one with "*" in it."""
        return any(
            len(pattern) == len(path)
            and all(
                step == wanted or (wanted == "*" and step != "[]")
                for wanted, step in zip(pattern, path, strict=True)
            )
            for pattern in self._patterns
        )

    def _values(self, *, in_list: bool) -> Iterator[Any]:  # Any: JSON values have all types
        """Yield the value at this position, and in a list some of the values that follow it.

        A value that is not JSON is Broken.
        """
        has_values = yield from self._valid_values(in_list=in_list)
        if not self._at_eof and len(self._buffer) - self._at < _BLOCK:
            self._read_more()
            has_values = has_values or (yield from self._valid_values(in_list=in_list))
        if not has_values:
            yield parse_or_broken(self._take_value())

    def _valid_values(self, *, in_list: bool) -> Generator[Any, None, bool]:
        """Yield the value at this position, and in a list those that follow it.

        It stops at the first value that is not valid JSON or not complete in the buffer.

        Returns:
            True if a value was yielded.
        """
        if self._at >= self._text_end:
            self._decode()
        text = self._text
        if not text:
            return False
        begin = stop = self._character + len(self._buffer[self._byte : self._at].decode())
        with suppress(ValueError, RecursionError):  # raised by the first invalid value
            value, end = _DECODER.raw_decode(text, begin)
            while end < len(text):  # a number at the end of the text may be incomplete
                stop = end
                yield value
                if not in_list:
                    break
                value, end = _DECODER.raw_decode(text, _end_of(_TEXT_SPACE.match(text, end)))
        self._at += len(text[begin:stop].encode())
        self._byte, self._character = self._at, stop
        return stop > begin

    def _decode(self) -> None:
        """Decode the block at this position; an invalid block gives an empty text."""
        block = self._buffer[self._at : self._at + _BLOCK]
        try:
            self._text, size = codecs.utf_8_decode(block, "strict", False)
        except UnicodeDecodeError:  # positions in bytes and in characters would differ
            self._text, size = "", len(block)
        self._text_end, self._byte, self._character = self._at + size, self._at, 0

    def _take_value(self) -> bytes:
        """Take the bytes of the value at this position, valid or not."""
        if self._buffer[self._at] not in b"[{":
            return self._take_token(_STRING if self._buffer[self._at] == 0x22 else _BARE)
        depth, end = 0, self._at
        while True:
            end = _end_of(_FLAT.match(self._buffer, end))
            if end == len(self._buffer) or self._buffer[end] == _QUOTE:  # the end is not read yet
                end -= self._read_more()
                continue
            depth += 1 if self._buffer[end] in b"[{" else -1
            end += 1
            if depth > _MAX_VALUE_DEPTH:
                raise self._error("is nested too deeply")
            if depth == 0:
                value = self._buffer[self._at : end]
                self._at = end
                return value

    def _take_token(self, pattern: re.Pattern[bytes]) -> bytes:
        while True:
            match = pattern.match(self._buffer, self._at)
            if match and (match.end() < len(self._buffer) or self._at_eof or pattern is _STRING):
                self._at = match.end()
                return match[0]
            if match is None and pattern is _BARE:
                raise self._error("is not JSON")
            if self._at_eof:
                raise self._early_end()
            self._read_more()

    def _skip_space(self) -> bool:
        """Move to the next token; return False at the end of the file."""
        while True:
            self._at = _end_of(_SPACE.match(self._buffer, self._at))
            if self._at < len(self._buffer):
                return True
            if self._at_eof:
                return False
            self._read_more()

    def _is_exhausted(self) -> bool:
        return self._at >= len(self._buffer)

    def _read_more(self) -> int:
        """Read more bytes and drop those before this position; return the number dropped.

        As many bytes are read as are already in the buffer, so that a long value is matched only a
        logarithmic number of times.
        """
        if self._at_eof:
            raise self._early_end()
        dropped, kept = self._at, len(self._buffer) - self._at
        if kept > LARGEST_VALUE:
            raise self._error(f"holds a value of more than {LARGEST_VALUE >> 20} MB")
        block = self._stream.read(max(_BLOCK, min(kept, LARGEST_VALUE - kept)))
        self._at_eof = not block
        self._buffer = self._buffer[dropped:] + block
        self._buffer_start += dropped
        self._at = self._text_end = 0
        return dropped

    def _early_end(self) -> InputError:
        """Return the error of a file that was cut: the place is where it was cut."""
        self._at = len(self._buffer)
        return self._error("ends in the middle")

    def _error(self, problem: str) -> InputError:
        return InputError(f"{self._name} {problem} (byte {self._buffer_start + self._at:,})")


def _end_of(match: re.Match[Any] | None) -> int:
    """Return the end of a match of a pattern that also matches an empty text."""
    assert match is not None, "it is never None"
    return match.end()


def parse_or_broken(text: str | bytes) -> Any:  # Any: JSON values have all types
    """Parse a JSON text; the result is Broken if it is not valid.

    Args:
        text: a JSON value; bytes that are not UTF-8 are replaced.
    """
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    except RecursionError:
        return BrokenValue("is nested too deeply")
    except ValueError as error:
        return BrokenValue(f"is not JSON: {error}")


def _path(stack: Sequence[str | None]) -> JsonPath:
    return tuple((step if step == "[]" else step[1:]) if step is not None else "" for step in stack)


def parse_prefix(text: str) -> Any:  # Any: JSON values have all types
    """Parse the beginning of a JSON text up to the first error, and close its open brackets.

    Returns:
        The value with the elements before the error; None for a text that does not begin with an
        object or a list.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        text = text[: error.pos]
    except RecursionError:
        pass
    except ValueError:
        return None
    closers: list[str] = []
    cut, cut_closing, at = 0, "", 0  # of the last bracket
    flat = re.compile(_FLAT.pattern.decode(), re.DOTALL)
    # A quotation mark that is not flat begins a string without an end.
    while (at := _end_of(flat.match(text, at))) < len(text) and text[at] != '"':
        if text[at] in "[{":
            closers.append("]" if text[at] == "[" else "}")
            if len(closers) > DEEPEST:
                break
        elif not closers or closers.pop() != text[at]:
            return None
        at += 1
        cut, cut_closing = at, "".join(reversed(closers))
    marks = re.compile(r'"(?:[^"\\]++|\\.)*+"|,', re.DOTALL).finditer(text, cut, at)
    commas = [mark.start() for mark in marks if mark[0] == ","]
    cut = commas[-1] if commas else cut
    try:
        return _DECODER.decode(text[:cut] + cut_closing)
    except (ValueError, RecursionError):
        return None
