"""Sessions into a room of so many tokens: the best whole, long ones cut around what matters."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from memcli.domain import Session
from memcli.prompts import CUT, history
from memcli.search.retrieve import Candidate

SHOWN = 20  # most sessions
LEAST = 150  # tokens kept free for each session further down, unless it needs fewer
SEAM = 4  # tokens that a session may take more among others than alone
SHORTEST = 40  # characters of a turn worth showing
NEAR = 300  # characters within which matched words speak for each other

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a session; turns may be cut, which is marked in their text."""

    candidate: Candidate
    session: Session
    positions: tuple[int, ...]  # of the turns shown, from 1, ascending


def pack(candidates: Sequence[Candidate], count: Count, room: int) -> list[Excerpt]:
    """Choose what to show of the first candidates, so that their history fits a room.

    Best first, each gets all the room that leaves a little for those after it. What does not fit
    is cut to the turns around its evidence and best passages, and a turn that alone is too long
    to the words around those that match.

    Args:
        candidates: best first.
        count: tokens of a text.
        room: tokens that the history block may take.

    Returns:
        Excerpts, oldest first; none where not one session fits.
    """
    aim = room
    while aim > 0:
        shown = sorted(_filled(candidates[:SHOWN], count, aim), key=_when)
        taken = count(block(shown))
        if taken <= room:
            return shown
        aim -= taken - room  # texts side by side may take more tokens than one by one
    return []


def block(shown: Sequence[Excerpt]) -> str:
    """Return the history block of excerpts."""
    return history([(each.session, each.positions) for each in shown])


def _filled(candidates: Sequence[Candidate], count: Count, room: int) -> list[Excerpt]:
    """Take as many sessions as get their least, and give the first of them what is left over."""
    wholes = [_whole(candidate) for candidate in candidates]
    sizes = [count(block([whole])) + SEAM for whole in wholes]
    least = [min(size, LEAST) for size in sizes]
    number = sum(total <= room for total in accumulate(least))
    shown = []
    for place, (whole, size) in enumerate(zip(wholes, sizes, strict=True)):
        if place and place >= number:
            break
        free = room - sum(least[place + 1 : number])
        excerpt = whole if size <= free else _cut(whole, count, free - SEAM)
        if excerpt:
            room -= size if excerpt is whole else count(block([excerpt])) + SEAM
            shown.append(excerpt)
    return shown


def _whole(candidate: Candidate) -> Excerpt:
    turns = enumerate(candidate.session.turns, start=1)
    positions = tuple(position for position, turn in turns if turn.searched)
    return Excerpt(candidate, candidate.session, positions)


def _cut(whole: Excerpt, count: Count, room: int) -> Excerpt | None:
    """Return as many turns as fit, the most telling ones; None where nothing fits."""
    telling = _telling(whole)
    order = [*telling, *around(telling, whole.positions)]

    def first(number: int) -> Excerpt:
        return replace(whole, positions=tuple(sorted(order[:number])))

    fitting = _most(len(order), lambda number: count(block([first(number)])) <= room)
    if fitting < len(telling):
        begun = _begun(first(fitting), order[fitting], count, room)
        if begun:
            return begun
    return first(fitting) if fitting else None


def _telling(whole: Excerpt) -> list[int]:
    """Return the positions of the turns that speak for a session, best first."""
    candidate = whole.candidate
    telling = [evidence.position for evidence in candidate.evidence]
    for passage in candidate.passages:
        telling += range(passage.first, passage.last + 1)
    shown = set(whole.positions)
    return [position for position in dict.fromkeys(telling) if position in shown]


def around(telling: Sequence[int], positions: Sequence[int]) -> list[int]:
    """Return the other positions, those nearest to the telling ones first."""
    known = sorted(telling)

    def distance(position: int) -> int:
        after = bisect_right(known, position)
        return min((abs(position - near) for near in known[max(after - 1, 0) : after + 1]),
                   default=position)  # fmt: skip

    return sorted(
        set(positions) - set(telling), key=lambda position: (distance(position), position)
    )


def _begun(excerpt: Excerpt, position: int, count: Count, room: int) -> Excerpt | None:
    """Return an excerpt with as much of one more turn as fits; None where that is too little."""
    session = excerpt.session
    turn = session.turns[position - 1]
    centre = _centre(excerpt.candidate, position)

    def with_part(length: int) -> Excerpt:
        text = _part(turn.text, centre, length)
        turns = (
            *session.turns[: position - 1],
            replace(turn, text=text),
            *session.turns[position:],
        )
        positions = tuple(sorted((*excerpt.positions, position)))
        return replace(excerpt, session=replace(session, turns=turns), positions=positions)

    length = _most(len(turn.text), lambda length: count(block([with_part(length)])) <= room)
    return with_part(length) if length >= min(SHORTEST, len(turn.text)) else None


def _centre(candidate: Candidate, position: int) -> int:
    """Return the place in a turn, in characters, where most of the question's words are."""
    text = candidate.session.turns[position - 1].text
    here = [part for part in candidate.passages if part.first == part.last == position]
    best = (here[0].start, here[0].stop or len(text)) if here else (0, 0)
    words = re.compile("|".join(map(re.escape, candidate.terms)) or "(?!)", re.IGNORECASE)
    matches = [(match.start(), match[0].casefold()) for match in words.finditer(text)]
    matches = [match for match in matches if best[0] <= match[0] < best[1]] or matches
    if not matches:
        return sum(best) // 2

    def company(place: int) -> int:
        return len({word for other, word in matches if abs(other - place) <= NEAR})

    return max((place for place, _ in matches), key=company)


def _part(text: str, centre: int, length: int) -> str:
    """Return so many characters around a place, cut between words where there are any."""
    if length >= len(text):
        return text
    start = max(0, min(centre - length // 2, len(text) - length))
    stop = start + length
    if start and (space := text.find(" ", start, start + length // 4)) >= 0:
        start = space + 1
    if stop < len(text) and (space := text.rfind(" ", stop - length // 4, stop)) > start:
        stop = space
    before, after = (f"{CUT} " if start else ""), (f" {CUT}" if stop < len(text) else "")
    return f"{before}{text[start:stop].strip()}{after}"


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to a limit that fits, where smaller ones fit too; else 0."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _when(excerpt: Excerpt) -> float:
    started = excerpt.session.started_at
    return started.timestamp() if started else 0.0
