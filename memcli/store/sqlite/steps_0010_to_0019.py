"""Steps 10 to 19 of the schema: memories, readings, small vectors, checksums, forgetting.

These steps are released and never edited: not even the comments inside the SQL, which SQLite keeps
as part of the schema.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any  # rows of SQLite

import apsw

_BATCH = 4096  # vectors that step 13 converts at a time, 1 KB each or a few


def m0010_memories(db: apsw.Connection) -> None:
    """Make the tables of memories and of the turns they came from.

    No memory can exist without a source, and no source without a turn: a memory names one of its
    sources, the source names a turn, and SQLite checks both when a transaction ends. A memory is
    deleted with its last source. Turns are named by their keys, which stay the same when a
    conversation grows.
    """
    db.execute(
        """
        create table memories (
            id integer primary key autoincrement,   -- never given again
            public text not null unique,    -- m_ and ten characters
            subject text not null,          -- its key as keys are compared
            key text not null,
            type text not null,
            value text not null,
            tags text not null,             -- JSON list
            accepted integer not null default 0,    -- by the person
            edited_into integer references memories on delete set null,
            source_id integer not null,     -- one of its sources
            foreign key (source_id, id) references memory_sources (id, memory_id)
                deferrable initially deferred
        ) strict
        """
    )
    db.execute("create index memories_by_subject on memories (subject)")
    db.execute("create index memories_by_edit on memories (edited_into)")
    db.execute(
        "create virtual table memory_words using fts5(text, content='', contentless_delete=1,"
        ' tokenize="porter unicode61 remove_diacritics 2")'
    )
    _make_memory_sources(db)


def _make_memory_sources(db: apsw.Connection) -> None:
    db.execute(
        """
        create table memory_sources (
            id integer primary key autoincrement,
            memory_id integer not null references memories on delete cascade,
            conversation_id integer not null,
            turn text not null,             -- its key
            by text not null,               -- you, or the model that found it
            unsupported text not null,      -- JSON list: what the turn does not say of the fact
            unique (memory_id, conversation_id, turn),
            unique (id, memory_id),
            foreign key (conversation_id, turn) references turns (conversation_id, key)
                deferrable initially deferred
        ) strict
        """
    )
    db.execute("create index memory_sources_by_turn on memory_sources (conversation_id, turn)")
    db.execute(
        """
        create trigger memory_source_gone after delete on memory_sources begin
            delete from memories where id = old.memory_id
                and not exists (select 1 from memory_sources where memory_id = old.memory_id);
            update memories
                set source_id = (select min(id) from memory_sources where memory_id = old.memory_id)
                where id = old.memory_id and source_id = old.id;
        end
        """
    )


def m0011_readings(db: apsw.Connection) -> None:
    """Make the tables of readings, by turn, so that they survive when a session is cut anew."""
    db.execute(
        """
        create table readings (     -- of a segment by a reader
            id integer primary key,
            way text not null,      -- digest of the reader and of how it is asked
            model text not null,    -- its name
            outcome text not null,  -- added, ignored, buffered, failed
            reason text not null,
            trace text              -- JSON; null where it was not to be kept
        ) strict
        """
    )
    db.execute(
        """
        create table read_turns (
            reading_id integer not null references readings on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            key text not null,
            digest text not null,   -- of its text, as it was read
            stop integer not null,  -- characters of it that were read by then
            primary key (conversation_id, key, reading_id)
        ) strict, without rowid
        """
    )
    db.execute("create index read_turns_by_reading on read_turns (reading_id)")
    # A reading may quote any of its turns: when one of them is deleted, the reading is, too.
    db.execute(
        "create trigger readings_forgotten after delete on read_turns"
        " begin delete from readings where id = old.reading_id; end"
    )
    db.execute(
        """
        create table reading_memories (     -- what it added, or found to be there
            reading_id integer not null references readings on delete cascade,
            memory text not null,           -- m_ and ten characters
            primary key (memory, reading_id)
        ) strict, without rowid
        """
    )
    db.execute("create index reading_memories_by_reading on reading_memories (reading_id)")
    db.execute(
        "create trigger reading_memories_forgotten after delete on memories"
        " begin delete from reading_memories where memory = old.public; end"
    )


def m0012_drop_parent_index(db: apsw.Connection) -> None:
    """Drop an index that no query uses and every new turn has to be written to."""
    db.execute("drop index turns_by_parent")


def m0013_small_vectors(db: apsw.Connection) -> None:
    """Keep one byte per number of a passage's vector, and the signs as bits to search by."""
    embedders: list[Any] = db.execute("select id, dimensions from embedders").fetchall()
    for number, dimensions in embedders:
        width = (dimensions + 7) // 8 * 8  # numbers kept per vector: bits come in bytes
        rows = list(_vectors_as_bytes(db, number, width))
        db.execute(f"drop table if exists vectors_{number}")
        db.execute(
            f"create table vectors_{number} ("
            "id integer primary key, embedding blob not null) strict"
        )
        db.execute(f"create virtual table bits_{number} using vec0(embedding bit[{width}])")
        db.executemany(f"insert into vectors_{number} values (?, ?)", rows)
        db.executemany(
            f"insert into bits_{number} (rowid, embedding)"
            " values (?, vec_quantize_binary(vec_int8(?)))",
            rows,
        )


