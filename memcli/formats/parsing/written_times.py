"""Dates with times as programs write them: ISO 8601, numbers, names of months, half days.

    2025-10-23T11:44:00.000Z     2025. 10. 23. 오전 11:44     23/10/2025 11:44     10/23/25, 2:05 PM
    Thursday, 23 October 2025 11:44     Oct 23, 2025 11:44:00 AM     1761219840

A date such as 3/4/2025 does not state whether the day or the month comes first. `DateReader`
decides it for a whole file.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from memcli.formats.parsing.values import is_plausible_time
from memcli.text.date_words import parse_month
from memcli.text.localized_dates import parse_localized_date

_BEFORE_NOON = frozenset("am 上午 凌晨 早上 午前 오전".split())
_AFTER_NOON = frozenset("pm 下午 晚上 午後 오후".split())
_NOON = r"[APap]\.?\s?[Mm]\.?(?!\w)|[上下]午|凌晨|早上|晚上|午[前後]|오[전후]"
_CLOCK = re.compile(
    rf"[\s,]*(?:\b(?:at|um|à|kl\.?|в|о)\s+)?(?P<before>{_NOON})?\s*"
    rf"(?P<hour>\d{{1,2}})[:.時시]\s?(?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?분?"
    rf"\s*(?P<after>{_NOON})?\s*(?P<zone>Z|(?:UTC|GMT)?[+-]\d\d:?\d\d|UTC|GMT)?"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})[日일.]?")
_NUMBERS = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d\d)(?!\d)")
_WEEKDAY = r"(?:[^\W\d]+\.?,?\s+)?"
_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<month>[^\W\d]{{3,}})\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})"
)
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})\.?[\s-](?:de\s)?(?P<month>[^\W\d]{{3,}})\.?,?[\s-]"
    r"(?:de\s)?(?P<year>\d{4}|\d\d)(?!\d)(?:\s(?:р|г)\.)?"
)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{13}|\d{16}")
_TAIL = re.compile(r"\s*(?:\([^()]*\))?\s*")
# A text that may be a date with names of months or weekdays; only so many others are tried, because
# every language is looked through for them.
_NAMED_DATE = re.compile(r"(?=.*[^\W\d_]{3})(?=.*(?<!\d)\d{4}(?!\d)).{8,80}\d[:.]\d\d.{0,12}")
_MOST_TRIES = 20
_LONGEST = 80  # characters
_SPACES = str.maketrans("\u00a0\u202f\u2009", "   ", "\u200e\u200f")


def parse_written_time(text: str, *, day_first: bool = True) -> datetime | None:
    """Parse a date and a time: aware if the text has a zone, else naive.

    Args:
        text: the whole text must be a date, a time and perhaps a remark in parentheses.
        day_first: whether the day comes before the month, where numbers alone do not tell.

    Returns:
        The time; midnight for a date alone; None for any other text, and for years before 1990 or
        after 2100.
    """
    text = text.translate(_SPACES).strip() if len(text) <= _LONGEST else ""
    if _EPOCH.fullmatch(text):
        number = float(text)
        seconds = number / (1 if number < 1e11 else 1e3 if number < 1e14 else 1e6)
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment if is_plausible_time(moment) else None
    date = _parse_date(text, day_first=day_first)
    if date is None:
        return None
    (year, month, day), end = date
    if text[end : end + 1] == "T":
        end += 1
    clock = _CLOCK.match(text, end)
    if _TAIL.fullmatch(text, clock.end() if clock else end) is None:
        return None
    try:
        moment = datetime(year, month, day, *_clock_numbers(clock))
        if zone := clock["zone"] if clock else None:
            moment = moment.replace(tzinfo=_zone(zone))
    except ValueError:  # no such day, or a zone of a day and more
        return None
    return moment if is_plausible_time(moment) else None


def _parse_date(text: str, *, day_first: bool) -> tuple[tuple[int, int, int], int] | None:
    """Return year, month and day at the beginning of a text, and the end of the date."""
    if match := _YEAR_FIRST.match(text):
        return (int(match[1]), int(match[2]), int(match[3])), match.end()
    if match := _NUMBERS.match(text):
        year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
        first, second = int(match[1]), int(match[3])
        day, month = (first, second) if _is_day_first(match, day_first) else (second, first)
        return (year, month, day), match.end()
    for pattern in (_MONTH_FIRST, _DAY_FIRST):
        match = pattern.match(text)
        number = parse_month(match["month"]) if match else None
        if match and number:
            year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
            return (year, number, int(match["day"])), match.end()
    return None


def _is_day_first(match: re.Match[str], expected: bool) -> bool:
    """Return whether the first number of a date is the day."""
    first, second = int(match[1]), int(match[3])
    if match[2] == "." or first > 12:
        return True
    return expected and second <= 12


def _clock_numbers(clock: re.Match[str] | None) -> tuple[int, int, int]:
    """Return hour, minute and second."""
    if clock is None:
        return 0, 0, 0
    hour = int(clock["hour"])
    word = re.sub(r"[.\s]", "", clock["before"] or clock["after"] or "").casefold()
    if word in _BEFORE_NOON and hour == 12:
        hour = 0
    elif word in _AFTER_NOON and hour < 12:
        hour += 12
    return hour, int(clock["minute"]), int(clock["second"] or 0)


def _zone(text: str) -> timezone:
    """Return the zone that a text names: Z, UTC, GMT, +02:00, UTC+0200."""
    match = re.search(r"([+-])(\d\d):?(\d\d)", text)
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


class DateReader:
    """A reader of the dates of one file, which all have the day and the month in one order."""

    def __init__(self, samples: Iterable[str]) -> None:
        """Decide the order.

        A number over 12 is a day. Otherwise half days, AM and PM, speak for the month first.

        Args:
            samples: times of the file.
        """
        numbers, half_days = [], 0
        for text in samples:
            if match := _NUMBERS.match(text.translate(_SPACES).strip()):
                numbers.append((int(match[1]), match[2], int(match[3])))
                half_days += re.search(r"[AaPp]\.?[Mm]\b", text) is not None
        day_first = any(first > 12 or sign == "." for first, sign, _ in numbers)
        month_first = any(second > 12 for _, sign, second in numbers if sign != ".")
        differs = any(first != second for first, _, second in numbers)
        self.is_ambiguous = differs and not day_first and not month_first
        self._day_first = day_first or (not month_first and not half_days)
        self._tries = _MOST_TRIES

    @property
    def order(self) -> str:
        """The order that was decided, as people are told."""
        return "day/month" if self._day_first else "month/day"

    def parse(self, text: str) -> datetime | None:
        """Return the time, as `parse_written_time` does, also of a date in any other language."""
        moment = parse_written_time(text, day_first=self._day_first)
        if moment is None and self._tries and _NAMED_DATE.fullmatch(text):
            moment = parse_localized_date(text)
            self._tries -= moment is None
        return moment if moment and is_plausible_time(moment) else None
