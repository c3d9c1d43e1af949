"""Memories, and what was forgotten, from one database into another by way of an export."""

import json
from dataclasses import replace

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.exporting import again, exported, read_back
from helpers.hostile_server import serving
from helpers.keyword_models import WordEmbedder
from helpers.scripted_reader import Bench, add, ignore, reader_at

from memcli.domain import Fact, MemoryType, Segment
from memcli.formats.format import ParseOptions
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.import_exports import import_exports
from memcli.ingest.own_facts import OwnFacts
from memcli.ingest.reindex import reindex
from memcli.memories.remember import MemoryWriter
from memcli.search.memory_search import search_memories
from memcli.store import Filters, MemoryFilters, Store

DAY = 1440 * MINUTE
TURN = {"source": "notes", "conversation": "Home", "turn": "1", "digest": ""}
HOME = talk("Home", "me: I live in Lisbon now.", "ai: Lisbon is fine.")
MOVE = talk("Move", "me: I live in Porto now.", at=BEGIN + DAY)
CHAT = talk("Ann", "Ann: a secret of mine", at=BEGIN + 9 * DAY, source="whatsapp", endless=True)
LISBON = Fact("home", MemoryType.USER, "Lives in Lisbon", ("place",))
PORTO = replace(LISBON, value="Lives in Porto")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "one.db") as opened:
        take(opened, HOME, MOVE)
        yield opened


@pytest.fixture
def other(tmp_path):
    with Store(tmp_path / "two.db") as opened:
        yield opened


def take(store, *conversations):
    ConversationImporter(store, WordEmbedder()).import_batch(conversations, ImportTally())


def session(store, title):
    return next(one for one in store.sessions.summaries(Filters()) if one.title == title)


def read(store, title, fact):
    found = session(store, title)
    segment = Segment(found.id, 1, found.turns)
    return MemoryWriter(store, WordEmbedder()).remember(fact, segment, model="reader 1")


def found(store):
    """All that there is to say about every memory."""
    return store.memories.find(MemoryFilters())


def edited(store, memory, value, after):
    own = OwnFacts(store, WordEmbedder())
    known = store.memories.get(memory)
    return own.edit(known, replace(known.fact, value=value), BEGIN + after * DAY)


def test_memories_are_the_same_in_a_memory_that_reads_the_export(store, other):
    lisbon = read(store, "Home", LISBON)
    read(store, "Move", PORTO)
    store.memories.accept(read(store, "Home", Fact("cats", MemoryType.LONG_TERM, "Has 3 cats")))
    edit = edited(store, lisbon, "Lives in Lisboa", 3)
    edited(store, edit, "Lives in Faro", 4)
    OwnFacts(store, WordEmbedder()).add(Fact("diet", MemoryType.USER, "No «nuts» 🙂"), BEGIN)
    text = exported(store)

    read_back(text, other)

    assert exported(other) == text
    assert found(other) == found(store)
    assert [one.edited for one in found(other)].count(True) == 2
    query = "which home in Lisbon"
    assert [
        hit.memory for hit in search_memories(query, other, WordEmbedder(), MemoryFilters())
    ] == [hit.memory for hit in search_memories(query, store, WordEmbedder(), MemoryFilters())]


def test_an_edit_under_another_key_comes_along(store, tmp_path):
    lisbon = read(store, "Home", LISBON)
    own = OwnFacts(store, WordEmbedder())
    own.edit(store.memories.get(lisbon), replace(LISBON, key="city"), BEGIN + DAY)
    text = exported(store)

    assert again(text, tmp_path / "two.db") == text


def test_what_was_forgotten_is_forgotten_there_too(store, other):
    take(store, CHAT)
    before = exported(store)
    lisbon = read(store, "Home", LISBON)
    gone = [session(store, title).id for title in ("Move", "Ann")]
    store.deletion.forget(gone, [store.memories.get(lisbon)])
    text = exported(store)

    read_back(text, other)
    read_back(before, other)
    read(other, "Home", LISBON)

    assert exported(other) == text
    assert "secret" not in text
    assert found(other) == []


def test_what_is_here_stays_although_it_was_forgotten_there_and_can_grow(store, other, tmp_path):
    take(other, MOVE)
    store.deletion.forget([session(store, "Move").id])
    export = tmp_path / "export.jsonl"
    export.write_text(exported(store))

    [report] = import_exports([export], other, WordEmbedder(), ParseOptions())
    grown = talk("Move", "me: I live in Porto now.", "ai: Nice.", at=BEGIN + DAY)
    take(other, grown)

    assert [one.why for one in report.warnings] == [
        "1 item that was forgotten in the exported database is kept here"
    ]
    assert session(other, "Move").turns == 2


def test_what_was_forgotten_here_does_not_come_back_with_the_export_of_another(store):
    lisbon = read(store, "Home", LISBON)
    text = exported(store)
    store.deletion.forget([], [store.memories.get(lisbon)])

    read_back(text, store)

    assert found(store) == []


def test_a_memory_without_any_of_its_turns_is_named_and_left_out(store, other, tmp_path):
    lisbon, porto = read(store, "Home", LISBON), read(store, "Move", PORTO)
    lines = exported(store).splitlines(keepends=True)
    export = tmp_path / "export.jsonl"
    export.write_text("".join(line for line in lines if '"title": "Home"' not in line))

    [report] = import_exports([export], other, WordEmbedder(), ParseOptions())

    assert (report.memories, [one.id for one in found(other)]) == (1, [porto])
    assert [(one.where, one.why) for one in report.warnings] == [
        (f"memory {lisbon}", "no turn that it came from is here")
    ]


