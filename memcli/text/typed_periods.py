"""Parses periods as people type them into options.

A period is a day, month or year (`2024-03-01`, `2024-03`, `2024`), a time, a span of time up to now
(`7d`, `2w`, `3m`, `1y`), words (`yesterday`, `last week`, `march 2024`), or a range of two of these
(`2025-03..2025-05`). Words are parsed by `question_dates`.
"""

import re
from datetime import date, datetime, time, timedelta

from memcli.lazy_dataclasses import dataclass
from memcli.text.date_words import LAST, THIS, UNITS
from memcli.text.question_dates import DateSpan, parse_question_dates

RANGE = ".."  # stands between the first and the last period of a range
_LETTERS = {"d": "day", "w": "week", "m": "month", "y": "year"}
# Patterns of texts in lower case; they are compiled when a period is typed.
_LAST_SPAN = rf"(?:{LAST})?(?P<count>\d{{1,4}})\s*(?P<unit>[a-zß-ü]+?)(?P<ago>\s+ago)?"
_NAMED_UNIT = rf"(?:(?P<last>{LAST})|{THIS})(?P<unit>\w+)"
_FILLER = r"^(?:(?:in|on|since|from|until|till|the|im|am|seit|bis)\s+)+"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time; None is an open end."""

    start: datetime | None
    end: datetime | None  # the first moment after it


def parse_period(text: str, now: datetime) -> Period:
    """Return the period that a text names, in the zone of this machine.

    Args:
        text: as it was typed.
        now: the present moment, from which relative dates count; aware.

    Raises:
        ValueError: the text is not a period, or the period ends before it begins.
        OverflowError: it lies outside the years 1 to 9999.
    """
    text = text.strip()
    if RANGE not in text:
        return _parse_one(text, now)
    first, last = (part.strip() for part in text.split(RANGE, 1))
    if not first and not last:
        raise ValueError("both ends are open")
    start = _parse_one(first, now).start if first else None
    end = _parse_one(last, now).end if last else None
    if start and end and end <= start:
        raise ValueError("it ends before it begins")
    return Period(start, end)


def _parse_one(text: str, now: datetime) -> Period:
    for pattern in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            start = datetime.strptime(text, pattern)
        except ValueError:
            continue
        return Period(start.astimezone(), _next(start, pattern).astimezone())
    try:
        moment = datetime.fromisoformat(text).astimezone()
        return Period(moment, moment)
    except ValueError:
        days = _parse_words(text, now.date())
    return Period(_midnight(days.first), _midnight(days.last + timedelta(days=1)))


def _parse_words(text: str, today: date) -> DateSpan:
    """Return the days of a relative period, such as `7d`, `this month` or `last summer`.

    Raises:
        ValueError: the text is not one period.
    """
    text = " ".join(text.casefold().split())
    if match := re.fullmatch(_LAST_SPAN, text):
        unit = _LETTERS.get(match["unit"]) or UNITS.get(match["unit"])
        if unit:
            first = _back(today, int(match["count"]), unit)
            return DateSpan(first, first if match["ago"] else today)
    if (match := re.fullmatch(_NAMED_UNIT, text)) and UNITS.get(match["unit"], "day") != "day":
        first = _beginning(today, UNITS[match["unit"]])
        if not match["last"]:
            return DateSpan(first, today)
        last = first - timedelta(days=1)
        return DateSpan(_beginning(last, UNITS[match["unit"]]), last)
    words = re.sub(_FILLER, "", text).split()
    spans = _question_spans(words, today)
    # A word without which the same days are named has nothing to do with a date.
    needless = any(
        _question_spans([*words[:at], *words[at + 1 :]], today) == spans
        for at, word in enumerate(words)
        if not re.match(LAST, f"{word} ")  # "summer" alone is the last one, too
    )
    if len(spans) != 1 or needless:
        raise ValueError("not a period")
    return spans[0]


def _question_spans(words: list[str], today: date) -> list[DateSpan]:
    """Return the spans that words name; of dates without a year, the latest one that has begun."""
    text = f"in {' '.join(words)}"  # "may" is a month here, not a verb
    spans = parse_question_dates(text, today, [today.year])
    if any(span.first > today for span in spans):
        spans = parse_question_dates(text, today, [today.year - 1])
    return spans


def _back(day: date, count: int, unit: str) -> date:
    """Return the same day so many units earlier; the last day of a month that is too short."""
    if unit in ("day", "week"):
        return day - timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    first = date(year, month + 1, 1)
    last = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return min(first.replace(day=min(day.day, last.day)), last)


def _beginning(day: date, unit: str) -> date:
    """Return the first day of the week, month or year of a day."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _next(start: datetime, pattern: str) -> datetime:
    """Return the end of a day, month or year, by the pattern that it was typed in."""
    if pattern == "%Y-%m-%d":
        return start + timedelta(days=1)
    if pattern == "%Y-%m":
        return (start + timedelta(days=31)).replace(day=1)
    return start.replace(year=start.year + 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()
