"""The rescue of every readable row of a damaged database into a new one.

Rows are read one after another; where SQLite fails, the search goes on behind the damage. Whatever
can be made again from the turns is not read. The rows of an older database go into one of its own
schema, which is migrated then. Texts that are left without their turn get a new turn, and a turn
that is left without its text is dropped.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from memcli.domain import Role, Turn
from memcli.errors import StoreError, UsageError
from memcli.lazy_dataclasses import dataclass
from memcli.store.encryption.connect import READ, connect
from memcli.store.encryption.key_sources import find_key
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.migrations import STEPS
from memcli.store.tables.packed_texts import pack_texts, recover_texts, unpack_texts
from memcli.store.tables.session_rows import TURN_COLUMNS, turn_values

# The tables that hold what a person imported or wrote, and what follows from nothing else.
_TABLES = (
    "conversations",
    "sessions",
    "turns",
    "texts",
    "revisions",
    "aliases",
    "sources",
    "tombstone_keys",
    "forgotten",
    "memories",
    "memory_sources",
    "readings",
    "read_turns",
    "reading_memories",
    "backups",
)
_LOST_CONVERSATION = 1 << 40  # of texts whose turns and session are lost
_LONGEST_GAP = 1 << 40  # numbers behind the last readable row that are tried, ever farther apart
_NUMBERED_GAP = 512  # numbers behind it of which each is tried


@dataclass(frozen=True, slots=True)
class RescueReport:
    """Counts of what was saved."""

    sessions: int
    turns: int
    dropped: int  # rows that could be read, and belong to a row or text that could not


def rescue(damaged: Path, target: Path) -> RescueReport:
    """Copy every readable row of a damaged database into a new one, without an index.

    The new one is encrypted with the same key if the damaged one is encrypted.

    Args:
        damaged: the damaged database, which stays as it is.
        target: the new database, which must not exist.

    Raises:
        UsageError: the target exists.
        StoreError: not even the list of tables can be read.
    """
    if target.exists():
        raise UsageError(f"{target} is already there", hint="name a file that does not exist")
    if not damaged.exists():
        raise StoreError(f"no database at {damaged}", hint="`--db FILE` names another")
    key = find_key(damaged)
    try:
        source = connect(damaged, READ, key=key)
    except apsw.Error as error:
        raise StoreError(f"{damaged} cannot be opened: {error}") from error
    new_key = key if key is None or key.fits() else key.with_repaired_salt()
    with closing(source):
        schema = _schema_of(source)
        with closing(Database(target, wait=0, new_key=new_key, schema=schema)) as new:
            new.rows("pragma foreign_keys = off")
            with new.transaction():
                for table in _TABLES:
                    if new.rows("select 1 from sqlite_schema where name = ?", table):
                        _copy_table(source, new, table)
    with closing(Database(target, wait=0)) as new:
        new.rows("pragma foreign_keys = off")
        with new.transaction():
            dropped = sum(map(partial(_match_texts, new), _numbers_of_sessions(new)))
            _add_missing_parents(new)
        dropped += _drop_orphans(new)
        new.rows(
            "update sessions set words = null, messages = (select count(*) from turns"
            " where session_id = sessions.id and active and kind in ('text', 'media', 'deleted'))"
        )
        [(sessions, turns)] = new.rows(
            "select (select count(*) from sessions), (select count(*) from turns)"
        )
    if not turns:
        target.unlink()
        if key and not key.fits():
            raise key.wrong_key_error(damaged)
        raise StoreError(
            f"nothing can be read of {damaged}",
            hint="put a backup in its place, or import the exports into another file with `--db`",
        )
    return RescueReport(sessions, turns, dropped)


def _schema_of(source: apsw.Connection) -> int | None:
    """Return the number of a database's last step, None if it cannot be told."""
    try:
        [(taken,)] = source.execute("pragma user_version").fetchall()
    except apsw.Error:
        return None
    return int(str(taken)) if 0 < int(str(taken)) <= len(STEPS) else None


def _numbers_of_sessions(new: Database) -> list[int]:
    rows = new.rows(
        "select session_id from texts union select session_id from turns union"
        " select id from sessions"
    )
    return [number for (number,) in rows]


def _match_texts(new: Database, session: int) -> int:
    """Give every text a turn, and delete the turns without a text; return their number.

    A session that is as it was stays as it is. The checksum of any other one stays, so that
    `mem doctor` names it.
    """
    found = new.rows("select packed from texts where session_id = ?", session)
    packed = bytes(found[0][0]) if found else b""
    rows = new.rows("select id, position from turns where session_id = ?", session)
    turns = {position: number for number, position in rows}
    with suppress(ValueError):
        if len(unpack_texts(packed)) == len(turns):
            return 0
    texts = dict(enumerate(recover_texts(packed), start=1))
    for position in turns.keys() - texts.keys():
        new.rows("delete from turns where id = ?", turns[position])
    for position in texts.keys() - turns.keys():
        _add_turn(new, session, position, texts[position])
    new.rows(
        "insert or replace into texts (session_id, packed) values (?, ?)",
        *(session, pack_texts([texts[position] for position in sorted(texts)])),
    )
    return len(turns.keys() - texts.keys())


