"""An embedder that reads sentences has a vector for every few turns, and counts for more."""

from datetime import timedelta

import numpy as np
import pytest
from helpers.builders import BEGIN, keep, session, talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import Passage
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.reindex import reindex
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store
from memcli.store.index import passage_vectors
from memcli.text.chunking import MOST_WINDOWS, WINDOW_TURNS, split_windows, window_texts

MEANINGS = {"medicine": "pill", "kitchenware": "teapot", "calmed": "helped"}
HIVES = talk(
    "Hives",
    "me: my arms were red after we ate the cake",
    "Ann: oh no",
    "me: the doctor gave me a pill",
    "Ann: and it helped",
    "me: yes, after an hour",
    "Ann: good",
)
PARTY = talk(
    "Plans",
    "me: the party begins at eight",
    "Ann: I bring the drinks",
    "me: and after it we clean up",
    at=BEGIN + timedelta(days=3),
)
QUESTION = "the medicine that calmed me after the party"


class SentenceWordEmbedder(WordEmbedder):
    """Knows a few words of the same meaning, and reads two turns at a time."""

    name = fingerprint = "sentences"
    window_turns = WINDOW_TURNS

    def embed(self, texts, *, questions=False):
        def plain(text):
            return " ".join(MEANINGS.get(word, word) for word in text.lower().split())

        return super().embed([plain(text) for text in texts])


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        take(opened, SentenceWordEmbedder(), HIVES, PARTY)
        yield opened


def take(store, embedder, *talks):
    ConversationImporter(store, embedder).import_batch(talks, ImportTally())


def near(store, embedder, text="a pill helped", filters=None):
    [vector] = embedder.embed([text])
    found = store.index.nearest_passages(
        vector.astype("<f4").tobytes(), embedder, filters or Filters(), 10
    )
    return [(each.session, each.passage, round(each.score, 3)) for each in found]


def count(store, table):
    [(rows,)] = store._database.rows(f"select count(*) from {table}")
    return rows


def test_each_two_turns_have_a_vector_and_a_passage_is_as_near_as_the_nearest(store):
    embedder = SentenceWordEmbedder()
    assert count(store, "vectors_1") == count(store, "bits_1_rowids") == 5 + 2
    (first, passage, cosine), (second, _, _) = near(store, embedder)
    texts = window_texts(store.sessions.by_number(first), passage, WINDOW_TURNS)
    assert texts[2] == "Hives\nuser: the doctor gave me a pill\nAnn: and it helped"
    best = max(embedder.embed([text])[0] @ embedder.embed(["a pill helped"])[0] for text in texts)
    assert (first, second) == (1, 2)
    assert cosine == pytest.approx(best, abs=0.02)
    assert store.health.check_vectors() == []


def test_filters_hold_for_windows(store):
    later = Filters(since=BEGIN + timedelta(days=2))
    assert [one for one, *_ in near(store, SentenceWordEmbedder(), filters=later)] == [2]


def test_of_many_passages_windows_are_chosen_by_bits(store, monkeypatch):
    every = near(store, SentenceWordEmbedder())
    monkeypatch.setattr(passage_vectors, "EXACT_LIMIT", 1)
    monkeypatch.setattr(passage_vectors, "MAX_CANDIDATES", 1)
    assert near(store, SentenceWordEmbedder())[0] == every[0]
    monkeypatch.setattr(passage_vectors, "WINDOWS_OF_PASSAGE", 1)
    later = Filters(since=BEGIN + timedelta(days=2))
    assert [one for one, *_ in near(store, SentenceWordEmbedder(), filters=later)] == [2]


def test_a_forgotten_session_leaves_no_window(store):
    with store.transaction():
        store.index.remove(1)
        store.sessions.remove(1)
    assert count(store, "vectors_1") == count(store, "bits_1_rowids") == 2
    assert store.health.check_vectors() == []


def test_windows_survive_a_rebuild_and_orphans_do_not(store):
    before = near(store, SentenceWordEmbedder())
    with store.transaction():
        store._database.rows("insert into vectors_1 select id + 6400, embedding from vectors_1")
    assert store.health.check_vectors() != []
    with store.transaction():
        store.text_rebuild.remove_orphans()
        session = store.sessions.by_number(1)
        store.text_rebuild.index_session(1, session, [Passage(1, 6)])
        store.text_rebuild.index_session(1, session, [Passage(1, 2), Passage(1, 6)])
    assert count(store, "vectors_1") == 7
    assert near(store, SentenceWordEmbedder()) == before
    reindex(store, SentenceWordEmbedder(), embedder_name=None, rebuild=True)
    assert near(store, SentenceWordEmbedder()) == before
    assert store.health.check_vectors() == []


def test_vectors_of_whole_passages_stay_in_use_until_they_are_made_again(tmp_path):
    class Former(SentenceWordEmbedder):
        window_turns = 0

    with Store(tmp_path / "mem.db") as store:
        take(store, Former(), HIVES)
        take(store, SentenceWordEmbedder(), PARTY)
        assert count(store, "vectors_1") == 2
        assert len(near(store, SentenceWordEmbedder())) == 2
        made = reindex(store, SentenceWordEmbedder(), embedder_name=None, rebuild=True)
        assert made.vectors == count(store, "vectors_2") == 7
        reindex(store, WordEmbedder(), embedder_name=None, rebuild=False)
        assert count(store, "vectors_3") == 2


@pytest.mark.parametrize("size", [1, 2, 3, 65, 66, 200, 900])
def test_every_turn_is_in_a_window_and_windows_are_not_too_many(size):
    long = session(talk("Long", *(f"me: {at}" for at in range(size))))
    windows = split_windows(long, Passage(1, size), WINDOW_TURNS)
    assert sorted({at for window in windows for at in window}) == list(range(1, size + 1))
    assert len(windows) <= MOST_WINDOWS
    assert all(len(window) >= min(WINDOW_TURNS, size) for window in windows)


def test_the_fewer_words_a_session_has_the_more_meaning_counts(store):
    [first, *_] = retrieve(QUESTION, store, SentenceWordEmbedder(), Filters(), limit=2).candidates
    assert first.session.title == "Hives"


def test_the_nearest_turns_are_shown_without_a_word_of_the_question(store):
    [first, *_] = retrieve(QUESTION, store, SentenceWordEmbedder(), Filters(), limit=2).candidates
    assert {3, 4} <= {shown.position for shown in first.evidence}


def test_a_search_of_an_archive_without_vectors_writes_no_embedder(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        [number] = keep(store, HIVES)
        store.index.add(number, store.sessions.by_number(number), [Passage(1, 6)])
        found = retrieve("the doctor", store, SentenceWordEmbedder(), Filters(), limit=2)
        assert [one.session.title for one in found.candidates] == ["Hives"]
        assert count(store, "embedders") == 0


def test_an_embedder_without_sentences_has_a_vector_for_each_passage(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        keep(store, PARTY)
        take(store, WordEmbedder(), HIVES)
        assert np.all([passage == Passage(1, 6) for _, passage, _ in near(store, WordEmbedder())])
        assert count(store, "vectors_1") == 1
