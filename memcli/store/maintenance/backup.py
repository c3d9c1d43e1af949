"""Backup: a complete copy of the database, made while other processes read and write it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from memcli.errors import StoreError, UsageError
from memcli.files import atomic_write
from memcli.store.maintenance.health import HealthChecks
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.times import milliseconds


def back_up(
    database: Database,
    target: Path,
    *,
    replace: bool,
    verify: bool,
    progress: Callable[[int, int], None],
) -> None:
    """Write a copy of one state of the database into one file, readable by its owner alone.

    Args:
        database: the database to copy.
        target: the file; an existing one stays until the copy is complete and on the disk.
        replace: True if an existing file may be replaced.
        verify: True to open the copy and check all of it first.
        progress: is called with the number of pages copied, and of all pages.

    Raises:
        UsageError: the target exists and may not be replaced.
        StoreError: the copy cannot be written, or is damaged.
    """
    if target.exists() and target.samefile(database.path):
        raise UsageError(f"{target} is the database itself", hint="name another file")
    if target.is_dir() or (target.exists() and not replace):
        raise UsageError(f"{target} is already there", hint="`--replace` writes over a file")
    if target.with_name(f"{target.name}-wal").exists():
        raise UsageError(f"{target} is a database in use, and cannot be replaced")
    _remember(database, target)
    with atomic_write(target, StoreError) as part:
        database.copy_to(part, progress)
        if verify:
            check_copy(part, target)


def known_backups(database: Database) -> list[Path]:
    """Return the backups of a database that are still where they were written, by path."""
    paths = [
        Path(os.fsdecode(path))
        for (path,) in database.rows("select path from backups order by path")
    ]
    return [path for path in paths if path.exists()]


def _remember(database: Database, target: Path) -> None:
    """Store the path of a backup, by which `mem forget` can name what it does not reach."""
    database.rows(
        "insert or replace into backups (path, made_at) values (?, ?)",
        *(os.fsencode(target.absolute()), milliseconds(datetime.now(UTC))),
    )


def check_copy(part: Path, target: Path) -> None:
    """Check a copy before it is moved to its target.

    Raises:
        StoreError: it is damaged.
    """
    copy = Database(part, wait=0)
    try:
        health = HealthChecks(copy)
        faults = [*health.check_file(), *health.check_references()]
    finally:
        copy.close()
    if faults:
        raise StoreError(
            f"the copy is damaged, and {target} was not written: {faults[0]}",
            hint="`mem doctor` checks the database itself",
        )
