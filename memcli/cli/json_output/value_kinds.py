"""Kinds of values that several documents hold."""

from datetime import datetime
from typing import Annotated

Moment = Annotated[str, ("format", "date-time")]
Count = Annotated[int, ("minimum", 0)]
Seconds = Annotated[float, ("minimum", 0)]
Share = Annotated[float, ("minimum", 0), ("maximum", 1)]


def format_moment(moment: datetime | None) -> str | None:
    """Return a time in ISO 8601, with its offset; None without a time."""
    return moment.isoformat() if moment else None
