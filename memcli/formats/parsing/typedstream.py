"""The text of an archived NSAttributedString, out of Apple's typedstream.

Messages keeps most texts in this way only. All that is read is the first string object: what
follows it are fonts and marks. Everything else about the encoding is left alone.

Source: the encoding as open programs describe it; Apple documents none of it.
"""

MAGIC = b"\x04\x0bstreamtyped"
LONGEST = 16 << 20  # bytes

_CLASS = b"\x08NSString"
_STRING = b"\x84\x01+"  # a new type description of one letter: bytes with their length before them
_NEAR = 16  # bytes from the class to its first field
_LENGTHS = {0x81: 2, 0x82: 4}  # marks of integers, to how many bytes they take
_PLACE_OF_A_FILE = "\ufffc"


def string_in(archive: bytes) -> str | None:
    """Return the archived text, without the places of files; None where there is none.

    Args:
        archive: a whole typedstream.
    """
    if MAGIC not in archive[:32]:
        return None
    at = archive.find(_CLASS)
    start = archive.find(_STRING, at, at + len(_CLASS) + _NEAR) if at >= 0 else -1
    if start < 0:
        return None
    start += len(_STRING)
    mark = archive[start : start + 1]
    width = _LENGTHS.get(mark[0], 0) if mark else 0
    number = archive[start + 1 : start + 1 + width] if width else mark
    length = int.from_bytes(number, "little")
    raw = archive[start + 1 + width :][:length]
    if (
        not number
        or len(number) < width
        or len(raw) < length
        or length > LONGEST
        or (not width and length > 0x7F)
    ):
        return None
    try:
        return raw.decode("utf-8").replace(_PLACE_OF_A_FILE, "")
    except UnicodeDecodeError:
        return None
