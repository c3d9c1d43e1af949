"""Parses dates that are written out in any language, with the names that the Unicode CLDR gives.

All languages are looked through only for the first date of a language that is not yet known; the
language of the last date comes first for the next one. Names are in lower case.
"""

import re
import unicodedata
from datetime import datetime
from enum import IntEnum
from functools import cache, lru_cache
from itertools import product
from typing import TypeVar

from memcli.lazy_dataclasses import dataclass

_CLOCK = re.compile(r"(?<!\d)(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?![:.]?\d)")
# A clock of French Canada, as "21 h 54 min 36 s", and of East Asia, as "21時54分36秒".
_CLOCK_IN_UNITS = re.compile(
    r"(?<!\d)(\d{1,2}) ?(?:h|時|时|点|點|시) ?(\d{1,2})"
    r"(?: ?(?:min|分|분)(?: ?(\d{1,2}) ?(?:s|秒|초))?)?"
)
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")
_LONGEST = 120  # characters of a date
_WITH_ENDINGS = 4  # letters of a name to which others may be attached
_BUDDHIST = 543  # years that the calendar of Thailand is ahead
_LATEST_YEAR = 2400  # of our own calendar
# Letters of scripts that put no blank between words.
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]")

_Value = TypeVar("_Value")


# Languages of accounts, tried first: loading all takes seconds.
_COMMON = tuple(
    "en de fr es it pt nl pl tr ru uk ja ko zh zh_Hant ar he fa hi bn id ms vi th sv da nb fi cs sk"
    " hu ro bg el hr sr sl lt lv et ca".split()
)


@dataclass(frozen=True, slots=True)
class _Language:
    """The names that one language has for months, weekdays, and the halves of a day."""

    months: tuple[tuple[str, int], ...]  # the longest first; January is 1
    short_months: tuple[tuple[str, int], ...]
    weekdays: tuple[tuple[str, int], ...]  # Monday is 0
    halves: tuple[tuple[str, bool], ...]  # True for the second half of the day


def parse_localized_date(text: str) -> datetime | None:
    """Parse a date with a time in any language, as a wall clock time without a zone.

    The date has a year, a day, and a month with its name, or with a number between those two. If
    its weekday is named, it decides between languages that give one name to different months.

    Returns:
        The time; None if no language reads the text.
    """
    plain = _CLOCK_IN_UNITS.sub(_join_units, _plain(text[:_LONGEST]))
    if not any(letter.isdigit() for letter in plain):
        return None
    for name in _recent:
        if moment := _parse_in(_language(name), plain, _Match.MONTH):
            return moment
    for languages in (_COMMON, _other_languages()):
        for match, name in product(_Match, languages):
            if moment := _parse_in(_language(name), plain, match):
                _recent.insert(0, name)
                del _recent[_MOST_RECENT:]
                return moment
    return None


def _join_units(match: re.Match[str]) -> str:
    return ":".join(f"{int(part):02}" for part in match.groups() if part) + " "


class _Match(IntEnum):
    """The names that a language must find in a date, the surest first."""

    MONTH_AND_WEEKDAY = 0
    MONTH = 1
    SHORT_MONTH = 2
    MONTH_WITH_ENDINGS = 3  # letters may be attached to it


_MOST_RECENT = 2
_recent: list[str] = []  # the languages of the last dates


@lru_cache(maxsize=1)
def _other_languages() -> tuple[str, ...]:
    from babel.localedata import locale_identifiers

    languages = sorted(name for name in locale_identifiers() if _is_language(name))
    return tuple(name for name in languages if name not in _COMMON)


def _is_language(name: str) -> bool:
    """Return whether a locale is a language, with a script at most."""
    language, _, script = name.partition("_")
    return language != "root" and (not script or (len(script) == 4 and script.isalpha()))


