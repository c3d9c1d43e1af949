"""Tests of each signal of the first stage, on the smallest archive that shows its use."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from helpers.builders import BEGIN, talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import Fact, MemoryType, Segment
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.memories.remember import MemoryWriter
from memcli.search import signals
from memcli.search.query import SignalWeights
from memcli.search.question.vectors import term_salience
from memcli.search.retrieve import retrieve
from memcli.search.turn_search import TurnWeights, retrieve_turns
from memcli.store import Filters, Store
from memcli.store.index.search_index import SearchIndex

NOW = datetime(2024, 3, 20, tzinfo=UTC)
NONE = SignalWeights(
    session=0,
    passage=0,
    turn=0,
    meaning=0,
    together=0,
    dates=0,
    spelling=0,
    salience=0,
    memories=0,
    people=0,
    title=0,
    contrast=0,
    answer=0,
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


@pytest.fixture
def titles(store):
    def found(question, weights=None, filters=None, **options):
        ranked = retrieve(
            question,
            store,
            WordEmbedder(),
            filters or Filters(),
            limit=9,
            now=NOW,
            weights=weights,
            **options,
        )
        return [candidate.session.title for candidate in ranked.candidates]

    return found


def remember(store, *talks):
    ConversationImporter(store, WordEmbedder()).import_batch(talks, ImportTally())


def test_words_side_by_side_in_the_question_are_looked_for_side_by_side(store, titles):
    remember(
        store,
        talk("Apart", "me: support for the new people in any group"),
        talk("Together", "me: my support group is full of people who listen to each other"),
    )

    assert titles("the support group", replace(NONE, turn=0.1)) == ["Apart", "Together"]
    assert titles("the support group", replace(NONE, turn=0.1, together=1)) == ["Together", "Apart"]


def test_what_a_follow_up_asks_for_in_place_of_something_is_in_what_it_finds(store, titles):
    remember(
        store,
        talk("Oslo", "me: Ida feeds the cat, the fish and the snake in Oslo."),
        talk("Rome", "me: Udo feeds the cat in Rome."),
    )
    before = "who feeds the cat, the fish and the snake in Oslo?"
    words = replace(NONE, session=1)

    assert titles("and in Rome?", words, earlier=before) == ["Oslo", "Rome"]
    assert titles("and in Rome?", replace(words, contrast=1), earlier=before) == ["Rome", "Oslo"]
    assert titles("and who is in Rome, is it him?", replace(words, contrast=1), earlier=before) == [
        "Oslo",
        "Rome",
    ]


def test_who_asks_where_one_lives_finds_who_said_that_they_live_there(store, titles):
    remember(store, talk("Flat", "me: I live by the river."), talk("Film", "me: a film about life"))

    assert titles("Ann lives", replace(NONE, turn=1)) == ["Flat"]


def test_of_equal_sessions_the_one_near_the_day_named_comes_first(store, titles):
    remember(
        store,
        talk("June", "me: tea", at=datetime(2023, 6, 9, tzinfo=UTC)),
        talk("May", "me: tea", at=datetime(2023, 5, 9, tzinfo=UTC)),
        talk("Undated", "me: tea", at=None),
    )

    assert titles("tea in May 2023", replace(NONE, turn=1, dates=1))[:2] == ["May", "June"]
    assert titles("tea last summer", replace(NONE, turn=1, dates=1))[:2] == ["June", "May"]
    assert titles("tea in May 2023", replace(NONE, turn=1)) == ["June", "May", "Undated"]


def test_a_question_that_names_only_a_day_finds_what_was_said_on_it(store, titles):
    remember(store, talk("Tea", "me: tea"), talk("Later", "me: milk", at=BEGIN.replace(month=9)))

    assert titles("1.3.2024")[0] == "Tea"


def test_a_day_named_does_not_open_a_filter(store, titles):
    remember(store, talk("Notes", "me: tea"), talk("Other", "me: tea", source="chat"))

    assert titles("tea in March 2024", filters=Filters(source="chat")) == ["Other"]


def test_of_equal_sessions_the_one_with_an_answer_of_the_expected_type_comes_first(store):
    remember(
        store,
        talk("Asks", "me: is that saddle comfortable?", "ai: that saddle is, for most people"),
        talk("Tells", "me: the saddle is here at last", "ai: Lovely!", "me: it was $85"),
        talk("Told", "me: the saddle is here", "me: $85 and it even fits"),
    )
    ranked = retrieve(
        "what did the saddle cost?",
        store,
        WordEmbedder(),
        Filters(),
        limit=9,
        now=NOW,
        weights=replace(NONE, session=0.01, turn=0.3, answer=1),
    )
    first, *others = ranked.candidates
    assert first.session.title == "Told"
    assert first.reasons == ("words saddle", "names an amount of money")
    assert all("answer" not in one.parts or not one.parts["answer"] for one in others)


def test_a_mistyped_word_counts_as_the_nearest(store, titles):
    remember(store, talk("Trip", "me: the umbrella is broken"), talk("Dinner", "me: hazelnut cake"))

    assert titles("umbrela", replace(NONE, turn=1, spelling=0.3)) == ["Trip"]
    assert titles("umbrela", replace(NONE, turn=1)) == []


def test_an_assistants_turn_counts_less(store, titles):
    remember(store, talk("Assistant", "ai: tea at four"), talk("Mine", "me: tea at four"))

    assert titles("tea", replace(NONE, turn=1, assistant=0.6)) == ["Mine", "Assistant"]
    assert titles("tea", replace(NONE, turn=1, assistant=1)) == ["Assistant", "Mine"]


def test_what_memories_came_from_is_found(store, titles):
    remember(store, talk("Tea", "me: tea"), talk("Milk", "me: milk"))
    [milk] = store.index.match_terms("session", ["milk"], Filters(), 1)
    segment = Segment(store.sessions.by_number(milk.session).id, 1, 1)
    fact = Fact("milk", MemoryType.USER, "Milk")

    assert titles("dairy milk", replace(NONE, memories=1)) == []
    with store.transaction():
        MemoryWriter(store, WordEmbedder()).remember(fact, segment, model="m")

    assert titles("dairy milk", replace(NONE, memories=1)) == ["Milk"]
    assert titles("dairy milk", NONE) == []


def test_in_a_large_archive_passages_and_turns_are_looked_at_in_the_likeliest_sessions(
    store, titles, monkeypatch
):
    others = [talk(f"Other {n}", f"me: {'water and ' * n} tea with milk") for n in range(20)]
    remember(store, *others, talk("Tea", "me: green tea", "ai: green milk"))
    everywhere = titles("green tea")
    looked_at = []
    look = SearchIndex.match_terms

    def watch(index, grain, terms, filters, *rest, **options):
        looked_at.append((grain, filters.among and len(filters.among)))
        return look(index, grain, terms, filters, *rest, **options)

    monkeypatch.setattr(SearchIndex, "match_terms", watch)
    monkeypatch.setattr(signals, "DEPTH", 5)

    assert titles("green tea")[0] == everywhere[0] == "Tea"
    assert looked_at[0] == ("session", None)
    assert {grain: 5 <= among <= 10 for grain, among in looked_at[1:3]} == {
        "passage": True,
        "turn": True,
    }


@pytest.mark.parametrize("name", ["session", "passage", "turn"])
def test_one_measure_alone_finds_what_it_can(store, titles, name):
    remember(store, talk("Tea", "me: tea"), talk("Milk", "me: milk"))

    assert titles("tea", replace(NONE, **{name: 1.0})) == ["Tea"]


def test_without_any_measure_nothing_is_found(store, titles):
    remember(store, talk("Tea", "me: tea"))

    assert titles("tea", NONE) == []


def test_scores_are_shares_of_what_the_best_session_has_of_the_question(store):
    remember(store, talk("Tea", "me: green tea"), talk("Milk", "me: milk and tea"))

    best, other = retrieve("green tea", store, WordEmbedder(), Filters(), limit=2).candidates

    assert 0 < other.score < best.score <= 1
    for each in (best, other):
        assert sum(each.parts.values()) == pytest.approx(each.score)


def test_a_term_tells_as_much_as_the_meaning_is_off_without_it(store):
    class Weighing(WordEmbedder):
        def embed(self, texts, *, questions=False):
            rows = [[("violin" in text) * 3.0, ("about" in text) * 1.0, 0.1] for text in texts]
            vectors = np.array(rows, dtype=np.float32)
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    violin, about = term_salience(["violin", "about"], Weighing(), store.cache)

    assert violin > 0.5 > 0.1 > about >= 0


def test_what_terms_tell_is_remembered(store):
    class Counting(WordEmbedder):
        asked = 0

        def embed(self, texts, *, questions=False):
            self.asked += 1
            return super().embed(texts, questions=questions)

    embedder = Counting()
    first = term_salience(["green", "tea"], embedder, store.cache)

    assert term_salience(["green", "tea"], embedder, store.cache) == first
    assert embedder.asked == 1
    assert term_salience(["tea"], embedder, store.cache) == [1.0]
    assert term_salience([], embedder, store.cache) == []


@pytest.mark.parametrize("damaged", ["x", 3, {}, [], [1.0], ["a", "b"], [1, None]])
def test_what_is_remembered_wrongly_is_asked_again(store, monkeypatch, damaged):
    expected = term_salience(["green", "tea"], WordEmbedder(), store.cache)
    monkeypatch.setattr(store.cache, "get", lambda _key: damaged)

    assert term_salience(["green", "tea"], WordEmbedder(), store.cache) == expected


def test_a_text_for_a_question_is_not_looked_at_word_by_word(store):
    class Strict(WordEmbedder):
        def embed(self, texts, *, questions=False):
            assert len(texts) == 1 or not questions
            return super().embed(texts, questions=questions)

    remember(store, talk("Tea", "me: green tea"))
    text = " ".join(f"word{number}" for number in range(5000)) + " tea"

    [found] = retrieve(text, store, Strict(), Filters(), limit=2).candidates

    assert found.terms == ("tea",)


# Turns.


def turns(store, question, weights=None):
    found = retrieve_turns(question, store, WordEmbedder(), Filters(), limit=9, weights=weights)
    titled = {store.sessions.get(each.session).title: each.session for each in found}
    names = {session: title for title, session in titled.items()}
    return [(names[each.session], each.position) for each in found]


def test_the_turn_that_answers_comes_first(store):
    remember(
        store,
        talk("Pets", "Ann: What is your dog called?", "Bo: Rex.", "Ann: I like the rain."),
        talk("Bread", "Ann: I baked bread.", "Bo: My dog likes bread."),
    )

    assert turns(store, "What is Bo's dog called?")[:2] == [("Pets", 2), ("Bread", 2)]


def test_a_turn_that_an_assistant_repeats_or_that_has_the_expected_type_comes_first(store):
    remember(
        store,
        talk(
            "Saddle",
            "me: I went to the shop again on Monday",
            "me: it was $85",
            "ai: Noted: the saddle is yours",
            "me: the weather was awful",
        ),
    )
    weights = TurnWeights(turn=1, passage=0, session=0, meaning=0, before=0, reply=0, answer=0)
    question = "what did the saddle cost?"

    def order(**more):
        found = retrieve_turns(
            question,
            store,
            WordEmbedder(),
            Filters(),
            limit=9,
            weights=replace(weights, **more),
        )
        return [one.position for one in found if one.score > 0]

    assert order() == [3]
    assert order(reply=0.5) == [3, 2]
    assert order(turn=0, answer=1) == [2]


def test_the_person_the_question_names_said_it(store):
    remember(
        store, talk("Tea", "Ann: I drink tea", "Bo: I drink tea", "Cleo: What, Ann drinks tea")
    )

    assert turns(store, "what does Bo drink")[0] == ("Tea", 2)
    assert turns(store, "what does Bo drink", TurnWeights(speaker=0))[0] != ("Tea", 3)


def test_turns_have_scores_between_nothing_and_everything_best_first(store):
    remember(store, talk("Tea", "me: tea", "ai: milk", "me: water"))

    found = retrieve_turns("tea", store, WordEmbedder(), Filters(), limit=2)

    assert found[0].position == 1
    assert 1 >= found[0].score >= found[1].score >= 0
    assert len(found) == 2


def test_in_an_empty_archive_no_turn_is_found(store):
    assert retrieve_turns("tea", store, WordEmbedder(), Filters(), limit=9) == []