def test_a_chat_that_begins_earlier_there_keeps_its_memories(store, other):
    take(store, CHAT)
    read(store, "Ann", Fact("secret", MemoryType.LONG_TERM, "Ann has a secret"))
    earlier = replace(CHAT.turns[0], key="0", text="Hello", sent_at=CHAT.turns[0].sent_at - MINUTE)
    take(other, replace(CHAT, turns=(earlier,)))

    read_back(exported(store), other)

    [memory] = found(other)
    assert (memory.sources[0].session, memory.sources[0].position) == (session(other, "Ann").id, 2)


def bench(store, *script, **how):
    """Let a served reader follow a script; return how many segments it read."""
    return Bench(store).reads(*script, **how)[0].segments


def test_what_was_read_is_not_read_again_there_and_says_why(store, other):
    found_it = {"key": "home", "memory_type": "UserMemory", "value": "Lives in Lisbon", "tags": []}
    assert bench(store, add(found_it, summary="a move"), ignore(), keep_traces=True) == 2
    text = exported(store)

    read_back(text, other)
    read_back(text, other)

    assert exported(other) == text
    [memory] = found(other)
    assert other.readings.of_memory(memory.id) == store.readings.of_memory(memory.id)
    with serving(ignore()) as served, reader_at(served) as reader:
        assert Bench(other).read(reader).segments == 0
        assert Bench(other).read(reader, again=True, thought_tokens=9).segments == 2


def test_a_reading_of_turns_that_are_not_here_is_left_out(store, other):
    bench(store, ignore("of greetings"), ignore("of Porto"))
    lines = exported(store).splitlines(keepends=True)

    read_back("".join(line for line in lines if '"title": "Home"' not in line), other)

    assert [one.reason for one in other.export.readings()] == ["of Porto"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"turns": [{"turn": "1", "stop": 1}]}, "`source` is missing"),
        ({"memories": [1]}, "`memories` is of another type"),
        ({"trace": "x"}, "`trace` is of another type"),
        ({"trace": [{"tool": "add"}]}, "`thought` is missing"),
        ({"trace": [3]}, "it is not an object"),
        ({"reason": None}, "`reason` is missing"),
        ({"reason": "\ud800"}, "it holds half of a character"),
        ({"outcome": "won"}, "'won' is not a valid ReadingOutcome"),
        ({"turns": [{**TURN, "stop": 1 << 70}]}, "`stop` is no position in a text"),
        ({"turns": [{**TURN, "stop": -1}]}, "`stop` is no position in a text"),
    ],
)
def test_a_reading_that_is_not_as_written_is_named(store, other, tmp_path, change, why):
    bench(store, ignore())
    *lines, reading = exported(store).splitlines(keepends=True)
    export = tmp_path / "export.jsonl"
    export.write_text("".join(lines) + json.dumps({**json.loads(reading), **change}))

    [report] = import_exports([export], other, WordEmbedder(), ParseOptions())

    assert [one.why for one in report.warnings] == [f"is not as `mem export` writes it: {why}"]
    assert len(list(other.export.readings())) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "King"}, "'King' is not a valid MemoryType"),
        ({"value": 3}, "`value` is of another type"),
        ({"tags": [1]}, "`tags` is of another type"),
        ({"sources": [{"source": "x"}]}, "`conversation` is missing"),
        ({"sources": [3]}, "it is not an object"),
        ({"edited_into": "m_\ud800"}, "it holds half of a character"),
    ],
)
def test_a_memory_that_is_not_as_written_is_named(store, other, tmp_path, change, why):
    read(store, "Home", LISBON)
    *sessions, memory = exported(store).splitlines(keepends=True)
    export = tmp_path / "export.jsonl"
    export.write_text("".join(sessions) + json.dumps({**json.loads(memory), **change}))

    [report] = import_exports([export], other, WordEmbedder(), ParseOptions())

    [warning] = report.warnings
    assert warning.why == f"is not as `mem export` writes it: {why}"
    assert (report.sessions.new, found(other)) == (2, [])


def test_a_memory_that_says_nothing_is_named(store, other, tmp_path):
    read(store, "Home", LISBON)
    export = tmp_path / "export.jsonl"
    export.write_text(exported(store).replace("Lives in Lisbon", " "))

    [report] = import_exports([export], other, WordEmbedder(), ParseOptions())

    assert [one.why for one in report.warnings] == ["a memory needs a value"]


def test_a_source_that_is_edited_later_supports_no_longer_what_it_said(store):
    memory = read(store, "Home", LISBON)
    assert store.memories.get(memory).unsupported == ()
    turns = tuple(replace(turn, text=turn.text.replace("Lisbon", "Faro")) for turn in HOME.turns)

    take(store, replace(HOME, turns=turns, updated_at=BEGIN + DAY))

    changed = store.memories.get(memory)
    assert changed.unsupported == ("Lisbon",)
    assert not changed.trusted


def test_a_source_that_says_it_after_all_supports_it(store):
    memory = read(store, "Home", PORTO)
    assert store.memories.get(memory).unsupported == ("Porto",)
    first, second = HOME.turns
    said = replace(first, text="I live in Porto now.")

    take(store, replace(HOME, turns=(said, second), updated_at=BEGIN + DAY))

    assert store.memories.get(memory).unsupported == ()


def test_a_rebuilt_index_holds_memories_against_their_sources_again(store):
    memory = read(store, "Home", LISBON)
    store._database.rows("""update memory_sources set unsupported = '["Lisbon"]'""")
    assert store.memories.get(memory).unsupported == ("Lisbon",)

    reindex(store, WordEmbedder(), embedder_name=None, rebuild=True)

    assert store.memories.get(memory).unsupported == ()
