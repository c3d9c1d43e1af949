"""The line that begins a WhatsApp message, in every phone's way of writing a date.

    1/4/23, 7:02 PM - Ann: hi      [15/01/25, 22:41:03] Ann: hi      [2024/01/02 오후 03:06] Ann: hi

The file says neither whether days or months come first nor which of these it uses: both are
decided for the whole file, from all its lines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

# Direction marks, which show nothing.
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_SPACES = " \t\u00a0\u2009\u202f"

_BEFORE_NOON = (
    "am",
    "上午",
    "凌晨",
    "早上",
    "午前",
    "오전",
    "ص",
    "πμ",
    "öö",
    "sa",
    "pg",
    "de",
    "قظ",
)
_AFTER_NOON = ("pm", "下午", "晚上", "午後", "오후", "م", "μμ", "ös", "ch", "ptg", "du", "بظ")
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
# A second way of writing with more lines may be the file's own, however rare.
_SECOND_STYLE_LINES = 20


class DateOrder(Enum):
    """Which number of a date comes first. Dates that begin with their year need not be told."""

    DAY_FIRST = "day/month"
    MONTH_FIRST = "month/day"


@dataclass(frozen=True, slots=True)
class Style:
    """One way to write a header."""

    bracketed: bool
    separator: str
    year_first: bool
    year_digits: int
    seconds: bool
    twelve_hours: bool
    end: str


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a message, its numbers not yet understood."""

    style: Style
    numbers: tuple[int, int, int]  # of the date, as written
    clock: tuple[int, int, int]  # hours from 0 to 24, minutes, seconds
    rest: str

    def date(self, order: DateOrder) -> tuple[int, int, int]:
        """Return year, month and day, unchecked."""
        first, second, third = self.numbers
        if self.style.year_first:
            return first, second, third
        year = third + 2000 if self.style.year_digits == 2 else third
        if order is DateOrder.DAY_FIRST:
            return year, second, first
        return year, first, second

    def moment(self, order: DateOrder) -> datetime | None:
        """Return the wall clock time; None where the calendar has no such time."""
        try:
            moment = datetime(*self.date(order), *self.clock)
        except ValueError:
            return None
        return moment if 1990 <= moment.year <= 2100 else None


def header_of(line: str) -> Header | None:
    """Return the header a line begins with, if it looks like one."""
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
    noon = match["before"] or match["after"]
    style = Style(
        bracketed=bool(match["bracket"]),
        separator=match["separator"],
        year_first=year_first,
        year_digits=4 if year_first else third,
        seconds=bool(match["seconds"]),
        twelve_hours=bool(noon),
        end=end,
    )
    numbers = int(match["first"]), int(match["second"]), int(match["third"])
    hour = _hour(int(match["hour"]), noon)
    return Header(
        style, numbers, (hour, int(match["minute"]), int(match["seconds"] or 0)), match["rest"]
    )


def _hour(hour: int, noon: str | None) -> int:
    word = re.sub(rf"[.{_SPACES}]", "", noon or "").casefold()
    if word in _BEFORE_NOON and hour == 12:
        return 0
    if word in _AFTER_NOON and hour < 12:
        return hour + 12
    return hour


@dataclass(slots=True)
class Evidence:
    """What the headers of one style tell about its dates."""

    lines: int = 0
    ambiguous: int = 0  # dates that depend on the order
    jumps: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(DateOrder, 0))
    seams: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(DateOrder, 0))
    large: list[int] = field(default_factory=lambda: [0, 0])  # first, second number over 12
    changes: list[int] = field(default_factory=lambda: [0, 0])
    last: Header | None = None

    def add(self, header: Header) -> None:
        """Count one header."""
        self.lines += 1
        self.ambiguous += header.date(DateOrder.DAY_FIRST) != header.date(DateOrder.MONTH_FIRST)
        for order in DateOrder:
            date = header.date(order)
            self.jumps[order] += self.last is not None and date < self.last.date(order)
        if not header.style.year_first:
            for place in (0, 1):
                number = header.numbers[place]
                self.large[place] += 12 < number <= 31
                if self.last is not None:
                    self.changes[place] += number != self.last.numbers[place]
        self.last = header


def count_seam(before: Header, after: Header, seen: dict[Style, Evidence]) -> None:
    """Count, for both styles, whether time runs backwards where one follows another."""
    for order in DateOrder:
        if after.date(order) < before.date(order):
            seen[before.style].seams[order] += 1
            seen[after.style].seams[order] += 1


def own_styles(seen: dict[Style, Evidence]) -> list[Style]:
    """Return the styles of the file itself; headers in any other style were pasted into it.

    That is the commonest one, and any that is not much rarer or has many lines, if time never
    runs backwards where it begins and ends (exports that were put together).
    """
    most = max((evidence.lines for evidence in seen.values()), default=0)
    return [
        style
        for style, evidence in seen.items()
        if evidence.lines == most
        or (
            evidence.lines > min(most // 2, _SECOND_STYLE_LINES)
            and not min(evidence.seams.values())
        )
    ]


def date_order(evidence: Iterable[Evidence]) -> DateOrder | None:
    """Decide on one order for all dates; None where nothing tells.

    The first that tells, of: a number over 12 is a day; time does not run backwards; the day
    changes more often than the month.
    """
    found = list(evidence)
    day, month = DateOrder
    clues = [
        (sum(each.large[1] for each in found), sum(each.large[0] for each in found)),
        (sum(each.jumps[day] for each in found), sum(each.jumps[month] for each in found)),
        (sum(each.changes[1] for each in found), sum(each.changes[0] for each in found)),
    ]
    for against_day, against_month in clues:
        if against_day != against_month:
            return day if against_day < against_month else month
    return None
