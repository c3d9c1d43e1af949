"""Days as texts write them, and the days a turn speaks of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from memcli.domain import Turn

_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        "january february march april may june july august september october november"
        " december".split(),
        start=1,
    )
    for length in (3, 4, len(name))
}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = rf"(?P<name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?\b(?![.,:]\d)"
_WRITTEN = [  # the longer of two first
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}[-/.](?P<month>\d\d?)\b(?:[-/.](?P<day>\d\d?)\b)?",
        r"(?P<year>(?:19|20)\d\d)\s?年(?:\s?(?P<month>\d\d?)\s?月)?(?:\s?(?P<day>\d\d?)\s?日)?",
        r"(?<!\d)(?P<month>\d\d?)\s?月(?:\s?(?P<day>\d\d?)\s?日)?",
        rf"\b{_DAY}\.?(?:\s+of)?\s+{_MONTH}(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH},?\s+{_YEAR}",
        rf"\b{_YEAR}",
    )
]
_LONE = re.compile(  # "may" and "march" are words, too
    rf"\b(?:{'|'.join(name.title() for name in _MONTHS if len(name) > 4 or name == 'may')})\b"
)
_WEEKDAY = re.compile(rf"\b(?P<weekday>{'|'.join(_WEEKDAYS)})\b", re.IGNORECASE)
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "couple of": 2, "a couple of": 2,
}  # fmt: skip
_AGO = re.compile(
    rf"\b(?P<count>\d{{1,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\s+"
    r"(?P<unit>day|week|month|year)s?\s+ago\b",
    re.IGNORECASE,
)
_NEAR = re.compile(r"\b(?P<which>last|this|next)\s+(?P<unit>week|month|year)\b", re.IGNORECASE)
_BY_WORD = {
    "day before yesterday": -2, "yesterday": -1, "last night": -1, "today": 0, "tonight": 0,
    "this morning": 0, "tomorrow": 1, "day after tomorrow": 2,
    "前天": -2, "一昨日": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "明天": 1, "明日": 1,
    "后天": 2, "明後日": 2,
}  # fmt: skip
_YEARS_BY_WORD = {"去年": -1, "昨年": -1, "今年": 0, "明年": 1, "来年": 1}


@dataclass(frozen=True, slots=True)
class Day:
    """A day, a month, a year or a day of the week; what is not said is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 is Monday

    def like(self, other: "Day") -> "Day":
        """Return of this only what the other says, too: of a day, say, its month."""
        return Day(
            None if other.year is None else self.year,
            None if other.month is None else self.month,
            None if other.day is None else self.day,
            None if other.weekday is None else self.weekday,
        )


def written(text: str) -> list[tuple[int, str, Day]]:
    """Return where days are written out in a text, how, and which they are; by place."""
    found: list[tuple[int, str, Day]] = []

    def take(match: re.Match[str]) -> str:
        day = _day(match)
        if day is None:
            return match[0]
        found.append((match.start(), match[0], day))
        return " " * len(match[0])  # no other pattern reads it again

    for pattern in (*_WRITTEN, _LONE, _WEEKDAY):
        text = pattern.sub(take, text)
    return sorted(found, key=lambda one: one[0])


def spoken_of(turn: Turn) -> set[Day]:
    """Return the days a turn speaks of: its own, those it writes out, and "yesterday" resolved.

    A day without a year may be in that of the turn, the one before and the one after.
    """
    days = {day for _, _, day in written(turn.text)}
    if turn.sent_at is None:
        return days
    today = turn.sent_at.date()
    days |= {_whole(today), *_relative(turn.text, today)}
    return days | {
        Day(year, day.month, day.day)
        for day in days
        if day.month and not day.year
        for year in (today.year - 1, today.year, today.year + 1)
    }


def _day(match: re.Match[str]) -> Day | None:
    parts = match.groupdict()
    if parts.get("weekday"):
        return Day(weekday=_WEEKDAYS.index(parts["weekday"].lower()))
    name = parts.get("name") or (match[0] if match.re is _LONE else None)
    year, month, day = (
        int(parts[part]) if parts.get(part) else None for part in ("year", "month", "day")
    )
    found = Day(year, _MONTHS[name.lower()] if name else month, day)
    if not (1 <= (found.month or 1) <= 12 and 1 <= (found.day or 1) <= 31):
        return None
    return found


def _relative(text: str, today: date) -> Iterator[Day]:
    text = text.casefold()
    for words, days in _BY_WORD.items():
        if words in text:
            yield _shifted(today, "day", days)
    for words, years in _YEARS_BY_WORD.items():
        if words in text:
            yield _shifted(today, "year", years)
    for match in _AGO.finditer(text):
        count = int(match["count"]) if match["count"].isdigit() else _NUMBERS[match["count"]]
        yield _shifted(today, match["unit"], -count)
    for match in _NEAR.finditer(text):
        way = {"last": -1, "this": 0, "next": 1}[match["which"]]
        if match["unit"] == "week":
            monday = today - timedelta(today.weekday())
            yield from (_shifted(monday, "day", 7 * way + at) for at in range(7))
        yield _shifted(today, match["unit"], way)
    for match in _WEEKDAY.finditer(text):  # the one before, and the one after
        days = (_WEEKDAYS.index(match["weekday"]) - today.weekday()) % 7
        yield from (_shifted(today, "day", days - 7), _shifted(today, "day", days))


def _shifted(today: date, unit: str, by: int) -> Day:
    """Return the day so many units from another; of a month or year only that."""
    try:
        if unit == "year":
            return Day(today.year + by)
        if unit == "month":
            months = today.year * 12 + today.month - 1 + by
            return Day(months // 12, months % 12 + 1)
        return _whole(today + timedelta(days=by * (7 if unit == "week" else 1)))
    except OverflowError:  # before the year 1
        return Day()


def _whole(day: date) -> Day:
    return Day(day.year, day.month, day.day, day.weekday())
