"""Ids of sessions as a person types them, and the sessions that they name."""

from collections.abc import Sequence

from memcli.errors import NotFoundError
from memcli.store import Store


def session_numbers(store: Store, names: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers in the database of the sessions that are named, each once.

    Args:
        store: the database.
        names: ids or beginnings of ids; a turn after a colon is left out.

    Raises:
        NotFoundError: a name fits no session, or more than one.
    """
    for name in names:
        if name.isdecimal():
            raise NotFoundError(
                f"no session `{name}`", hint=f"`mem show {name}` prints the id of that number"
            )
    ids = dict.fromkeys(store.sessions.get(name.partition(":")[0]).id for name in names)
    return tuple(number for each in ids if (number := store.sessions.number(each)) is not None)
