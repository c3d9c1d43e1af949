"""Memories rest on turns, whatever becomes of these."""

from itertools import permutations

import apsw
import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.keyword_models import WordEmbedder

from memcli.domain import Fact, MemoryId, MemoryType, Segment
from memcli.errors import NotFoundError, StoreError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.memories.remember import MemoryWriter
from memcli.search.memory_search import search_memories, trusted_memories
from memcli.store import Filters, MemoryFilters, Store
from memcli.store.tables.supersession import (
    KeyCandidate,
    SupersessionStatus,
    decide_supersession,
)

MODEL = "reader 1234"
SECRET = talk("Diagnosis", "me: The xylophone result is bad.", "ai: I am sorry.")
OTHER = talk("Later", "me: The xylophone result was wrong!", at=BEGIN + 10_000 * MINUTE)
APART = 4 * 24 * 60 * MINUTE  # messages of a chat this far apart are in sessions of their own
CHAT = talk("Ann", "Ann: the quixotic plan", "Ann: goodbye", step=APART, endless=True)
XYLOPHONE = Fact("result", MemoryType.LONG_TERM, "The xylophone result", ("health",))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as opened:
        take(opened, SECRET, OTHER, CHAT)
        yield opened


def take(store, *conversations, unique_keys=False):
    ConversationImporter(store, WordEmbedder()).import_batch(
        conversations, ImportTally(), unique_keys=unique_keys
    )


def remember(store, fact, title, at=0):
    """Remember a fact of a session, the earliest of its title but `at`."""
    found = [one for one in store.sessions.summaries(Filters()) if one.title == title]
    session = sorted(found, key=lambda one: one.started_at)[at]
    segment = Segment(session.id, 1, session.turns)
    return MemoryWriter(store, WordEmbedder()).remember(fact, segment, model=MODEL)


def every(store):
    return store.memories.find(MemoryFilters())


def sources(store, memory):
    """The texts a memory came from."""
    return [
        store.sessions.get(one.session).turns[one.position - 1].text
        for one in store.memories.get(memory).sources
    ]


BROKEN = [
    "insert into memories (public, subject, key, type, value, tags, source_id)"
    " values ('m_1', 'k', 'k', 'UserMemory', 'v', '[]', 1)",
    "insert into memories (public, subject, key, type, value, tags, source_id)"
    " values ('m_1', 'k', 'k', 'UserMemory', 'v', '[]', null)",
    "update memories set source_id = source_id + 1",
    "update memory_sources set turn = 'no such turn'",
    "update memory_sources set conversation_id = 77",
    "update memory_sources set memory_id = memory_id + 1",
    "delete from turns",
    "delete from sessions",
    "insert into memory_sources (memory_id, conversation_id, turn, by, unsupported)"
    " values (1, 1, 'no such turn', 'x', '[]')",
]


@pytest.mark.parametrize("statement", BROKEN)
def test_no_memory_can_be_without_a_turn_it_came_from(store, tmp_path, statement):
    key = remember(store, XYLOPHONE, "Diagnosis")
    database = apsw.Connection(str(tmp_path / "mem.db"))
    database.execute("pragma foreign_keys = on")

    with pytest.raises(apsw.ConstraintError), database:
        database.execute(statement)

    database.close()
    assert [one.id for one in every(store)] == [key]
    assert sources(store, key)


def test_with_its_last_source_a_memory_goes(store, tmp_path):
    key = remember(store, XYLOPHONE, "Diagnosis")
    remember(store, XYLOPHONE, "Later")
    database = apsw.Connection(str(tmp_path / "mem.db"))
    database.execute("pragma foreign_keys = on")

    database.execute("delete from memory_sources where id = (select min(id) from memory_sources)")
    assert len(store.memories.get(key).sources) == 1
    database.execute("delete from memory_sources")

    database.close()
    assert every(store) == []


def test_the_same_fact_in_other_words_joins_its_sources(store):
    first = remember(store, XYLOPHONE, "Diagnosis")
    again = Fact(" RESULT ", XYLOPHONE.type, "the  xylophone\u3000result.", ("Health", "news"))

    second = remember(store, again, "Later")

    assert first == second
    [memory] = every(store)
    assert sources(store, first) == [
        "The xylophone result is bad.",
        "The xylophone result was wrong!",
    ]
    assert memory.said_at == OTHER.turns[0].sent_at
    assert memory.fact == Fact("RESULT", again.type, "The xylophone result", ("Health", "news"))


def test_sources_survive_a_conversation_that_grows_and_is_cut_elsewhere(store):
    key = remember(store, Fact("plan", MemoryType.LONG_TERM, "goodbye"), "Ann", at=1)
    [before] = store.memories.get(key).sources

    bridge = talk("Ann", *(f"Ann: {n}" for n in range(3)), step=300 * MINUTE, endless=True)
    take(store, bridge)

    [after] = store.memories.get(key).sources
    assert after.session != before.session
    assert store.sessions.get(after.session).turns[after.position - 1].key == before.key


def test_sources_follow_turns_to_the_conversation_they_were_copied_from(store):
    lines = ("me: The quokka smiled.", "ai: Nice.")
    copy = talk("Copy", *lines, "me: More?", key="b", source="tool")
    take(store, copy, unique_keys=True)
    key = remember(store, Fact("quokka", MemoryType.LONG_TERM, "The quokka smiled"), "Copy")

    take(store, talk("Original", *lines, key="a", source="tool"), unique_keys=True)

    [source] = store.memories.get(key).sources
    assert store.sessions.get(source.session).title == "Original"
    assert sources(store, key) == ["The quokka smiled."]


