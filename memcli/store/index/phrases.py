"""Phrases whose words have to stand in a row, as they were written.

The index leaves out some words. So it gives the turns and titles in which the others stand in a
row, and their texts are compared with the whole phrase.
"""

from collections.abc import Iterator, Sequence

from memcli.domain import Session
from memcli.store.index.full_text import indexed_text
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.tokenize import all_tokens
from memcli.store.tables.sessions import SessionTable

_SESSIONS_AT_ONCE = 100  # sessions that are read together


def sessions_with_phrase(
    database: Database, words: Sequence[str], indexed: Sequence[str], filters: Filters
) -> set[int]:
    """Return the sessions that have a phrase in a turn or in the title.

    Args:
        database: the database.
        words: the tokens of all words of the phrase.
        indexed: those of them that the index has.
        filters: which sessions count.
    """
    where, values = filters.where()
    select, query = f"select id from sessions where {where}", f'"{" ".join(indexed)}"'
    if indexed:
        select += (
            " and (id in (select session_id from turns where turns.id in"
            " (select rowid from turn_words where turn_words match ?)) or id in"
            " (select rowid from title_words where title_words match ?))"
        )
        values += [query, query]
    numbers = [number for (number,) in database.rows(select, *values)]
    if len(words) == len(indexed) == 1:
        return set(numbers)
    wanted = _as_line(words)
    return {
        number
        for start in range(0, len(numbers), _SESSIONS_AT_ONCE)
        for number, session in SessionTable(database)
        .by_numbers(numbers[start : start + _SESSIONS_AT_ONCE])
        .items()
        if any(wanted in _as_line(all_tokens(text)) for text in _texts(session))
    }


def _texts(session: Session) -> Iterator[str]:
    yield session.title
    yield from (indexed_text(turn) for turn in session.turns if turn.is_searchable)


def _as_line(tokens: Sequence[str]) -> str:
    return f" {' '.join(tokens)} "
