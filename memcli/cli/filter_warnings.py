"""Warnings of filters that leave out more than was meant.

A source or a speaker that no session has is most often a typing mistake, and a session without a
date passes no filter by date.
"""

import sys

from memcli.cli.output.console import note, one_line, remark
from memcli.cli.output.numbers import pluralize
from memcli.lazy_dataclasses import replace
from memcli.store import Filters, Store


def warn_about_filters(store: Store, filters: Filters) -> None:
    """Warn of unknown sources and speakers, and of sessions that are left out for want of a date.

    Args:
        store: the database.
        filters: filters as a person gave them.
    """
    if filters.source and not _any_session(store, Filters(source=filters.source)):
        known = {month.source for month in store.statistics.sessions_by_month()}
        _warn(f"no session is from `{filters.source}`", [filters.source], known)
    if filters.speaker and not _any_session(store, Filters(speaker=filters.speaker)):
        known = {person.name for person in store.statistics.turns_by_speaker()}
        names = sorted(filters.speaker)
        _warn(f"no session has a speaker called `{'` or `'.join(names)}`", names, known)
    if filters.since or filters.until:
        undated = store.statistics.count_undated(replace(filters, since=None, until=None))
        if undated:
            are = "are" if undated > 1 else "is"
            remark(f"{pluralize(undated, 'session')} without a date {are} left out")


def _any_session(store: Store, filters: Filters) -> bool:
    return any(True for _ in store.sessions.summaries(filters, 1))


def _warn(message: str, names: list[str], known: set[str]) -> None:
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in known}
    near = [one for name in names for one in get_close_matches(name.casefold(), folded, 3)]
    # People often remember a first name or a last name only.
    near += [one for one in folded for name in names if name.casefold() in one.split()]
    suggestions = list(dict.fromkeys(folded[one] for one in near))[:3]
    note(message)
    if suggestions:
        listed = ", ".join(f"`{one}`" for one in suggestions)
        sys.stderr.write(f"hint: did you mean {one_line(listed)}\n")
