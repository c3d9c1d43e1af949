"""The words of sessions, turns and passages in FTS5, as they are written and erased.

FTS5 stores no text, so that it has to be given the same text again to erase it: then it takes the
words out of the pages that they are on, and no byte of them is left. The text is made from the
stored turns. If they, or the rules by which it is made, have changed since, all tables are written
again instead: once after an upgrade from a memcli that did not keep by which rules it wrote.
"""

import json
import unicodedata
from collections.abc import Sequence
from typing import Any  # a number, then texts

import apsw

from memcli.domain import Kind, Passage, Role, Session
from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import count_words, normalize_for_index, stem_words
from memcli.store.tables.checksums import compute_checksum
from memcli.store.tables.sessions import SessionTable

# Raise the number when `normalize_for_index` or the columns change: a test notices.
RULES = f"1 {unicodedata.unidata_version}"

_COLUMNS = {
    "session_words": ("title", "speakers", "dates", "people", "assistant"),
    "turn_words": ("text",),
    "passage_words": ("text",),
}
_SETTINGS = "content='', tokenize=\"porter unicode61 remove_diacritics 2\""
_WITH_WORDS = (Kind.TEXT, Kind.MEDIA)  # kinds whose words are counted
_KEY_MARK = b"0"  # FTS5 writes it before every key

_ROWS_AT_ONCE = 32  # of several texts, each of which is looked for in a list of this length
_LONE_TEXTS_AT_ONCE = 128

TextRows = dict[str, list[tuple[Any, ...]]]  # by table: (rowid, text of each column)


def recreate_word_tables(database: Database) -> None:
    """Create the tables anew, empty, with the settings of those that are there."""
    for table, columns in _COLUMNS.items():
        settings = database.rows(f"select k, v from {table}_config where k != 'version'")
        database.rows(f"drop table {table}")
        database.rows(f"create virtual table {table} using fts5({', '.join(columns)}, {_SETTINGS})")
        values = {**dict(settings), "secure-delete": 1}
        database.many(f"insert into {table} ({table}, rank) values (?, ?)", list(values.items()))


def word_rows(
    database: Database, number: int, session: Session, passages: dict[int, Passage]
) -> TextRows:
    """Return the words of a session for `add_words`, and count them.

    Args:
        database: the database.
        number: the number of the session.
        session: the session.
        passages: its passages, by number.
    """
    words = sum(
        count_words(turn.text) for turn in session.turns if turn.active and turn.kind in _WITH_WORDS
    )
    database.rows(
        "update sessions set indexed = ?, words = ? where id = ?", *(RULES, words, number)
    )
    return _text_rows(database, number, session, passages)


def add_words(database: Database, rows: TextRows) -> None:
    """Write words: many rows in one statement, in which other threads can run Python."""
    for table, columns in _COLUMNS.items():
        first, *others = texts = [f"c{at}" for at in range(1, len(columns) + 1)]
        joined = " ".join(
            f"cross join carray(?) as {each} on {each}.rowid = {first}.rowid" for each in others
        )
        statement = (
            f"insert into {table} (rowid, {', '.join(columns)})"
            f" select ? ->> ({first}.rowid - 1), {', '.join(f'{each}.value' for each in texts)}"
            f" from carray(?) as {first} {joined}"
        )
        size = _ROWS_AT_ONCE if others else _LONE_TEXTS_AT_ONCE
        for start in range(0, len(rows[table]), size):
            numbers, *values = zip(*rows[table][start : start + size], strict=True)
            database.rows(statement, json.dumps(numbers), *map(apsw.carray, values))


def remove_words(database: Database, number: int) -> None:
    """Erase the words of a stored session, if they were written."""
    [(rules, checksum)] = database.rows(
        "select indexed, checksum from sessions where id = ?", number
    )
    if rules is None:
        return
    try:
        session = SessionTable(database).by_number(number)
    except StoreError:  # it is damaged
        rules = None
    if rules != RULES or (checksum and checksum != compute_checksum(database, number)):
        write_again(database, leaving_out=number)
        return
    passages = passages_of(database, number)
    for table, rows in _text_rows(database, number, session, passages).items():
        columns = _COLUMNS[table]
        places = ", ".join("?" * (len(columns) + 1))
        database.many(
            f"insert into {table} ({table}, rowid, {', '.join(columns)})"
            f" values ('delete', {places})",
            rows,
        )


