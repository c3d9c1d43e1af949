"""The text of an NSAttributedString that is archived in Apple's typedstream format.

Messages stores most texts only in this form. The parser reads the first string object alone: fonts
and attributes follow it, and nothing else of the encoding is needed.

Source: the encoding as open programs describe it; Apple has not documented it.
"""

MAGIC = b"\x04\x0bstreamtyped"
LONGEST = 16 << 20  # bytes

_CLASS = b"\x08NSString"
_STRING = b"\x84\x01+"  # a new type description of one letter: bytes, preceded by their length
_MAX_FIELD_DISTANCE = 16  # bytes from the class to its first field
_LENGTH_BYTES = {0x81: 2, 0x82: 4}  # the mark of an integer: the number of its bytes
_ATTACHMENT_PLACEHOLDER = "\ufffc"


def extract_string(archive: bytes) -> str | None:
    """Return the archived text without placeholders of files; None if there is no text.

    Args:
        archive: a whole typedstream.
    """
    if MAGIC not in archive[:32]:
        return None
    at = archive.find(_CLASS)
    start = archive.find(_STRING, at, at + len(_CLASS) + _MAX_FIELD_DISTANCE) if at >= 0 else -1
    if start < 0:
        return None
    start += len(_STRING)
    mark = archive[start : start + 1]
    width = _LENGTH_BYTES.get(mark[0], 0) if mark else 0
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
        return raw.decode("utf-8").replace(_ATTACHMENT_PLACEHOLDER, "")
    except UnicodeDecodeError:
        return None
