"""XML read as a stream of elements, in bounded memory.

A document type is refused, because entities declared in it can be bombs or read local files.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO
from xml.parsers import expat

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

_BLOCK = 1 << 18  # bytes
_MAX_DEPTH = 1_000  # elements inside each other, at the end of a block
_MAX_TAG_BYTES = 64 << 20  # attributes hold whole pictures
_SURROGATE_PAIR = re.compile(rb"&#(55[2-9]\d\d|56[0-2]\d\d|563[01]\d);&#(5[67]\d{3});")
_INVALID_REFERENCE = re.compile(rb"&#(?:0|[1-8]|1[124-9]|2\d|3[01]|5[5-7]\d{3});")
# A reference at the end of a block that the next block may continue.
_INCOMPLETE = re.compile(rb"(?:&#(?:55[2-9]|56[0-3])\d\d;)?(?:&#?\d{0,5})?\Z")
_MAX_PAIR_BYTES = 20  # of two references

XmlEvent = tuple[str, dict[str, str] | None]  # (name, attributes), or (name, None) at the end


def parse_xml(document: Document) -> Iterator[XmlEvent]:
    """Yield the beginning and the end of each element.

    References to characters that XML does not allow are joined if they are the two surrogates of
    one character, else replaced: phones write emoji as two surrogates.

    Raises:
        InputError: the document is not XML, ends in the middle, has a document type, is nested
            deeper than _MAX_DEPTH, or holds a tag of more than _MAX_TAG_BYTES.
    """
    pending: list[XmlEvent] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: pending.append((name, attributes))
    parser.EndElementHandler = lambda name: pending.append((name, None))

    def refuse_document_type(*_: object) -> None:
        raise InputError(f"{document.name} has a document type, which no export has")

    parser.StartDoctypeDeclHandler = refuse_document_type
    waiting = depth = 0
    with document.open() as stream:
        for block in chain(_join_surrogates(stream), [None]):
            try:
                parser.Parse(block or b"", block is None)
            except expat.ExpatError as error:
                yield from pending  # the elements before the error in this block
                raise InputError(f"{document.name} is not XML: {error}") from error
            waiting = 0 if pending or not block else waiting + len(block)
            if waiting > _MAX_TAG_BYTES:
                raise InputError(
                    f"{document.name} holds a tag of more than {_MAX_TAG_BYTES >> 20} MB"
                )
            depth += sum(1 if attributes is not None else -1 for _, attributes in pending)
            if depth > _MAX_DEPTH:  # expat keeps all open elements in memory
                raise InputError(f"{document.name} is nested too deeply")
            yield from pending
            pending.clear()


def _join_surrogates(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of the document with references to two surrogates joined."""
    rest = b""
    while block := stream.read(_BLOCK):
        whole = rest + block
        incomplete = _INCOMPLETE.search(whole, max(0, len(whole) - _MAX_PAIR_BYTES))
        cut = incomplete.start() if incomplete else len(whole)
        rest = whole[cut:]
        yield _fix_references(whole[:cut])
    yield _fix_references(rest)


def _fix_references(text: bytes) -> bytes:
    return _INVALID_REFERENCE.sub("\ufffd".encode(), _SURROGATE_PAIR.sub(_join_pair, text))


def _join_pair(match: re.Match[bytes]) -> bytes:
    high, low = int(match[1]), int(match[2])
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return chr(0x10000 + (high - 0xD800 << 10) + low - 0xDC00).encode()
