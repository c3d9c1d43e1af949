"""A database of every released schema opens, with every row, and is searched as before."""

import math
from array import array
from operator import mul

import pytest
from helpers import schema_dumps

from memcli.domain import MemoryId, ReadingOutcome, SessionId
from memcli.store import Filters, MemoryFilters, SegmentReading, Store
from memcli.store.sqlite.migrations import STEPS
from memcli.store.tables.tombstones import TombstoneTable

ALL = Filters()
SCHEMAS = range(1, len(STEPS) + 1)
LISBON, ANN = SessionId("s_lsbn000001"), SessionId("s_annn000001")


class TinyEmbedder:
    """The embedder whose vectors the dumps have."""

    name, fingerprint, dimensions = "tiny", "print", schema_dumps.DIMENSIONS


@pytest.fixture
def opened(tmp_path, request):
    """The store of a dump, and the schema it had."""
    schema_dumps.load(request.param, tmp_path / "mem.db")
    with Store(tmp_path / "mem.db") as store:
        yield store, request.param


def since(first):
    return pytest.mark.parametrize("opened", range(first, len(STEPS) + 1), indirect=True)


def test_every_schema_has_a_dump():
    assert sorted(path.name for path in schema_dumps.FOLDER.iterdir()) == [
        f"{number:04}.sql" for number in SCHEMAS
    ]


@since(1)
def test_an_older_database_gets_the_schema_of_a_new_one(opened, tmp_path):
    store, _ = opened
    with Store(tmp_path / "new.db") as new:
        assert schema_dumps.schema(store._database) == schema_dumps.schema(new._database)
    assert store.health.check_file() == []
    assert store.health.check_references() == []


@since(1)
def test_its_sessions_are_there(opened):
    store, number = opened

    overviews = list(store.sessions.summaries(ALL))

    turns = [0, 0, 0] if number < 2 else [1, 2, 2]
    assert [(one.id, one.title, one.source, one.turns, one.participants) for one in overviews] == [
        ("s_annn000002", "Ann", "whatsapp", turns[0], ("Ann",)),
        (ANN, "Ann", "whatsapp", turns[1], ("Ann", "me")),
        (LISBON, "Trip to Lisbon", "chatgpt", turns[2], ("user", "assistant")),
    ]
    assert overviews[1].started_at.isoformat() == "2024-05-01T12:00:00+02:00"


@since(2)
def test_its_turns_are_there(opened):
    store, number = opened

    first, second = store.sessions.get(LISBON).turns
    ferry, tokyo = store.sessions.get(ANN).turns

    assert (first.text, first.key, first.role) == ("I must not eat hazelnuts.", "t1", "user")
    assert (second.text, second.parent) == ("Noted, no hazelnuts.", "t1")
    assert (ferry.speaker, ferry.sent_at.isoformat()) == ("Ann", "2024-05-01T12:00:00+02:00")
    assert (tokyo.text, tokyo.clock, tokyo.kind) == ("東京 is next?", "exact", "text")
    assert store.conversations.revision_digests(1) == {"5f0e", "77ab"}
    assert (first.missing, first.edited_at is not None) == (number >= 5, number >= 5)


@since(3)
def test_its_words_are_found(opened):
    store, _ = opened

    def sessions(grain, *terms):
        return [found.session for found in store.index.match_terms(grain, terms, ALL, 9)]

    assert sessions("session", "hazelnut") == [1]
    assert sessions("session", "may") == [3, 2]
    assert sessions("passage", "ferry") == [2]
    assert sessions("turn", "東京") == [2]
    assert [found.passage.first for found in store.index.match_terms("turn", ["nut"], ALL, 9)] == []
    assert store.health.check_full_text() == []


@since(3)
def test_its_vectors_are_found(opened):
    store, _ = opened
    asked = schema_dumps.VECTORS[1]

    found = store.index.nearest_passages(array("f", asked).tobytes(), TinyEmbedder(), ALL, 9)

    assert [(each.session, each.score) for each in found] == [
        (number, pytest.approx(cosine(asked, schema_dumps.VECTORS[passage]), abs=0.01))
        for number, passage in [(1, 1), (2, 3), (2, 2), (2, 4)]
    ]
    assert store.health.check_vectors() == ["1 vectors of tiny without a direction"]


def cosine(one, other):
    return sum(map(mul, one, other)) / math.hypot(*one) / math.hypot(*other)


@since(4)
def test_what_else_it_kept_is_there(opened):
    store, number = opened

    assert store.cache.get("key") == {"order": [1, 0]}
    assert store.vector_sets.active_embedder_name() == (None if number < 9 else "tiny-embedder")
    if number >= 5:
        assert store.sessions.get("s_annn000009").id == ANN
    if number >= 6:
        path = "/home/ann/chat.zip"
        assert store.sources.list_paths() == [(path, {"format": "whatsapp"})]
        assert store.sources.file_state(path).offset == 120
    if number >= 8:
        [forgotten] = store.export.tombstones()
        assert forgotten.digest != "00112233445566778899aabbccddeeff"  # it is keyed now
        assert TombstoneTable(store._database).find(["00112233445566778899aabbccddeeff"])


@since(10)
def test_its_memories_are_there_and_found(opened):
    store, number = opened

    [former, current] = store.memories.find(MemoryFilters())
    vector = array("f", schema_dumps.VECTORS[1]).tobytes()

    assert (current.fact.value, current.accepted) == ("Must not eat hazelnuts", True)
    assert [(source.session, source.position) for source in current.sources] == [(LISBON, 1)]
    assert (former.superseded_by, former.edited) == (current.id, True)
    assert set(store.memory_index.match_terms(["hazelnut"], 9)) == {1}
    assert list(store.memory_index.nearest_memories(vector, TinyEmbedder(), 9)) == [1, 2]
    [*readings] = store.readings.of_memory(MemoryId("m_nuts000001"))
    assert readings == ([A_READING] if number >= 11 else [])
    assert store.readings.settled_characters(LISBON, reader_digest=None) == (
        {"t1": 25} if number >= 11 else {}
    )


A_READING = SegmentReading(
    "way",
    "reader",
    ReadingOutcome.ADDED,
    "an allergy",
    (("t1", 25),),
    (MemoryId("m_nuts000001"),),
    [{"thought": "é"}],
)
