"""Tests of facts and of the turns that support them."""

from dataclasses import replace

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.keyword_models import WordEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.domain import Fact, MemoryType, Segment, SourceTurn
from memcli.errors import InputError, NotFoundError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.memories.remember import MemoryWriter
from memcli.search.memory_search import search_memories, trusted_memories
from memcli.search.retrieve import retrieve
from memcli.store import Filters, MemoryFilters, Store

MODEL = "reader 1234"
YEAR = 525_600 * MINUTE
HOME = talk(
    "Home",
    "me: What shall we eat?",
    "me: I live in Lisbon now, in a small flat.",
    "ai: Lisbon is a fine place for a flat.",
    "me: I must not eat hazelnuts.",
)
MOVE = talk("Move", "me: I moved, I live in Porto now.", at=BEGIN + YEAR)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as opened:
        ConversationImporter(opened, WordEmbedder()).import_batch([HOME, MOVE], ImportTally())
        yield opened


@pytest.fixture
def memories(store):
    return MemoryWriter(store, WordEmbedder())


def whole_session(store, title):
    """Return the segment that covers a whole session."""
    found = next(one for one in store.sessions.summaries(Filters()) if one.title == title)
    return Segment(found.id, 1, found.turns)


def find_trusted(store, query):
    """Return the current, trusted memories that a query is about."""
    return trusted_memories(search_memories(query, store, WordEmbedder(), MemoryFilters()))


def home(value, key="home"):
    return Fact(key, MemoryType.USER, value)


def test_a_fact_gets_the_turns_of_its_segment_that_support_it_best(store, memories):
    segment = whole_session(store, "Home")

    key = memories.remember(home("The user must not eat hazelnuts"), segment, model=MODEL)

    memory = store.memories.get(key)
    assert memory.sources == (SourceTurn(segment.session, 4, "4"),)
    assert memory.said_at == BEGIN + 3 * MINUTE
    assert (memory.by, memory.accepted, memory.superseded_by) == (MODEL, False, None)
    assert key.startswith("m_")


def test_the_newer_fact_supersedes_the_older_whichever_was_read_first(store, memories):
    new = memories.remember(home("Lives in Porto"), whole_session(store, "Move"), model=MODEL)
    old = memories.remember(home("Lives in Lisbon"), whole_session(store, "Home"), model=MODEL)

    assert store.memories.get(old).superseded_by == new
    assert store.memories.get(new).superseded_by is None


def test_search_finds_current_memories_by_words_and_meaning(store, memories):
    new = memories.remember(home("Lives in Porto"), whole_session(store, "Move"), model=MODEL)
    memories.remember(home("Lives in Lisbon"), whole_session(store, "Home"), model=MODEL)

    assert [one.id for one in find_trusted(store, "who lives in Lisbon or Porto")] == [new]


@pytest.mark.parametrize(
    "query", ["Which nuts must the user avoid?", "allergy to nuts?", "Where is our apartment?"]
)
def test_search_finds_memories_by_other_words(store, memories, query):
    segment = whole_session(store, "Home")
    nuts = memories.remember(home("The user must not eat hazelnuts", "nut"), segment, model=MODEL)
    flat = memories.remember(home("Has a small flat", "place"), segment, model=MODEL)

    [best, *_] = search_memories(query, store, WordEmbedder(), MemoryFilters())

    assert best.memory.id == (flat if "apartment" in query else nuts)


def test_a_memory_in_other_words_answers_a_question(tmp_path):
    embedder = WordLlamaEmbedder()
    with Store(tmp_path / "mem.db") as store:
        ConversationImporter(store, embedder).import_batch([HOME], ImportTally())
        fact, segment = home("Has a small flat in Lisbon", "place"), whole_session(store, "Home")
        flat = MemoryWriter(store, embedder).remember(fact, segment, model=MODEL)

        found = retrieve("Where is our apartment?", store, embedder, Filters(), limit=5)

        assert [memory.id for memory in found.memories] == [flat]


def test_what_no_turn_of_the_segment_says_is_unsupported(store, memories):
    key = memories.remember(
        home("Lives in Lisbon with 3 cats"), whole_session(store, "Home"), model=MODEL
    )

    memory = store.memories.get(key)

    assert memory.unsupported == ("3",)
    assert not memory.trusted
    assert find_trusted(store, "Lisbon cats") == []


def test_what_the_best_turn_lacks_another_one_may_say(store, memories):
    fact = home("Has a small flat now and must not eat; likes Lisbon hazelnuts")

    key = memories.remember(fact, whole_session(store, "Home"), model=MODEL)

    assert store.memories.get(key).unsupported == ()


def test_a_source_is_always_inside_the_segment_even_where_nothing_matches(store, memories):
    segment = whole_session(store, "Home")
    part = Segment(segment.session, 3, 3)

    key = memories.remember(home("Quite unheard of"), part, model=MODEL)

    assert [one.position for one in store.memories.get(key).sources] == [3]


def test_a_segment_may_end_behind_its_session_but_not_begin_there(store, memories):
    segment = whole_session(store, "Move")
    memories.remember(home("Lives in Porto"), Segment(segment.session, 1, 99), model=MODEL)

    with pytest.raises(NotFoundError, match="has no turns 5 to 9"):
        memories.remember(home("Lives"), Segment(segment.session, 5, 9), model=MODEL)


