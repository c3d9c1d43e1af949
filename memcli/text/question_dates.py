"""The days a question speaks of: "in May 2023", "last summer", "vor zwei Wochen", "昨日".

Our own, and not a library: those that know relative dates take longer to import than `mem` takes to
answer, see a month in every "may" and "march", and give a day where a span is meant.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from memcli.text.date_words import (
    AMBIGUOUS,
    BEFORE_DATES,
    DAYS_AGO,
    FEASTS,
    LAST,
    LAST_UNITS,
    MONTHS,
    NUMBERS,
    SEASONS,
    UNITS,
    WEEKDAYS,
    YEAR,
    any_of,
)

FADING = 14.0  # days from a span in which its hint fades to 1 / e

_NUMBER = rf"(?P<number>(?<!\d)\d{{1,3}}|{any_of(NUMBERS)})"
_UNIT = rf"(?P<unit>{any_of(UNITS)})"
_NUMERIC = re.compile(
    rf"(?<!\d){YEAR}\s?[-/.年]\s?(?P<month>\d\d?)(?:\s?[-/.月]\s?(?P<day>\d\d?)|月)?(?!\d)"
)
_GERMAN = re.compile(rf"(?<![\d.])(?P<day>\d\d?)\.\s?(?P<month>\d\d?)\.\s?{YEAR}(?!\d)")
_DENSE = re.compile(
    r"(?:(?P<last>去年|昨年)[の的]?|(?P<this>今年)[の的]?|(?<![\d年]))"
    r"(?P<month>\d\d?)月(?:(?P<day>\d\d?)[日号])?"
)
_NAMED = re.compile(
    rf"(?P<last>{LAST})?(?:(?<!\d)(?P<before>\d\d?)(?:st|nd|rd|th|\.)?\s*(?:of\s+)?)?(?P<name>{any_of(MONTHS)})"
    rf"(?:\s*(?P<after>\d\d?)(?:st|nd|rd|th|\.)?(?!\d))?(?:,?\s*(?:of\s+)?{YEAR})?"
)
_SEASON = re.compile(
    rf"(?P<last>{LAST}|去年(?:の|的)?)?(?P<name>{any_of(SEASONS)})(?:\s*(?:of\s+)?{YEAR})?"
)
_FEAST = re.compile(rf"(?P<last>{LAST})?(?P<name>{any_of(FEASTS)})(?:\s+{YEAR})?")
_DAY = re.compile(any_of(DAYS_AGO))
_WEEKDAY = re.compile(rf"{LAST}(?P<name>{any_of(WEEKDAYS)})")
_AGO = re.compile(rf"(?P<before>\bvor\s+)?{_NUMBER}\s*{_UNIT}(?(before)|\s*(?:ago\b|earlier\b|前))")
_DURING = re.compile(
    rf"{LAST}(?:{_NUMBER}\s+)?{_UNIT}|(?P<dense>{any_of(LAST_UNITS)})(?![の的]?[春夏秋冬\d])"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both ends included."""

    first: date
    last: date

    def closeness(self, began: date, ended: date) -> float:
        """Return 1 for what touches the span, less and less before and after it, in [0, 1].

        People ask about the day it happened, and the session is from the day it was told: some
        days or weeks later, or before where it was a plan.
        """
        days = max((began - self.last).days, (self.first - ended).days, 0)
        return math.exp(-days / FADING)


def spans(question: str, today: date, years: Sequence[int]) -> list[Span]:
    """Return the spans of days that a question names, none where it names none.

    Args:
        question: in the person's own words.
        today: what "yesterday" counts from.
        years: those that a date without a year may be in: "in May" gives a span in each.
    """
    question = question.casefold()
    found: list[Span] = []
    for read in (_numeric, _dense, _named, _seasons, _feasts, _relative):
        for each in read(question, today, years):
            found += [] if each in found else [each]
    return found


def _numeric(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for pattern in (_NUMERIC, _GERMAN):
        for match in pattern.finditer(question):
            day = int(match["day"]) if match["day"] else None
            yield from _in_month(int(match["year"]), int(match["month"]), day)


def _dense(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for match in _DENSE.finditer(question):
        ago = 1 if match["last"] else 0 if match["this"] else None
        day = int(match["day"]) if match["day"] else None
        for year in years if ago is None else [today.year - ago]:
            yield from _in_month(year, int(match["month"]), day)


def _named(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for match in _NAMED.finditer(question):
        month, number = MONTHS[match["name"]], match["before"] or match["after"]
        sure = number or match["year"] or match["name"] not in AMBIGUOUS
        if not sure and not BEFORE_DATES.search(question, 0, match.start("name")):
            continue
        every = [
            span
            for year in _years(match, years, today)
            for span in _in_month(year, month, int(number) if number else None)
        ]
        yield from _latest_or_every(every, match, today)


def _seasons(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for match in _SEASON.finditer(question):
        sure = match["last"] or match["year"] or match["name"] not in AMBIGUOUS
        if not sure and not BEFORE_DATES.search(question, 0, match.start("name")):
            continue
        month = SEASONS[match["name"]]
        yield from _latest_or_every(
            [
                Span(date(year, month, 1), _month_end(year + month // 12, (month + 1) % 12 + 1))
                for year in _years(match, years, today)
            ],
            match,
            today,
        )


def _feasts(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for match in _FEAST.finditer(question):
        days = [date(year, *FEASTS[match["name"]]) for year in _years(match, years, today)]
        yield from _latest_or_every([Span(day, day) for day in days], match, today)


def _relative(question: str, today: date, years: Sequence[int]) -> Iterator[Span]:
    for match in _DAY.finditer(question):
        yield _days_ago(today, DAYS_AGO[match[0]], 0)
    for match in _WEEKDAY.finditer(question):
        yield _days_ago(today, (today.weekday() - WEEKDAYS[match["name"]] - 1) % 7 + 1, 0)
    for match in _AGO.finditer(question):
        unit = UNITS[match["unit"]]
        yield _days_ago(today, _number(match["number"]) * unit, unit // 2)
    for match in _DURING.finditer(question):
        days = LAST_UNITS.get(match["dense"]) or UNITS[match["unit"]] * _number(match["number"])
        # The last month ended before this one began; the last two months have not.
        begun = {7: today.weekday() + 1, 30: today.day, 365: today.timetuple().tm_yday}
        gone = 0 if match["number"] else begun.get(days, 0)
        yield Span(_days_ago(today, days + gone - 1, 0).first, _days_ago(today, gone, 0).last)


def _in_month(year: int, month: int, day: int | None) -> Iterator[Span]:
    """Yield the day, or without one the month; nothing where there is no such day."""
    try:
        if day is None:
            yield Span(date(year, month, 1), _month_end(year, month))
        else:
            yield Span(date(year, month, day), date(year, month, day))
    except ValueError:
        return


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _days_ago(today: date, days: int, slack: int) -> Span:
    try:
        return Span(today - timedelta(days + slack), today - timedelta(days - slack))
    except OverflowError:  # before the year 1
        return Span(date.min, date.min)


def _years(match: re.Match[str], years: Sequence[int], today: date) -> Sequence[int]:
    if match["year"]:
        return [int(match["year"])]
    return [today.year - 2, today.year - 1, today.year] if match["last"] else years


def _latest_or_every(every: list[Span], match: re.Match[str], today: date) -> list[Span]:
    """Return the one that was over last, where the question says "last"."""
    return [span for span in every if span.last < today][-1:] if match["last"] else every


def _number(word: str | None) -> int:
    return int(word) if word and word.isdigit() else NUMBERS.get(word or "a", 1)
