"""Kinds of values that many documents hold."""

from typing import Annotated

Moment = Annotated[str, ("format", "date-time")]
Count = Annotated[int, ("minimum", 0)]
Seconds = Annotated[float, ("minimum", 0)]
Share = Annotated[float, ("minimum", 0), ("maximum", 1)]
