"""The words of sessions, turns and passages in FTS5, as they are written and erased.

    turn_words      all words of turns with their positions, for phrases and words side by side
    title_words     the same of titles
    session_words   the words of sessions by level of frequency, see `word_levels`
    passage_words   the same of passages

FTS5 stores no text, so that it has to be given the same words again to erase them: then it takes
them out of the pages that they are on, and no byte of them is left. They are made from the stored
turns. If they, or the rules by which words are made, have changed since, all tables are written
again instead.
"""

import json
import unicodedata
from collections.abc import Callable, Sequence
from itertools import chain

import apsw

from memcli.callbacks import ignore
from memcli.domain import Kind, Passage, Role, Session, Turn
from memcli.errors import StoreError
from memcli.lazy_dataclasses import dataclass
from memcli.store.index.word_levels import LEVELED, PASSAGES, SESSIONS, level_rows
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import count_words, index_tokens
from memcli.store.tables.checksums import compute_checksum
from memcli.store.tables.sessions import SessionTable

# Raise the number when `index_tokens`, the levels or the tables change: a test notices.
RULES = f"2 {unicodedata.unidata_version}"

TABLES = ("session_words", "title_words", "passage_words", "turn_words")
_WITHOUT_POSITIONS = ", detail=none, columnsize=0"
_WITH_WORDS = (Kind.TEXT, Kind.MEDIA)  # kinds whose words are counted
_KEY_MARK = b"0"  # FTS5 writes it before every key
_MEMORY = 32 << 20  # bytes of words that FTS5 keeps before it writes them
_SEGMENT_BITS = 37  # the number of a segment stands above so many bits of a page's number
_ROWS_AT_ONCE = 128
_SESSIONS_AT_ONCE = 200  # sessions of one transaction, a second or so

TextRows = dict[str, list[tuple[int, str]]]  # by table: (number of the row, its words)


@dataclass(frozen=True, slots=True)
class SessionWords:
    """The words of a session as the full text has them."""

    rows: TextRows
    length: int  # of the session, in words
    passage_lengths: dict[int, int]  # by number of the passage


def recreate_word_tables(database: Database) -> None:
    """Create the tables anew, empty."""
    for table in TABLES:
        settings = _WITHOUT_POSITIONS if table in LEVELED else ""
        database.rows(f"drop table {table}")
        database.rows(
            f"create virtual table {table} using fts5(text, content='', tokenize='ascii'{settings})"
        )
        database.many(
            f"insert into {table} ({table}, rank) values (?, ?)",
            [("secure-delete", 1), ("hashsize", _MEMORY)],
        )
    database.rows("update text_totals set texts = 0, tokens = 0, words = 0")


def word_rows(
    database: Database, number: int, session: Session, passages: dict[int, Passage]
) -> SessionWords:
    """Return the words of a session for `add_words`, and count them.

    The caller stores the lengths of passages.

    Args:
        database: the database.
        number: the number of the session.
        session: the session.
        passages: its passages, by number.
    """
    words = sum(
        count_words(turn.text) for turn in session.turns if turn.active and turn.kind in _WITH_WORDS
    )
    made = _session_words(database, number, session, passages)
    database.rows(
        "update sessions set indexed = ?, words = ?, tokens = ? where id = ?",
        *(RULES, words, made.length, number),
    )
    _add_totals(database, made, 1)
    return made


def add_words(database: Database, rows: TextRows) -> None:
    """Write words: many rows in one statement, in which other threads can run Python."""
    for table in TABLES:
        # FTS5 writes what it has in memory whenever a number is not greater than the last one.
        ordered = sorted(rows.get(table, ()))
        for start in range(0, len(ordered), _ROWS_AT_ONCE):
            numbers, texts = zip(*ordered[start : start + _ROWS_AT_ONCE], strict=True)
            database.rows(
                f"insert into {table} (rowid, text) select ? ->> (words.rowid - 1), words.value"
                " from carray(?) as words",
                *(json.dumps(numbers), apsw.carray(texts)),
            )


