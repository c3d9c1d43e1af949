"""Words and phrases that are looked for in a question, in many languages."""

import re
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[\W_]+")
_EAST_ASIAN = "\u2e80"  # from here on, words are not set apart, or have endings


def split_phrases(*lines: str) -> tuple[str, ...]:
    """Return the phrases of lines, which have commas between them.

    They are in lower case, with a space for every mark; `*` at the end stands for any ending.
    """
    return tuple(phrase for line in lines for phrase in line.split(", "))


def plain_words(text: str) -> str:
    """Return a text in lower case, with one space around each word and no other mark."""
    return f" {_SEPARATORS.sub(' ', text.lower()).strip()} "


def has_phrase(words: str, phrases: Iterable[str]) -> bool:
    """Return whether any of some phrases stands in a text, as `plain_words` returns it."""
    return any(_stands_in(words, phrase) for phrase in phrases)


def is_east_asian(phrase: str) -> bool:
    """Return whether a phrase may stand inside a word, as a text is cut at spaces.

    `store.is_unspaced` would compile a pattern for that, in a question in any language.
    """
    return phrase >= _EAST_ASIAN


def _stands_in(words: str, phrase: str) -> bool:
    if is_east_asian(phrase):
        return phrase in words
    return (f" {phrase[:-1]}" if phrase.endswith("*") else f" {phrase} ") in words
