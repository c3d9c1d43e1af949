"""Conversion of the bytes of tokens to text: a thought up to its closing tag, and an answer."""

from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"


def stream_thought(pieces: Iterable[bytes]) -> Generator[str, None, bool]:
    """Yield a thought's text, no piece of it empty; return whether the closing tag ended it.

    Args:
        pieces: the bytes of each token, as they are generated; they may end within a letter. No
            piece is requested after the closing tag.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    pending = ""  # characters that may turn out to begin the closing tag
    for piece in pieces:
        text, tag, _ = (pending + decoder.decode(piece)).partition(THINK_CLOSE)
        kept = 0 if tag else partial_tag_length(text, THINK_CLOSE)
        pending = text[len(text) - kept :]
        if text[: len(text) - kept]:
            yield text[: len(text) - kept]
        if tag:
            return True
    rest = pending + decoder.decode(b"", final=True)
    if rest:
        yield rest
    return False


def stream_answer(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield an answer's text, no piece of it empty, without the space around it.

    Args:
        pieces: the bytes of each token, as they are generated; they may end within a letter.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    pending, begun = "", False  # space that belongs to the answer only if more of it follows
    for piece in pieces:
        text = pending + decoder.decode(piece)
        text = text if begun else text.lstrip()
        visible = text.rstrip()
        pending = text[len(visible) :]
        if visible:
            begun = True
            yield visible
    if rest := decoder.decode(b"", final=True):
        yield pending + rest


def partial_tag_length(text: str, tag: str) -> int:
    """Return how many characters at the end of a text may begin a tag; the whole tag is none."""
    return next(size for size in range(len(tag) - 1, -1, -1) if text.endswith(tag[:size]))
