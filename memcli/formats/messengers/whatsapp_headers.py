"""Parses the line that begins a WhatsApp message, in every phone's way of writing a date.

    1/4/23, 7:02 PM - Ann: hi      [15/01/25, 22:41:03] Ann: hi      [2024/01/02 오후 03:06] Ann: hi

The file states neither whether days or months come first nor which of these styles it uses. Both
are decided for the whole file, from all its lines.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from memcli.formats.messengers.whatsapp_words import MARKS, day_periods
from memcli.formats.parsing.values import is_plausible_time
from memcli.lazy_dataclasses import dataclass, field

_SPACES = " \t\u00a0\u2009\u202f"
_WORDS = r"[^\W\d_][^\d\[\]:]{0,24}?"  # a word or more beside a time, as few as can be
_HEADER = re.compile(
    rf"""
    [{MARKS}{_SPACES}]*+
    (?P<bracket>\[)? [{MARKS}]*+
    (?P<first>\d{{1,4}}) [{MARKS}]*+ (?P<separator>[-/]|(?P<dot>\.)) [{MARKS}{_SPACES}]*+
    (?P<second>\d{{1,2}}) [{MARKS}]*+ (?P=separator) [{MARKS}{_SPACES}]*+
    (?P<third>\d{{1,4}}) [{MARKS}]*+ \.? (?:[{_SPACES}]?г\.)?
    (?=[{_SPACES},،]) [,،]? [{MARKS}{_SPACES}]*+
    (?:(?P<before>{_WORDS})[{_SPACES}]*+)?
    (?P<hour>\d{{1,2}}) (?:[:.]|[{_SPACES}]?h[{_SPACES}]?) (?P<minute>\d{{2}})
    (?:[:.](?P<seconds>\d{{2}}))?
    (?:[{_SPACES}]*+(?P<after>[ap]\.?[{_SPACES}]*m\b\.?))?
    (?:[{_SPACES}]*+(?P<words>{_WORDS}))??
    [{MARKS}]*+
    (?(bracket)
        \]
        | (?P<end> [{_SPACES}]++[-–—](?=[{_SPACES}]|$) | :(?=[{_SPACES}]|$)
            | (?(dot)(?(seconds)(?=[{_SPACES}])|(?!))|(?!)) )
    )
    [{_SPACES}]*
    (?P<rest>.*)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_WHOLE_DAY = (0, 24)
_LONGEST_AT = 6  # letters of the word before a time that only says "at"
# A second style with more lines than this may be the file's own, however rare it is.
_SECOND_STYLE_LINES = 20


class DateOrder(Enum):
    """The number that a date begins with. Dates that begin with their year need no order."""

    DAY_FIRST = "day/month"
    MONTH_FIRST = "month/day"


