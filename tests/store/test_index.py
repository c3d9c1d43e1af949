import math
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from helpers.builders import BEGIN, MINUTE, keep, talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import Kind, Passage
from memcli.errors import StoreError
from memcli.store import Filters, IndexMatch, Store, query_terms
from memcli.store.index.term_statistics import MAX_TERMS

ALL = Filters()
TALKS = (
    talk("Lisbon", "me: We flew to Lisbon in May", "ai: How was Lisbon then"),
    talk("Dinner", "me: No hazelnut for me", "ai: Noted no hazelnut", "me: Lisbon"),
    talk("Weather", "me: It may rain", "ai: Then take an umbrella"),
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def remember(store, *talks):
    """Store and index talks, each turn a passage; return their numbers."""
    numbers = keep(store, *talks)
    for number in numbers:
        session = store.sessions.by_number(number)
        cut = [Passage(at, at) for at, turn in enumerate(session.turns, 1) if turn.is_searchable]
        passages = store.index.add(number, session, cut)
        texts = [session.turns[passage.first - 1].text for passage in cut]
        places = [(one, 0) for one in passages]
        store.index.add_vectors(places, WordEmbedder().embed(texts), WordEmbedder())
    return numbers


def near(store, text, filters=ALL, limit=10):
    [vector] = WordEmbedder().embed([text])
    return store.index.nearest_passages(vector.tobytes(), WordEmbedder(), filters, limit)


def bm25(texts, terms):
    """Lucene's BM25, written from the formula, of texts whose words need no stemming."""
    words = [Counter(re.findall(r"\w+", text.lower())) for text in texts]
    lengths = [count.total() for count in words]
    scores = dict.fromkeys(range(len(texts)), 0.0)
    for term in terms:
        having = sum(term in count for count in words)
        weight = math.log(1 + (len(texts) - having + 0.5) / (having + 0.5))
        for at, count in enumerate(words):
            length = lengths[at] / (sum(lengths) / len(texts))
            often = count[term]
            scores[at] += weight * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * length))
    return {at: score for at, score in scores.items() if score}


def turn_scores(found):
    return {(each.session, each.passage.first): each.score for each in found}


@pytest.mark.parametrize(
    "terms", [("lisbon",), ("umbrella", "lisbon"), ("no", "hazelnut", "umbrella")]
)
def test_words_score_as_bm25_by_hand(store, terms):
    numbers = remember(store, *TALKS)
    places = [(n, at) for n, t in zip(numbers, TALKS, strict=True) for at in range(len(t.turns))]
    texts = [turn.text for each in TALKS for turn in each.turns]

    found = store.index.match_terms("turn", terms, ALL, 100)

    expected = {
        (places[at][0], places[at][1] + 1): score for at, score in bm25(texts, terms).items()
    }
    assert turn_scores(found) == pytest.approx(expected, abs=1e-6)
    assert [each.score for each in found] == sorted((e.score for e in found), reverse=True)


def test_scores_are_the_same_after_others_came_and_went(store):
    remember(store, *TALKS)
    before = turn_scores(store.index.match_terms("turn", ["lisbon"], ALL, 100))
    [number] = remember(store, talk("Other", "me: Lisbon Lisbon", "ai: Porto"))

    store.index.remove(number)
    store.sessions.remove(number)

    after = turn_scores(store.index.match_terms("turn", ["lisbon"], ALL, 100))
    assert after == pytest.approx(before, abs=1e-9)


def test_a_word_in_every_place_still_counts(store):
    remember(store, talk("One", "me: tea"), talk("Two", "me: tea"))

    assert all(each.score > 0.1 for each in store.index.match_terms("session", ["tea"], ALL, 9))


def test_sessions_are_found_by_title_speaker_and_day(store):
    [number, _] = remember(store, talk("Holidays", "Ann: Sunny"), talk("Work", "Bob: Hm", at=None))

    def found(question):
        return [
            e.session for e in store.index.match_terms("session", query_terms(question), ALL, 9)
        ]

    assert found("holiday") == [number]
    assert found("What did Ann say?") == [number]
    assert found("on Friday 1 March 2024") == [number]


def test_a_place_names_the_terms_it_has(store):
    remember(store, *TALKS)

    [best, *_] = store.index.match_terms("session", ["umbrella", "zebra", "rain"], ALL, 9)

    assert best.terms == ("umbrella", "rain")


def test_passages_are_found_as_they_were_cut(store):
    [number] = keep(store, talk("Long", "me: First tea. Then cake."))
    session = store.sessions.by_number(number)
    store.index.add(number, session, [Passage(1, 1, 0, 11), Passage(1, 1, 11, 21)])

    [found] = store.index.match_terms("passage", ["cake"], ALL, 9)

    assert found.passage == Passage(1, 1, 11, 21)


