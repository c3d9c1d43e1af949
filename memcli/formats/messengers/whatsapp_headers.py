"""Parses the line that begins a WhatsApp message, in every phone's way of writing a date.

    1/4/23, 7:02 PM - Ann: hi      [15/01/25, 22:41:03] Ann: hi      [2024/01/02 오후 03:06] Ann: hi

The file states neither whether days or months come first nor which of these styles it uses. Both
are decided for the whole file, from all its lines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from memcli.formats.parsing.values import is_plausible_time

# Direction marks and the byte order mark, which are invisible.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_SPACES = " \t\u00a0\u2009\u202f"

_BEFORE_NOON = frozenset("am 上午 凌晨 早上 午前 오전 ص πμ öö sa pg de قظ".split())
_AFTER_NOON = frozenset("pm 下午 晚上 午後 오후 م μμ ös ch ptg du بظ".split())
_NOON_WORD = (
    rf"[ap]\.?[{_SPACES}]*m\b\.?|[上下]午|凌晨|早上|晚上|午[前後]|오[전후]|[صم]\b|[πμ]\.?μ\b\.?"
    r"|öö\b|ös\b|sa\b|ch\b|pt?g\b|d[eu]\.|[قب]\.ظ\b\.?"
)
_HEADER = re.compile(
    rf"""
    [{MARKS}{_SPACES}]*+
    (?P<bracket>\[)? [{MARKS}]*+
    (?P<first>\d{{1,4}}) [{MARKS}]*+ (?P<separator>[-./]) [{MARKS}{_SPACES}]*+
    (?P<second>\d{{1,2}}) [{MARKS}]*+ (?P=separator) [{MARKS}{_SPACES}]*+
    (?P<third>\d{{1,4}}) [{MARKS}]*+ \.? (?:[{_SPACES}]?г\.)?
    (?=[{_SPACES},،]) [,،]? [{MARKS}{_SPACES}]*+
    (?:(?:klo|kl\.?|à|às|um|at|в)[{_SPACES}]++)?
    (?:(?P<before>{_NOON_WORD})[{_SPACES}]*+)?
    (?P<hour>\d{{1,2}}) (?:[:.]|[{_SPACES}]?h[{_SPACES}]?) (?P<minute>\d{{2}})
    (?:[:.](?P<seconds>\d{{2}}))?
    (?:[{_SPACES}]*+(?P<after>{_NOON_WORD}))?
    [{MARKS}]*+
    (?(bracket)
        \]
        | (?P<end> [{_SPACES}]++[-–—](?=[{_SPACES}]|$) | :(?=[{_SPACES}]|$) | (?=[{_SPACES}]) )
    )
    [{_SPACES}]*
    (?P<rest>.*)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
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
    first, third = len(match["first"]), len(match["third"])
    year_first = first == 4 and third <= 2
    if not year_first and (first > 2 or third not in (2, 4)):
        return None
    end = (match["end"] or "").strip()
    dotted_with_seconds = match["separator"] == "." and match["seconds"]
    if not match["bracket"] and not end and not dotted_with_seconds:
        return None
    noon_word = match["before"] or match["after"]
    style = HeaderStyle(
        bracketed=bool(match["bracket"]),
        separator=match["separator"],
        year_first=year_first,
        year_digits=4 if year_first else third,
        seconds=bool(match["seconds"]),
        twelve_hours=bool(noon_word),
        end=end,
    )
    numbers = int(match["first"]), int(match["second"]), int(match["third"])
    hour = _hour_of_day(int(match["hour"]), noon_word)
    clock = hour, int(match["minute"]), int(match["seconds"] or 0)
    return Header(style, numbers, clock, match["rest"])


def _hour_of_day(hour: int, noon_word: str | None) -> int:
    """Return an hour from 0 to 24, from one of 12 hours with a word, or of 24 without."""
    word = re.sub(rf"[.{_SPACES}]", "", noon_word or "").casefold()
    if word in _BEFORE_NOON and hour == 12:
        return 0
    if word in _AFTER_NOON and hour < 12:
        return hour + 12
    return hour


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
        days = [header.year_month_day(order) for order in DateOrder]
        self.ambiguous += days[0] != days[1]
        for order in DateOrder:
            day = header.year_month_day(order)
            self.jumps[order] += self.last is not None and day < self.last.year_month_day(order)
        if not header.style.year_first:
            for place in (0, 1):
                number = header.numbers[place]
                self.large[place] += 12 < number <= 31
                if self.last is not None:
                    self.changes[place] += number != self.last.numbers[place]
        self.last = header


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
