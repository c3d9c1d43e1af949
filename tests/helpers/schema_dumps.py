"""Databases of every released schema, as SQL dumps in `tests/store/schemas/`.

`0008.sql` is a database that has taken the first eight steps and was then filled as the code of
that time did. A dump is never changed. After a new step was added to `STEPS`, add what its tables
hold to `_insert_rows` and run `python -m helpers.schema_dumps` in `tests/`: it writes the dumps
that are missing.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import sqlite_vec

from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.migrations import STEPS
from memcli.store.tables.packed_texts import pack_texts

FOLDER = Path(__file__).parents[1] / "store" / "schemas"
SMALL_FULL_TEXT = 21  # the step that lets the words be written again
PACKED = 19  # the step from which on the texts of a session are compressed together
DIMENSIONS = 12  # no whole number of bytes as bits
VECTORS = {  # by number of the passage; before they are stretched to length 1
    1: [3, 1, 0, 0, -1, 2, 0, 0, 1, -2, 0, 1],
    2: [-1, 2, 3, 0, 0, 0, -2, 1, 0, 1, 0, 0],
    3: [0, 0, -1, 4, 1, 0, 1, 0, -2, 0, 1, 3],
    4: [1, -1, 0, 2, 0, -3, 0, 1, 0, 0, 2, -1],
    5: [0] * DIMENSIONS,  # without a direction
}
SESSIONS = [  # id, public, conversation, title, start and end (UTC, ms), offset, participants
    (
        1,
        "s_lsbn000001",
        1,
        "Trip to Lisbon",
        1709294400000,
        1709294460000,
        0,
        ["user", "assistant"],
    ),
    (2, "s_annn000001", 2, "Ann", 1714557600000, 1714557660000, 120, ["Ann", "me"]),
    (3, "s_annn000002", 2, "Ann", 1714989600000, 1714989600000, 120, ["Ann"]),
]
TURNS = [  # session, conversation, position, key, parent, role, speaker, text, sent_at, kind
    (1, 1, 1, "t1", None, "user", None, "I must not eat hazelnuts.", 1709294400000, "text"),
    (1, 1, 2, "t2", "t1", "assistant", None, "Noted, no hazelnuts.", 1709294460000, "text"),
    (2, 2, 1, "a1", None, "person", "Ann", "The ferry leaves at nine.", 1714557600000, "text"),
    (2, 2, 2, "a2", None, "user", "me", "東京 is next?", 1714557660000, "text"),
    (3, 2, 1, "a3", None, "person", "Ann", "Umbrella \U0001f302", 1714989600000, "media"),
]
PASSAGES = [  # id, session, first and last turn, first and last character of a turn
    (1, 1, 1, 2, 0, None),
    (2, 2, 1, 1, 0, 9),
    (3, 2, 1, 1, 9, None),
    (4, 2, 2, 2, 0, None),
    (5, 3, 1, 1, 0, None),
]
WORDS: dict[str, list[tuple[object, ...]]] = {
    # Rows of the full text: folded, and cut into pairs where a script has no spaces
    "session_words": [
        (1, "trip to lisbon", "user assistant", "friday 1 march 2024 2024-03-01",
         "i must not eat hazelnuts.", "noted, no hazelnuts."),
        (2, "ann", "ann me", "wednesday 1 may 2024 2024-05-01",
         "ann: the ferry leaves at nine.\nme: 東京 京 is next?", ""),
        (3, "ann", "ann", "monday 6 may 2024 2024-05-06", "ann: umbrella \U0001f302", ""),
    ],
    "passage_words": [
        (1, "i must not eat hazelnuts.\nnoted, no hazelnuts."), (2, "the ferry"),
        (3, " leaves at nine."), (4, "me: 東京 京 is next?"), (5, "ann: umbrella \U0001f302"),
    ],
    "turn_words": [
        (1, "i must not eat hazelnuts."), (2, "noted, no hazelnuts."),
        (3, "ann: the ferry leaves at nine."), (4, "me: 東京 京 is next?"),
        (5, "ann: umbrella \U0001f302"),
    ],
}  # fmt: skip


def load(number: int, path: Path) -> None:
    """Make a database file of the dump of a schema."""
    with closing(_connect(str(path))) as db:
        db.execute((FOLDER / f"{number:04}.sql").read_text("utf-8"))


def schema(database: Database) -> set[tuple[str, str]]:
    """Return the names and statements of everything in a database but the tables of vectors."""
    return {
        (name, sql)
        for name, sql in database.rows("select name, sql from sqlite_schema where sql is not null")
        if not name.startswith(("vectors_", "bits_", "memory_vectors_"))
    }


def _connect(path: str) -> apsw.Connection:
    db = apsw.Connection(path)
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    return db


def _build(number: int) -> apsw.Connection:
    """Return a database, in memory, with the first steps taken and a few rows."""
    db = _connect(":memory:")
    for step in STEPS[:number]:
        step(db)
    db.execute(f"pragma user_version = {number}")
    _insert_rows(db, number)
    return db


def _insert_rows(db: apsw.Connection, number: int) -> None:
    def add(table: str, *rows: tuple[object, ...], columns: str = "") -> None:
        marks = ", ".join("?" * len(rows[0]))
        db.executemany(f"insert into {table} {columns} values ({marks})", rows)

    add(
        "conversations",
        (1, "chatgpt", "c-1", 0),
        (2, "whatsapp", "Ann", 1),
        columns="(id, source, key, endless)",
    )
    add(
        "sessions",
        *((*row, json.dumps(names)) for *row, names in SESSIONS),
        columns="(id, public, conversation_id, title, started_at, ended_at, utc_offset,"
        " participants)",
    )
    if number >= 2:
        _insert_turns(db, packed=number >= PACKED)
        add("revisions", (1, 1, "t1", "I must not eat nuts.", "5f0e"), (2, 1, None, "Trip", "77ab"))
    if number >= 3:
        add("passages", *PASSAGES, columns="(id, session_id, first, last, start, stop)")
        # From then on, a database with words looks like one whose words are not yet written.
        for table, rows in WORDS.items() if number < SMALL_FULL_TEXT else ():
            columns = "(rowid, text)"
            if table == "session_words":
                columns = "(rowid, title, speakers, dates, people, assistant)"
            add(table, *tuple(rows), columns=columns)
        add(
            "embedders",
            (1, "print", "tiny", DIMENSIONS),
            columns="(id, fingerprint, name, dimensions)",
        )
        _insert_vectors(db, number)
    if number >= 4:
        add("answers", (1, "key", '{"order": [1, 0]}'))
    if number >= 5:
        db.execute("update conversations set as_of = 1714989600000 where id = 2")
        db.execute("update turns set edited_at = 1709294405000, missing = 1 where key = 't1'")
        add("aliases", ("s_annn000009", 2, "a2"))
    if number >= 6:
        add("sources", (b"/home/ann/chat.zip", '{"format": "whatsapp"}'))
        add(
            "files",
            (b"/home/ann/chat.zip", "state", "head", 120, 3, "[]"),
            columns="(path, state, head, offset, line, reports)",
        )
    if number >= 8:
        add("forgotten", ("00112233445566778899aabbccddeeff",))
    if number >= 9:
        db.execute("update embedders set named = 'tiny-embedder'")
    if number >= 10:
        _insert_memories(db)
    if number >= 11:
        add("readings", (1, "way", "reader", "added", "an allergy", '[{"thought": "é"}]'))
        digest = "cfcd3981dc32e2a1f27f9d7d8ea05e32"
        add("read_turns", (1, 1, "t1", digest, 25))
        add("reading_memories", (1, "m_nuts000001"))
    if number >= 15:
        db.execute("update sessions set checksum = '00' where id = 1")
    if number >= 18:
        db.execute("update files set content = '120 0123456789abcdef'")
    if number >= 17:
        written = "''" if number < SMALL_FULL_TEXT else "null"
        db.execute(
            f"update sessions set indexed = {written}, words = 2, messages ="
            " (select count(*) from turns where session_id = sessions.id)"
        )
    if number >= 16:
        db.execute("update tombstone_keys set key = '0123456789abcdef'")  # the same in every dump
        add("tombstone_keys", (2, "fedcba9876543210"))
        add("backups", (b"/home/ann/backup.db", 1714989600000))


def _insert_turns(db: apsw.Connection, *, packed: bool) -> None:
    last = "characters" if packed else "text"
    columns = (
        "session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset,"
        f" clock, kind, active, {last}"
    )
    texts: dict[int, list[bytes]] = {}
    for session, *own, text, sent_at, kind in TURNS:
        texts.setdefault(int(str(session)), []).append(str(text).encode())
        db.execute(
            f"insert into turns ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [session, *own, sent_at, 120, "exact", kind, 1, len(str(text)) if packed else text],
        )
    for session in texts if packed else ():
        db.execute("insert into texts values (?, ?)", [session, pack_texts(texts[session])])


def _insert_vectors(db: apsw.Connection, number: int) -> None:
    if number < 13:
        db.execute(
            f"create virtual table vectors_1 using vec0(embedding float[{DIMENSIONS}]"
            " distance_metric=cosine)"
        )
        db.executemany(
            "insert into vectors_1 (rowid, embedding) values (?, vec_normalize(?))",
            [(passage, str(vector)) for passage, vector in VECTORS.items()],
        )
        return
    db.execute("create table vectors_1 (id integer primary key, embedding blob not null) strict")
    db.execute("create virtual table bits_1 using vec0(embedding bit[16])")
    for passage, vector in VECTORS.items():
        largest = max(map(abs, vector)) or 1
        numbers = [round(one / largest * 127) for one in vector]
        kept = bytes(one % 256 for one in numbers).ljust(16, b"\0")
        db.execute("insert into vectors_1 values (?, ?)", (passage, kept))
        db.execute(
            "insert into bits_1 (rowid, embedding) values (?, vec_quantize_binary(vec_int8(?)))",
            (passage, kept),
        )


def _insert_memories(db: apsw.Connection) -> None:
    db.execute("begin")  # a memory and its source name each other
    db.execute(
        "insert into memories values (1, 'm_nuts000001', 'allergy', 'Allergy', 'UserMemory',"
        " 'Must not eat hazelnuts', '[\"health\"]', 1, null, 1),"
        " (2, 'm_nuts000002', 'allergy', 'Allergy', 'UserMemory', 'Must not eat nuts', '[]', 0,"
        " 1, 2)"
    )
    db.execute(
        "insert into memory_sources values (1, 1, 1, 't1', 'reader 12', '[]'),"
        " (2, 2, 1, 't2', 'you', '[\"nuts\"]')"
    )
    db.execute("commit")
    db.execute(
        "insert into memory_words (rowid, text) values (1, 'allergy\nmust not eat hazelnuts')"
    )
    db.execute("insert into memory_words (rowid, text) values (2, 'allergy\nmust not eat nuts')")
    db.execute(
        f"create virtual table memory_vectors_1 using vec0(embedding float[{DIMENSIONS}]"
        " distance_metric=cosine)"
    )
    for memory in (1, 2):
        db.execute(
            "insert into memory_vectors_1 (rowid, embedding) values (?, vec_normalize(?))",
            (memory, str(VECTORS[memory])),
        )


def _dump(db: apsw.Connection) -> Iterator[str]:
    """Yield the statements that make the database again.

    The tables behind a full-text table are overwritten row by row, because it does not store its
    texts. Vectors are inserted through their table: the tables behind it take a megabyte even for
    one vector.
    """
    for pragma in ("application_id", "user_version"):
        yield f"pragma {pragma} = {db.pragma(pragma)};"
    yield "begin;"
    things = list(
        db.execute(
            "select type, name, sql from sqlite_schema"
            " where sql is not null and name not like 'sqlite!_%' escape '!'"
        )
    )
    virtual = {name for _, name, sql in things if sql.lower().startswith("create virtual")}
    behind = {name for _, name, _ in things if name.rsplit("_", 1)[0] in virtual - {name}}
    behind |= {f"{name}_vector_chunks00" for name in virtual}
    for kind, name, sql in things:
        if kind == "table" and name not in behind:
            yield f"{sql};"
            if name not in virtual or "vec0" in sql:
                yield from _rows(db, name, "rowid, embedding" if name in virtual else None)
    for name in sorted(virtual):
        for part in ("data", "idx", "docsize", "config"):
            if db.table_exists(None, f"{name}_{part}"):
                yield f"delete from {name}_{part};"
                yield from _rows(db, f"{name}_{part}")
    yield from (f"{sql};" for kind, _, sql in things if kind != "table")
    yield "commit;"


def _rows(db: apsw.Connection, table: str, columns: str | None = None) -> Iterator[str]:
    names = columns or ", ".join(row[1] for row in db.execute(f"pragma table_info({table})"))
    quoted = " || ', ' || ".join(f"quote({name})" for name in names.split(", "))
    if "bits_" in table:
        quoted = quoted.replace("quote(embedding)", "'vec_bit(' || quote(embedding) || ')'")
    for (values,) in db.execute(f"select {quoted} from {table}"):
        yield f"insert into {table} ({names}) values ({values});"


if __name__ == "__main__":
    for number in range(1, len(STEPS) + 1):
        target = FOLDER / f"{number:04}.sql"
        if not target.exists():
            with closing(_build(number)) as made:
                target.write_text("\n".join(_dump(made)) + "\n", "utf-8")
