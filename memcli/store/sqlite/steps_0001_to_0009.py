"""Steps 1 to 9 of the schema: sessions, turns, full text, cache, sources, embedders.

These steps are released and never edited: not even the comments inside the SQL, which SQLite keeps
as part of the schema.
"""

import apsw

APPLICATION_ID = 0x6D656D31  # "mem1" in the file's header tells our databases from others


def m0001_sessions(db: apsw.Connection) -> None:
    """Make the tables of conversations and of the sessions they are cut into."""
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    db.execute(
        """
        create table conversations (
            id integer primary key,
            source text not null,       -- format or program
            key text not null,          -- the source's own id
            endless integer not null,   -- cut into sessions at quiet gaps
            unique (source, key)
        ) strict
        """
    )
    db.execute(
        """
        create table sessions (
            id integer primary key,
            public text not null unique,    -- s_ and ten characters
            conversation_id integer not null references conversations on delete cascade,
            title text not null,
            started_at integer,             -- UTC, ms
            ended_at integer,
            utc_offset integer not null,    -- minutes east, where it began
            participants text not null      -- JSON list of names
        ) strict
        """
    )
    db.execute("create index sessions_by_conversation on sessions (conversation_id, started_at)")
    db.execute("create index sessions_by_time on sessions (started_at)")


def m0002_turns(db: apsw.Connection) -> None:
    """Make the tables of turns and of their former texts."""
    db.execute(
        """
        create table turns (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            position integer not null,  -- from 1 within the session
            key text not null,
            parent text,
            role text not null,
            speaker text,
            text text not null,
            sent_at integer,            -- UTC, ms
            utc_offset integer not null, -- minutes east, as it was said
            clock text not null,
            kind text not null,
            active integer not null,
            unique (conversation_id, key)
        ) strict
        """
    )
    db.execute("create index turns_by_session on turns (session_id, position)")
    db.execute(
        """
        create table revisions (    -- what a turn said, or how a session was titled, before
            id integer primary key,
            conversation_id integer not null references conversations on delete cascade,
            key text,                   -- of the turn; null for a title
            text text not null,
            digest text not null,       -- of all that was replaced
            unique (conversation_id, digest)
        ) strict
        """
    )


def m0003_index(db: apsw.Connection) -> None:
    """Make the full-text tables of sessions, passages and turns, and the list of embedders."""
    db.execute(
        """
        create table passages (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            first integer not null,  -- positions of the first and last turn, both included
            last integer not null check (last >= first),
            start integer not null,  -- characters of a turn that takes several passages
            stop integer
        ) strict
        """
    )
    db.execute("create index passages_by_session on passages (session_id)")
    words = "content='', contentless_delete=1, tokenize=\"porter unicode61 remove_diacritics 2\""
    db.execute(
        "create virtual table session_words using "
        f"fts5(title, speakers, dates, people, assistant, {words})"
    )
    # Title, speakers, dates, people's words, assistant's words: how much each counts.
    db.execute(
        "insert into session_words (session_words, rank) values ('rank', 'bm25(1, 1, 2, 1, 0.5)')"
    )
    db.execute(f"create virtual table passage_words using fts5(text, {words})")
    db.execute(f"create virtual table turn_words using fts5(text, {words})")
    db.execute(
        """
        create table embedders (  -- vectors of embedder n are in table vectors_n
            id integer primary key,
            fingerprint text not null unique,
            name text not null,
            dimensions integer not null
        ) strict
        """
    )


def m0004_cache(db: apsw.Connection) -> None:
    """Make the cache of model outputs."""
    db.execute(
        """
        create table answers (
            id integer primary key autoincrement,  -- the older, the smaller
            key text not null unique,   -- digest of model, question and what it was shown
            value text not null         -- JSON
        ) strict
        """
    )


def m0005_copies(db: apsw.Connection) -> None:
    """Add the end of a conversation's newest copy, more facts about turns, and former ids."""
    db.execute("alter table conversations add column as_of integer")  # UTC, ms: newest copy's end
    db.execute("alter table turns add column edited_at integer")  # UTC, ms
    db.execute("alter table turns add column missing integer not null default 0")
    db.execute("alter table turns add column included integer not null default 0")
    db.execute("create index turns_by_parent on turns (conversation_id, parent)")
    db.execute("create index turns_first on turns (key) where position = 1")
    db.execute(
        """
        create table aliases (      -- of sessions that began elsewhere, before more was known
            public text primary key,
            conversation_id integer not null references conversations on delete cascade,
            key text not null       -- of the turn it began with
        ) strict, without rowid
        """
    )


def m0006_sources(db: apsw.Connection) -> None:
    """Make the tables of imported paths, which are read again when they have changed."""
    db.execute(
        """
        create table sources (
            path blob primary key,      -- as it was named, absolute
            options text not null       -- JSON: how to read it
        ) strict, without rowid
        """
    )
    db.execute(
        """
        create table files (        -- of sources: all that lies in a folder
            path blob primary key,      -- absolute
            state text not null,        -- digest of size, time of change, head and options
            head text not null,         -- digest of options and the first bytes
            offset integer not null,    -- how far a log was read: bytes
            line integer not null,
            reports text not null       -- JSON: what it gave
        ) strict, without rowid
        """
    )


def m0007_merge_in_memory(db: apsw.Connection) -> None:
    """Let FTS5 merge one transaction's rows in memory, which makes indexing twice as fast."""
    for table in ("session_words", "passage_words", "turn_words"):
        db.execute(f"insert into {table} ({table}, rank) values ('hashsize', {32 << 20})")


def m0008_tombstones(db: apsw.Connection) -> None:
    """Make the table of tombstones: digests, from which nobody can read the text."""
    db.execute("create table forgotten (digest text primary key) strict, without rowid")


def m0009_embedders(db: apsw.Connection) -> None:
    """Let one embedder serve while the vectors of the next one are computed."""
    db.execute(
        """
        create table embedders_now (  -- vectors of embedder n are in table vectors_n
            id integer primary key,
            fingerprint text not null,
            name text not null,
            dimensions integer not null,
            serving integer not null default 1,  -- of those that do not, the vectors are not all
            named text              -- how the person named it: what opens it again
        ) strict
        """
    )
    db.execute(
        "insert into embedders_now (id, fingerprint, name, dimensions)"
        " select id, fingerprint, name, dimensions from embedders"
    )
    db.execute("drop table embedders")
    db.execute("alter table embedders_now rename to embedders")
    db.execute("create unique index embedders_by_role on embedders (serving)")  # one each
