"""Names in filters that nothing here goes by: most often a slip, and it is said."""

import sys

from memcli.cli.output.console import note, safe
from memcli.store import Filters, Store


def note_unknown(store: Store, filters: Filters) -> None:
    """Say which source or speaker is in no session, and what comes near it.

    Args:
        store: where the sessions are.
        filters: as a person gave them.
    """
    if filters.source and not _any(store, Filters(source=filters.source)):
        known = {month.source for month in store.statistics.months()}
        _tell(f"no session is from `{filters.source}`", [filters.source], known)
    if filters.speaker and not _any(store, Filters(speaker=filters.speaker)):
        known = {person.name for person in store.statistics.people()}
        names = sorted(filters.speaker)
        _tell(f"nobody here is called `{'`, `'.join(names)}`", names, known)


def _any(store: Store, filters: Filters) -> bool:
    return any(True for _ in store.sessions.overviews(filters, 1))


def _tell(what: str, names: list[str], known: set[str]) -> None:
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in known}
    near = [one for name in names for one in get_close_matches(name.casefold(), folded, 3)]
    # A first name, or a last one, is all that people remember.
    near += [one for one in folded for name in names if name.casefold() in one.split()]
    meant = list(dict.fromkeys(folded[one] for one in near))[:3]
    note(what)
    if meant:
        sys.stderr.write(f"hint: did you mean {safe(', '.join(f'`{one}`' for one in meant))}\n")
