"""Times as the database stores them: milliseconds since 1970, UTC, and minutes east of it."""

from datetime import datetime, timedelta, timezone
from functools import lru_cache


def milliseconds(time: datetime) -> int:
    """Return the milliseconds since 1970, UTC."""
    return round(time.timestamp() * 1000)


def optional_milliseconds(time: datetime | None) -> int | None:
    """Return the milliseconds since 1970, UTC; None without a time."""
    return None if time is None else milliseconds(time)


def utc_offset_minutes(time: datetime | None) -> int:
    """Return how many minutes east of UTC the clock of a time is; 0 without a time."""
    offset = time.utcoffset() if time else None
    return _minutes(offset) if offset else 0


@lru_cache(maxsize=256)  # an import calls it for every turn
def _minutes(offset: timedelta) -> int:
    return offset // timedelta(minutes=1)


def to_datetime(time: int | None, utc_offset: int = 0) -> datetime | None:
    """Return a stored time as a clock shows it that is so many minutes east of UTC."""
    if time is None:
        return None
    return datetime.fromtimestamp(time / 1000, _zone(utc_offset))


@lru_cache(maxsize=256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))
