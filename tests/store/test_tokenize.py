import pytest

from memcli.store.sqlite.tokenize import fts_query, normalize_for_index, query_terms
from memcli.text.function_words import ENGLISH


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("東京", ["東京", "京"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー", "ー"]),
        ("I love 東京!", ["i", "love", "東京", "京", "!"]),
        ("안녕", ["안녕", "녕"]),
        ("水", ["水"]),
    ],
)
def test_unspaced_scripts_are_indexed_in_pairs_and_with_the_last_character(text, words):
    assert normalize_for_index(text).split() == words


def test_unspaced_scripts_are_asked_for_in_pairs_alone():
    assert query_terms("東京タワー") == ["東京", "京タ", "タワ", "ワー"]


def test_a_lone_character_finds_the_pairs_it_begins():
    assert fts_query("水") == '"水"*'
    assert fts_query("東京") == '"東京"'
    assert fts_query("a") == '"a"'


def test_full_and_half_width_are_one():
    assert query_terms("ＩＢＭ ｶﾀｶﾅ") == query_terms("ibm カタカナ")
    assert normalize_for_index("ＩＢＭ") == normalize_for_index("ibm")


@pytest.mark.parametrize(
    ("form", "base"), [("went", "go"), ("bought", "buy"), ("children", "child"), ("Mice", "mouse")]
)
def test_words_that_change_inside_are_put_in_their_base_form(form, base):
    assert query_terms(form) == [base]
    assert normalize_for_index(f"He {form}.") == f"he {base}."


def test_a_word_that_only_contains_an_irregular_form_is_left_alone():
    assert normalize_for_index("wentworth satin") == "wentworth satin"


def test_apostrophes_separate_and_what_they_leave_is_left_out():
    assert query_terms("What's Ann's car?") == ["ann", "car"]
    assert query_terms("What’s Ann’s car?") == ["ann", "car"]
    assert query_terms("O'Brien") == ["o", "brien"]


def test_a_question_of_stop_words_keeps_them():
    assert query_terms("Who was it?") == ["who", "was", "it"]
    assert {"who", "was", "it"} <= ENGLISH


def test_terms_come_in_order_and_once():
    assert query_terms("Lisbon or Porto, lisbon?") == ["lisbon", "porto"]


@pytest.mark.parametrize("question", ["", "???", " \n", "\u200d", "\ud800", "_", "''", '"*"'])
def test_a_question_without_words_has_no_terms(question):
    assert query_terms(question) == []


def test_operators_of_the_index_are_only_words():
    assert query_terms('title:cake NEAR("tea" -coffee*)') == [
        "title",
        "cake",
        "near",
        "tea",
        "coffee",
    ]


def test_upper_case_and_sharp_s_are_one():
    assert query_terms("STRASSE Straße") == ["strasse"]


def test_a_stop_word_with_a_capital_inside_a_sentence_is_a_name():
    assert query_terms("What did Will say in May?") == ["will", "say", "may"]
    assert query_terms("Where was Will's car?") == ["will", "car"]
    assert query_terms("Will it rain? May it snow?") == ["rain", "snow"]
    assert query_terms("Ann, Will: who?") == ["ann", "will"]
