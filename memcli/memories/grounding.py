"""What a memory says that its sources do not: names, numbers and dates, found without a model.

It errs towards doubt: what a model concluded (an age from a year of birth) is not what was said.
Languages that write every noun with a capital letter are doubted too often.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple, replace
from functools import cache

from memcli.domain import Fact, Session, Turn
from memcli.store import Store
from memcli.text.date_words import CARDINALS
from memcli.text.scripts import EAST_ASIAN, KATAKANA
from memcli.text.written_dates import Day, spoken_of, written

_WORD = re.compile(rf"[^\W\d_{EAST_ASIAN}][^\W_{EAST_ASIAN}]*(?:['’.-][^\W_{EAST_ASIAN}]+)*")
_UNSPACED = re.compile(f"[{EAST_ASIAN}]")
_KATAKANA = re.compile(f"[{KATAKANA}]{{2,}}")
_BEGINS = re.compile(r"(?:^|[.!?:;\n])\s*[\"'“”(\[]*$")  # all before the first word of a sentence
LONGEST = 10_000  # characters of a fact that are looked at
_REACH = 20  # characters looked at for that
_NUMBER = re.compile(r"\d+(?:[.,:'’]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,'’])\d{3})(?:\1\d{3})*")
_STEM = 4  # letters that two forms of a name share at least
_ROLES = {"user", "assistant", "human", "ai"}  # as models call who speaks
_UNSPACED_NUMBERS = {
    sign: str(number) for sign, number in CARDINALS.items() if _UNSPACED.match(sign)
}


def lacking(fact: Fact, turn: Turn, speakers: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names, numbers and dates of a fact that a turn does not say, in their order.

    A name is a word with a capital letter that begins no sentence, one with a capital letter
    inside, a run of katakana, or a speaker's. A number may be written in words, and a date be told
    from the turn's own: "yesterday".

    Args:
        fact: what is doubted.
        turn: what it is held against: its text, its speaker, its day.
        speakers: who speaks in the session: their names are names wherever they stand.
    """
    value = unicodedata.normalize("NFKC", fact.value[:LONGEST])
    turn = replace(turn, text=unicodedata.normalize("NFKC", turn.text))
    dates = written(value)
    rest = _without(value, dates)
    doubted = [
        *_missing_dates(dates, turn),
        *_missing_numbers(rest, turn),
        *_missing_names(rest, turn, speakers),
    ]
    return tuple(dict.fromkeys(text for _, text in sorted(doubted)))


def reground(session: Session, store: Store, *, memory: int | None = None) -> None:
    """Check the memories that rest on a session again, against what its turns say now.

    Args:
        session: as it is stored.
        store: where it is.
        memory: number of the only memory to check; None checks all.
    """
    conversation = store.sessions.conversation_of(session.id)
    turns = {turn.key: turn for turn in session.turns}
    for number, key, fact in store.memory_sources.of_turns(conversation, turns):
        if memory in (None, number):
            missing = lacking(fact, turns[key], session.participants)
            store.memory_sources.set_unsupported(number, conversation, key, missing)


def _missing_dates(
    dates: Collection[tuple[int, str, Day]], turn: Turn
) -> Iterator[tuple[int, str]]:
    days = spoken_of(turn) if dates else set()
    numbers = _numbers(turn) if dates else set()  # 2000 may be a price
    said: dict[Day, set[Day]] = {}  # all days, by what is asked of them
    for at, text, day in dates:
        asked = Day(*(None if part is None else 0 for part in astuple(day)))
        if asked not in said:
            said[asked] = {one.like(day) for one in days}
        if text not in numbers and day not in said[asked]:
            yield at, text


def _without(value: str, dates: Collection[tuple[int, str, Day]]) -> str:
    """Return a text with blanks where dates are."""
    parts, end = [], 0
    for at, text, _ in dates:
        parts += [value[end:at], " " * len(text)]
        end = at + len(text)
    return "".join((*parts, value[end:]))


def _missing_numbers(value: str, turn: Turn) -> Iterator[tuple[int, str]]:
    said = _numbers(turn)
    for match in _NUMBER.finditer(value):
        if _number(match[0]) not in said:
            yield match.start(), match[0]


def _numbers(turn: Turn) -> set[str]:
    text = turn.text
    spellings = (text, _without(text, written(text)))  # in "07:30 May" are three, or two
    said = {_number(match[0]) for each in spellings for match in _NUMBER.finditer(each)}
    words = _number_words()
    said |= {words[word] for word in _folded_words(text) if word in words}
    return said | {_UNSPACED_NUMBERS[sign] for sign in _UNSPACED_NUMBERS.keys() & set(text)}


@cache
def _number_words() -> dict[str, str]:
    """Return numbers in digits by their words, without accents as `_folded_words` has them."""
    words = {**CARDINALS, "once": 1, "twice": 2, "einmal": 1, "zweimal": 2}
    return {_fold(word): str(number) for word, number in words.items()}


def _missing_names(value: str, turn: Turn, speakers: Collection[str]) -> Iterator[tuple[int, str]]:
    text = f"{unicodedata.normalize('NFKC', turn.speaker or '')}\n{turn.text}"
    words = _by_beginning(_folded_words(text))
    known = {word for name in speakers for word in _folded_words(name)}
    for match in _WORD.finditer(value):
        if _is_name(match, known) and not _said(_fold(match[0]), words):
            yield match.start(), match[0]
    speakers = [unicodedata.normalize("NFKC", name) for name in speakers]
    unspaced = [name for name in speakers if _UNSPACED.search(name) and name in value]
    for name in (*unspaced, *_KATAKANA.findall(value)):
        if name not in text:
            yield value.index(name), name


def _is_name(match: re.Match[str], known: Collection[str]) -> bool:
    word, value, start = match[0], match.string, match.start()
    folded = _fold(word)
    if folded in _ROLES or re.match("i['’]", folded):
        return False
    if folded in known or any(letter.isupper() for letter in word[1:]):
        return True
    if not word[0].isupper() or len(word) == 1:
        return False
    begins = _BEGINS.search(value, max(start - _REACH, 0), start)
    return not begins or bool(_UNSPACED.search(value))


def _said(name: str, words: Mapping[str, Collection[str]]) -> bool:
    """Tell whether a name is among words by their beginnings, or nearly: "Annas", "Lisbons"."""
    near = words.get(name[:_STEM], ())
    return name in near or any(
        min(len(name), len(word)) >= _STEM
        and abs(len(name) - len(word)) <= 2
        and (word.startswith(name) or name.startswith(word))
        for word in near
    )


def _by_beginning(words: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word in words:
        found.setdefault(word[:_STEM], set()).add(word)
    return found


def _folded_words(text: str) -> set[str]:
    """Return words, and the parts of those that are joined."""
    words = {_fold(match[0]) for match in _WORD.finditer(text)}
    return words | {part for word in words for part in re.split(r"['’.-]", word)}


def _fold(text: str) -> str:
    """Return a word without case, accents and an English genitive."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"['’]s$", "", plain)


def _number(text: str) -> str:
    """Return a number as all its spellings have it: 1,000 and 1000, 3,5 and 3.50, 07:30."""
    if _THOUSANDS.fullmatch(text):
        return re.sub(r"\D", "", text)
    parts = re.split(r"([.,:])", text.replace("'", "").replace("’", ""))
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in parts]
    if len(parts) == 3 and parts[1] in ".,":
        fraction = re.split(r"[.,]", text)[1].rstrip("0")
        return f"{parts[0]}.{fraction}".rstrip(".")
    return "".join(parts)
