"""Finds names, numbers and dates of a memory that its sources do not support, without a model.

It errs towards doubt: a conclusion of a model (an age from a year of birth) counts as unsupported.
Memories in languages that write every noun with a capital letter are doubted too often.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from memcli.domain import Fact, Session, Turn
from memcli.lazy_dataclasses import replace
from memcli.store import Store
from memcli.text.date_words import CARDINALS
from memcli.text.scripts import EAST_ASIAN, KATAKANA
from memcli.text.written_dates import PartialDate, find_written_dates, mentioned_dates

_WORD = re.compile(rf"[^\W\d_{EAST_ASIAN}][^\W_{EAST_ASIAN}]*(?:['’.-][^\W_{EAST_ASIAN}]+)*")
_UNSPACED = re.compile(f"[{EAST_ASIAN}]")
_KATAKANA = re.compile(f"[{KATAKANA}]{{2,}}")
# Matches the text before the first word of a sentence.
_SENTENCE_START = re.compile(r"(?:^|[.!?:;\n])\s*[\"'“”(\[]*$")
MOST_CHARACTERS = 10_000  # of a fact that are checked
_REACH = 20  # characters before a word that are searched for the start of its sentence
_NUMBER = re.compile(r"\d+(?:[.,:'’]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,'’])\d{3})(?:\1\d{3})*")
_STEM = 4  # least letters that two forms of a name share
_ROLES = {"user", "assistant", "human", "ai"}  # names of speakers in a model's text
_UNSPACED_NUMBERS = {
    sign: str(number) for sign, number in CARDINALS.items() if _UNSPACED.match(sign)
}


def unsupported_details(fact: Fact, turn: Turn, speakers: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names, numbers and dates of a fact that a turn does not support, in their order.

    A name is a word with a capital letter that does not begin a sentence, a word with a capital
    letter inside, a run of katakana, or a speaker's name. The turn may write a number in words, and
    may give a date relative to its own: "yesterday".

    Args:
        fact: the fact to check.
        turn: the turn that may support it by its text, its speaker or its day.
        speakers: the speakers of the session; their names are names wherever they stand.
    """
    value = unicodedata.normalize("NFKC", fact.value[:MOST_CHARACTERS])
    turn = replace(turn, text=unicodedata.normalize("NFKC", turn.text))
    dates = find_written_dates(value)
    rest = _blank_dates(value, dates)
    details = [
        *_missing_dates(dates, turn),
        *_missing_numbers(rest, turn),
        *_missing_names(rest, turn, speakers),
    ]
    return tuple(dict.fromkeys(text for _, text in sorted(details)))


def check_sources_again(session: Session, store: Store, *, memory: int | None = None) -> None:
    """Check the memories that have sources in a session again, against its turns as they are now.

    Args:
        session: as it is stored.
        store: the database.
        memory: number of the only memory to check; None checks all.
    """
    conversation = store.sessions.conversation_of(session.id)
    turns = {turn.key: turn for turn in session.turns}
    for number, key, fact in store.memory_sources.of_turns(conversation, turns):
        if memory in (None, number):
            missing = unsupported_details(fact, turns[key], session.participants)
            store.memory_sources.set_unsupported(number, conversation, key, missing)


def _missing_dates(
    dates: Collection[tuple[int, str, PartialDate]], turn: Turn
) -> Iterator[tuple[int, str]]:
    from dataclasses import astuple

    days = mentioned_dates(turn) if dates else set()
    numbers = _numbers(turn) if dates else set()  # 2000 may be a price
    reduced: dict[
        PartialDate, set[PartialDate]
    ] = {}  # the days of the turn, reduced to some parts, by these
    for at, text, day in dates:
        parts = PartialDate(*(None if part is None else 0 for part in astuple(day)))
        if parts not in reduced:
            reduced[parts] = {one.with_parts_of(day) for one in days}
        if text not in numbers and day not in reduced[parts]:
            yield at, text


def _blank_dates(value: str, dates: Collection[tuple[int, str, PartialDate]]) -> str:
    """Return a text with its dates replaced by blanks."""
    parts, end = [], 0
    for at, text, _ in dates:
        parts += [value[end:at], " " * len(text)]
        end = at + len(text)
    return "".join((*parts, value[end:]))


def _missing_numbers(value: str, turn: Turn) -> Iterator[tuple[int, str]]:
    supported = _numbers(turn)
    for match in _NUMBER.finditer(value):
        if _normalize_number(match[0]) not in supported:
            yield match.start(), match[0]


def _numbers(turn: Turn) -> set[str]:
    text = turn.text
    spellings = (
        text,
        _blank_dates(text, find_written_dates(text)),
    )  # "07:30 May" has three numbers, or two
    numbers = {
        _normalize_number(match[0]) for each in spellings for match in _NUMBER.finditer(each)
    }
    words = _number_words()
    numbers |= {words[word] for word in _folded_words(text) if word in words}
    return numbers | {_UNSPACED_NUMBERS[sign] for sign in _UNSPACED_NUMBERS.keys() & set(text)}


@cache
def _number_words() -> dict[str, str]:
    """Return numbers in digits by their words, which are folded as in `_folded_words`."""
    words = {**CARDINALS, "once": 1, "twice": 2, "einmal": 1, "zweimal": 2}
    return {_fold(word): str(number) for word, number in words.items()}


def _missing_names(value: str, turn: Turn, speakers: Collection[str]) -> Iterator[tuple[int, str]]:
    text = f"{unicodedata.normalize('NFKC', turn.speaker or '')}\n{turn.text}"
    words = _group_by_stem(_folded_words(text))
    known = {word for name in speakers for word in _folded_words(name)}
    for match in _WORD.finditer(value):
        if _is_name(match, known) and not _has_form(_fold(match[0]), words):
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
    begins_sentence = _SENTENCE_START.search(value, max(start - _REACH, 0), start)
    return not begins_sentence or bool(_UNSPACED.search(value))


def _has_form(name: str, words: Mapping[str, Collection[str]]) -> bool:
    """Return whether words, by their stems, have a name or nearly so: "Annas", "Lisbons"."""
    near = words.get(name[:_STEM], ())
    return name in near or any(
        min(len(name), len(word)) >= _STEM
        and abs(len(name) - len(word)) <= 2
        and (word.startswith(name) or name.startswith(word))
        for word in near
    )


def _group_by_stem(words: Collection[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for word in words:
        groups.setdefault(word[:_STEM], set()).add(word)
    return groups


def _folded_words(text: str) -> set[str]:
    """Return the words of a text, and the parts of those with an apostrophe, dot or hyphen."""
    words = {_fold(match[0]) for match in _WORD.finditer(text)}
    return words | {part for word in words for part in re.split(r"['’.-]", word)}


def _fold(text: str) -> str:
    """Return a word without case, accents and the ending of an English genitive."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"['’]s$", "", plain)


def _normalize_number(text: str) -> str:
    """Return the same text for all spellings of a number: 1,000 and 1000, 3,5 and 3.50, 07:30."""
    if _THOUSANDS.fullmatch(text):
        return re.sub(r"\D", "", text)
    parts = re.split(r"([.,:])", text.replace("'", "").replace("’", ""))
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in parts]
    if len(parts) == 3 and parts[1] in ".,":
        fraction = re.split(r"[.,]", text)[1].rstrip("0")
        return f"{parts[0]}.{fraction}".rstrip(".")
    return "".join(parts)
