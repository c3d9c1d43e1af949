"""Cuts sessions into passages: small enough to have one meaning, whole enough to be quoted."""

import re
from collections.abc import Iterable, Iterator

from memcli.domain import Passage, Session, Turn
from memcli.text.scripts import EAST_ASIAN

PASSAGE_LENGTH = 900  # weight of a passage in characters; an East Asian one counts for three
OVERLAP_TURNS = 1  # turns that a passage shares with the one before
# Turns that a vector stands for, if the embedder reads sentences. With vectors of windows of two
# turns, multilingual-e5-small has .74 of 89 own questions first, with those of passages .70.
WINDOW_TURNS = 2
MOST_WINDOWS = 64  # of a passage

_SENTENCE_END = re.compile(r"[.!?…]['\")\]]*\s+|[。！？]|\n+")
_LETTER = re.compile(r"\w")
_NEAR = 150  # characters, in most of which a sentence ends


def split_passages(session: Session, length: int = PASSAGE_LENGTH) -> list[Passage]:
    """Cut a session into windows of whole turns, and turns longer than a window at sentences.

    Args:
        session: the session. Turns that are not searched add nothing to the length.
        length: greatest weight of a window in characters, unless one turn alone has more.
    """
    result: list[Passage] = []
    window: list[int] = []  # positions of the turns
    size = 0
    for position, turn in enumerate(session.turns, start=1):
        if not turn.is_searchable:
            continue
        weight = _weight(turn.text)
        if window and size + weight > length:
            result.append(Passage(window[0], window[-1]))
            window = window[-OVERLAP_TURNS:]
            size = sum(_weight(session.turns[shared - 1].text) for shared in window)
            if size + weight > length:
                window, size = [], 0
        if weight > length:
            characters = max(length * len(turn.text) // weight, 1)
            result += [
                Passage(position, position, start, stop)
                for start, stop in split_at_sentences(turn.text, characters)
            ]
            continue
        window.append(position)
        size += weight
    if window and (not result or result[-1].last < window[-1]):
        result.append(Passage(window[0], window[-1]))
    return result


def passage_text(session: Session, passage: Passage) -> str:
    """Return the text of a passage, one line per turn, with the names of its speakers."""
    return text_of_turns(session.turns[passage.first - 1 : passage.last], passage)


def text_of_turns(turns: Iterable[Turn], passage: Passage) -> str:
    """Return the text of a passage, as `passage_text` does.

    Args:
        turns: the turns that the passage covers, and no others.
        passage: the passage.
    """
    return "\n".join(
        turn_text(turn, turn.text[passage.start : passage.stop])
        for turn in turns
        if turn.is_searchable
    )


def split_windows(session: Session, passage: Passage, size: int) -> list[list[int]]:
    """Cut a passage into windows that share all turns but one with the next.

    Args:
        session: the session.
        passage: a passage of it.
        size: turns of a window; of very many turns, windows are longer, so that there are at most
            MOST_WINDOWS.

    Returns:
        The positions of the turns of each window.
    """
    covered = range(passage.first, passage.last + 1)
    searched = [at for at in covered if session.turns[at - 1].is_searchable] or [passage.first]
    step = max(-(-(len(searched) - size + 1) // MOST_WINDOWS), 1)
    starts = range(0, max(len(searched) - size + 1, 1), step)
    return [searched[at : at + size + step - 1] for at in starts]


def window_texts(session: Session, passage: Passage, size: int) -> list[str]:
    """Return the texts of a passage that an embedder makes vectors of.

    Args:
        session: the session.
        passage: a passage of it.
        size: turns of a window, whose text follows the title of the session; 0 is the whole
            passage, without the title.
    """
    if not size:
        return [passage_text(session, passage)]
    head = f"{session.title}\n" if session.title else ""
    return [
        head + passage_text(session, Passage(at[0], at[-1], passage.start, passage.stop))
        for at in split_windows(session, passage, size)
    ]


def turn_text(turn: Turn, text: str | None = None) -> str:
    """Return a turn's text, or a part of it, after the name of its speaker."""
    return f"{turn.speaker or turn.role.value}: {turn.text if text is None else text}"


def split_at_sentences(text: str, length: int) -> Iterator[tuple[int, int]]:
    """Cut a long text near every `length` characters, at the end of a sentence where there is one.

    Yields:
        (start, stop) in characters; together they cover the text.
    """
    start = 0
    while len(text) - start > length:
        space = text.rfind(" ", start + length // 2, start + length) + 1
        stop = _last_sentence_end(text, start + 1, start + length) or space or start + length
        yield start, stop
        start = stop
    yield start, len(text)


def _last_sentence_end(text: str, start: int, stop: int) -> int:
    """Return where the last sentence of a part of a text ends; 0 if none does.

    Nearly always that is near the end of the part, and a search that begins behind a letter begins
    inside no end of a sentence.
    """
    letter = _LETTER.search(text, max(start, stop - _NEAR), stop)
    for first in (letter.end() if letter else start, start):
        ends = [end.end() for end in _SENTENCE_END.finditer(text, first, stop)]
        if ends:
            return ends[-1]
    return 0


def _weight(text: str) -> int:
    """Return the length of a text in characters, an East Asian one counted three times."""
    if text.isascii():
        return len(text)
    return len(text) + 2 * sum(map(len, re.findall(f"[{EAST_ASIAN}]+", text)))
