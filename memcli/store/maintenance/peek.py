"""A look at the database from outside: at once, without a trace, and without ever failing.

For Tab, which must not make a database, bring one up to date, wait for it, or complain.
"""

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

MOST = 100  # more than anybody reads


def sessions(path: Path, beginning: str) -> list[tuple[str, str]]:
    """Return ids that begin so, with their titles, latest first."""
    return _rows(
        path,
        "select public, title from sessions where public >= ?1 and public < ?1 || '~'"
        " order by started_at desc nulls last limit ?2",
        *(beginning, MOST),
    )


def memories(path: Path, beginning: str) -> list[tuple[str, str]]:
    """Return ids that begin so, with what is remembered, latest first."""
    return _rows(
        path,
        "select public, value from memories where public >= ?1 and public < ?1 || '~'"
        " order by id desc limit ?2",
        *(beginning, MOST),
    )


def sources(path: Path) -> list[tuple[str]]:
    """Return where sessions come from."""
    return _rows(path, "select distinct source from conversations order by source")


def speakers(path: Path) -> list[tuple[str]]:
    """Return who speaks, those in most sessions first."""
    return _rows(
        path,
        "select value from sessions, json_each(participants) group by value"
        " order by count(*) desc, value limit ?",
        MOST,
    )


def _rows(path: Path, sql: str, *values: object) -> list[Any]:  # rows, as the statement says
    # Where nobody has it open, SQLite would make files beside it: immutable, it looks for none.
    alone = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    try:
        database = apsw.Connection(
            f"file:{quote(str(path.absolute()))}?mode=ro{alone}",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
        with closing(database):
            return database.execute(sql, values).fetchall()
    except (apsw.Error, OSError, UnicodeError):
        return []
