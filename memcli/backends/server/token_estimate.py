"""Estimated numbers of tokens, because only the server knows the real ones."""

import re

_PIECE = re.compile(r"[A-Za-z]{1,4}|[^A-Za-z ]| {2,}")


def estimate_tokens(text: str) -> int:
    """Return the estimated number of tokens of a text; rather too many than too few.

    Up to four letters of a word count as one token, and so does every other character but the
    space before a word. Our models' vocabularies have most English words whole, and one token for
    1.5 Chinese characters.
    """
    return len(_PIECE.findall(text))


def truncate_to_estimate(text: str, tokens: int) -> str:
    """Return the longest beginning of a text that has at most so many estimated tokens."""
    for number, piece in enumerate(_PIECE.finditer(text)):
        if number >= tokens:
            return text[: piece.start()]
    return text
