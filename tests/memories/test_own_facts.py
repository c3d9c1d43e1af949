"""Tests of memories that the person adds, edits and accepts."""

from dataclasses import replace

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.keyword_models import WordEmbedder
from hypothesis import given
from hypothesis import strategies as st

from memcli.domain import YOU, Fact, MemoryType, Segment
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.own_facts import ExportedMemory, MemoryImportCounts, OwnFacts
from memcli.memories.profile import describe_person
from memcli.memories.remember import MemoryWriter
from memcli.store import Filters, MemoryFilters, Store, memory_id

LISBON = Fact("home", MemoryType.USER, "Lives in Lisbon", ("place",))
PORTO = replace(LISBON, value="Lives in Porto")
DAY = 1440 * MINUTE


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as opened:
        take(opened, talk("Home", "me: I live in Lisbon.", at=BEGIN + DAY))
        yield opened


@pytest.fixture
def own(store):
    return OwnFacts(store, WordEmbedder())


def take(store, *conversations):
    ConversationImporter(store, WordEmbedder()).import_batch(conversations, ImportTally())


def read(store, fact, title="Home"):
    [session] = [one for one in store.sessions.summaries(Filters()) if one.title == title]
    segment = Segment(session.id, 1, session.turns)
    return MemoryWriter(store, WordEmbedder()).remember(fact, segment, model="reader 1")


def current(store):
    return {one.fact.value for one in store.memories.find(MemoryFilters()) if one.current}


def test_a_fact_of_ones_own_is_said_in_a_turn_of_ones_own(store, own):
    key = own.add(LISBON, BEGIN)

    memory = store.memories.get(key)
    [source] = memory.sources
    session = store.sessions.get(source.session)
    assert (memory.by, memory.accepted, memory.said_at) == (YOU, True, BEGIN)
    assert (session.source, session.title, session.turns[0].text) == (YOU, "home", LISBON.value)


def test_a_clock_that_was_set_back_supersedes_no_new_fact(store, own):
    own.add(LISBON, BEGIN)
    own.add(PORTO, BEGIN - 60 * MINUTE)

    assert current(store) == {PORTO.value}


def test_what_a_model_reads_later_does_not_supersede_it_until_it_is_accepted(store, own):
    own.add(PORTO, BEGIN)
    key = read(store, LISBON)
    assert current(store) == {"Lives in Porto", "Lives in Lisbon"}

    store.memories.accept(key)

    assert current(store) == {"Lives in Lisbon"}


def test_a_model_that_finds_the_same_changes_neither_spelling_nor_author(store, own):
    key = own.add(LISBON, BEGIN)

    assert read(store, Fact("HOME", MemoryType.USER, "LIVES IN LISBON", ("other",))) == key

    memory = store.memories.get(key)
    assert (memory.fact, memory.by, len(memory.sources)) == (LISBON, YOU, 2)


def test_an_edit_under_another_key_supersedes_as_well_and_forgetting_it_brings_back(store, own):
    key = read(store, LISBON)
    edit = own.edit(store.memories.get(key), replace(LISBON, key="city"), BEGIN + 2 * DAY)

    memory = store.memories.get(key)
    assert (memory.superseded_by, memory.edited) == (edit, True)
    assert [one.id for one in store.memories.history(memory)] == [key, edit]

    store.deletion.forget([], [store.memories.get(edit)])
    assert store.memories.get(key).superseded_by is None


def test_restoring_twice_changes_nothing_the_second_time(store, own):
    records = [ExportedMemory(LISBON, BEGIN), ExportedMemory(PORTO)]

    assert own.import_memories(records, BEGIN + DAY) == MemoryImportCounts(new=2)
    before = store.memories.find(MemoryFilters())
    assert own.import_memories(records, BEGIN + 2 * DAY) == MemoryImportCounts(known=2)

    assert store.memories.find(MemoryFilters()) == before


def test_edits_of_edits_are_restored_in_any_order(store, own, tmp_path):
    first = ExportedMemory(LISBON, BEGIN, edited_into=memory_id(replace(LISBON, key="city")))
    second = ExportedMemory(replace(LISBON, key="city"), BEGIN, edited_into=memory_id(PORTO))

    own.import_memories([ExportedMemory(PORTO, BEGIN), second, first], BEGIN)

    assert current(store) == {"Lives in Porto"}


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
def test_however_often_one_edits_one_revision_is_current(tmp_path_factory, values):
    with Store(tmp_path_factory.mktemp("edits") / "mem.db") as store:
        own = OwnFacts(store, WordEmbedder())
        key = own.add(replace(LISBON, value="first"), BEGIN)
        for number, value in enumerate(values, start=1):
            at = BEGIN + number * DAY
            key = own.edit(store.memories.get(key), replace(LISBON, value=value), at)

        assert current(store) == {values[-1]}
        assert store.memories.get(key).current


def words(text):
    return len(text.split())


def test_a_profile_has_what_is_accepted_and_current_the_newest_first(store, own):
    own.add(replace(LISBON, key="old\x1b", value="long\nago"), BEGIN)
    own.add(LISBON, BEGIN + MINUTE)
    own.add(PORTO, BEGIN + DAY)
    own.add(Fact("trip", MemoryType.LONG_TERM, "Flew to Rome"), BEGIN)
    read(store, Fact("likes", MemoryType.USER, "Lisbon"))

    assert describe_person(store, 100, words) == (
        "About the user:\n- home: Lives in Porto\n- old\x1b: long ago"
    )


@pytest.mark.parametrize(("tokens", "lines"), [(0, 0), (6, 0), (7, 2), (10, 2), (11, 3), (99, 4)])
def test_a_profile_fits(store, own, tokens, lines):
    own.add(Fact("a", MemoryType.USER, "one two"), BEGIN)
    own.add(Fact("b", MemoryType.USER, "one two three"), BEGIN + DAY)
    own.add(Fact("c", MemoryType.USER, "one two"), BEGIN + 2 * DAY)

    told = describe_person(store, tokens, words)

    assert words(told) <= tokens
    assert len(told.splitlines()) == lines
