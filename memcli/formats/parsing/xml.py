"""XML, read as it comes: elements begin and end, and nothing is kept.

A document type is refused: it is where XML hides bombs and other people's files.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO
from xml.parsers import expat

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

_BLOCK = 1 << 18
_DEEPEST = 1_000  # elements inside each other, at the end of a block
_LONGEST_TAG = 64 << 20  # bytes; pictures stand in attributes
_PAIR = re.compile(rb"&#(55[2-9]\d\d|56[0-2]\d\d|563[01]\d);&#(5[67]\d{3});")
_HALF = re.compile(rb"&#(?:0|[1-8]|1[124-9]|2\d|3[01]|5[5-7]\d{3});")
_BEGUN = re.compile(rb"(?:&#(?:55[2-9]|56[0-3])\d\d;)?(?:&#?\d{0,5})?\Z")  # more may follow
_LONGEST_REFERENCE = 20  # bytes, of two

Event = tuple[str, dict[str, str] | None]  # name and attributes; None in their place at its end


def events(document: Document) -> Iterator[Event]:
    """Yield the beginning and the end of each element.

    Characters that XML does not allow are mended where they are halves of one, else replaced:
    phones write emoji in two halves.

    Raises:
        InputError: the document is no XML, breaks off, has a document type, is nested deeper than
            _DEEPEST, or holds a tag of more than _LONGEST_TAG bytes.
    """
    found: list[Event] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.EndElementHandler = lambda name: found.append((name, None))

    def refused(*_: object) -> None:
        raise InputError(f"{document.name} has a document type: no export has one")

    parser.StartDoctypeDeclHandler = refused
    waiting = depth = 0
    with document.open() as stream:
        for block in chain(_mended(stream), [None]):
            try:
                parser.Parse(block or b"", block is None)
            except expat.ExpatError as error:
                yield from found  # what came before it in this block
                raise InputError(f"{document.name} is no XML: {error}") from error
            waiting = 0 if found or not block else waiting + len(block)
            if waiting > _LONGEST_TAG:
                raise InputError(
                    f"{document.name} holds a tag of more than {_LONGEST_TAG >> 20} MB"
                )
            depth += sum(1 if attributes is not None else -1 for _, attributes in found)
            if depth > _DEEPEST:  # expat remembers what is open
                raise InputError(f"{document.name} is nested too deeply")
            yield from found
            found.clear()


def _mended(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the document, with references to halves of characters joined."""
    rest = b""
    while block := stream.read(_BLOCK):
        whole = rest + block
        begun = _BEGUN.search(whole, max(0, len(whole) - _LONGEST_REFERENCE))
        cut = begun.start() if begun else len(whole)
        rest = whole[cut:]
        yield _sound(whole[:cut])
    yield _sound(rest)


def _sound(text: bytes) -> bytes:
    return _HALF.sub("\ufffd".encode(), _PAIR.sub(_joined, text))


def _joined(match: re.Match[bytes]) -> bytes:
    high, low = int(match[1]), int(match[2])
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return chr(0x10000 + (high - 0xD800 << 10) + low - 0xDC00).encode()
