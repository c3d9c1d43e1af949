"""Parses the days that a question names: "in May 2023", "last summer", "vor zwei Wochen", "昨日".

No library does this: those that know relative dates take longer to import than `mem` takes to
answer, see a month in every "may" and "march", and give a day where a span is meant.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from memcli.lazy_dataclasses import dataclass
from memcli.text.date_words import (
    AGO,
    COUNT,
    DAY_MONTH_YEAR,
    DAYS_IN_UNIT,
    FEASTS,
    LAST,
    MONTHS,
    RELATIVE_DAYS,
    RELATIVE_UNITS,
    SEASONS,
    UNIT,
    UNITS,
    WEEKDAYS,
    YEAR,
    any_word_pattern,
    parse_count,
)

FADING_DAYS = 14.0  # days from a span after which its closeness has fallen to 1 / e

_PAST_DAYS = {word: days for word, days in RELATIVE_DAYS.items() if days <= 0}
_LAST_UNITS = {word: unit for word, (unit, offset) in RELATIVE_UNITS.items() if offset == -1}
_PAST_WEEKDAYS = {**WEEKDAYS, "weekend": 5, "wochenende": 5}
_AMBIGUOUS = {"may", "march", "mar", "jan", "spring", "fall"}  # dates only after one of these:
# The patterns are texts, because compiling them takes 5 ms, which only questions with a date pay.
_BEFORE_DATES = (
    r"\b(?:in|since|until|till|of|during|last|this|early|mid|late|by|before|after|from)"
    r"(?:\s+the)?\s+$"
)
_NUMERIC = rf"(?<!\d){YEAR}\s?[-/.年]\s?(?P<month>\d\d?)(?:\s?[-/.月]\s?(?P<day>\d\d?)|月)?(?!\d)"
_MONTH_IN_CHARACTERS = (
    r"(?:(?P<last>去年|昨年)[の的]?|(?P<this>今年)[の的]?|(?<![\d年]))"
    r"(?P<month>\d\d?)月(?:(?P<day>\d\d?)[日号])?"
)
_MONTH_NAME = (
    rf"(?P<last>{LAST})?(?:(?<!\d)(?P<before>\d\d?)(?:st|nd|rd|th|\.)?\s*(?:of\s+)?)?"
    rf"(?P<name>{any_word_pattern(MONTHS)})"
    rf"(?:\s*(?P<after>\d\d?)(?:st|nd|rd|th|\.)?(?!\d))?(?:,?\s*(?:of\s+)?{YEAR})?"
)
_SEASON = (
    rf"(?P<last>{LAST}|去年(?:の|的)?)?(?P<name>{any_word_pattern(SEASONS)})"
    rf"(?:\s*(?:of\s+)?{YEAR})?"
)
_FEAST = rf"(?P<last>{LAST})?(?P<name>{any_word_pattern(FEASTS)})(?:\s+{YEAR})?"
_DAY = any_word_pattern(_PAST_DAYS)
_WEEKDAY = rf"{LAST}(?P<name>{any_word_pattern(_PAST_WEEKDAYS)})"
_LAST_UNIT = (
    rf"{LAST}(?:{COUNT}\s+)?{UNIT}"
    rf"|(?P<unspaced>{any_word_pattern(_LAST_UNITS)})(?![の的]?[春夏秋冬\d])"
)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A span of days, both ends included."""

    first: date
    last: date

    def closeness(self, began: date, ended: date) -> float:
        """Return how close a session is to the span, in (0, 1]: 1 where the two touch.

        It falls by the factor e for every FADING days between the two. People ask about the day
        on which something happened, and the session is from the day on which they spoke of it:
        some days or weeks later, or earlier where it was a plan.

        Args:
            began: the session's first day.
            ended: its last day.
        """
        days = max((began - self.last).days, (self.first - ended).days, 0)
        return math.exp(-days / FADING_DAYS)


_NamedSpan = tuple[str, DateSpan]  # the words that name a span, and the span


def parse_question_dates(question: str, today: date, years: Sequence[int]) -> list[DateSpan]:
    """Return the spans of days that a question names, each once; none where it names none.

    Args:
        question: in the person's own words.
        today: the day from which "yesterday" counts.
        years: the years in which a date without a year may lie: "in May" gives a span in each.
    """
    return list(find_date_expressions(question, today, years))


def find_date_expressions(question: str, today: date, years: Sequence[int]) -> dict[DateSpan, str]:
    """Return the spans of days that a question names, each with the words that name it.

    The arguments are those of `parse_question_dates`. The words are in lower case.
    """
    question = question.casefold()
    found: dict[DateSpan, str] = {}
    for parse in (
        _parse_numeric,
        _parse_months_in_characters,
        _parse_month_names,
        _parse_seasons,
        _parse_feasts,
        _parse_relative,
    ):
        for words, span in parse(question, today, years):
            found.setdefault(span, words)
    return found


def _parse_numeric(question: str, _today: date, _years: Sequence[int]) -> Iterator[_NamedSpan]:
    """Yield dates in digits: 2023-05-07, 2023/5, 2023年5月7日, 7.5.2023."""
    for pattern in (_NUMERIC, DAY_MONTH_YEAR) if any(map(str.isdecimal, question)) else ():
        for match in re.finditer(pattern, question):
            day = int(match["day"]) if match["day"] else None
            for span in _days_of_month(int(match["year"]), int(match["month"]), day):
                yield match[0], span