def set_passage_lengths(database: Database, words: SessionWords) -> None:
    """Store the lengths of the passages of a session."""
    database.many(
        "update passages set tokens = ? where id = ?",
        [(length, number) for number, length in words.passage_lengths.items()],
    )


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
    made = _session_words(database, number, session, passages_of(database, number))
    _add_totals(database, made, -1)
    for table in TABLES:
        database.many(
            f"insert into {table} ({table}, rowid, text) values ('delete', ?, ?)",
            sorted(made.rows[table]),
        )


def write_again(database: Database, *, leaving_out: int) -> None:
    """Write the words of all sessions but one into new tables."""
    recreate_word_tables(database)
    numbers = database.rows(
        "select id from sessions where indexed is not null and id != ?", leaving_out
    )
    _write(database, [number for (number,) in numbers])


def count_unwritten(database: Database) -> int:
    """Return the number of sessions whose words an upgrade has erased and not yet written again."""
    [(count,)] = database.rows("select count(*) from sessions where indexed is null")
    return int(count)


def write_missing(database: Database, progress: Callable[[int, int], object] = ignore) -> None:
    """Write the words of sessions that have none: once after an upgrade.

    A process that is killed has lost the last batch; the next one that opens the database goes on.
    Several at once share the work.

    Args:
        database: the database.
        progress: takes the number of sessions done, and of all.
    """
    missing = left = count_unwritten(database)
    while left:
        progress(max(missing - left, 0), missing)
        with database.transaction():
            numbers = database.rows(
                "select id from sessions where indexed is null order by id limit ?",
                _SESSIONS_AT_ONCE,
            )
            _write(database, [number for (number,) in numbers])
        left = count_unwritten(database)
    if missing:
        progress(missing, missing)


def _write(database: Database, numbers: Sequence[int]) -> None:
    """Write the words of sessions; one that is damaged has none, which `mem doctor` reports."""
    sessions, rows = SessionTable(database), TextRows()
    for number in numbers:
        try:
            session = sessions.by_number(number)
        except StoreError:
            database.rows("update sessions set indexed = '' where id = ?", number)
            continue
        made = word_rows(database, number, session, passages_of(database, number))
        set_passage_lengths(database, made)
        for table, added in made.rows.items():
            rows.setdefault(table, []).extend(added)
    add_words(database, rows)


def erase_keys(database: Database, texts: Sequence[str]) -> None:
    """Erase what the keys of pages have kept of words that were removed.

    Args:
        database: the database.
        texts: everything that was removed.
    """
    words = {token.encode() for text in texts for token in index_tokens(text)}
    beginnings = {word[:end] for word in words for end in range(1, len(word) + 1)}
    for table in TABLES:
        _shorten_keys(database, table, beginnings)


def _shorten_keys(database: Database, table: str, beginnings: set[bytes]) -> None:
    """Replace keys that only removed words begin with by keys of words that are there.

    A key stands between the last word of a page and the first of the next one. FTS5 leaves it as
    it is when that word is removed. The next word that is there, cut behind the first letter by
    which it differs, stands between them, too. Keys of pages that FTS5 has already merged into
    others, and that it no longer reads, are deleted.
    """
    vocabulary = f"temp.words_of_{table}"
    database.rows(
        f"create virtual table if not exists {vocabulary} using fts5vocab(main, {table}, row)"
    )
    database.rows(f"select term from {vocabulary} limit 1")  # FTS5 writes what it has in memory
    for segment, number, key in database.rows(f"select segid, pgno >> 1, term from {table}_idx"):
        start = key.removeprefix(_KEY_MARK)
        if start not in beginnings:
            continue
        page = database.rows(
            f"select block from {table}_data where id = ?", (segment << _SEGMENT_BITS) + number
        )
        if not page:
            database.rows(f"delete from {table}_idx where segid = ? and term = ?", segment, key)
            continue
        if _first_word(page[0][0]).startswith(key):
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


