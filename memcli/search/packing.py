"""Packs sessions into a number of tokens: whole if possible, else cut around their evidence."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from memcli.domain import Session
from memcli.lazy_dataclasses import dataclass, replace
from memcli.prompts import CUT, format_history
from memcli.search.budget import TokenCounter
from memcli.search.evidence.candidates import Candidate

MOST_SESSIONS = 20  # that are shown
LEAST_TOKENS = 150  # reserved for each session further down, unless it needs fewer
SEAM_TOKENS = 4  # that a session may take more among others than alone
LEAST_LETTERS = 40  # of a turn that is cut; a shorter part is not worth showing
NEAR = 300  # characters within which matching words count for each other


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a session that is shown; cut turns have a mark in their text."""

    candidate: Candidate
    session: Session
    positions: tuple[int, ...]  # of the turns shown, from 1, ascending


def pack_sessions(candidates: Sequence[Candidate], count: TokenCounter, room: int) -> list[Excerpt]:
    """Choose what to show of the first candidates, so that their history fits a room.

    Best first, each session gets all the room that leaves a little for those after it. A session
    that does not fit is cut to the turns around its evidence and best passages, and a turn that is
    too long alone is cut to the words around those that match.

    Args:
        candidates: best first.
        count: counts the tokens of a text.
        room: tokens that the history block may take.

    Returns:
        Excerpts, oldest first; none if not one session fits.
    """
    aim = room
    while aim > 0:
        shown = sorted(_fill(candidates[:MOST_SESSIONS], count, aim), key=_start_time)
        taken = count(history_block(shown))
        if taken <= room:
            return shown
        aim -= taken - room  # texts side by side may take more tokens than one by one
    return []


def history_block(shown: Sequence[Excerpt]) -> str:
    """Return excerpts as MemSifter's history block."""
    return format_history([(each.session, each.positions) for each in shown])


def nearest_first(centres: Sequence[int], positions: Sequence[int]) -> list[int]:
    """Return the positions that are no centres, those nearest to a centre first."""
    known = sorted(centres)

    def distance(position: int) -> int:
        after = bisect_right(known, position)
        neighbours = known[max(after - 1, 0) : after + 1]
        return min((abs(position - near) for near in neighbours), default=position)

    return sorted(
        set(positions) - set(centres), key=lambda position: (distance(position), position)
    )


def _fill(candidates: Sequence[Candidate], count: TokenCounter, room: int) -> list[Excerpt]:
    """Take as many sessions as get their least; the first ones get the room that is left."""
    wholes = [_whole(candidate) for candidate in candidates]
    sizes = [count(history_block([whole])) + SEAM_TOKENS for whole in wholes]
    least = [min(size, LEAST_TOKENS) for size in sizes]
    number = sum(total <= room for total in accumulate(least))
    shown = []
    for place, (whole, size) in enumerate(zip(wholes, sizes, strict=True)):
        if place and place >= number:
            break
        free = room - sum(least[place + 1 : number])
        excerpt = whole if size <= free else _cut(whole, count, free - SEAM_TOKENS)
        if excerpt:
            room -= size if excerpt is whole else count(history_block([excerpt])) + SEAM_TOKENS
            shown.append(excerpt)
    return shown


def _whole(candidate: Candidate) -> Excerpt:
    turns = enumerate(candidate.session.turns, start=1)
    positions = tuple(position for position, turn in turns if turn.is_searchable)
    return Excerpt(candidate, candidate.session, positions)


def _cut(whole: Excerpt, count: TokenCounter, room: int) -> Excerpt | None:
    """Return as many turns as fit, the most relevant ones; None if nothing fits."""
    relevant = _relevant_turns(whole)
    order = [*relevant, *nearest_first(relevant, whole.positions)]

    def first(number: int) -> Excerpt:
        return replace(whole, positions=tuple(sorted(order[:number])))

    fitting = _largest_fitting(
        len(order), lambda number: count(history_block([first(number)])) <= room
    )
    if fitting < len(relevant):
        partial = _with_partial_turn(first(fitting), order[fitting], count, room)
        if partial:
            return partial
    return first(fitting) if fitting else None


def _relevant_turns(whole: Excerpt) -> list[int]:
    """Return the positions of a session's evidence and best passages, best first."""
    candidate = whole.candidate
    positions = [evidence.position for evidence in candidate.evidence]
    for passage in candidate.passages:
        positions += range(passage.first, passage.last + 1)
    shown = set(whole.positions)
    return [position for position in dict.fromkeys(positions) if position in shown]


def _with_partial_turn(
    excerpt: Excerpt, position: int, count: TokenCounter, room: int
) -> Excerpt | None:
    """Return an excerpt with as much of one more turn as fits; None if that is too little."""
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

    length = _largest_fitting(
        len(turn.text), lambda length: count(history_block([with_part(length)])) <= room
    )
    return with_part(length) if length >= min(LEAST_LETTERS, len(turn.text)) else None


def _centre(candidate: Candidate, position: int) -> int:
    """Return the place in a turn, in characters, around which most words of the question are."""
    text = candidate.session.turns[position - 1].text
    parts = [part for part in candidate.passages if part.first == part.last == position]
    best = (parts[0].start, parts[0].stop or len(text)) if parts else (0, 0)
    words = re.compile("|".join(map(re.escape, candidate.terms)) or "(?!)", re.IGNORECASE)
    matches = [(match.start(), match[0].casefold()) for match in words.finditer(text)]
    matches = [match for match in matches if best[0] <= match[0] < best[1]] or matches
    if not matches:
        return sum(best) // 2

    def different_words_near(place: int) -> int:
        return len({word for other, word in matches if abs(other - place) <= NEAR})

    return max((place for place, _ in matches), key=different_words_near)


def _part(text: str, centre: int, length: int) -> str:
    """Return so many characters around a place, cut between words if there are any."""
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


def _largest_fitting(limit: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to a limit that fits, else 0; all smaller ones must fit, too."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _start_time(excerpt: Excerpt) -> float:
    started = excerpt.session.started_at
    return started.timestamp() if started else 0.0
