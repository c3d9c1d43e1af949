"""Splitting of people's text, so that no part of it spells a special token."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator


def make_splitter(names: Iterable[str]) -> Callable[[str], Iterator[str]]:
    """Return a function that splits a text inside every occurrence of any of these names.

    llama.cpp recognizes a vocabulary's user-defined tokens, Qwen's `<think>` among them, even in
    text that it was told to take literally. No part of a split text contains one, and the parts
    joined are the text. Names of one character cannot be split and are left alone.
    """
    endings: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        if len(name) > 1:
            endings[name[0]].add(name[1:])
    if not endings:
        return lambda text: iter((text,))
    # The match ends after the first character of an occurrence, so that an occurrence that
    # overlaps another is found, too.
    start = re.compile(
        "|".join(
            f"{re.escape(first)}(?={'|'.join(map(re.escape, sorted(rest)))})"
            for first, rest in endings.items()
        )
    )

    def split(text: str) -> Iterator[str]:
        """Yield the parts of a text."""
        done = 0
        for match in start.finditer(text):
            yield text[done : match.end()]
            done = match.end()
        yield text[done:]

    return split
