"""A copy of the database that is whole, while others read and write."""

from collections.abc import Callable
from pathlib import Path

from memcli.errors import StoreError, UsageError
from memcli.files import private_file
from memcli.store.maintenance.health import Health
from memcli.store.sqlite.connection import Database


def back_up(
    database: Database,
    target: Path,
    *,
    replace: bool,
    verify: bool,
    told: Callable[[int, int], None],
) -> None:
    """Write a copy of the database as it is at one moment: one file, for its owner alone.

    Args:
        database: what to copy.
        target: where to; until the copy is whole and on the disk, what is there stays.
        replace: whether something may be there.
        verify: whether to open the copy and check all of it first.
        told: how many pages were copied, of how many.

    Raises:
        UsageError: something is there that may not be replaced.
        StoreError: the copy cannot be written, or is damaged.
    """
    if target.exists() and target.samefile(database.path):
        raise UsageError(f"{target} is the database itself", hint="name another file")
    if target.is_dir() or (target.exists() and not replace):
        raise UsageError(f"{target} is already there", hint="`--replace` writes over a file")
    if target.with_name(f"{target.name}-wal").exists():
        raise UsageError(f"{target} is a database in use, and cannot be replaced")
    with private_file(target, StoreError) as part:
        database.copy_to(part, told)
        if verify:
            _verify(part, target)


def _verify(part: Path, target: Path) -> None:
    copy = Database(part, wait=0)
    try:
        health = Health(copy)
        found = [*health.damage(), *health.strays()]
    finally:
        copy.close()
    if found:
        raise StoreError(
            f"the copy is damaged, and {target} was not written: {found[0]}",
            hint="`mem doctor` looks at the database itself",
        )
