"""The order of messages of which some have no time."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # before every time that `parse_timestamp` returns

_Item = TypeVar("_Item")
SortKey = tuple[Any, ...]  # Any: a time and then values of other types that decide between equals


def sort_by_time(
    items: Iterable[_Item], sort_key: Callable[[_Item], SortKey | None]
) -> list[_Item]:
    """Return items in order of time; an item without a time follows the one before it.

    Args:
        items: in the order of the file.
        sort_key: returns a tuple that begins with the time of an item, and None if it has no time.
    """
    sortable: list[tuple[SortKey, _Item]] = []
    last_key: SortKey = (NO_TIME,)
    followers = 0  # number of items without a time since the last one with a time
    for item in items:
        key = sort_key(item)
        last_key, followers = (last_key, followers + 1) if key is None else (key, 0)
        sortable.append(((*last_key, followers), item))
    sortable.sort(key=lambda pair: pair[0])
    return [item for _, item in sortable]