def test_what_is_not_searched_is_not_found(store):
    chat = talk("Chat", "me: tea", "ai: coffee", "system: cocoa")
    first, second, third = chat.turns
    remember(
        store,
        replace(
            chat,
            turns=(first, replace(second, active=False), replace(third, kind=Kind.SERVICE)),
        ),
    )

    for grain in ("session", "passage", "turn"):
        assert store.index.match_terms(grain, ["coffee", "cocoa"], ALL, 9) == []
        assert len(store.index.match_terms(grain, ["tea"], ALL, 9)) == 1


def test_filters_limit_what_is_found_and_not_its_score(store):
    later = talk("Later", "Ann: Lisbon", at=BEGIN + 1440 * MINUTE, source="whatsapp")
    [first, *_, last] = remember(store, *TALKS, later)

    def found(filters=ALL):
        places = store.index.match_terms("session", ["lisbon"], filters, 9)
        return {each.session: each.score for each in places}

    every = found()
    assert found(Filters(source="whatsapp")) == {last: every[last]}
    assert found(Filters(speaker=frozenset(["ANN"]))) == {last: every[last]}
    assert found(Filters(since=BEGIN + 1440 * MINUTE)) == {last: every[last]}
    assert last not in found(Filters(until=BEGIN + 1440 * MINUTE))
    assert found(Filters(among=(first,))) == {first: every[first]}
    assert found(Filters(among=())) == {}
    assert {each.session for each in near(store, "Lisbon", Filters(source="whatsapp"))} == {last}
    assert near(store, "Lisbon", Filters(source="telegram")) == []


def test_at_most_as_many_places_as_asked_for_are_returned(store):
    remember(store, *TALKS)

    assert len(store.index.match_terms("turn", ["lisbon"], ALL, 1)) == 1
    assert len(near(store, "Lisbon", limit=2)) == 2
    assert len(near(store, "Lisbon", limit=100_000)) == 7


def test_of_a_long_question_the_rarest_terms_count(store):
    remember(store, *TALKS, talk("Words", "me: " + " ".join(f"w{n}" for n in range(99))))
    terms = [*(f"w{n}" for n in range(99)), "lisbon"]

    found = store.index.match_terms("session", terms, ALL, 9)

    assert [len(each.terms) for each in found] == [MAX_TERMS]


@pytest.mark.parametrize(
    "question",
    [
        '"Lisbon',
        "Lisbon*",
        'NEAR("Lisbon" May)',
        "-Lisbon",
        "title:Lisbon",
        "Lisbon AND NOT (",
        "{Lisbon} ^ + ;",
        "Lisbon'); drop table turns; --",
    ],
)
def test_operators_in_a_question_are_harmless(store, question):
    first, *_ = remember(store, *TALKS)

    found = store.index.match_terms("session", query_terms(question), ALL, 9)

    assert first in {each.session for each in found}


def test_a_question_without_terms_finds_nothing(store):
    remember(store, *TALKS)

    assert store.index.match_terms("session", query_terms("???"), ALL, 9) == []


def test_unspaced_scripts_are_found_wherever_they_stand(store):
    [number, _] = remember(
        store, talk("旅行", "me: 来年は東京タワーに行く"), talk("Tea", "me: 水曜日")
    )

    def found(question):
        return [e.session for e in store.index.match_terms("turn", query_terms(question), ALL, 9)]

    assert found("東京") == [number]
    assert found("タワー") == [number]
    assert found("京") == [number]
    assert found("大阪") == []


def test_words_and_vectors_of_a_removed_session_are_gone(store, tmp_path):
    [first, *rest] = remember(store, *TALKS)

    store.index.remove(first)
    store.sessions.remove(first)

    for grain in ("session", "passage", "turn"):
        assert first not in {e.session for e in store.index.match_terms(grain, ["lisbon"], ALL, 9)}
        assert store.index.match_terms(grain, ["flew"], ALL, 9) == []
    assert {each.session for each in near(store, "Lisbon")} == set(rest)


def test_the_nearest_passage_comes_first_with_its_cosine(store):
    first, *_ = remember(store, *TALKS)

    best, *others = near(store, "How was Lisbon then")

    assert best == IndexMatch(first, Passage(2, 2), pytest.approx(1.0, abs=1e-5))
    assert all(-1 <= each.score <= best.score for each in others)


def test_vectors_of_another_embedder_are_refused(store):
    remember(store, *TALKS)
    other = WordEmbedder()
    other.fingerprint, other.name = "other", "other-model"

    with pytest.raises(StoreError, match="has vectors of fake-words-64, not of other-model"):
        store.index.nearest_passages(np.ones(64, np.float32).tobytes(), other, ALL, 1)
    with pytest.raises(StoreError, match="not of other-model"):
        store.index.add_vectors([(1, 0)], np.ones((1, 64), np.float32), other)


def test_an_empty_database_finds_nothing(store):
    assert store.index.match_terms("session", ["tea"], ALL, 9) == []
    assert near(store, "tea") == []


def test_a_vector_without_direction_is_near_nothing(store):
    remember(store, *TALKS)

    found = store.index.nearest_passages(np.zeros(64, np.float32).tobytes(), WordEmbedder(), ALL, 9)

    assert found == []
