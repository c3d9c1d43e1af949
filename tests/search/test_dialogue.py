"""Tests of questions that go on where the last one ended."""

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder
from helpers.ranking import WORDING, CountingReranker, CountingSifter, index_talks, titles

from memcli.search.dialogue import (
    MOST_EXCHANGES,
    Dialogue,
    Exchange,
    load_dialogue,
    save_dialogue,
)
from memcli.search.stages import RankingModels, rank_sessions
from memcli.store import Filters, Store

TALKS = (
    talk("Kyoto", "me: In Kyoto we stay at a ryokan.", "ai: Lovely."),
    talk("Porto", "me: In Porto we stay at a hostel.", "ai: Fine."),
    talk("Cake", "me: A hazelnut cake.", "ai: Here it is."),
)
KYOTO = Dialogue((Exchange("When was I in Kyoto?", "I found Kyoto (2024-03-01)."),))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        index_talks(opened, *TALKS)
        yield opened


def put(store, question, dialogue=None, **models):
    chosen = RankingModels(WordEmbedder(), sift_wording=WORDING, **models)
    return rank_sessions(question, store, chosen, Filters(), limit=5, dialogue=dialogue)


def test_the_words_of_the_last_question_count_less_than_those_of_this_one(store):
    assert titles(put(store, "where did we stay?", KYOTO))[:2] == ["Kyoto", "Porto"]
    assert titles(put(store, "and the stay in Porto?", KYOTO))[0] == "Porto"
    assert titles(put(store, "hazelnut cake", KYOTO))[0] == "Cake"


def test_scores_stay_sums_of_their_parts_between_0_and_1(store):
    for result in put(store, "where did we stay in Kyoto?", KYOTO).results:
        assert result.retrieve == pytest.approx(sum(result.parts.values()))
        assert 0 <= result.retrieve <= 1


def test_models_judge_by_what_was_asked_before(store):
    class Reranker(CountingReranker):
        fingerprint = "with dialogue"

        def judge(self, question, passages):
            asked.append(question)
            return super().judge(question, passages)

    asked, sifter = [], CountingSifter(0)

    put(store, "where did we stay?", KYOTO, reranker=Reranker(ryokan=0.9), sifter=sifter)

    current = (
        "user: When was I in Kyoto?\n"
        "assistant: I found Kyoto (2024-03-01).\n"
        "user: where did we stay?"
    )
    assert asked[0] == current
    assert sifter.messages[0].endswith(f"Question: {current}")


def test_a_question_alone_is_the_whole_context():
    assert Dialogue().question_in_context("Why?") == "Why?"


def test_a_dialogue_grows_by_what_was_found_or_answered(store):
    answer = put(store, "ryokan in Kyoto")

    found = Dialogue().with_exchange(answer)
    said = found.with_exchange(answer, "In a ryokan.")

    assert found.exchanges[0].question == "ryokan in Kyoto"
    assert found.exchanges[0].reply.startswith("I found Kyoto (2024-03-01)")
    assert said.exchanges[1].reply == "In a ryokan."
    for _ in range(9):
        said = said.with_exchange(answer)
    assert len(said.exchanges) == MOST_EXCHANGES


def test_the_last_dialogue_is_kept_and_goes_with_what_is_forgotten(store):
    save_dialogue(store.cache, KYOTO)
    assert load_dialogue(store.cache) == KYOTO

    store.deletion.forget([store.sessions.by_number(1).id])

    assert load_dialogue(store.cache) == Dialogue()


@pytest.mark.parametrize("nonsense", [None, 7, "text", [["one"]], [["a", "b", "c"]], {"a": 1}])
def test_a_damaged_dialogue_is_none(store, nonsense):
    save_dialogue(store.cache, KYOTO)
    [(key,)] = store.cache._db.rows("select key from answers order by id desc limit 1")
    store.cache.put({key: nonsense})

    assert load_dialogue(store.cache) == Dialogue()