@cache
def _language(name: str) -> _Language:
    from babel import Locale

    locale = Locale.parse(name)
    months: dict[str, dict[str, int]] = {"wide": {}, "abbreviated": {}}
    weekdays: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width, known in months.items():
            for number, word in locale.months.get(context, {}).get(width, {}).items():
                _add_name(known, word, number)
            for number, word in locale.days.get(context, {}).get(width, {}).items():
                _add_name(weekdays, word, number)
    halves = dict.fromkeys(("am", "a.m.", "pg", "上午", "午前", "오전"), False)
    halves |= dict.fromkeys(("pm", "p.m.", "ptg", "下午", "午後", "오후"), True)
    for width in months:
        periods = locale.day_periods.get("format", {}).get(width, {})
        halves |= {
            _plain(word): not key.startswith(("am", "morning"))
            for key, word in periods.items()
            if key.startswith(("am", "pm", "morning", "afternoon", "evening"))
        }
    wide, short = map(_longest_first, months.values())
    return _Language(wide, short, _longest_first(weekdays), _longest_first(halves))


def _longest_first(names: dict[str, _Value]) -> tuple[tuple[str, _Value], ...]:
    return tuple(sorted(names.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def _add_name(names: dict[str, int], name: str, number: int) -> None:
    """Add a name in plain form, if it can be told from the rest of a date."""
    plain = _plain(name).rstrip(".")
    if _is_telling(plain):
        names.setdefault(plain, number)


def _is_telling(name: str) -> bool:
    """Return whether a name is more than a number, as "2月", or than a few letters, as "de"."""
    letters = sum(letter.isalpha() for letter in name)
    if letters <= 2 and name.isascii():
        return False
    return letters > 1 or (letters == 1 and len(name) > 1)


def _plain(text: str) -> str:
    """Return a text in lower case, with common digits and blanks, without marks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = (
        str(unicodedata.digit(letter)) if letter.isdigit() and not letter.isascii() else letter
        for letter in folded
        if unicodedata.category(letter) != "Cf" or letter == "\u200c"
    )
    return " ".join("".join(letters).split())


def _parse_in(language: _Language, text: str, match: _Match) -> datetime | None:
    """Parse a plain date in one language; None where it has not the names."""
    clocks = list(_CLOCK.finditer(text))
    clock = next((each for each in clocks if each[3]), clocks[-1] if clocks else None)
    if clock is None:
        return None
    date = f"{text[: clock.start()]} | {text[clock.end() :]}"
    date, weekday = _take_name(language.weekdays, date)
    if weekday is None and match is _Match.MONTH_AND_WEEKDAY:
        return None
    names = language.short_months if match is _Match.SHORT_MONTH else language.months
    date, month = _take_name(names, date, endings=match is _Match.MONTH_WITH_ENDINGS)
    if month is None:
        return None
    numbers = [int(number) for number in _NUMBER.findall(date)]
    years = [number for number in numbers if number > 31]
    days = [number for number in numbers if 1 <= number <= 31]
    if len(years) != 1 or len(days) != 1:
        return None
    year = years[0] - _BUDDHIST if years[0] > _LATEST_YEAR else years[0]
    hour = int(clock[1])
    _, is_later = _take_name(language.halves, date)
    if is_later is not None and hour <= 12:
        hour = hour % 12 + 12 * is_later
    try:
        moment = datetime(year, month, days[0], hour, int(clock[2]), int(clock[3] or 0))
    except ValueError:
        return None
    return moment if weekday is None or weekday == moment.weekday() else None


def _take_name(
    names: tuple[tuple[str, _Value], ...], text: str, *, endings: bool = False
) -> tuple[str, _Value | None]:
    """Return a text without the first of these names that is in it, and what the name stands for.

    Args:
        names: the longest first.
        text: plain.
        endings: whether letters may be attached to a name of four letters or more.
    """
    for name, value in names:
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            is_word = _is_apart(text[at - 1 : at], name[0]) and _is_apart(
                text[end : end + 1], name[-1]
            )
            if is_word or (endings and len(name) >= _WITH_ENDINGS):
                return f"{text[:at]} {text[end:]}", value
            at = text.find(name, at + 1)
    return text, None


def _is_apart(letter: str, edge: str) -> bool:
    """Return whether a letter beside a name belongs to another word.

    Args:
        letter: beside the name; "" at an end of the text.
        edge: the letter of the name that it is beside.
    """
    if edge.isdigit():
        return not letter.isdigit()
    return not letter.isalpha() or _SPACELESS.match(edge) is not None
