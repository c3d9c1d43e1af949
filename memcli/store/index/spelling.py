"""Words as they were meant: what a term that stands nowhere is, misspelt or with another ending."""

from collections.abc import Iterable

LEAST_LETTERS = 5  # of a stem: shorter ones are one slip away from too many others


def meant(term: str, stems: Iterable[tuple[str, int]]) -> str | None:
    """Return the stem nearest to one that stands nowhere, the most frequent of those, or None.

    Near is one slip (a letter too many, too few, wrong, or two swapped), from nine letters on two.
    Else it is what begins alike, all but two letters: the stemmer knows English endings alone.

    Args:
        term: the stem of what was typed.
        stems: (stem, in how many places), those that begin with the same letter.
    """
    most = 2 if len(term) >= 9 else 1
    known = [(stem, places) for stem, places in stems if stem.isalpha()]
    near = [
        (slips, -places, stem)
        for stem, places in known
        if abs(len(stem) - len(term)) <= most
        for slips in [_slips(term, stem)]
        if slips <= most
    ]
    if near:
        return min(near)[2]
    beginning = term[: max(len(term) - 2, LEAST_LETTERS)]
    alike = [(len(stem), -places, stem) for stem, places in known if stem.startswith(beginning)]
    return min(alike)[2] if alike else None


def _slips(term: str, stem: str) -> int:
    """Return how many edits are between two stems.

    Source:
        Damerau, CACM 7(3), 1964, as optimal string alignment.
    """
    before, row = list[int](), list(range(len(term) + 1))
    for at, letter in enumerate(stem, start=1):
        earlier, before, row = before, row, [at]
        for other, typed in enumerate(term, start=1):
            least = min(before[other] + 1, row[-1] + 1, before[other - 1] + (letter != typed))
            if at > 1 and other > 1 and letter == term[other - 2] and stem[at - 2] == typed:
                least = min(least, earlier[other - 2] + 1)
            row.append(least)
    return row[-1]
