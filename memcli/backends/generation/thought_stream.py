"""From the bytes of tokens to text: a thought up to its closing tag, and an answer."""

from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator

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


def answer(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield an answer's text, no piece of it empty, without the space around it.

    Args:
        pieces: what each token writes, as it comes; they may end within a letter.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    held, begun = "", False  # space that is the answer's only if more of it follows
    for piece in pieces:
        text = held + decoder.decode(piece)
        text = text if begun else text.lstrip()
        said = text.rstrip()
        held = text[len(said) :]
        if said:
            begun = True
            yield said
    if rest := decoder.decode(b"", final=True):
        yield held + rest


def _beginning(text: str) -> int:
    """Return how many characters at the end of a text may begin the closing tag."""
    return next(size for size in range(len(CLOSED) - 1, -1, -1) if text.endswith(CLOSED[:size]))
