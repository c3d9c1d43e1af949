"""Step 19 of the schema: compressed texts.

It is released and never edited: not even the comments inside the SQL, which SQLite keeps as part of
the schema. It runs while foreign keys are not enforced, as it replaces a table.
"""

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any  # rows of SQLite

import apsw

_SESSION = "public, title, started_at, ended_at, utc_offset, participants"
_TURN = "speaker, sent_at, utc_offset, clock, kind, parent, active, edited_at, missing, included"
_SESSIONS_PER_REPORT = 100


def m0019_packed_texts(
    db: apsw.Connection, progress: Callable[[int, int], object] = lambda _done, _of: None
) -> None:
    """Keep the texts of a session together and compressed, and the turns without them.

    A session that is as it was written gets the checksum of its new form. The checksum of any
    other one stays, which differs from every checksum of the new form.
    """
    _make_tables(db)
    _copy_turns(db)
    numbers: list[Any] = db.execute(
        "select id from sessions union select session_id from turns order by 1"
    ).fetchall()
    for done, (number,) in enumerate(numbers, start=1):
        _pack_session(db, number)
        if done % _SESSIONS_PER_REPORT == 0 or done == len(numbers):
            progress(done, len(numbers))
    db.execute("drop table turns")
    db.execute("alter table turns_now rename to turns")
    db.execute("create index turns_by_session on turns (session_id, position)")
    db.execute("create index turns_first on turns (key) where position = 1")
    db.execute(
        "create index turns_by_speaker on turns (speaker) where speaker is not null and active"
        " and kind in ('text', 'media', 'deleted')"
    )


def _make_tables(db: apsw.Connection) -> None:
    db.execute(
        """
        create table texts (
            session_id integer primary key references sessions on delete cascade,
            packed blob not null        -- the texts of all its turns; `mem export` prints them
        ) strict
        """
    )
    db.execute(
        """
        create table turns_now (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            position integer not null,  -- from 1 within the session
            key text not null,
            parent text,
            role text not null,
            speaker text,
            sent_at integer,            -- UTC, ms
            utc_offset integer not null, -- minutes east, as it was said
            clock text not null,
            kind text not null,
            active integer not null,
            edited_at integer,          -- UTC, ms
            missing integer not null default 0,
            included integer not null default 0,
            characters integer not null, -- of its text; 0 for nothing but blanks
            unique (conversation_id, key)
        ) strict
        """
    )


def _copy_turns(db: apsw.Connection) -> None:
    columns = f"id, session_id, conversation_id, position, key, role, {_TURN}"
    db.create_scalar_function("characters_0019", _count_characters, 1, deterministic=True)
    db.execute(
        f"insert into turns_now ({columns}, characters)"
        f" select {columns}, characters_0019(cast(text as blob)) from turns order by id"
    )
    db.create_scalar_function("characters_0019", None, 1)


def _count_characters(*values: Any) -> int:
    text = values[0].decode("utf-8", "replace")
    return len(text) if text.strip() else 0


def _pack_session(db: apsw.Connection, number: int) -> None:
    rows: list[Any] = db.execute(
        "select cast(text as blob) from turns where session_id = ? order by position", [number]
    ).fetchall()
    texts = [text for (text,) in rows]
    packed = _pack(texts)
    if _unpack(packed) != texts:
        raise RuntimeError(f"the texts of session {number} cannot be stored")
    db.execute("insert into texts (session_id, packed) values (?, ?)", [number, packed])
    checksum: Any = db.execute("select checksum from sessions where id = ?", [number]).get
    old, new = _checksums(db, number, packed)
    if checksum is not None and old == checksum:
        db.execute("update sessions set checksum = ? where id = ?", [new, number])


def _checksums(db: apsw.Connection, number: int, packed: bytes) -> tuple[str, str]:
    """Return the checksums of a session in its old form and in the new one.

    They are empty if its text is not UTF-8 any more.
    """
    try:
        own: list[Any] = db.execute(
            f"select {_SESSION} from sessions where id = ?", [number]
        ).fetchall()
        turns: list[Any] = db.execute(
            f"select text, position, key, role, {_TURN} from turns where session_id = ?"
            " order by position",
            [number],
        ).fetchall()
    except UnicodeDecodeError:
        return "", ""
    old = blake2b(digest_size=16)
    for row in (*own, *((*row[:3], text, *row[3:]) for text, *row in turns)):
        old.update(json.dumps(row).encode())
    new = [*own, *((*row, len(text) if text.strip() else 0) for text, *row in turns)]
    return old.hexdigest(), blake2b(json.dumps(new).encode() + packed, digest_size=16).hexdigest()


def _pack(texts: Sequence[bytes]) -> bytes:
    """Return the number of texts, their lengths and the texts, compressed or after a zero byte."""
    content = struct.pack(f"<{len(texts) + 1}I", len(texts), *map(len, texts)) + b"".join(texts)
    packed = zlib.compress(content, 4)
    if len(packed) <= len(content) <= max(1 << 24, 100 * len(packed)):
        return packed
    return b"\0" + content


def _unpack(packed: bytes) -> list[bytes]:
    content = packed[1:] if packed.startswith(b"\0") else zlib.decompress(packed)
    (count,) = struct.unpack_from("<I", content)
    start, texts = 4 * (count + 1), []
    for length in struct.unpack_from(f"<{count}I", content, 4):
        texts.append(content[start : start + length])
        start += length
    return texts