def _first_word(page: bytes) -> bytes:
    """Return the first word of a page, with its mark; nothing if it cannot be read.

    A page begins with the places of its first row and of its end, in two bytes each. Behind its
    end stands the place of its first word, which is written with its length before it.
    """
    place, _ = _varint(page, int.from_bytes(page[2:4], "big"))
    length, start = _varint(page, place)
    return page[start : start + length]


def _varint(block: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits in each byte, and the place behind it."""
    number = 0
    for place in range(at, len(block)):
        number = number << 7 | block[place] & 0x7F
        if block[place] < 0x80:
            return number, place + 1
    return 0, len(block)


def passages_of(database: Database, number: int) -> dict[int, Passage]:
    """Return the passages of a session in order, by number."""
    rows = database.rows(
        "select id, first, last, start, stop from passages where session_id = ? order by id",
        number,
    )
    return {passage: Passage(*place) for passage, *place in rows}


def indexed_text(turn: Turn) -> str:
    """Return the text by which a turn is found: its speaker has said it."""
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text


def _session_words(
    database: Database, number: int, session: Session, passages: dict[int, Passage]
) -> SessionWords:
    """Return the words of a session: the same whenever it is called."""
    turns = {
        position: index_tokens(indexed_text(turn))
        for position, turn in enumerate(session.turns, start=1)
        if turn.is_searchable
    }
    title, dates = index_tokens(session.title), index_tokens(_dates(session))
    speakers = index_tokens(" ".join(session.participants))
    by_assistant = {at for at in turns if session.turns[at - 1].role == Role.ASSISTANT}
    people = [turns[at] for at in turns if at not in by_assistant]
    assistant = [turns[at] for at in by_assistant]
    # Counted in halves: a date counts twice, and an assistant's word half.
    counted = chain(*(title, speakers, dates, dates, *people) * 2, *assistant)
    in_passages = {at: _passage_words(session, one, turns) for at, one in passages.items()}
    numbers = database.rows("select id, position from turns where session_id = ?", number)
    rows: TextRows = {
        "session_words": level_rows(SESSIONS, number, counted),
        "title_words": [(number, " ".join(title))],
        "passage_words": [
            row for at, words in in_passages.items() for row in level_rows(PASSAGES, at, words)
        ],
        "turn_words": [(turn, " ".join(turns[at])) for turn, at in numbers if at in turns],
    }
    length = len(title) + len(speakers) + len(dates) + sum(map(len, turns.values()))
    return SessionWords(rows, length, {at: len(words) for at, words in in_passages.items()})


def _passage_words(session: Session, passage: Passage, turns: dict[int, list[str]]) -> list[str]:
    if passage.start or passage.stop is not None:
        text = session.turns[passage.first - 1].text
        return index_tokens(text[passage.start : passage.stop])
    covered = range(passage.first, passage.last + 1)
    return [word for at in covered for word in turns.get(at, ())]


def _add_totals(database: Database, words: SessionWords, sign: int) -> None:
    """Add the words of a session to the totals of the tables without sizes, or subtract them."""
    lengths = {"session_words": [words.length], "passage_words": [*words.passage_lengths.values()]}
    database.many(
        "update text_totals set texts = texts + ?, tokens = tokens + ?, words = words + ?"
        " where name = ?",
        [
            (
                sign * len(lengths[table]),
                sign * sum(lengths[table]),
                sign * sum(text.count(" ") + 1 for _, text in words.rows[table]),
                table,
            )
            for table in LEVELED
        ],
    )


def _dates(session: Session) -> str:
    """Return the days of a session in words and figures, as people write them."""
    days = {turn.sent_at.date(): None for turn in session.turns if turn.sent_at}
    return " ".join(f"{day:%A} {day.day} {day:%B %Y %Y-%m-%d}" for day in days)
