"""Parses dates as people type them into options: `2024-03-01`, `2024-03`, `2024`, or a time."""

from datetime import datetime, timedelta


def parse_iso_span(text: str) -> tuple[datetime, datetime]:
    """Return when a day, month or year begins and when it has ended; a time is its own end.

    Returns:
        (start, end): naive, or aware where a time with an offset was typed.

    Raises:
        ValueError: the text is none of these.
        OverflowError: the end is after the year 9999.
    """
    for pattern in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            start = datetime.strptime(text, pattern)
        except ValueError:
            continue
        if pattern == "%Y-%m-%d":
            return start, start + timedelta(days=1)
        if pattern == "%Y-%m":
            return start, (start + timedelta(days=31)).replace(day=1)
        return start, start.replace(year=start.year + 1)
    moment = datetime.fromisoformat(text)
    return moment, moment
