"""Terms that stand for several words count whichever of them a text has as one."""

import pytest
from helpers.builders import keep, talk

from memcli.domain import Passage
from memcli.store import Filters, Store, spell_out, synonym_tokens, synonym_words


@pytest.fixture
def index(tmp_path):
    with Store(tmp_path / "mem.db") as store, store.transaction():
        talks = [
            talk("Cat", "me: my kitten and a cat, a feline"),
            talk("Katze", "me: Kätzchen, sagt er; ein Kater"),
            talk("Station", "me: at the train station in 东京火车站"),
            talk("Train", "me: the train, not the other station"),
            talk("None", "me: nothing of it"),
        ]
        for number in keep(store, *talks):
            store.index.add(number, store.sessions.by_number(number), [Passage(1, 1)])
        yield store.index


def titles(index, words, grain="session"):
    [term] = terms(index, words)
    return (
        [match.session for match in index.match_terms(grain, [term], Filters(), 10)] if term else []
    )


def terms(index, *groups):
    return index.synonym_terms([synonym_tokens(words) for words in groups])


@pytest.mark.parametrize("grain", ["session", "passage", "turn"])
def test_any_of_the_words_is_found(index, grain):
    assert sorted(titles(index, ["cat", "katze*", "kätzch*"], grain)) == [1, 2]
    assert titles(index, ["train station"], grain) == [3]
    assert titles(index, ["火车站"], grain) == [3]
    assert titles(index, ["站"], grain) == [3]
    assert sorted(titles(index, ["train station", "train"], grain)) == [3, 4]


def test_words_that_no_session_has_are_left_out(index):
    found, nothing = terms(index, ["cat", "dog", "feline"], ["dog", "dog house"])

    assert synonym_words(found) == ["cat", "felin"]
    assert nothing == ""


def test_a_phrase_that_ends_in_a_word_that_no_index_has_is_left_out(index):
    assert synonym_tokens(["cat of", "the cat", "cat"]) == ["cat"]


def test_several_of_the_words_count_as_often_as_the_most_frequent_one(index):
    cat, every = terms(index, ["cat"], ["cat", "kitten", "feline"])

    [alone] = index.match_terms("session", [cat], Filters(), 10)
    [together] = index.match_terms("session", [every], Filters(), 10)

    assert together.score == pytest.approx(alone.score)


def test_a_turn_with_many_of_the_words_scores_as_one_with_one_of_them(index):
    cat, every = terms(index, ["cat"], ["cat", "kitten", "feline"])

    [alone] = index.match_terms("turn", [cat], Filters(), 10)
    [together] = index.match_terms("turn", [every], Filters(), 10)

    assert together.score == pytest.approx(alone.score)


def test_the_words_are_spelt_out_as_a_text_writes_them(index):
    [term] = terms(index, ["cat", "feline", "kätzch*", "火车站"])

    assert spell_out(term, ["My Cats, 东京火车站"], ()) == ["cats", "火车", "车站"]
    assert spell_out(term, ["Ein Kätzchen!"], ()) == ["kätzchen"]
    assert spell_out(term, ["cats and felines"], ["cat"]) == ["felines"]
    assert spell_out(term, ["My cats"], ["cat"]) == []


def test_several_words_of_one_thing_are_spelt_out_together(index):
    words = synonym_tokens(["half marathon", "read book"])
    term = "".join(f"|{word}" for word in words)

    assert spell_out(term, ["Half\nmarathons, and half of them"], ["marathon"]) == [
        "half marathons"
    ]
    assert spell_out(term, ["I read books twice"], ["book"]) == ["read books"]
    assert spell_out(term, ["a marathon, half"], ()) == []
