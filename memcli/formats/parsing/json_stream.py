"""Reading JSON of any size, a value at a time.

Exports are single lines of many gigabytes, and they are damaged. The streaming parsers at hand
stop at the first invalid byte of a file, and need memory that grows with the square of the nesting
(ijson 3.6: 100,000 brackets, more than 20 GB). So this finds where the wanted values begin and
end, by brackets and quotes alone, and leaves each of them to the standard library: one that is
broken is reported and the next one read. What was read whole and is sound, which is nearly all, the
standard library takes at once.
"""

import codecs
import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, BinaryIO

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

LARGEST_VALUE = 64 << 20  # bytes of one wanted value, or of one string on the way
DEEPEST = 200  # brackets inside each other on the way; real exports stay under 30

_BLOCK = 1 << 19
_ENDLESS = 1 << 17  # brackets inside each other in a value: no use in looking for its end
_QUOTE = 0x22
_SPACE = re.compile(rb"[\s,:]*+")
_BETWEEN = re.compile(r"[\s,:]*+", re.ASCII)  # the same in text
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BARE = re.compile(rb'[^\s,:\[\]{}"]++')
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)  # up to a bracket
_DECODER = json.JSONDecoder(strict=False)

Path = tuple[str, ...]  # keys from the top; "[]" stands for any place in a list


class Edge(Enum):
    """Where a container that is not itself wanted begins and ends."""

    BEGIN = "begin"
    END = "end"


@dataclass(frozen=True, slots=True)
class Broken:
    """A wanted value that is no JSON."""

    why: str


def elements(document: Document, *lists: str) -> Iterator[Any]:
    """Yield the elements of the top-level list, or of the lists at these dotted paths.

    A top-level object that holds none of the lists is yielded itself when "" is among the paths.

    Yields:
        Each element as Python values, or Broken where it is no JSON.

    Raises:
        InputError: the file ends in the middle, or is no JSON. What was yielded before stands.
    """
    wanted = [("[]",), *((*path.split("."), "[]") for path in lists if path)]
    found = False
    for path, value in scan(document, wanted):
        if path in wanted and not isinstance(value, Edge):
            found = True
            yield value
    if not found and "" in lists:
        for path, value in scan(document, [()]):
            if path == ():
                yield value


def scan(document: Document, wanted: Sequence[Path]) -> Iterator[tuple[Path, Any]]:
    """Walk a JSON document and yield what lies on the way, in the order of the file.

    Args:
        document: what to read.
        wanted: paths of the values to yield whole. Paths inside them are not looked at.

    Yields:
        (path, value): a wanted value as Python values, or Broken; any other text, number, true,
        false or null as it is; Edge.BEGIN and Edge.END for any other object or list.

    Raises:
        InputError: the file ends in the middle, holds a value of more than LARGEST_VALUE bytes,
            is nested deeper than DEEPEST on the way, or is no JSON.
    """
    with document.open() as stream:
        yield from _Scanner(document.name, stream, wanted).events()


