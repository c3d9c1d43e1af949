"""Sessions found while a person types, by words that are not typed to their end."""

import pytest
from helpers.builders import keep, talk

from memcli.domain import Passage
from memcli.search.question.type_ahead import (
    MOST_TERMS,
    UnfinishedQuestion,
    complete_question,
    match_while_typing,
)
from memcli.store import Filters, Store
from memcli.store.sqlite.connection import Database

TALKS = (
    talk("Papers", "me: The passports are in the blue drawer."),
    talk("Border", "me: My passport was stamped twice."),
    talk("Hills", "me: We crossed the pass in snow."),
    talk("Sweets", "me: Café, pasta and passion fruit."),
    talk("Tests", "ai: The allergy test was negative.", "me: An allergic rash."),
    talk("Doctor", "me: No allergies so far."),
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        index(opened, *TALKS)
        yield opened


def index(store, *talks):
    for number in keep(store, *talks):
        session = store.sessions.by_number(number)
        store.index.add(number, session, [Passage(1, len(session.turns))])


def titles(store, typed, limit=10):
    question = complete_question(typed, store)
    found = match_while_typing(question, store, Filters(), limit)
    return [store.sessions.by_number(match.session).title for match in found]


@pytest.mark.parametrize("typed", ["passpo", "PASSPO", "where is my passpo"])
def test_a_word_is_found_before_it_is_typed_to_its_end(store, typed):
    assert titles(store, typed)[:2] == ["Border", "Papers"]
    assert complete_question(typed, store).text == typed[: typed.lower().index("pass")] + "passport"


def test_a_word_that_is_there_as_it_was_typed_comes_before_those_it_begins(store):
    assert titles(store, "pass")[0] == "Hills"
    assert set(titles(store, "pass")) >= {"Hills", "Border", "Papers"}


def test_the_end_of_a_short_word_is_not_guessed_beside_other_words(store):
    assert complete_question("pas", store).text == "passport"
    assert complete_question("blue drawer pas", store).text == "blue drawer pas"
    assert "passport" in complete_question("blue drawer pas", store).completions


@pytest.mark.parametrize("typed", ["passpo ", "passpo.", "the", "p"])
def test_a_word_that_has_ended_says_nothing_or_is_a_letter_is_not_completed(store, typed):
    question = complete_question(typed, store)

    assert question == UnfinishedQuestion(typed, question.terms)


@pytest.mark.parametrize(
    ("typed", "title"), [("caf", "Sweets"), ("CAFÉ", "Sweets"), ("univ", None)]
)
def test_accents_and_capitals_make_no_difference(store, typed, title):
    assert titles(store, typed) == [title] * bool(title)


def test_where_a_longer_word_is_more_frequent_both_are_searched_for(store):
    """The stem of `allergic` is `allerg`, which is also how `allergy` begins."""
    assert complete_question("allerg", store).text == "allerg allergi"


def test_a_word_typed_past_its_stem_is_found(store):
    index(store, talk("Studies", "me: Two universities wrote back."))

    assert titles(store, "universit") == titles(store, "universitie") == ["Studies"]


def test_a_key_costs_the_same_few_statements_in_an_archive_of_any_size(store, monkeypatch):
    def statements():
        ran = []
        rows = Database.rows

        def count(self, sql, *values):
            ran.append(sql)
            return rows(self, sql, *values)

        with monkeypatch.context() as patch:
            patch.setattr(Database, "rows", count)
            titles(store, "where did the blue passport and the pasta from the hills go in sno")
        return [sql for sql in ran if "session_words" in sql or "vocabulary" in sql], ran

    small, _ = statements()
    index(store, *(talk(f"Talk {at}", f"me: blue hills {at}, passport") for at in range(60)))
    large, ran = statements()

    assert len(large) == len(small) <= 30
    assert not [sql for sql in ran if "turn_words" in sql or "passage" in sql or "bits_" in sql]


def test_only_the_rarest_words_of_a_long_question_are_looked_up(store, monkeypatch):
    looked_up = []
    monkeypatch.setattr(
        type(store.index),
        "match_terms",
        lambda _, grain, terms, *rest, **more: looked_up.append(terms),
    )
    question = complete_question("blue drawer stamped snow pasta rash negative passport", store)

    match_while_typing(question, store, Filters(), 10)

    assert [len(terms) for terms in looked_up] == [MOST_TERMS]