@pytest.mark.parametrize("fact", [home(" . "), home("x", key="\x00 "), home("")])
def test_a_fact_without_words_is_refused(store, memories, fact):
    with pytest.raises(InputError, match="a memory needs a"):
        memories.remember(fact, whole_session(store, "Home"), model=MODEL)


def test_what_a_model_writes_is_kept_as_text_and_nothing_else(store, memories):
    fact = Fact("a\n b", MemoryType.USER, "x\ud800\x00 'y\" %", ("", "two  words"))

    key = memories.remember(fact, whole_session(store, "Home"), model=MODEL)

    kept = store.memories.get(key).fact
    assert kept == Fact("a b", MemoryType.USER, "x\ufffd 'y\" %", ("two words",))


TITLES = ("Home", "Move", "Back")
STATEMENTS = [
    (Fact(key, kind, value, tags), title)
    for title in TITLES
    for key, kind, value, tags in (
        ("home", MemoryType.USER, "Lives in Lisbon", ("a",)),
        ("HOME", MemoryType.USER, "lives in lisbon.", ("A", "b")),
        ("Home ", MemoryType.LONG_TERM, "Lives in Porto", ()),
        ("diet", MemoryType.USER, "Eats no hazelnuts since 1999", ("food",)),
    )
]


@given(st.permutations(STATEMENTS))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_of_reading_ends_the_same(tmp_path_factory, order):
    def outcome(statements):
        with Store(tmp_path_factory.mktemp("order") / "mem.db") as store:
            back = talk("Back", "me: In Lisbon again, no hazelnuts", at=BEGIN + 2 * YEAR)
            ConversationImporter(store, WordEmbedder()).import_batch(
                [HOME, MOVE, back], ImportTally()
            )
            memories = MemoryWriter(store, WordEmbedder())
            with store.transaction():
                for at, (fact, title) in enumerate(statements):
                    memories.remember(fact, whole_session(store, title), model=f"reader {at % 2}")
            found = store.memories.find(MemoryFilters())
            return [replace(one, by="") for one in found], [
                [each.id for each in store.memories.history(one)] for one in found
            ]

    assert outcome(order) == outcome(STATEMENTS)


def rank_titles(store, question, filters=None):
    found = retrieve(question, store, WordEmbedder(), filters or Filters(), limit=5)
    return [(one.session.title, "memories" in one.parts) for one in found.candidates]


def test_a_memory_leads_to_the_session_it_came_from(store, memories):
    fact = Fact("allergy", MemoryType.USER, "Allergic reaction to hazelnuts")
    question = "any allergic reaction?"
    assert rank_titles(store, question) == []

    memories.remember(fact, whole_session(store, "Home"), model=MODEL)

    [found] = retrieve(question, store, WordEmbedder(), Filters(), limit=5).candidates
    assert found.session.title == "Home"
    assert [one.position for one in found.evidence] == [4]
    assert found.score == pytest.approx(sum(found.parts.values()))
    assert rank_titles(store, question, Filters(source="chatgpt")) == []


def test_what_is_superseded_or_doubtful_leads_nowhere(store, memories):
    old = Fact("flat", MemoryType.USER, "Inhabits a dwelling")
    memories.remember(old, whole_session(store, "Home"), model=MODEL)
    memories.remember(replace(old, value="None"), whole_session(store, "Move"), model=MODEL)
    doubtful = Fact("cats", MemoryType.USER, "Keeps 3 felines in a dwelling")
    memories.remember(doubtful, whole_session(store, "Home"), model=MODEL)

    assert rank_titles(store, "felines in a dwelling") == []


def test_without_memories_a_ranking_is_what_it_was(store):
    found = retrieve("I live in Porto", store, WordEmbedder(), Filters(), limit=5)
    [first, second] = found.candidates

    assert (first.session.title, second.session.title) == ("Move", "Home")
    assert "memories" not in first.parts


def test_after_another_spelling_a_memory_is_found_by_the_words_it_has_now(store, memories):
    memories.remember(home("Lives in Lisbon"), whole_session(store, "Home"), model=MODEL)
    spelled = Fact("HOME", MemoryType.USER, "Lives in Lisbon", ("quarters",))
    key = memories.remember(spelled, whole_session(store, "Home"), model=MODEL)

    assert [one.id for one in find_trusted(store, "quarters")] == [key]


def test_memories_without_a_vector_get_one(store, memories):
    key = memories.remember(home("Lives in Lisbon"), whole_session(store, "Home"), model=MODEL)
    numbers = store.memories.numbers([key])
    vector = WordEmbedder().embed(["home: Lives in Lisbon"])[0].tobytes()
    store.memory_index.remove(numbers)
    assert store.memory_index.nearest_memories(vector, WordEmbedder(), 5) == {}

    memories.embed()

    assert store.memory_index.nearest_memories(vector, WordEmbedder(), 5) == {
        numbers[0]: pytest.approx(1)
    }


@pytest.mark.parametrize("query", ["", '"', "'; drop", "a" * 10_000, "NEAR(", "\x00", "* OR *"])
def test_any_query_is_only_words(store, memories, query):
    memories.remember(home("Lives in Lisbon"), whole_session(store, "Home"), model=MODEL)

    find_trusted(store, query)
