"""Steps 20 to 29 of the schema: windows of turns that vectors stand for.

See `memcli.store.sqlite.migrations`.
"""

import apsw


def m0020_windows(db: apsw.Connection) -> None:
    """Let an embedder have a vector for each window of so many turns; 0: for each passage."""
    db.execute("alter table embedders add column turns integer not null default 0")
