"""Dates as people type them."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memcli.errors import UsageError
from memcli.text.iso_dates import parse_iso_span


def start_of(text: str) -> datetime:
    """Return when a day, month or year begins, or the time itself, in the zone of this machine.

    Raises:
        UsageError: it is none of these.
    """
    return _span(text)[0]


def end_of(text: str) -> datetime:
    """Return when the day, month or year after this begins; a time is its own end.

    Raises:
        UsageError: it is none of these.
    """
    return _span(text)[1]


def zone(text: str) -> ZoneInfo:
    """Return the zone of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"no time zone `{text}`", hint="write it as in `Europe/Lisbon`") from error


def local_zone() -> tzinfo:
    """Return the zone of this machine, with its summer times where it can be known."""
    import os

    named = os.environ.get("TZ", "").lstrip(":")
    try:
        if not named:
            named = os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2]
        return ZoneInfo(named)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or ZoneInfo("UTC")


def _span(text: str) -> tuple[datetime, datetime]:
    """Return where what was typed begins and ends, in the zone of this machine."""
    try:
        start, end = parse_iso_span(text)
        return start.astimezone(), end.astimezone()
    except (ValueError, OverflowError) as error:
        hint = "write it as in `2024-03-01`, `2024-03` or `2024`"
        raise UsageError(f"`{text}` is no date", hint=hint) from error