def test_forgetting_a_session_takes_what_rests_on_it_alone(store):
    shared = remember(store, XYLOPHONE, "Diagnosis")
    remember(store, XYLOPHONE, "Later")
    alone = remember(store, Fact("mood", MemoryType.USER, "sorry"), "Diagnosis")
    session = store.memories.get(alone).sources[0].session

    store.deletion.forget([session])

    assert [one.id for one in every(store)] == [shared]
    assert sources(store, shared) == ["The xylophone result was wrong!"]
    hits = search_memories("mood sorry", store, WordEmbedder(), MemoryFilters())
    assert trusted_memories(hits) == []


def test_no_byte_of_a_forgotten_memory_is_left(store, tmp_path):
    fact = Fact("zymurgy", MemoryType.LONG_TERM, "A jabberwock result", ("bandersnatch",))
    key = remember(store, fact, "Diagnosis")
    files = [tmp_path / name for name in ("mem.db", "mem.db-wal")]
    words = (b"zymurgy", b"jabberwock", b"bandersnatch")
    [vector] = WordEmbedder().embed(["zymurgy: A jabberwock result"])
    for word in (*words, vector.tobytes()):
        assert any(word in file.read_bytes() for file in files)

    assert store.deletion.forget([], [store.memories.get(key)])

    assert every(store) == []
    assert not any(word in file.read_bytes() for file in files for word in words)
    assert not any(vector.tobytes() in file.read_bytes() for file in files)


def test_a_forgotten_memory_comes_back_only_when_it_is_said_elsewhere(store):
    key = remember(store, XYLOPHONE, "Diagnosis")
    store.deletion.forget([], [store.memories.get(key)])

    assert remember(store, XYLOPHONE, "Diagnosis") == key
    assert every(store) == []

    remember(store, XYLOPHONE, "Later")
    assert [one.id for one in every(store)] == [key]


def test_a_memory_is_named_by_its_id_or_how_that_begins(store):
    key = remember(store, XYLOPHONE, "Diagnosis")

    assert store.memories.get(key[:5]) == store.memories.get(key)
    for name in ("m_nowhere", "m_%", "x"):
        with pytest.raises(NotFoundError, match="no memory"):
            store.memories.get(name)


@pytest.mark.parametrize("damage", ["type = 'x'", "tags = '{'"])
def test_a_damaged_memory_is_an_error_that_names_the_database(store, tmp_path, damage):
    key = remember(store, XYLOPHONE, "Diagnosis")
    database = apsw.Connection(str(tmp_path / "mem.db"))
    database.execute(f"update memories set {damage}")
    database.close()

    with pytest.raises(StoreError, match="is damaged in a memory"):
        store.memories.get(key)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (MemoryFilters(), 2),
        (MemoryFilters(type=MemoryType.USER), 1),
        (MemoryFilters(tag="HEALTH"), 1),
        (MemoryFilters(speaker=frozenset(["ann"])), 1),
        (MemoryFilters(since=BEGIN + MINUTE), 1),
        (MemoryFilters(until=BEGIN + MINUTE), 1),
    ],
)
def test_memories_are_filtered_by_what_they_are_and_who_said_them_when(store, filters, count):
    remember(store, XYLOPHONE, "Diagnosis")
    remember(store, Fact("bye", MemoryType.USER, "goodbye"), "Ann", at=1)

    assert len(store.memories.find(filters)) == count


def candidate(name, said_at, value="", *, accepted=False, trusted=True, by_user=False):
    accepted = accepted or by_user
    return KeyCandidate(
        MemoryId(f"m_{name}"), value or name, said_at, accepted, trusted or accepted, by_user
    )


CASES = {
    "the newest is current": (
        [candidate("a", 1), candidate("b", 2), candidate("c", 3)],
        {
            "m_a": SupersessionStatus("m_b"),
            "m_b": SupersessionStatus("m_c"),
            "m_c": SupersessionStatus(),
        },
    ),
    "without an order both are, and conflict": (
        [candidate("a", 1), candidate("b", 1), candidate("c", None)],
        {
            "m_a": SupersessionStatus(None, ("m_b", "m_c")),
            "m_b": SupersessionStatus(None, ("m_a", "m_c")),
            "m_c": SupersessionStatus(None, ("m_a", "m_b")),
        },
    ),
    "two types of one value are no conflict": (
        [candidate("a", 1, "v"), candidate("b", 1, "v")],
        {"m_a": SupersessionStatus(), "m_b": SupersessionStatus()},
    ),
    "what is unsupported supersedes nothing and conflicts with nothing": (
        [candidate("a", 1), candidate("b", 2, trusted=False)],
        {"m_a": SupersessionStatus(), "m_b": SupersessionStatus()},
    ),
    "the person's own is not superseded by a model's": (
        [candidate("a", 1, by_user=True), candidate("b", 2)],
        {"m_a": SupersessionStatus(None, ("m_b",)), "m_b": SupersessionStatus(None, ("m_a",))},
    ),
    "unless the person accepted it": (
        [candidate("a", 1, by_user=True), candidate("b", 2, accepted=True)],
        {"m_a": SupersessionStatus("m_b"), "m_b": SupersessionStatus()},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_of_memories_about_one_key(case):
    candidates, expected = CASES[case]

    for order in permutations(candidates):
        assert decide_supersession(order) == expected
