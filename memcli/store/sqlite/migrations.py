"""The schema, as the numbered steps that built it.

A step is never edited once released: a mistake is corrected by the next step. The number of
steps taken is kept in the database itself, in `pragma user_version`. All pending steps run in
one transaction, so a database is either untouched or current. The tables of vectors are not a
step: their width depends on the embedder, so they are made when an embedder first writes.
"""

import apsw

from memcli.errors import StoreError
from memcli.store.sqlite.vector_step import m0013_small_vectors

APPLICATION = 0x6D656D31  # "mem1", in the file's header: tells our databases from others'


def m0001_sessions(db: apsw.Connection) -> None:
    """Conversations, and the sessions they are cut into. With the turns, these are the truth."""
    db.execute(f"pragma application_id = {APPLICATION}")
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
    """What was said."""
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
    """What is searched: sessions, passages and turns as words, passages as vectors."""
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
    """What models said before, so that they need not be asked again."""
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
    """Which copy of a conversation is the newest, and what else sources say of a turn."""
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
    """What was ingested, so that it can be read again when it has changed."""
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


def m0007_memory(db: apsw.Connection) -> None:
    """What one transaction adds to the full text is merged in memory: twice as fast to index."""
    for table in ("session_words", "passage_words", "turn_words"):
        db.execute(f"insert into {table} ({table}, rank) values ('hashsize', {32 << 20})")


def m0008_forgotten(db: apsw.Connection) -> None:
    """What must not come back, as digests: nobody can read what it was."""
    db.execute("create table forgotten (digest text primary key) strict, without rowid")


def m0009_embedders(db: apsw.Connection) -> None:
    """One embedder serves while the vectors of the next one are made."""
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


def m0010_memories(db: apsw.Connection) -> None:
    """What was found worth remembering, and the turns it came from.

    No memory can be without a source, and no source without a turn: a memory names one of its
    sources, and that names a turn, both checked when a transaction ends; with its last source a
    memory goes. Turns are named by their keys, which stay when a conversation grows.
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
    _memory_sources(db)


def _memory_sources(db: apsw.Connection) -> None:
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


def m0011_reads(db: apsw.Connection) -> None:
    """What was read for memories, by the turns it was of: they outlive a session cut anew."""
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
    # A reading may quote each of its turns: where one is forgotten, all of it is.
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


def m0012_parents(db: apsw.Connection) -> None:
    """Nobody asks for the answers to a turn: an index less to write to for each."""
    db.execute("drop index turns_by_parent")


STEPS = (
    m0001_sessions,
    m0002_turns,
    m0003_index,
    m0004_cache,
    m0005_copies,
    m0006_sources,
    m0007_memory,
    m0008_forgotten,
    m0009_embedders,
    m0010_memories,
    m0011_reads,
    m0012_parents,
    m0013_small_vectors,
)


def migrate(db: apsw.Connection) -> None:
    """Bring the database up to the newest step; a current database is not written to.

    Raises:
        StoreError: a newer memcli has already taken the schema further.
    """
    if _steps_taken(db) == len(STEPS):
        return
    db.execute("begin immediate")  # one migrating process at a time
    try:
        taken = _steps_taken(db)  # again: another process may have just finished
        if taken > len(STEPS):
            raise StoreError(
                f"the database has schema {taken}, this memcli knows {len(STEPS)}",
                hint="upgrade memcli, or name another file with `--db`",
            )
        for number, step in enumerate(STEPS[taken:], start=taken + 1):
            step(db)
            db.execute(f"pragma user_version = {number}")
    except BaseException:
        if db.in_transaction:  # not where SQLite rolled back itself
            db.execute("rollback")
        raise
    db.execute("commit")


def is_current(db: apsw.Connection) -> bool:
    """Return whether every step was taken, and none that is not known here."""
    return _steps_taken(db) == len(STEPS)


def _steps_taken(db: apsw.Connection) -> int:
    [(taken,)] = db.execute("pragma user_version").fetchall()
    return int(str(taken))
