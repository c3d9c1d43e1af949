"""The numbered steps that build the schema, and the one function that takes them.

A step is never edited once it is released: the next step corrects a mistake. A step calls nothing
of memcli outside its own module, so that an old database migrates the same way forever;
`tests/store/schemas/` holds a database of every schema, and a test migrates each. SQLite's
`pragma user_version` stores how many steps were taken. All pending steps run in one transaction,
so that a database is either untouched or current.

The tables of vectors belong to no step: their width depends on the embedder, so they are made when
an embedder first writes.
"""

from collections.abc import Callable

import apsw

from memcli.errors import StoreError
from memcli.store.sqlite.step_0019_packed_texts import m0019_packed_texts
from memcli.store.sqlite.steps_0001_to_0009 import (
    APPLICATION_ID,
    m0001_sessions,
    m0002_turns,
    m0003_index,
    m0004_cache,
    m0005_copies,
    m0006_sources,
    m0007_merge_in_memory,
    m0008_tombstones,
    m0009_embedders,
)
from memcli.store.sqlite.steps_0010_to_0019 import (
    m0010_memories,
    m0011_readings,
    m0012_drop_parent_index,
    m0013_small_vectors,
    m0014_cut_rules,
    m0015_checksums,
    m0016_forgetting,
    m0017_erasable_words,
    m0018_file_contents,
)
from memcli.store.sqlite.steps_0020_to_0029 import m0020_windows, m0021_small_full_text

__all__ = ["APPLICATION_ID", "STEPS", "is_current", "migrate"]

STEPS = (
    m0001_sessions,
    m0002_turns,
    m0003_index,
    m0004_cache,
    m0005_copies,
    m0006_sources,
    m0007_merge_in_memory,
    m0008_tombstones,
    m0009_embedders,
    m0010_memories,
    m0011_readings,
    m0012_drop_parent_index,
    m0013_small_vectors,
    m0014_cut_rules,
    m0015_checksums,
    m0016_forgetting,
    m0017_erasable_words,
    m0018_file_contents,
    m0019_packed_texts,
    m0020_windows,
    m0021_small_full_text,
)


def migrate(
    db: apsw.Connection,
    progress: Callable[[int, int], object] = lambda _done, _of: None,
    *,
    until: int | None = None,
) -> bool:
    """Bring the database up to the newest step; do not write to a current database.

    Args:
        db: the connection; it must not enforce foreign keys yet, because tables are replaced.
        progress: is called with the sessions that a long step has converted, and all of them.
        until: the number of the last step to take, to make a database of an older schema; None
            for the newest.

    Returns:
        True if a step was taken.

    Raises:
        StoreError: a newer memcli has already taken the schema further.
    """
    last = len(STEPS) if until is None else until
    if _count_steps_taken(db) == last:
        return False
    db.execute("begin immediate")  # only one process migrates at a time
    try:
        taken = _count_steps_taken(db)  # read again: another process may just have finished
        if taken > len(STEPS):
            raise StoreError(
                f"the database has schema {taken}, this memcli knows {len(STEPS)}",
                hint="upgrade memcli, or name another file with `--db`",
            )
        for number, step in enumerate(STEPS[taken:last], start=taken + 1):
            if step is m0019_packed_texts:
                m0019_packed_texts(db, progress)
            else:
                step(db)
            db.execute(f"pragma user_version = {number}")
    except BaseException:
        if db.in_transaction:  # after some errors SQLite has rolled back itself
            db.execute("rollback")
        raise
    db.execute("commit")
    return True


def is_current(db: apsw.Connection) -> bool:
    """Return whether the database has taken every step known here, and no other."""
    return _count_steps_taken(db) == len(STEPS)


def _count_steps_taken(db: apsw.Connection) -> int:
    [(taken,)] = db.execute("pragma user_version").fetchall()
    return int(str(taken))
