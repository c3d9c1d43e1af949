import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.search.query import SignalWeights, prepare_query, weights_for_size
from memcli.search.question.vectors import question_vector
from memcli.store import Filters, Store


class Counting(WordEmbedder):
    asked = 0

    def embed(self, texts, *, questions=False):
        self.asked += 1
        return super().embed(texts, questions=questions)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def test_a_question_asked_before_is_not_embedded_again(store):
    first, second = Counting(), Counting()

    vector = question_vector("hazelnut", first, store.cache)
    again = question_vector("hazelnut", second, store.cache)

    assert (first.asked, second.asked) == (1, 0)
    assert vector == again == WordEmbedder().embed(["hazelnut"]).tobytes()


@pytest.mark.parametrize("other", ["question", "embedder"])
def test_another_question_or_embedder_is_another_matter(store, other):
    embedder = Counting()
    question_vector("hazelnut", embedder, store.cache)
    if other == "embedder":
        embedder.fingerprint = "another"

    question_vector("walnut" if other == "question" else "hazelnut", embedder, store.cache)

    assert embedder.asked == 2


@pytest.mark.parametrize("damaged", ["x", 3, {}, "", "not base 85 ", None, "00000"])
def test_a_damaged_vector_is_made_again(store, damaged, monkeypatch):
    embedder = WordEmbedder()
    expected = question_vector("hazelnut", embedder, store.cache)
    monkeypatch.setattr(store.cache, "get", lambda _key: damaged)

    assert question_vector("hazelnut", embedder, store.cache) == expected


def test_weights_change_smoothly_with_the_size_of_the_archive():
    sizes = [weights_for_size(sessions) for sessions in (0, 100, 300, 2_000, 20_000, 9_000_000)]

    assert sizes[0] == sizes[1] == SignalWeights()
    assert sizes[4] == sizes[5]
    turns, meanings = [one.turn for one in sizes[1:5]], [one.meaning for one in sizes[1:5]]
    assert turns == sorted(turns)
    assert meanings == sorted(meanings, reverse=True)
    assert {one.dates for one in sizes} == {SignalWeights().dates}


def test_words_that_name_days_count_less_than_the_subject(store):
    question = "which two loaves did I bake in the past three weeks"
    weights = SignalWeights(salience=0)
    query = prepare_query(question, store, WordEmbedder(), Filters(), now=None, weights=weights)

    counted = dict(zip(query.terms, query.term_weights, strict=True))
    assert {term for term, weight in counted.items() if weight < 1} == {"past", "three", "weeks"}
    assert counted["weeks"] == pytest.approx(weights.date)
    assert counted["two"] == counted["bake"] == 1


def test_a_person_of_the_question_before_is_no_word_of_the_next_one(store):
    talks = [talk("Rome", "Mara: I land at ten."), talk("Oslo", "Kaito: I land at noon.")]
    ConversationImporter(store, WordEmbedder()).import_batch(talks, ImportTally())

    query = prepare_query(
        "and Mara?",
        store,
        WordEmbedder(),
        Filters(),
        now=None,
        weights=SignalWeights(),
        earlier="When does Kaito land?",
    )

    weights = dict(zip(query.terms, query.term_weights, strict=True))
    assert query.people.speakers == {"Mara"}
    assert (weights["kaito"], weights["land"] > 0) == (0, True)
