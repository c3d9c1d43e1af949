"""Text that stays text, whatever it spells."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator


def cutter(strings: Iterable[str]) -> Callable[[str], Iterator[str]]:
    """Return a function that cuts a text inside every occurrence of any of these strings.

    llama.cpp recognises a vocabulary's user-defined tokens, Qwen's `<think>` among them, even in
    text that it was told to take literally. No part of a cut text contains one, and the parts
    joined are the text. Strings of one character cannot be cut and are left alone.
    """
    endings: defaultdict[str, set[str]] = defaultdict(set)
    for string in strings:
        if len(string) > 1:
            endings[string[0]].add(string[1:])
    if not endings:
        return lambda text: iter((text,))
    # After the first character of an occurrence, so that one that overlaps another is found too.
    start = re.compile(
        "|".join(
            f"{re.escape(first)}(?={'|'.join(map(re.escape, sorted(rest)))})"
            for first, rest in endings.items()
        )
    )

    def cut(text: str) -> Iterator[str]:
        """Yield the parts of a text."""
        done = 0
        for match in start.finditer(text):
            yield text[done : match.end()]
            done = match.end()
        yield text[done:]

    return cut
