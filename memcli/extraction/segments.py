"""Cuts the unread part of a session into segments: the units that a reader decides about.

A segment is whole turns; a turn that is too long for one is read in parts. The end of a segment
depends only on what follows its beginning, so an interrupted run goes on as if it had not been
interrupted.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from memcli.domain import Role, Session, Turn
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import CUT
from memcli.search.budget import TokenCounter
from memcli.text.chunking import split_at_sentences

SEGMENT_TOKENS = 1024  # of a segment; about as much as one call can sum up
LEAST_TOKENS = 32  # of a segment worth reading
LONGEST_TOKEN = 16  # characters, on the average of a whole segment

_RESERVED = re.compile(rf"(?:{'|'.join(Role)}|already decided|to decide)?\s*", re.IGNORECASE)
_TURN_START = re.compile(r"^(\s*)\[(?=[^\]\n]*\]:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TurnPart:
    """A turn, or a part of one that is too long to be read at once."""

    position: int  # of the turn, from 1
    start: int  # characters, within the turn
    stop: int
    line: str  # as a reader sees it
    tokens: int  # of the line


def unread_runs(
    session: Session,
    read: Mapping[str, int],
    count: TokenCounter,
    most: int,
    *,
    enough: float = math.inf,
) -> list[list[TurnPart]]:
    """Return the unread parts of a session, in runs without anything read in between.

    Args:
        session: as it is now.
        read: how many characters of each turn were read before, by its key.
        count: counts the tokens of a text.
        most: tokens of a part.
        enough: tokens after which the search ends.
    """
    runs: list[list[TurnPart]] = [[]]
    for position, turn in enumerate(session.turns, start=1):
        if not turn.is_searchable:
            continue
        start = read.get(turn.key, 0)
        if start:
            runs.append([])
        for part in _turn_parts(position, turn, start, count, most):
            runs[-1].append(part)
            enough -= part.tokens
            if enough < 0:
                return [run for run in runs if run]
    return [run for run in runs if run]


def count_fitting(run: Sequence[TurnPart], most: int) -> int:
    """Return how many parts from the first on make a segment of so many tokens: at least one."""
    taken = 0
    for number, part in enumerate(run):
        taken += part.tokens
        if taken > most and number:
            return number
    return len(run)


def preceding_lines(
    session: Session, before: TurnPart, count: TokenCounter, room: int
) -> list[str]:
    """Return the last lines of a session before a part, as many as fit so many tokens."""
    lines: list[str] = []
    for turn in reversed(session.turns[: before.position - 1]):
        if not turn.is_searchable:
            continue
        line = _line(turn, turn.text.strip())
        room -= count(line)
        if room < 0:
            break
        lines.insert(0, line)
    return lines


def _turn_parts(
    position: int, turn: Turn, start: int, count: TokenCounter, most: int
) -> Iterator[TurnPart]:
    for first, stop in _cut(turn.text, start, len(turn.text), count, most):
        before = f"{CUT} " if first else ""
        after = f" {CUT}" if stop < len(turn.text) else ""
        line = _line(turn, f"{before}{turn.text[first:stop].strip()}{after}")
        yield TurnPart(position, first, stop, line, count(line))


def _cut(
    text: str, start: int, stop: int, count: TokenCounter, most: int
) -> Iterator[tuple[int, int]]:
    """Cut a range of a text into parts of about so many tokens, at sentences where possible.

    The first part depends on the text that follows it, and on no more of that than LONGEST_TOKEN
    allows.
    """
    while start < stop:
        rest = text[start : min(stop, start + most * LONGEST_TOKEN)]
        tokens = count(rest) if len(rest.encode()) > most else 0  # a token is a byte, or more
        if tokens <= most:
            yield start, start + len(rest)
            start += len(rest)
            continue
        room = max(len(rest) * most // tokens, 1)
        end = next(iter(split_at_sentences(rest, room)))[1]
        while end > 1 and count(rest[:end]) > most:  # the text is denser here
            end = max(end * 3 // 4, 1)
        yield start, start + end
        start += end


def _line(turn: Turn, text: str) -> str:
    """Return a turn as MemReader was trained on it; no text of it looks like another turn."""
    name = re.sub(r"[\[\]\s]+", " ", turn.speaker or "").strip()
    if turn.role is not Role.PERSON or _RESERVED.fullmatch(name):
        name = turn.role.value
    text = _TURN_START.sub(r"\1(", text)
    return f"[{name}]: {text}"
