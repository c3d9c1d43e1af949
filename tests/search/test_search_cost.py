"""The cost of a search is counted in statements and rows: it hardly grows with the archive."""

from collections import Counter
from datetime import timedelta

import pytest
from helpers.builders import BEGIN, MINUTE, keep, talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import Passage
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store
from memcli.store.sqlite.connection import Database

QUESTION = "which violin lesson did Ann book on the quiet island"
WORDS = "violin lesson island quiet boat lamp river stone bread window".split()
MOST_STATEMENTS = 60
FEWEST, MOST = 40, 160  # sessions of a small archive and of one four times as large


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Return the paths of two archives of the same kind."""
    folder = tmp_path_factory.mktemp("archives")
    embedder = WordEmbedder()
    for size in (FEWEST, MOST):
        with Store(folder / f"{size}.db") as store, store.transaction():
            talks = [
                talk(
                    f"Talk {number}",
                    f"me: the {WORDS[number % 10]} and the {WORDS[number % 7]}",
                    f"ai: a {WORDS[number % 9]} then",
                    at=BEGIN + timedelta(days=number),
                )
                for number in range(size)
            ]
            for number in keep(store, *talks):
                session = store.sessions.by_number(number)
                passages = store.index.add(number, session, [Passage(1, 2)])
                text = " ".join(turn.text for turn in session.turns)
                places = [(one, 0) for one in passages]
                store.index.add_vectors(places, embedder.embed([text]), embedder)
    return folder


@pytest.fixture
def cost(archives, monkeypatch):
    """Return a function that counts the statements of a search, by their text, and its rows."""

    def count(size, filters=Filters()):  # noqa: B008  # it has no state
        statements, rows = Counter(), 0
        read = Database.rows

        def counted(self, sql, *values):
            nonlocal rows
            found = read(self, sql, *values)
            statements[sql] += 1
            rows += len(found)
            return found

        with Store(archives / f"{size}.db") as store, monkeypatch.context() as patched:
            retrieve(QUESTION, store, WordEmbedder(), filters, limit=10)  # fills the caches
            patched.setattr(Database, "rows", counted)
            retrieve(QUESTION, store, WordEmbedder(), filters, limit=10)
        return statements, rows

    return count


def test_a_search_runs_as_many_statements_in_a_large_archive_as_in_a_small_one(cost):
    small, _ = cost(FEWEST)
    large, _ = cost(MOST)

    assert small.total() == large.total()
    assert large.total() <= MOST_STATEMENTS


def test_a_term_is_counted_once_for_as_long_as_nobody_writes(cost):
    statements, _ = cost(MOST)  # the second search of a connection

    assert [sql for sql in statements if sql.startswith("select count(*) from session_words")] == []


def test_sessions_are_read_together(cost):
    statements, _ = cost(MOST)

    assert [n for sql, n in statements.items() if "key, role, speaker" in sql] == [1]


def test_rows_grow_slower_than_the_archive_and_filters_leave_out_theirs(cost):
    _, small = cost(FEWEST)
    _, large = cost(MOST)
    _, filtered = cost(MOST, Filters(since=BEGIN + (MOST - FEWEST) * 1440 * MINUTE))

    assert large < small * MOST / FEWEST
    assert filtered < large / 2