def write_again(database: Database, *, leaving_out: int) -> None:
    """Write the words of all sessions but one into new tables."""
    recreate_word_tables(database)
    sessions = SessionTable(database)
    numbers = database.rows(
        "select id from sessions where indexed is not null and id != ?", leaving_out
    )
    for (number,) in numbers:
        session, passages = sessions.by_number(number), passages_of(database, number)
        add_words(database, word_rows(database, number, session, passages))


def erase_keys(database: Database, texts: Sequence[str]) -> None:
    """Erase what the keys of pages have kept of words that were removed.

    Args:
        database: the database.
        texts: everything that was removed.
    """
    words = stem_words(map(normalize_for_index, texts))
    beginnings = {word[:end] for word in words for end in range(1, len(word) + 1)}
    for table in _COLUMNS:
        _shorten_keys(database, table, beginnings)


def _shorten_keys(database: Database, table: str, beginnings: set[bytes]) -> None:
    """Replace keys that only removed words begin with by keys of words that are there.

    A key stands between the last word of a page and the first of the next one. FTS5 leaves it as
    it is when that word is removed. The next word that is there, cut behind the first letter by
    which it differs, stands between them, too.
    """
    vocabulary = f"temp.words_of_{table}"
    database.rows(
        f"create virtual table if not exists {vocabulary} using fts5vocab(main, {table}, row)"
    )
    database.rows(f"select term from {vocabulary} limit 1")  # FTS5 writes what it has in memory
    for segment, key in database.rows(f"select segid, cast(term as blob) from {table}_idx"):
        start = key.removeprefix(_KEY_MARK)
        if start not in beginnings:
            continue
        rows = database.rows(
            f"select cast(term as blob) from {vocabulary} where term >= cast(? as text) limit 1",
            start,
        )
        following = rows[0][0] if rows else b""
        if following.startswith(start):
            continue
        same = next(at for at in range(len(start)) if following[at : at + 1] != start[at : at + 1])
        database.rows(
            f"update {table}_idx set term = ? where segid = ? and term = ?",
            *(_KEY_MARK + (following[: same + 1] or b"\xff"), segment, key),
        )


def passages_of(database: Database, number: int) -> dict[int, Passage]:
    """Return the passages of a session in order, by number."""
    rows = database.rows(
        "select id, first, last, start, stop from passages where session_id = ? order by id",
        number,
    )
    return {passage: Passage(*place) for passage, *place in rows}


def _text_rows(
    database: Database, number: int, session: Session, passages: dict[int, Passage]
) -> TextRows:
    """Return the text of a session for each table: the same whenever it is called."""
    texts = {
        position: normalize_for_index(f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text)
        for position, turn in enumerate(session.turns, start=1)
        if turn.is_searchable
    }
    assistant = {at for at in texts if session.turns[at - 1].role == Role.ASSISTANT}
    whole = (
        normalize_for_index(session.title),
        normalize_for_index(" ".join(session.participants)),
        _dates(session),
        "\n".join(text for at, text in texts.items() if at not in assistant),
        "\n".join(text for at, text in texts.items() if at in assistant),
    )
    turns = database.rows("select id, position from turns where session_id = ?", number)
    return {
        "session_words": [(number, *whole)],
        "turn_words": [(turn, texts[position]) for turn, position in turns if position in texts],
        "passage_words": [
            (at, _passage_words(session, passage, texts)) for at, passage in passages.items()
        ],
    }


def _passage_words(session: Session, passage: Passage, turns: dict[int, str]) -> str:
    if passage.start or passage.stop is not None:
        text = session.turns[passage.first - 1].text
        return normalize_for_index(text[passage.start : passage.stop])
    covered = range(passage.first, passage.last + 1)
    return "\n".join(turns[at] for at in covered if at in turns)


def _dates(session: Session) -> str:
    """Return the days of a session in words and figures, as people write them."""
    days = {turn.sent_at.date(): None for turn in session.turns if turn.sent_at}
    return " ".join(f"{day:%A} {day.day} {day:%B %Y %Y-%m-%d}" for day in days)