def m0014_cut_rules(db: apsw.Connection) -> None:
    """Keep by which rules each conversation was cut into sessions, so that it can be cut again."""
    db.execute("alter table conversations add column cut_rule integer not null default 1")


def _vectors_as_bytes(db: apsw.Connection, number: int, width: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of each passage and its vector as int8, stretched to a maximum of 127.

    A vector of zeros, or with a number that is not finite, becomes zeros; zeros also fill it up
    to the width. The caller reads all vectors before it writes the first one: the space that they
    took is free by then, and the database does not grow.
    """
    if not db.execute("select 1 from sqlite_schema where name = ?", [f"vectors_{number}"]).get:
        return
    import numpy as np

    rows: Iterator[Any] = db.execute(f"select rowid, embedding from vectors_{number}")
    while batch := list(islice(rows, _BATCH)):
        vectors = np.stack([np.frombuffer(raw, "<f4") for _, raw in batch])
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        usable = np.isfinite(largest) & (largest > 0)
        stretched = np.divide(vectors, largest, out=np.zeros_like(vectors), where=usable)
        for (passage, _), row in zip(batch, (stretched * 127).round().astype(np.int8), strict=True):
            yield passage, row.tobytes().ljust(width, b"\0")


def m0015_checksums(db: apsw.Connection) -> None:
    """Add a checksum to each session; those of older sessions are computed later."""
    db.execute("alter table sessions add column checksum text")


def m0016_forgetting(db: apsw.Connection) -> None:
    """Make the tables of the keys of tombstones, the first being our own, and of backups."""
    db.execute(
        """
        create table tombstone_keys (   -- without one, a digest confirms no guess
            id integer primary key,     -- 1 is our own; the others came with other databases
            key text not null unique
        ) strict
        """
    )
    db.execute("insert into tombstone_keys (key) values (lower(hex(randomblob(16))))")
    db.execute(
        """
        create table backups (
            path blob primary key,      -- absolute
            made_at integer not null    -- UTC, ms
        ) strict, without rowid
        """
    )


def m0017_erasable_words(db: apsw.Connection) -> None:
    """Let FTS5 erase words from where they stand, and keep counts of what is counted often.

    Once the pages of the old tables are merged, nothing in them is only marked as deleted, and the
    new tables take them over as they are.
    """
    db.execute("alter table sessions add column indexed text")  # rules by which words were made
    db.execute("alter table sessions add column messages integer not null default 0")
    db.execute("alter table sessions add column words integer")  # null: not counted yet
    db.execute(
        "update sessions set messages = (select count(*) from turns where session_id = sessions.id"
        " and active and kind in ('text', 'media', 'deleted'))"
    )
    db.execute(
        "update sessions set indexed = '' where id in (select id from session_words_docsize)"
    )
    db.execute(
        "create index turns_by_speaker on turns (speaker) where speaker is not null and active"
        " and kind in ('text', 'media', 'deleted')"
    )
    for table, columns in (
        ("session_words", "title, speakers, dates, people, assistant"),
        ("turn_words", "text"),
        ("passage_words", "text"),
    ):
        db.execute(f"insert into {table} ({table}) values ('optimize')")
        db.execute(f"alter table {table} rename to old_{table}")
        db.execute(
            f"create virtual table {table} using fts5({columns}, content='',"
            ' tokenize="porter unicode61 remove_diacritics 2")'
        )
        db.execute(f"delete from {table}_data")
        db.execute(f"insert into {table}_data select * from old_{table}_data")
        db.execute(f"insert into {table}_idx select * from old_{table}_idx")
        db.execute(f"insert into {table}_docsize select id, sz from old_{table}_docsize")
        db.execute(f"insert or replace into {table}_config select * from old_{table}_config")
        db.execute(f"insert into {table} ({table}, rank) values ('secure-delete', 1)")
        db.execute(f"drop table old_{table}")


def m0018_file_contents(db: apsw.Connection) -> None:
    """Keep a digest of the content of files, by which those that were only touched are known."""
    db.execute("alter table files add column content text")
