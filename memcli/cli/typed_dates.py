"""Dates and time zones as people type them in options."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from memcli.errors import UsageError
from memcli.text.iso_dates import parse_iso_span


def parse_start(text: str) -> datetime:
    """Return the beginning of a day, month or year, or a time itself, in the zone of this machine.

    Raises:
        UsageError: the text is not a date.
    """
    return _span(text)[0]


def parse_end(text: str) -> datetime:
    """Return the beginning of the next day, month or year; a time is its own end.

    Raises:
        UsageError: the text is not a date.
    """
    return _span(text)[1]


def parse_zone(text: str) -> ZoneInfo:
    """Return the time zone of this name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"not a time zone: `{text}`", hint="write it as in `Europe/Lisbon`"
        ) from error


def local_zone() -> tzinfo:
    """Return the zone of this machine, with its summer times if they can be found out."""
    import os

    name = os.environ.get("TZ", "").lstrip(":")
    try:
        if not name:
            name = os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2]
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or ZoneInfo("UTC")


def _span(text: str) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a date that was typed, in the zone of this machine."""
    try:
        start, end = parse_iso_span(text)
        return start.astimezone(), end.astimezone()
    except (ValueError, OverflowError) as error:
        hint = "write it as in `2024-03-01`, `2024-03` or `2024`"
        raise UsageError(f"not a date: `{text}`", hint=hint) from error
