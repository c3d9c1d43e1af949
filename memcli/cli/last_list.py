"""The list that was printed last, so that `mem show 2` opens its second line.

It is kept in the folder of the machine's state: ids of sessions, with the path of their database.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from memcli.cli.output.console import remark
from memcli.errors import MemError, NotFoundError
from memcli.files import atomic_write
from memcli.settings import state_folder

MOST_IDS = 1000  # ids that are kept of a list


def keep_list(database: Path, ids: Sequence[str]) -> None:
    """Keep a list for `mem show`; a disk that cannot be written to is no error.

    Args:
        database: the database whose sessions they are.
        ids: in the order in which they were printed.
    """
    path = _file()
    document = {"database": str(database.absolute()), "ids": list(ids[:MOST_IDS])}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_write(path, MemError) as part:
            part.write_text(json.dumps(document), "utf-8")
    except (OSError, MemError):
        return


def resolve_list_number(database: Path, name: str) -> str:
    """Return the id that stands at a number in the last list; any other name as it is.

    Args:
        database: the database that is read.
        name: as it was typed: `2`, `2:12`, or an id.

    Raises:
        NotFoundError: there is no list, or it is shorter.
    """
    number, colon, turns = name.partition(":")
    if not (number.isascii() and number.isdecimal()):
        return name
    try:
        kept = json.loads(_file().read_text("utf-8"))
        ids = kept["ids"] if kept["database"] == str(database.absolute()) else []
    except (OSError, ValueError, KeyError, TypeError):
        ids = []
    if not 1 <= int(number) <= len(ids):
        problem = f"the last list has {len(ids)} sessions" if ids else "there is no last list"
        raise NotFoundError(f"{problem}, and none is `{number}`", hint="`mem sessions` makes one")
    return f"{ids[int(number) - 1]}{colon}{turns}"


def print_footer(count: int, *, more: bool = False) -> None:
    """Say on a terminal what can be typed after a list of sessions.

    Args:
        count: the number of sessions in the list.
        more: whether there may be more of them.
    """
    if not count or not (sys.stdout.isatty() and sys.stderr.isatty()):
        return
    number = min(count, 2)
    further = f"; `--limit {2 * count}` shows more" if more else ""
    remark(f"`mem show {number}` opens number {number}{further}")


def _file() -> Path:
    return state_folder() / "last-list.json"
