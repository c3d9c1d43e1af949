"""The texts of a session's turns, which are stored together in one compressed value.

Such a value is a zlib stream, whose own checksum tells damage, or a zero byte and the same content
as it is. The content is the number of texts, the length of each in bytes, all as 32-bit integers
with the lowest byte first, and the texts in UTF-8.

zlib's level 4 makes the texts of a session 2.5 times as small (2.9 times with long answers of
assistants) and takes 2.7 s of processor time for 158 MB. Level 1 takes .8 s less, a hundredth of an
import, and 5 MB more. Zstandard saves as much and takes 1.3 s, which is no reason to depend on it.
"""

import struct
import zlib
from collections.abc import Sequence

_LEVEL = 4
_PLAIN = b"\0"  # no zlib stream begins with it
# Content beyond both bounds is not compressed, so that no value may claim more memory when read.
_ALWAYS_ALLOWED = 1 << 24  # bytes
_MOST_TIMES = 100  # times the compressed size
_NUMBER = 4  # bytes
_STEP = 64  # bytes of a damaged value that are decompressed at once


def pack_texts(texts: Sequence[bytes]) -> bytes:
    """Return texts in the form in which they are stored.

    Args:
        texts: in UTF-8.
    """
    content = struct.pack(f"<{len(texts) + 1}I", len(texts), *map(len, texts)) + b"".join(texts)
    packed = zlib.compress(content, _LEVEL)
    if len(packed) <= len(content) <= _most_content(packed):
        return packed
    return _PLAIN + content


def unpack_texts(packed: bytes) -> list[str]:
    """Return the texts of a value that `pack_texts` made.

    Raises:
        ValueError: it is damaged, or larger than `pack_texts` makes it.
    """
    content = packed[len(_PLAIN) :] if packed.startswith(_PLAIN) else _decompress(packed)
    lengths = _lengths(content)
    if len(content) != _NUMBER * (len(lengths) + 1) + sum(lengths):
        raise ValueError("the texts are not as long as they should be")
    return [text.decode() for text in _split(content, lengths)]


def recover_texts(packed: bytes) -> list[bytes]:
    """Return the texts of a value up to the place where it is damaged."""
    content = packed[len(_PLAIN) :] if packed.startswith(_PLAIN) else _recover(packed)
    try:
        lengths = _lengths(content)
    except ValueError:
        return []
    return [
        text
        for text, length in zip(_split(content, lengths), lengths, strict=True)
        if len(text) == length
    ]


def _most_content(packed: bytes) -> int:
    return max(_ALWAYS_ALLOWED, _MOST_TIMES * len(packed))


def _decompress(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, _most_content(packed) + 1)
    except zlib.error as error:
        raise ValueError(f"the texts cannot be decompressed: {error}") from error
    if not stream.eof or stream.unused_data or len(content) > _most_content(packed):
        raise ValueError("the texts do not end where they should")
    return content


def _recover(packed: bytes) -> bytes:
    stream, content = zlib.decompressobj(), b""
    parts = []
    left = _most_content(packed)
    try:
        for start in range(0, len(packed), _STEP):
            content = stream.decompress(packed[start : start + _STEP], left)
            parts.append(content)
            left -= len(content)
            if left <= 0:
                break
    except zlib.error:
        pass
    return b"".join(parts)


def _lengths(content: bytes) -> tuple[int, ...]:
    """Return the lengths of the texts in a content.

    Raises:
        ValueError: it ends before them.
    """
    try:
        (count,) = struct.unpack_from("<I", content)
        if count > len(content) // _NUMBER:
            raise ValueError("the lengths of the texts are missing")
        return struct.unpack_from(f"<{count}I", content, _NUMBER)
    except struct.error as error:
        raise ValueError("the lengths of the texts are missing") from error


def _split(content: bytes, lengths: Sequence[int]) -> list[bytes]:
    texts, start = [], _NUMBER * (len(lengths) + 1)
    for length in lengths:
        texts.append(content[start : start + length])
        start += length
    return texts
