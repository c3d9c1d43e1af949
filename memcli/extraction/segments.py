"""Cutting what is unread of a session into segments: what a reader decides about at once.

A segment is whole turns; a turn too long for one is read in parts. Where a segment ends depends on
what follows its beginning and on nothing else, so a run that was interrupted goes on as if it had
not been.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from memcli.domain import Role, Session, Turn
from memcli.prompts import CUT
from memcli.text.chunking import parts

SEGMENT_TOKENS = 1024  # of a segment: what one call can sum up
LEAST_TOKENS = 32  # of a segment worth reading
LONGEST_TOKEN = 16  # characters, on the average of a whole segment

Count = Callable[[str], int]

_RESERVED = re.compile(rf"(?:{'|'.join(Role)}|already decided|to decide)?\s*", re.IGNORECASE)
_TURN_START = re.compile(r"^(\s*)\[(?=[^\]\n]*\]:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A turn, or a part of one that is too long to be read at once."""

    position: int  # of the turn, from 1
    start: int  # characters, within the turn
    stop: int
    line: str  # as a reader sees it
    tokens: int


def unread(
    session: Session,
    read: Mapping[str, int],
    count: Count,
    most: int,
    *,
    enough: float = math.inf,
) -> list[list[Piece]]:
    """Return what is left to read of a session, in runs without anything read in between.

    Args:
        session: what it holds now.
        read: how many characters of each turn were read before, by its key.
        count: tokens of a text.
        most: tokens of a piece.
        enough: tokens after which no more is looked for.
    """
    runs: list[list[Piece]] = [[]]
    for position, turn in enumerate(session.turns, start=1):
        if not turn.searched:
            continue
        start = read.get(turn.key, 0)
        if start:
            runs.append([])
        for piece in _pieces(position, turn, start, count, most):
            runs[-1].append(piece)
            enough -= piece.tokens
            if enough < 0:
                return [run for run in runs if run]
    return [run for run in runs if run]


def fitting(pieces: Sequence[Piece], most: int) -> int:
    """Return how many pieces from the first on make a segment of so many tokens: at least one."""
    taken = 0
    for number, piece in enumerate(pieces):
        taken += piece.tokens
        if taken > most and number:
            return number
    return len(pieces)


def earlier(session: Session, before: Piece, count: Count, room: int) -> list[str]:
    """Return the last lines of a session before a piece, as many as so many tokens hold."""
    lines: list[str] = []
    for turn in reversed(session.turns[: before.position - 1]):
        if not turn.searched:
            continue
        line = _line(turn, turn.text.strip())
        room -= count(line)
        if room < 0:
            break
        lines.insert(0, line)
    return lines


def _pieces(position: int, turn: Turn, start: int, count: Count, most: int) -> Iterator[Piece]:
    for first, stop in _cut(turn.text, start, len(turn.text), count, most):
        yield _piece(position, turn, first, stop, count)


def _piece(position: int, turn: Turn, start: int, stop: int, count: Count) -> Piece:
    before = f"{CUT} " if start else ""
    after = f" {CUT}" if stop < len(turn.text) else ""
    line = _line(turn, f"{before}{turn.text[start:stop].strip()}{after}")
    return Piece(position, start, stop, line, count(line))


def _cut(text: str, start: int, stop: int, count: Count, most: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch of a text into parts of about so many tokens, at sentences where possible.

    The first part depends on what follows it, and on no more of that than LONGEST_TOKEN allows.
    """
    while start < stop:
        rest = text[start : min(stop, start + most * LONGEST_TOKEN)]
        tokens = count(rest) if len(rest.encode()) > most else 0  # a token is a byte, or more
        if tokens <= most:
            yield start, start + len(rest)
            start += len(rest)
            continue
        room = max(len(rest) * most // tokens, 1)
        end = next(iter(parts(rest, room)))[1]
        while end > 1 and count(rest[:end]) > most:  # it is denser here
            end = max(end * 3 // 4, 1)
        yield start, start + end
        start += end


def _line(turn: Turn, text: str) -> str:
    """Return a turn as MemReader was taught; no text of it looks like another turn."""
    name = re.sub(r"[\[\]\s]+", " ", turn.speaker or "").strip()
    if turn.role is not Role.PERSON or _RESERVED.fullmatch(name):
        name = turn.role.value
    text = _TURN_START.sub(r"\1(", text)
    return f"[{name}]: {text}"
