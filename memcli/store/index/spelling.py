"""Correction of a term that no session has: a misspelling, or another ending of a word."""

from collections.abc import Iterable
from string import ascii_lowercase

LEAST_TYPED = 4  # letters of a typed word that is corrected at all
MAX_EDITS = 2  # between a typed word of nine letters or more and the stem that is meant
MIN_LETTERS = 5  # of a stem: a shorter one is one edit away from too many others


def nearest_spelling(term: str, stems: Iterable[tuple[str, int]]) -> str | None:
    """Return the stem nearest to a mistyped one, or None; of several, the most frequent.

    A stem is near if it is one edit away (a letter too many, too few, wrong, or two swapped), or
    two edits from nine letters on. If none is, the nearest is one with the same beginning, all but
    two letters: the stemmer only knows English endings.

    Args:
        term: the stem of the typed word.
        stems: (stem, number of sessions that have it) of all with the same first letter that are
            longer or shorter by MAX_EDITS at most, or have the same beginning.
    """
    max_edits = MAX_EDITS if len(term) >= 9 else 1
    known = [(stem, count) for stem, count in stems if stem.isalpha()]
    near = [
        (edits, -count, stem)
        for stem, count in known
        if abs(len(stem) - len(term)) <= max_edits
        for edits in [_edit_distance(term, stem)]
        if edits <= max_edits
    ]
    if near:
        return min(near)[2]
    beginning = same_beginning(term)
    similar = [(len(stem), -count, stem) for stem, count in known if stem.startswith(beginning)]
    return min(similar)[2] if similar else None


def same_beginning(term: str) -> str:
    """Return the beginning that a stem has in common with one of another ending."""
    return term[: max(len(term) - 2, MIN_LETTERS)]


def slips(word: str) -> set[str]:
    """Return the words that one slip of the keys may have made another one of.

    A word of four letters is only taken for one that misses a letter, or has two swapped: with a
    letter changed it is another word too often. The first letter is taken for right.
    """
    cuts = [(word[:at], word[at:]) for at in range(1, len(word) + 1)]
    words = {head + letter + rest for head, rest in cuts for letter in ascii_lowercase}
    words |= {head + rest[1] + rest[0] + rest[2:] for head, rest in cuts if len(rest) > 1}
    if len(word) > LEAST_TYPED:
        words |= {head + rest[1:] for head, rest in cuts if rest}
        words |= {
            head + letter + rest[1:] for head, rest in cuts if rest for letter in ascii_lowercase
        }
    return words - {word}


def _edit_distance(term: str, stem: str) -> int:
    """Return the number of edits between two stems.

    Source:
        Damerau, CACM 7(3), 1964, as optimal string alignment.
    """
    before, row = list[int](), list(range(len(term) + 1))
    for at, letter in enumerate(stem, start=1):
        earlier, before, row = before, row, [at]
        for other, typed in enumerate(term, start=1):
            distance = min(before[other] + 1, row[-1] + 1, before[other - 1] + (letter != typed))
            if at > 1 and other > 1 and letter == term[other - 2] and stem[at - 2] == typed:
                distance = min(distance, earlier[other - 2] + 1)
            row.append(distance)
    return row[-1]
