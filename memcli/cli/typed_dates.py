"""Dates, periods and time zones as people type them in options."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from memcli.errors import UsageError
from memcli.text.typed_periods import RANGE, Period, parse_period

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def parse_since(text: str) -> Period:
    """Return the period that `--since` names: one date, or a range such as `2025-03..2025-05`.

    Raises:
        UsageError: the text is not a period.
    """
    period = _parse(text)
    return period if RANGE in text else Period(period.start, None)


def parse_start(text: str) -> datetime:
    """Return the beginning of a period, or a time itself, in the zone of this machine.

    Raises:
        UsageError: the text is not one period with a beginning.
    """
    start = _parse(text).start
    if start is None or RANGE in text:
        raise _not_a_date(text)
    return start


def parse_end(text: str) -> datetime:
    """Return the end of a period; a time is its own end.

    Raises:
        UsageError: the text is not one period.
    """
    end = _parse(text).end
    if end is None or RANGE in text:
        raise _not_a_date(text)
    return end


def parse_zone(text: str) -> "ZoneInfo":
    """Return the time zone of this name.

    Raises:
        UsageError: there is none.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"not a time zone: `{text}`", hint="write it as in `Europe/Lisbon`"
        ) from error


def local_zone() -> tzinfo:
    """Return the zone of this machine, with its summer times if they can be found out."""
    import os
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    name = os.environ.get("TZ", "").lstrip(":")
    try:
        if not name:
            name = os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2]
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or ZoneInfo("UTC")


def _parse(text: str) -> Period:
    try:
        return parse_period(text, datetime.now().astimezone())
    except (ValueError, OverflowError) as error:
        raise _not_a_date(text) from error


def _not_a_date(text: str) -> UsageError:
    return UsageError(
        f"not a date: `{text}`",
        hint="write it as in `2024-03-01`, `2024-03`, `7d`, `yesterday`, `last week`, or for"
        " `--since` as in `2025-03..2025-05`",
    )
