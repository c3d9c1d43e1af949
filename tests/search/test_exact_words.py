"""What a question means to the letter: quoted phrases, ids, numbers and emoji."""

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.search.question.exact import find_quoted_phrases, parse_reference
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store, query_terms


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def remember(store, *talks):
    ConversationImporter(store, WordEmbedder()).import_batch(talks, ImportTally())


def ask(store, question, filters=None, **options):
    return retrieve(question, store, WordEmbedder(), filters or Filters(), limit=9, **options)


def titles(store, question, **options):
    return [one.session.title for one in ask(store, question, **options).candidates]


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ('who said "see you on Friday"?', ("see you on Friday",)),
        ("was heißt „bis Freitag“ und “later”", ("bis Freitag", "later")),
        ("où est «le chat noir» ?", ("le chat noir",)),
        ("「さよなら」と言ったのは", ("さよなら",)),
        ("what's Ann's and Bob's plan", ()),
        ('5" nails', ()),
    ],
)
def test_double_quotation_marks_of_every_language_quote(question, phrases):
    assert find_quoted_phrases(question) == phrases


def test_a_quoted_phrase_is_required_word_for_word(store):
    remember(
        store,
        talk("Exact", "me: the green tea pot broke"),
        talk("Apart", "me: a pot of tea, and green tea, green tea pots and tea"),
        talk("green tea pot", "me: bought it"),
    )

    assert set(titles(store, 'where is the "green tea pot"')) == {"Exact", "Apart", "green tea pot"}
    assert titles(store, '"tea pot broke"') == ["Exact"]
    assert titles(store, '"the green tea" "pot broke"') == ["Exact"]


@pytest.mark.parametrize(
    ("phrase", "title"),
    [
        ("to be or not to be", "Play"),
        ("the lord of the rings", "Books"),
        ("lord of rings", None),
        ("that is that", "Shrug"),
        ("is that that", None),
        ("of the", "Books"),
        ("Ann: the answer", "Play"),
        ("a room with a view", "A room with a view"),
    ],
)
def test_words_that_the_index_leaves_out_count_in_a_phrase(store, phrase, title):
    remember(
        store,
        talk("Play", "Ann: The answer was to be, or not to be.", "me: Fine."),
        talk("Books", "me: I lent you The Lord of the Rings, and a ring."),
        talk("Shrug", "me: Well, that is that.", "ai: Lord! Rings for a lord."),
        talk("A room with a view", "me: I read it twice."),
    )

    found = ask(store, f'which one had "{phrase}"')

    assert found.missing_phrases == (() if title else (phrase,))
    if title:
        assert found.candidates[0].session.title == title


def test_a_question_of_words_that_the_index_leaves_out_is_answered(store):
    remember(store, talk("Play", "Ann: To be, or not to be."), talk("Other", "me: Fine."))

    assert titles(store, "to be or not to be?")[0] == "Play"
    assert ask(store, "what is the?").candidates is not None


def test_a_phrase_in_an_unspaced_script_is_required_too(store):
    remember(store, talk("a", "me: 我在北京大学读书"), talk("b", "me: 大学在北京"))

    assert titles(store, '"北京大学"') == ["a"]


def test_a_phrase_that_nobody_wrote_is_named_and_scores_nothing(store):
    remember(store, talk("Tea", "me: green tea"))

    found = ask(store, '"tea green"')

    assert found.missing_phrases == ("tea green",)
    assert [one.score for one in found.candidates] == [0.0]


@pytest.mark.parametrize("phrase", ['"', '""', '"!?"', '"\x00"', '"a AND"', '"NEAR("', '"*"'])
def test_no_phrase_is_a_query_language(store, phrase):
    remember(store, talk("Tea", "me: green tea"))

    ask(store, f"tea {phrase} green")


def test_the_id_of_a_session_finds_it_and_its_turn(store):
    remember(store, talk("Tea", "me: green tea", "ann: yes"), talk("Milk", "me: milk"))
    [tea] = [one for one in store.sessions.summaries(Filters()) if one.title == "Tea"]

    [whole] = ask(store, tea.id).candidates
    [turn] = ask(store, f" {tea.id}:2 ").candidates
    [beyond] = ask(store, f"{tea.id}:99").candidates

    assert [one.session.id for one in (whole, turn, beyond)] == [tea.id] * 3
    assert [one.evidence[0].position for one in (whole, turn, beyond)] == [1, 2, 1]
    assert (whole.score, whole.reasons) == (1.0, ("its id",))
    assert ask(store, tea.id, Filters(source="nowhere")).candidates == []
    assert all("its id" not in one.reasons for one in ask(store, "s_0000000000").candidates)


def test_only_a_whole_id_is_a_reference():
    assert parse_reference("what about s_0123456789") is None
    assert parse_reference("s_0123") is None


@pytest.mark.parametrize("asked", ["36500", "36,500", "36.500", "36 500", "36’500", "36\u00a0500"])
@pytest.mark.parametrize("written", ["36500", "36,500", "36.500", "36 500", "36'500"])
def test_a_number_is_found_in_every_notation(store, asked, written):
    remember(store, talk("Car", f"me: it cost {written} euros"), talk("Other", "me: 500 of 36"))

    assert titles(store, f"what was {asked}")[0] == "Car"


def test_years_and_lists_are_no_grouped_numbers():
    assert query_terms("in 2024 300 guests, 1,2,3 and 12.50") == [
        *("2024", "300", "guests"),
        *("1", "2", "3", "12", "50"),
    ]


@pytest.mark.parametrize("emoji", ["🎉", "☀", "❤️", "👍🏽", "🇵🇹"])
def test_an_emoji_is_a_word(store, emoji):
    remember(
        store, talk("Party", f"me: we won{emoji}{emoji} today"), talk("Other", "me: 🧊 we won")
    )

    found = ask(store, emoji).candidates

    assert [one.session.title for one in found] == ["Party"]
    assert found[0].terms
    assert set(found[0].terms) <= set(emoji)


def test_a_correction_is_named_as_the_session_writes_it(store):
    remember(store, talk("Visit", "me: The Allergist called."), talk("Milk", "me: milk"))

    found = ask(store, "when did the alergist call me back about the appointment")

    assert found.corrections == {"alergist": "allergist"}
    assert found.candidates[0].session.title == "Visit"
