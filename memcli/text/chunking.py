"""Cutting sessions into passages: small enough to mean one thing, whole enough to be quoted."""

import re
from collections.abc import Iterator

from memcli.domain import Passage, Session, Turn
from memcli.text.scripts import EAST_ASIAN

LENGTH = 900  # characters of a passage; an unspaced script's character counts for three
OVERLAP = 1  # turns that a passage shares with the one before

_SENTENCE_END = re.compile(r"[.!?…]['\")\]]*\s+|[。！？]|\n+")


def passages(session: Session, length: int = LENGTH) -> list[Passage]:
    """Cut a session into windows of whole turns, and turns longer than a window at sentences.

    Args:
        session: what to cut. Turns that are not searched are left out of the count.
        length: most characters of a window, unless one turn alone has more.
    """
    found: list[Passage] = []
    window: list[int] = []
    size = 0
    for position, turn in enumerate(session.turns, start=1):
        if not turn.searched:
            continue
        weight = _weight(turn.text)
        if window and size + weight > length:
            found.append(Passage(window[0], window[-1]))
            window = window[-OVERLAP:]
            size = sum(_weight(session.turns[kept - 1].text) for kept in window)
            if size + weight > length:
                window, size = [], 0
        if weight > length:
            room = max(length * len(turn.text) // weight, 1)
            found += [Passage(position, position, *part) for part in parts(turn.text, room)]
            continue
        window.append(position)
        size += weight
    if window and (not found or found[-1].last < window[-1]):
        found.append(Passage(window[0], window[-1]))
    return found


def passage_text(session: Session, passage: Passage) -> str:
    """Return what a passage says, a line a turn, with the names of its speakers."""
    turns = session.turns[passage.first - 1 : passage.last]
    return "\n".join(
        said(turn, turn.text[passage.start : passage.stop]) for turn in turns if turn.searched
    )


def said(turn: Turn, text: str | None = None) -> str:
    """Return a turn, or a part of it, after who says it."""
    return f"{turn.speaker or turn.role.value}: {turn.text if text is None else text}"


def parts(text: str, length: int) -> Iterator[tuple[int, int]]:
    """Cut a long text near every `length` characters, at the end of a sentence where there is one.

    Yields:
        (start, stop) in characters; together they cover the text.
    """
    start = 0
    while len(text) - start > length:
        ends = [end.end() for end in _SENTENCE_END.finditer(text, start + 1, start + length)]
        space = text.rfind(" ", start + length // 2, start + length) + 1
        stop = ends[-1] if ends else space or start + length
        yield start, stop
        start = stop
    yield start, len(text)


def _weight(text: str) -> int:
    return len(text) + (0 if text.isascii() else 2 * len(re.findall(f"[{EAST_ASIAN}]", text)))
