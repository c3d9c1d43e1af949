"""Parses the days that a text writes out, and the days that a turn refers to."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from memcli.domain import Turn
from memcli.lazy_dataclasses import dataclass
from memcli.text.date_words import (
    AGO,
    DAY_MONTH_YEAR,
    LAST,
    MONTHS,
    NEXT,
    RELATIVE_DAYS,
    RELATIVE_UNITS,
    THIS,
    UNIT,
    UNITS,
    VAGUE_COUNTS,
    WEEKDAYS,
    YEAR,
    any_word_pattern,
    parse_count,
)

_MONTH = rf"(?P<name>{any_word_pattern(MONTHS)})\.?"
_YEAR = rf"{YEAR}\b"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?\b(?![.,:]\d)"
_DATES = [  # the longer of two first
    re.compile(DAY_MONTH_YEAR),
    *(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"\b{_YEAR}[-/.](?P<month>\d\d?)\b(?:[-/.](?P<day>\d\d?)\b)?",
            rf"{YEAR}\s?年(?:\s?(?P<month>\d\d?)\s?月)?(?:\s?(?P<day>\d\d?)\s?日)?",
            r"(?<!\d)(?P<month>\d\d?)\s?月(?:\s?(?P<day>\d\d?)\s?日)?",
            rf"\b{_DAY}\.?(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?",
            rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
            rf"{_MONTH},?\s+{_YEAR}",
            rf"\b{_YEAR}",
        )
    ),
]
_LONE_MONTH = re.compile(  # with a capital letter: "may" and "march" are words, and June a name
    rf"\b(?P<name>{'|'.join(name.title() for name in MONTHS if len(name) > 4 or name == 'may')})\b"
)
_WEEKDAY = re.compile(rf"(?P<weekday>{any_word_pattern(WEEKDAYS)})", re.IGNORECASE)
_RELATIVE_UNIT = re.compile(rf"(?:(?P<last>{LAST})|(?P<next>{NEXT})|{THIS}){UNIT}")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, a month, a year or a day of the week; a part that is not stated is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 is Monday

    def with_parts_of(self, other: "PartialDate") -> "PartialDate":
        """Return the parts of this day that the other states, too: of a day, say, its month."""
        return PartialDate(
            None if other.year is None else self.year,
            None if other.month is None else self.month,
            None if other.day is None else self.day,
            None if other.weekday is None else self.weekday,
        )


def find_written_dates(text: str) -> list[tuple[int, str, PartialDate]]:
    """Return the days that a text writes out, in their order.

    Returns:
        (position in characters, words, day)
    """
    found: list[tuple[int, str, PartialDate]] = []

    def collect(match: re.Match[str]) -> str:
        day = _day(match)
        if day is None:
            return match[0]
        found.append((match.start(), match[0], day))
        return " " * len(match[0])  # no other pattern reads it again

    for pattern in (*_DATES, _LONE_MONTH, _WEEKDAY):
        text = pattern.sub(collect, text)
    return sorted(found, key=lambda one: one[0])


def mentioned_dates(turn: Turn) -> set[PartialDate]:
    """Return the days a turn refers to: its own, those it writes out, and "yesterday" resolved.

    A day without a year may be in that of the turn, the one before and the one after.
    """
    days = {day for _, _, day in find_written_dates(turn.text)}
    if turn.sent_at is None:
        return days
    today = turn.sent_at.date()
    days |= {_complete(today), *_relative_days(turn.text, today)}
    return days | {
        PartialDate(year, day.month, day.day)
        for day in days
        if day.month and not day.year
        for year in (today.year - 1, today.year, today.year + 1)
    }


def _day(match: re.Match[str]) -> PartialDate | None:
    """Return the day that was matched; None where no month has it.

    Names are looked up with `get`: ignoring case, `re` takes the Turkish ı and İ for an i.
    """
    parts = match.groupdict()
    if name := parts.get("weekday"):
        weekday = WEEKDAYS.get(name.lower())
        return None if weekday is None else PartialDate(weekday=weekday)
    year, month, day = (
        int(parts[part]) if parts.get(part) else None for part in ("year", "month", "day")
    )
    if name := parts.get("name"):
        month = MONTHS.get(name.lower(), 0)
    if not ((month is None or 1 <= month <= 12) and 1 <= (day or 1) <= 31):
        return None
    return PartialDate(year, month, day)


def _relative_days(text: str, today: date) -> Iterator[PartialDate]:
    """Yield the days, months and years that a text counts from today."""
    text = text.casefold()
    for words, days in RELATIVE_DAYS.items():
        if words in text:
            yield _shift(today, "day", days)
    for words, (unit, offset) in RELATIVE_UNITS.items():
        if words in text:
            yield from _shift_unit(today, unit, offset)
    for match in re.finditer(AGO, text):
        if match["count"] not in VAGUE_COUNTS:
            yield _shift(today, UNITS[match["unit"]], -parse_count(match["count"]))
    for match in _RELATIVE_UNIT.finditer(text):
        offset = -1 if match["last"] else 1 if match["next"] else 0
        if UNITS[match["unit"]] != "day":
            yield from _shift_unit(today, UNITS[match["unit"]], offset)
    for name in set(_WEEKDAY.findall(text)) & WEEKDAYS.keys():  # the one before, the one after
        days = (WEEKDAYS[name] - today.weekday()) % 7
        yield from (_shift(today, "day", days - 7), _shift(today, "day", days))


def _shift_unit(today: date, unit: str, offset: int) -> Iterator[PartialDate]:
    """Yield the month or year so many from the present one; of a week, each of its days."""
    if unit == "week":
        monday = today - timedelta(today.weekday())
        yield from (_shift(monday, "day", 7 * offset + day) for day in range(7))
    yield _shift(today, unit, offset)


def _shift(today: date, unit: str, offset: int) -> PartialDate:
    """Return the day so many units from another; of a month or year only that."""
    try:
        if unit == "year":
            return PartialDate(today.year + offset)
        if unit == "month":
            months = today.year * 12 + today.month - 1 + offset
            return PartialDate(months // 12, months % 12 + 1)
        return _complete(today + timedelta(days=offset * (7 if unit == "week" else 1)))
    except OverflowError:  # before the year 1
        return PartialDate()


def _complete(day: date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day, day.weekday())
