"""The files of an archive of X, once Twitter: JavaScript that sets a list.

window.YTD.direct_messages.part0 = [ ... ]
"""

import re
from typing import BinaryIO

from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.lazy_dataclasses import replace

_HEAD = re.compile(rb"\s*window\.YTD\.(\w+)\.part\d+\s*=\s*(?=\[)")
_MAX_HEAD = 1 << 12  # bytes


def archive_list_name(head: bytes) -> str:
    """Return the name of the list that a file sets, such as "direct_messages"; "" for others.

    Args:
        head: the first bytes of the file.
    """
    match = _HEAD.match(strip_byte_order_mark(head))
    return match[1].decode() if match else ""


def archive_list(document: Document) -> Document:
    """Return a document with the list alone, as JSON."""

    def open_list() -> BinaryIO:
        with document.open() as stream:
            head = stream.read(_MAX_HEAD)
        text = strip_byte_order_mark(head)
        match = _HEAD.match(text)
        stream = document.open()
        if match:
            stream.read(match.end() + len(head) - len(text))
        return stream

    return replace(document, open=open_list)