def _parse_months_in_characters(
    question: str, today: date, years: Sequence[int]
) -> Iterator[_NamedSpan]:
    """Yield Chinese and Japanese months and days: 5月, 5月7日, 去年の6月."""
    for match in _matches(_MONTH_IN_CHARACTERS, question, "月"):
        years_ago = 1 if match["last"] else 0 if match["this"] else None
        day = int(match["day"]) if match["day"] else None
        for year in years if years_ago is None else [today.year - years_ago]:
            for span in _days_of_month(year, int(match["month"]), day):
                yield match[0], span


def _parse_month_names(question: str, today: date, years: Sequence[int]) -> Iterator[_NamedSpan]:
    """Yield months by their names, with or without a day and a year."""
    for match in _matches(_MONTH_NAME, question, MONTHS):
        month, day = MONTHS[match["name"]], match["before"] or match["after"]
        if not day and not _is_date(match, question):
            continue
        spans = [
            span
            for year in _possible_years(match, years, today)
            for span in _days_of_month(year, month, int(day) if day else None)
        ]
        for span in _latest_or_all(spans, match, today):
            yield match[0], span


def _parse_seasons(question: str, today: date, years: Sequence[int]) -> Iterator[_NamedSpan]:
    for match in _matches(_SEASON, question, SEASONS):
        if not match["last"] and not _is_date(match, question):
            continue
        month = SEASONS[match["name"]]
        spans = [
            DateSpan(date(year, month, 1), _month_end(year + month // 12, (month + 1) % 12 + 1))
            for year in _possible_years(match, years, today)
        ]
        for span in _latest_or_all(spans, match, today):
            yield match[0], span


def _parse_feasts(question: str, today: date, years: Sequence[int]) -> Iterator[_NamedSpan]:
    for match in _matches(_FEAST, question, FEASTS):
        month, day = FEASTS[match["name"]]
        spans = [
            DateSpan(date(year, month, day), date(year, month, day))
            for year in _possible_years(match, years, today)
        ]
        for span in _latest_or_all(spans, match, today):
            yield match[0], span


def _parse_relative(question: str, today: date, _years: Sequence[int]) -> Iterator[_NamedSpan]:
    """Yield days and spans that count from today: yesterday, last Friday, two weeks ago."""
    for match in _matches(_DAY, question, _PAST_DAYS):
        yield match[0], _days_ago(today, -_PAST_DAYS[match[0]])
    for match in _matches(_WEEKDAY, question, _PAST_WEEKDAYS):
        days = (today.weekday() - _PAST_WEEKDAYS[match["name"]] - 1) % 7 + 1
        yield match[0], _days_ago(today, days)
    for match in _matches(AGO, question, UNITS):
        days = DAYS_IN_UNIT[UNITS[match["unit"]]]
        yield match[0], _days_ago(today, parse_count(match["count"]) * days, slack=days // 2)
    for match in _matches(_LAST_UNIT, question, (*UNITS, *_LAST_UNITS)):
        unit = _LAST_UNITS[match["unspaced"]] if match["unspaced"] else UNITS[match["unit"]]
        yield match[0], _last_units(today, unit, match["count"])


def _matches(pattern: str, question: str, words: Iterable[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, which needs one of the words, in a question."""
    if any(word in question for word in words):
        yield from re.finditer(pattern, question)


def _last_units(today: date, unit: str, count: str | None) -> DateSpan:
    """Return the last so many units. The last month is over; the last two months are not."""
    days = DAYS_IN_UNIT[unit] * parse_count(count)
    days_of_this = {
        "week": today.weekday() + 1,
        "month": today.day,
        "year": today.timetuple().tm_yday,
    }
    ended = 0 if count else days_of_this.get(unit, 0)  # days ago
    return DateSpan(_days_ago(today, days + ended - 1).first, _days_ago(today, ended).last)


def _is_date(match: re.Match[str], question: str) -> bool:
    """Return whether a name is meant as a month or season: "may" and "fall" are words, too."""
    return bool(
        match["year"]
        or match["name"] not in _AMBIGUOUS
        or re.search(_BEFORE_DATES, question[: match.start("name")])
    )


def _days_of_month(year: int, month: int, day: int | None) -> Iterator[DateSpan]:
    """Yield the day, or without one the month; nothing where the calendar has no such day."""
    try:
        if day is None:
            yield DateSpan(date(year, month, 1), _month_end(year, month))
        else:
            yield DateSpan(date(year, month, day), date(year, month, day))
    except ValueError:
        return


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _days_ago(today: date, days: int, *, slack: int = 0) -> DateSpan:
    """Return the day so many days ago, and `slack` days before and after it."""
    try:
        return DateSpan(today - timedelta(days + slack), today - timedelta(days - slack))
    except OverflowError:  # before the year 1
        return DateSpan(date.min, date.min)


def _possible_years(match: re.Match[str], years: Sequence[int], today: date) -> Sequence[int]:
    if match["year"]:
        return [int(match["year"])]
    return [today.year - 2, today.year - 1, today.year] if match["last"] else years


def _latest_or_all(spans: list[DateSpan], match: re.Match[str], today: date) -> list[DateSpan]:
    """Return all spans, or only the one that ended last where the question says "last"."""
    return [span for span in spans if span.last < today][-1:] if match["last"] else spans
