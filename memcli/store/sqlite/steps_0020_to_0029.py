"""Steps 20 to 29 of the schema: windows of turns that vectors stand for, a small full text.

See `memcli.store.sqlite.migrations`.
"""

import apsw


def m0020_windows(db: apsw.Connection) -> None:
    """Let an embedder have a vector for each window of so many turns; 0: for each passage."""
    db.execute("alter table embedders add column turns integer not null default 0")


def m0021_small_full_text(db: apsw.Connection) -> None:
    """Make tables of words without what no search needs; whoever opens them next writes the words.

    The words of sessions and passages have no positions and no columns any more, and titles have a
    table of their own.
    """
    for table in ("session_words", "passage_words", "turn_words"):
        db.execute(f"drop table {table}")
    for table, settings in (
        ("session_words", ", detail=none, columnsize=0"),
        ("title_words", ""),
        ("passage_words", ", detail=none, columnsize=0"),
        ("turn_words", ""),
    ):
        db.execute(
            f"create virtual table {table} using fts5(text, content='', tokenize='ascii'{settings})"
        )
        db.execute(f"insert into {table} ({table}, rank) values ('secure-delete', 1)")
        db.execute(f"insert into {table} ({table}, rank) values ('hashsize', {32 << 20})")
    db.execute("alter table sessions add column tokens integer")  # words in the index
    db.execute("alter table passages add column tokens integer")
    db.execute(
        """
        create table text_totals (  -- of the tables of words that keep no sizes
            name text primary key,
            texts integer not null default 0,
            tokens integer not null default 0,  -- of all texts together
            words integer not null default 0    -- different ones in each text
        ) strict, without rowid
        """
    )
    db.execute("insert into text_totals (name) values ('session_words'), ('passage_words')")
    db.execute("update sessions set indexed = null")
    db.execute("create index sessions_unindexed on sessions (id) where indexed is null")
