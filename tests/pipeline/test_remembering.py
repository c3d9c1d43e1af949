"""Facts and the turns that support them."""

import pytest
from builders import BEGIN, MINUTE, talk

from memcli.backends.fake import WordEmbedder
from memcli.domain import Fact, MemoryType, Segment, SourceTurn
from memcli.pipeline.absorb import Absorber, Tally
from memcli.pipeline.remembering import Memories
from memcli.store import Store

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
        Absorber(opened, WordEmbedder()).take([HOME, MOVE], Tally())
        yield opened


@pytest.fixture
def memories(store):
    return Memories(store, WordEmbedder())


def whole(store, title):
    """The segment that is all of a session."""
    from memcli.store import Filters

    found = next(one for one in store.sessions.overviews(Filters()) if one.title == title)
    return Segment(found.id, 1, found.turns)


def home(value, key="home"):
    return Fact(key, MemoryType.USER, value)


def test_a_fact_gets_the_turns_of_its_segment_that_support_it_best(store, memories):
    segment = whole(store, "Home")

    key = memories.remember(home("The user must not eat hazelnuts"), segment, model=MODEL)

    memory = store.memories.get(key)
    assert memory.sources == (SourceTurn(segment.session, 4, "4"),)
    assert memory.said_at == BEGIN + 3 * MINUTE
    assert (memory.by, memory.accepted, memory.superseded_by) == (MODEL, False, None)
    assert key.startswith("m_")


def test_the_newer_fact_supersedes_the_older_whichever_was_read_first(store, memories):
    new = memories.remember(home("Lives in Porto"), whole(store, "Move"), model=MODEL)
    old = memories.remember(home("Lives in Lisbon"), whole(store, "Home"), model=MODEL)

    assert store.memories.get(old).superseded_by == new
    assert store.memories.get(new).superseded_by is None


def test_search_finds_current_memories_by_words_and_meaning(store, memories):
    new = memories.remember(home("Lives in Porto"), whole(store, "Move"), model=MODEL)
    memories.remember(home("Lives in Lisbon"), whole(store, "Home"), model=MODEL)

    assert [one.id for one in memories.search("who lives in Lisbon or Porto", limit=5)] == [new]