def _add_turn(new: Database, session: int, position: int, text: bytes) -> None:
    """Add a turn of which nothing but the text is left, in its session's conversation."""
    rows = new.rows("select conversation_id from sessions where id = ?", session)
    conversation = rows[0][0] if rows else _LOST_CONVERSATION
    words = text.decode("utf-8", "replace")
    values = {
        "session_id": session,
        "conversation_id": conversation,
        "position": position,
        **dict(
            zip(
                TURN_COLUMNS.split(", "),
                turn_values(Turn(f"rescued {session}/{position}", Role.PERSON, words)),
                strict=True,
            )
        ),
    }
    marks = ", ".join("?" * len(values))
    new.rows(f"insert into turns ({', '.join(values)}) values ({marks})", *values.values())


def _copy_table(source: apsw.Connection, new: Database, table: str) -> None:
    known = [name for (name,) in new.rows("select name from pragma_table_info(?)", table)]
    try:
        found = source.execute("select name from pragma_table_info(?)", [table]).fetchall()
    except apsw.Error:
        return
    columns = [str(name) for (name,) in found if name in known]
    if not columns:
        return
    if table == "tombstone_keys":
        new.rows("delete from tombstone_keys")  # the keys of the damaged database take their place
    marks = ", ".join("?" * len(columns))
    insert = f"insert or replace into {table} ({', '.join(columns)}) values ({marks})"
    for row in _readable_rows(source, table, columns):
        with suppress(StoreError):  # it breaks a rule of the table, so it was damaged
            new.rows(insert, *map(_to_text, row[::2], row[1::2]))


def _readable_rows(source: apsw.Connection, table: str, columns: list[str]) -> Iterator[Any]:
    """Yield the rows of a table that can be read; texts as bytes, which even damaged ones are."""
    found = source.execute("select name, type from pragma_table_info(?)", [table]).fetchall()
    types = {str(name): str(kind) for name, kind in found}
    shown = ", ".join(
        f"typeof({name}), cast({name} as blob)" if types[name].upper() == "TEXT" else f"'', {name}"
        for name in columns
    )
    [(sql,)] = source.execute("select sql from sqlite_schema where name = ?", [table]).fetchall()
    if "without rowid" in str(sql).lower():
        with suppress(apsw.Error):
            yield from source.execute(f"select {shown} from {table}")
        return
    select = f"select rowid, {shown} from {table} where rowid"
    last, gap = -1, 0
    while gap < _LONGEST_GAP:
        try:
            for number, *row in source.execute(f"{select} >= ? order by rowid", [last + 1 + gap]):
                yield row
                last, gap = number, 0
            return
        except apsw.Error:
            gap += 1 if gap < _NUMBERED_GAP else gap


def _to_text(kind: str, value: Any) -> Any:  # Any: as SQLite has it
    return value.decode("utf-8", "replace") if kind == "text" else value


def _add_missing_parents(new: Database) -> None:
    """Give the turns whose session or conversation is lost new ones."""
    new.rows(
        "insert into conversations (id, source, key, endless)"
        " select distinct conversation_id, 'rescued', 'rescued ' || conversation_id, 0 from"
        " (select conversation_id from turns union select conversation_id from sessions)"
        " where conversation_id not in (select id from conversations)"
    )
    new.rows(
        "insert into sessions (id, public, conversation_id, title, started_at, ended_at,"
        " utc_offset, participants) select session_id, 's_' || printf('%010d', session_id),"
        " min(conversation_id), '', min(sent_at), max(sent_at), min(utc_offset), '[]' from turns"
        " where session_id not in (select id from sessions) group by session_id"
    )


def _drop_orphans(new: Database) -> int:
    """Delete the rows that refer to rows that were lost; return their number."""
    dropped = 0
    while broken := new.rows('select "table", rowid from pragma_foreign_key_check'):
        removed = 0
        for table, number in broken:
            if number is None:  # of a table without numbers: all rows that refer to nothing
                condition = _ORPHANS[table]
                [(count,)] = new.rows(f"select count(*) from {table} where {condition}")
                new.rows(f"delete from {table} where {condition}")
            else:
                [(count,)] = new.rows(f"select count(*) from {table} where rowid = ?", number)
                new.rows(f"delete from {table} where rowid = ?", number)
            removed += count
        if not removed:
            break
        dropped += removed
    return dropped


_ORPHANS = {
    "aliases": "conversation_id not in (select id from conversations)",
    "read_turns": "conversation_id not in (select id from conversations)"
    " or reading_id not in (select id from readings)",
    "reading_memories": "reading_id not in (select id from readings)",
}