class _Scanner:
    def __init__(self, name: str, stream: BinaryIO, wanted: Sequence[Path]) -> None:
        self._name, self._stream = name, stream
        self._wanted = frozenset(wanted)
        self._buffer = b""
        self._at = 0  # in the buffer
        self._before = 0  # bytes of the file before the buffer
        self._ended = False
        # A part of the buffer as text, up to a byte; and one place in it, in bytes and characters.
        self._text, self._text_ends, self._byte, self._character = "", 0, 0, 0
        self._more()
        if self._buffer.startswith(b"\xef\xbb\xbf"):
            self._at = 3

    def events(self) -> Iterator[tuple[Path, Any]]:
        # One a container: "[]" in a list, the current key in an object.
        stack: list[str | None] = []
        path: Path | None = ()  # None where the stack has changed
        while self._skip_space() or stack:
            if self._exhausted():
                raise self._error("ends in the middle")
            byte = self._buffer[self._at]
            if byte in b"]}":
                if not stack or (stack[-1] == "[]") != (byte == 0x5D):
                    raise self._error("is no JSON")
                self._at += 1
                stack.pop()
                path = _path(stack)
                yield path, Edge.END
            elif stack and stack[-1] is None and byte == 0x22:
                stack[-1] = "." + str(_loaded(self._token(_STRING)))
                path = None
                continue
            else:
                path = _path(stack) if path is None else path
                if path in self._wanted:
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
                    yield path, _loaded(self._token(_STRING if byte == 0x22 else _BARE))
            if stack and stack[-1] != "[]":
                stack[-1] = path = None
            if not stack:
                break
        if self._skip_space():
            raise self._error("goes on after its end")

    def _values(self, *, in_list: bool) -> Iterator[Any]:  # whatever JSON holds
        """Take the value here, and in a list some that follow; Broken where one is no JSON."""
        taken = yield from self._sound_values(in_list=in_list)
        if not self._ended and len(self._buffer) - self._at < _BLOCK:
            self._more()
            taken = taken or (yield from self._sound_values(in_list=in_list))
        if not taken:
            yield _loaded(self._found_value())

    def _sound_values(self, *, in_list: bool) -> Generator[Any, None, bool]:
        """Take the value here, and in a list those that follow, if sound and read to their end.

        Returns:
            Whether there were any.
        """
        if self._at >= self._text_ends:
            self._decode()
        text = self._text
        if not text:
            return False
        begin = taken = self._character + len(self._buffer[self._byte : self._at].decode())
        with suppress(ValueError, RecursionError):  # the first that is not sound ends it
            value, end = _DECODER.raw_decode(text, begin)
            while end < len(text):  # a number may go on
                taken = end
                yield value
                if not in_list:
                    break
                between = _BETWEEN.match(text, end)
                assert between is not None, "the pattern matches nothing, too"
                value, end = _DECODER.raw_decode(text, between.end())
        self._at += len(text[begin:taken].encode())
        self._byte, self._character = self._at, taken
        return taken > begin

    def _decode(self) -> None:
        block = self._buffer[self._at : self._at + _BLOCK]
        try:
            self._text, size = codecs.utf_8_decode(block, "strict", False)
        except UnicodeDecodeError:  # bytes and characters could not be told apart
            self._text, size = "", len(block)
        self._text_ends, self._byte, self._character = self._at + size, self._at, 0

    def _found_value(self) -> bytes:
        """Take the value here, sound or not."""
        if self._buffer[self._at] not in b"[{":
            return self._token(_STRING if self._buffer[self._at] == 0x22 else _BARE)
        depth, seen = 0, self._at
        while True:
            flat = _FLAT.match(self._buffer, seen)
            assert flat is not None, "the pattern matches nothing, too"
            seen = flat.end()
            if seen == len(self._buffer) or self._buffer[seen] == _QUOTE:  # of no end, as yet
                seen -= self._more()
                continue
            depth += 1 if self._buffer[seen] in b"[{" else -1
            seen += 1
            if depth > _ENDLESS:
                raise self._error("is nested too deeply")
            if depth == 0:
                value = self._buffer[self._at : seen]
                self._at = seen
                return value

    def _token(self, pattern: re.Pattern[bytes]) -> bytes:
        while True:
            match = pattern.match(self._buffer, self._at)
            if match and (match.end() < len(self._buffer) or self._ended or pattern is _STRING):
                self._at = match.end()
                return match[0]
            if match is None and pattern is _BARE:
                raise self._error("is no JSON")
            if self._ended:
                raise self._error("ends in the middle")
            self._more()

    def _skip_space(self) -> bool:
        """Go to the next token; False at the end of the file."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            assert match is not None, "the pattern matches nothing, too"
            self._at = match.end()
            if self._at < len(self._buffer):
                return True
            if self._ended:
                return False
            self._more()

    def _exhausted(self) -> bool:
        return self._at >= len(self._buffer)

    def _more(self) -> int:
        """Read on, forgetting what was taken; return by how much positions moved.

        Reads as much again as is kept, so that one long value is looked at a bounded number of
        times.
        """
        if self._ended:
            raise self._error("ends in the middle")
        taken, kept = self._at, len(self._buffer) - self._at
        if kept > LARGEST_VALUE:
            raise self._error(f"holds a value of more than {LARGEST_VALUE >> 20} MB")
        block = self._stream.read(max(_BLOCK, min(kept, LARGEST_VALUE - kept)))
        self._ended = not block
        self._buffer = self._buffer[taken:] + block
        self._before += taken
        self._at = self._text_ends = 0
        return taken

    def _error(self, what: str) -> InputError:
        return InputError(f"{self._name} {what} (byte {self._before + self._at:,})")


def loaded(text: str) -> Any:  # whatever JSON holds
    """Read a JSON text; Broken where it is none."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return Broken("is nested too deeply")
    except ValueError as error:
        return Broken(f"is no JSON: {error}")


def _loaded(raw: bytes) -> Any:  # whatever JSON holds
    return loaded(raw.decode("utf-8", "replace"))


def _path(stack: Sequence[str | None]) -> Path:
    return tuple((step if step == "[]" else step[1:]) if step is not None else "" for step in stack)


def begun(text: str) -> Any:  # whatever JSON holds
    """Read the beginning of a JSON text, as far as it is sound, and close what is open there.

    Returns:
        The value as far as it goes; None for a text that does not begin an object or a list.
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
    cut, cut_closers = 0, ""
    for match in re.finditer(r'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', text, re.DOTALL):
        mark = match[0]
        if mark == '"':
            break  # the text ends inside a string
        if mark in "[{":
            closers.append("]" if mark == "[" else "}")
            if len(closers) > DEEPEST:
                break
        elif mark in "]}":
            if not closers or closers.pop() != mark:
                return None
        elif mark != ",":
            continue
        if mark == ",":
            cut, cut_closers = match.start(), "".join(reversed(closers))
        else:
            cut, cut_closers = match.end(), "".join(reversed(closers))
    try:
        return _DECODER.decode(text[:cut] + cut_closers)
    except (ValueError, RecursionError):
        return None
