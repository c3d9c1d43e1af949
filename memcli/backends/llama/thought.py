"""A thought, from the bytes of its tokens to text, up to its closing tag."""

from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable

CLOSED = "</think>"


def thought(pieces: Iterable[bytes]) -> Generator[str, None, bool]:
    """Yield a thought's text, no piece of it empty; return whether the closing tag ended it.

    Args:
        pieces: what each token writes, as it comes; they may end within a letter. No piece is
            asked for after the closing tag.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    held = ""  # what may turn out to be the beginning of the closing tag
    for piece in pieces:
        text, tag, _ = (held + decoder.decode(piece)).partition(CLOSED)
        kept = 0 if tag else _beginning(text)
        held = text[len(text) - kept :]
        if text[: len(text) - kept]:
            yield text[: len(text) - kept]
        if tag:
            return True
    rest = held + decoder.decode(b"", final=True)
    if rest:
        yield rest
    return False


def _beginning(text: str) -> int:
    """Return how many characters at the end of a text may begin the closing tag."""
    return next(size for size in range(len(CLOSED) - 1, -1, -1) if text.endswith(CLOSED[:size]))
