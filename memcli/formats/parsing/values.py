"""Values of exports made safe: times, JSON values of an unexpected type, keys of messages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from memcli.domain import Clock, Turn, fingerprint
from memcli.lazy_dataclasses import replace

_FIRST_YEAR, _LAST_YEAR = 1990, 2100  # of messages in any export


class MessageKeys:
    """A maker of keys for messages that have none: a digest of identifying parts, and a count.

    The count numbers equal messages, so that the same message has the same key in every export
    that holds all messages equal to it.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def next_key(self, *parts: object) -> str:
        """Return the key of the next message with these parts."""
        digest = fingerprint(*parts)
        count = self._counts[digest] = self._counts.get(digest, 0) + 1
        return fingerprint(digest, count)


def is_plausible_time(moment: datetime) -> bool:
    """Return whether a time is within the years that messages can have, 1990 to 2100."""
    return _FIRST_YEAR <= moment.year <= _LAST_YEAR


def parse_timestamp(value: object) -> datetime | None:
    """Parse an exact time: epoch seconds, epoch milliseconds, or ISO 8601 with a zone.

    ISO 8601 times without a zone are taken as UTC. The result is None for text that is not a time,
    for not-a-number, and for years before 1990 or after 2100.
    """
    moment: datetime | None = None
    try:
        if isinstance(value, str):
            text = value.strip()
            try:
                value = float(text)
            except ValueError:
                moment = datetime.fromisoformat(text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) > 1e11 else value
            moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if is_plausible_time(moment) else None


def localize(naive: datetime, zone: tzinfo) -> datetime:
    """Return a wall clock time as an aware time, with the offset its zone had at that time."""
    if zone is UTC:
        return naive.replace(tzinfo=UTC)
    offset = naive.replace(tzinfo=zone).utcoffset() or timedelta(0)
    return naive.replace(tzinfo=timezone(offset))


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, else an empty object.

    Parsers wrap every nested object in it, because exports often hold unexpected types.
    """
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return the value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """Return a text or a number as text, and "" for any other value."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def with_inherited_times(turns: list[Turn]) -> list[Turn]:
    """Return turns in which a turn without a time has the time of the turn before it.

    Such a time is marked as inherited.
    """
    if all(turn.sent_at for turn in turns):
        return turns
    timed: list[Turn] = []
    last: datetime | None = None
    for turn in turns:
        if turn.sent_at is None and last is not None:
            timed.append(replace(turn, sent_at=last, clock=Clock.INHERITED))
        else:
            timed.append(turn)
            last = turn.sent_at
    return timed