@dataclass(frozen=True, slots=True)
class HeaderStyle:
    """A style of writing headers."""

    bracketed: bool  # [...] around date and time
    separator: str
    year_first: bool
    year_digits: int
    seconds: bool
    twelve_hours: bool
    end: str  # the dash or colon after the time, "" if there is none


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a message; the order of its day and month is not yet known."""

    style: HeaderStyle
    numbers: tuple[int, int, int]  # the numbers of the date, in the order of the file
    clock: tuple[int, int, int]  # hours from 0 to 24, minutes, seconds
    rest: str  # the line after the time: sender and text

    def year_month_day(self, order: DateOrder) -> tuple[int, int, int]:
        """Return year, month and day; the calendar may not have such a day."""
        first, second, third = self.numbers
        if self.style.year_first:
            return first, second, third
        year = third + 2000 if self.style.year_digits == 2 else third
        if order is DateOrder.DAY_FIRST:
            return year, second, first
        return year, first, second

    def wall_time(self, order: DateOrder) -> datetime | None:
        """Return the wall clock time; None where the calendar has no such time."""
        try:
            moment = datetime(*self.year_month_day(order), *self.clock)
        except ValueError:
            return None
        return moment if is_plausible_time(moment) else None


def parse_header(line: str) -> Header | None:
    """Return the header that a line begins with; None for any other line."""
    match = _HEADER.match(line)
    if match is None:
        return None
    bracket, first, separator, _, second, third, before, *later = match.groups()
    hour, minute, seconds, after, words, end, rest = later
    year_first = len(first) == 4 and len(third) <= 2
    if not year_first and (len(first) > 2 or len(third) not in (2, 4)):
        return None
    period = _period_hours(before, after or words)
    if period is None:
        return None
    style = _header_style(
        bracket is not None,
        separator,
        year_first,
        4 if year_first else len(third),
        seconds is not None,
        period != _WHOLE_DAY,
        end.strip() if end else "",
    )
    clock = _hour_of_day(int(hour), period), int(minute), int(seconds or 0)
    return Header(style, (int(first), int(second), int(third)), clock, rest)


@lru_cache(maxsize=256)  # nearly all lines of a chat are in one style
def _header_style(*fields: Any) -> HeaderStyle:  # Any: of each field its own type
    return HeaderStyle(*fields)


def _period_hours(before: str | None, after: str | None) -> tuple[int, int] | None:
    """Return the hours from which and before which the words beside a time hold.

    A short unknown word before the time says "at"; any other unknown word is none that a header
    has, and the result is None.
    """
    if before is None and after is None:
        return _WHOLE_DAY
    periods = _periods_by_letters()
    if after is not None:
        return periods.get(_letters(after))
    word = _letters(before or "")
    return periods.get(word, _WHOLE_DAY if len(word) <= _LONGEST_AT else None)


def _hour_of_day(hour: int, period: tuple[int, int]) -> int:
    """Return an hour from 0 to 24, from one of 12 hours with a period, or of 24 without.

    Of the two hours that "10:40 at night" may be, it is the one that is nearer to the night.
    """
    if period == _WHOLE_DAY or hour > 12:
        return hour
    start, stop = period
    middle = start + (stop - start) % 24 / 2
    far_morning, far_evening = (
        min((each + 0.5 - middle) % 24, (middle - each - 0.5) % 24)
        for each in (hour % 12, hour % 12 + 12)
    )
    return hour % 12 if far_morning < far_evening else hour % 12 + 12


@cache
def _periods_by_letters() -> dict[str, tuple[int, int]]:
    return {_letters(word): hours for word, hours in day_periods().items()}


@lru_cache(maxsize=256)
def _letters(word: str) -> str:
    """Return a word without dots and blanks, in lower case."""
    return re.sub(rf"[.{_SPACES}]", "", word).casefold()


@dataclass(slots=True)
class StyleStatistics:
    """Counts over the headers of one style, from which the order of its dates follows."""

    lines: int = 0
    ambiguous: int = 0  # dates that differ between the orders
    # By order: dates before that of the header before; the same where another style was before.
    jumps: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(DateOrder, 0))
    seams: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(DateOrder, 0))
    # Of the first and of the second number: times it is over 12, and times it changes.
    large: list[int] = field(default_factory=lambda: [0, 0])
    changes: list[int] = field(default_factory=lambda: [0, 0])
    last: Header | None = None

    def add(self, header: Header) -> None:
        """Count one header."""
        self.lines += 1
        last, self.last = self.last, header
        first, second, _ = header.numbers
        if not header.style.year_first:
            self.ambiguous += first != second
            self.large[0] += 12 < first <= 31
            self.large[1] += 12 < second <= 31
        if last is None or header.numbers == last.numbers:  # the same day, as nearly always
            return
        for order in DateOrder:
            self.jumps[order] += header.year_month_day(order) < last.year_month_day(order)
        if not header.style.year_first:
            self.changes[0] += first != last.numbers[0]
            self.changes[1] += second != last.numbers[1]


def count_seam(
    before: Header, after: Header, statistics: dict[HeaderStyle, StyleStatistics]
) -> None:
    """Count for both styles if time runs backwards where one follows the other."""
    for order in DateOrder:
        if after.year_month_day(order) < before.year_month_day(order):
            statistics[before.style].seams[order] += 1
            statistics[after.style].seams[order] += 1


def native_styles(statistics: dict[HeaderStyle, StyleStatistics]) -> list[HeaderStyle]:
    """Return the styles of the file itself; headers in any other style were pasted into it.

    These are the commonest style, and any that is not much rarer or has many lines, if time never
    runs backwards where it begins and ends: some files are several exports, put together.
    """
    most = max((each.lines for each in statistics.values()), default=0)
    return [
        style
        for style, each in statistics.items()
        if each.lines == most
        or (each.lines > min(most // 2, _SECOND_STYLE_LINES) and not min(each.seams.values()))
    ]


def infer_date_order(statistics: Iterable[StyleStatistics]) -> DateOrder | None:
    """Return one order for all dates; None where no clue decides it.

    The clues, of which the first that differs decides: a number over 12 is a day; time does not
    run backwards; the day changes more often than the month.
    """
    styles = list(statistics)
    day, month = DateOrder
    clues = [
        (sum(each.large[1] for each in styles), sum(each.large[0] for each in styles)),
        (sum(each.jumps[day] for each in styles), sum(each.jumps[month] for each in styles)),
        (sum(each.changes[1] for each in styles), sum(each.changes[0] for each in styles)),
    ]
    for against_day, against_month in clues:
        if against_day != against_month:
            return day if against_day < against_month else month
    return None
