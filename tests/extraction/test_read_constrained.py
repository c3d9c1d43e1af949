"""Every path of reading through real llama.cpp, with a model that is made to want certain calls.

Of the tokens that the schema allows, the model may pick only those that spell the text that the
test wants, while there are any. Prompt, thought, constraint, decoding and cache are as always.
"""

import json

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.scripted_reader import Bench, fact
from helpers.tiny_models import write_tiny_qwen3

from memcli.backends.generation import tool_caller
from memcli.backends.generation.json_constraint import constrain_call
from memcli.backends.llama import LlamaReader
from memcli.domain import Fact, MemoryType
from memcli.extraction.tools import ADD, BUFFER, IGNORE, SEARCH
from memcli.ingest.own_facts import OwnFacts
from memcli.protocols import Sampling
from memcli.store import ReadingOutcome, Store

DAY = 1440 * MINUTE
LISBON = fact("home", "The user lives in Lisbon", tags=["city"])
NUTS = fact("allergy", "The user must not eat hazelnuts")
MOVE = talk("Move", "me: I moved to Lisbon.", "ai: How nice.")
LONG = talk("Long", *(f"me: {name} {'word ' * 20}" for name in ("First", "Second", "Third")))
CALL_TOKENS = 400


@pytest.fixture
def bench(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as store:
        yield Bench(store)


@pytest.fixture
def a_turn_each(monkeypatch):
    """Make segments of so few tokens that each turn of LONG is one."""
    monkeypatch.setattr("memcli.extraction.unread.SEGMENT_TOKENS", 130)


@pytest.fixture
def wanting(tmp_path, monkeypatch):
    """Return a function that opens a tiny model which wants to write these texts, call by call."""
    opened = []

    def build(*texts, context=4096, **weights):
        path = write_tiny_qwen3(tmp_path / f"tiny{len(opened)}.gguf", **weights)
        reader = LlamaReader(path, context=context, sampling=Sampling(temperature=0.7), threads=1)
        opened.append(reader)
        wanted, asked, draw = list(texts), [], reader._sample_allowed

        def begin_call(tools):
            reader.wants = (wanted.pop(0) if len(wanted) > 1 else wanted[0]).encode()
            asked.append([tool.name for tool in tools])
            return constrain_call(tools)

        def choose(text, sequence):
            rest = reader.wants[len(text._written) :]
            piece = reader.tokenizer.decode_token
            spelling = [
                token
                for token in range(256)  # the vocabulary begins with the bytes
                if rest.startswith(piece(token)) and text.allows(piece(token))
            ]
            return sequence.sample_among(spelling) if spelling else draw(text, sequence)

        monkeypatch.setattr(tool_caller, "constrain_call", begin_call)
        monkeypatch.setattr(reader, "_sample_allowed", choose)
        reader.asked = asked
        return reader

    yield build
    for reader in opened:
        reader.close()


def call(tool, **arguments):
    """Return a call as a model writes it."""
    return json.dumps({"name": tool.name, "arguments": arguments})


def add(*facts):
    return call(ADD, memory_list=list(facts), summary="kept")


def ignore(reason="chitchat"):
    return call(IGNORE, reason=reason)


def read(bench, reader, **how):
    return bench.read(reader, thought_tokens=8, call_tokens=CALL_TOKENS, **how)


def test_it_adds(bench, wanting):
    bench.ingest(MOVE)

    report = read(bench, wanting(add(LISBON)))

    assert (report.outcomes, report.failures) == ({ReadingOutcome.ADDED: 1}, ())
    assert bench.facts == {"home": "The user lives in Lisbon"}
    assert bench.readings == [("added", "kept", ["1", "2"])]


def test_it_searches_and_then_adds(bench, wanting):
    bench.ingest(MOVE, talk("Flat", "me: My flat is in Lisbon.", at=BEGIN + DAY))
    flat = fact("flat", "The user has a flat in Lisbon")
    reader = wanting(add(LISBON), call(SEARCH, query="Lisbon"), add(flat))

    report = read(bench, reader, keep_traces=True)

    assert (report.segments, report.searches, len(reader.asked)) == (2, 1, 3)
    assert bench.facts.keys() == {"home", "flat"}
    rows = bench.store.readings._db.rows("select trace from readings order by id")
    searched, _added = json.loads(rows[1][0])
    assert searched["arguments"] == {"query": "Lisbon"}
    assert "The user lives in Lisbon" in searched["result"]


def test_it_buffers_and_then_adds(bench, wanting, a_turn_each):
    bench.ingest(LONG)
    reader = wanting(call(BUFFER, reason="a beginning"), add(NUTS), ignore())

    read(bench, reader)

    assert bench.readings == [
        ("buffered", "a beginning", ["1"]),
        ("added", "kept", ["1", "2"]),
        ("ignored", "chitchat", ["3"]),
    ]


def test_it_buffers_to_the_end_where_it_cannot_any_more(bench, wanting, a_turn_each):
    bench.ingest(LONG)
    reader = wanting(call(BUFFER, reason="more"))

    report = read(bench, reader)

    offered = [(BUFFER.name in tools) for tools in reader.asked]
    assert (offered[:2], any(offered[2:])) == ([True, True], False)
    assert report.outcomes[ReadingOutcome.BUFFERED] == 2
    [(outcome, _, keys)] = bench.readings[2:]
    assert (outcome in ("added", "ignored"), keys) == (True, ["1", "2", "3"])


def test_it_ignores(bench, wanting):
    bench.ingest(MOVE)

    report = read(bench, wanting(ignore("only greetings — 你好")))

    assert (report.outcomes, report.memories) == ({ReadingOutcome.IGNORED: 1}, 0)
    assert bench.readings == [("ignored", "only greetings — 你好", ["1", "2"])]


def test_of_two_calls_at_once_it_can_make_but_the_first(bench, wanting):
    bench.ingest(MOVE)

    report = read(bench, wanting(f"{ignore('first')}\n</tool_call>\n<tool_call>\n{add(LISBON)}"))

    assert (report.segments, report.memories) == (1, 0)
    assert bench.readings == [("ignored", "first", ["1", "2"])]


@pytest.mark.parametrize(
    "wanted",
    [
        '{"name": "forget_memory", "arguments": {"reason": "x"}}',
        "{'name': 'add_memory', oops",
        '{"name": "ignore_memory", "arguments": {"why": 3}}',
        "I would keep that.",
        "</think><|im_end|>",
    ],
    ids=["unknown tool", "broken JSON", "other arguments", "prose", "the end"],
)
def test_what_is_no_call_it_cannot_write(bench, wanting, wanted):
    bench.ingest(MOVE)
    reader = wanting(wanted)

    report = read(bench, reader)

    assert (report.failures, report.stopped_by) == ((), None)
    assert report.outcomes.keys() <= {ReadingOutcome.ADDED, ReadingOutcome.IGNORED}
    assert len(bench.readings) == 1


def test_a_thought_without_end_is_ended_and_the_call_is_made(bench, wanting):
    bench.ingest(MOVE)
    reader = wanting(add(LISBON), says="abcdefghijklmnop")

    read(bench, reader, keep_traces=True)

    [memory] = bench.store.memories.from_sessions([bench.store.readings._db.rows(
        "select public from sessions")[0][0]])  # fmt: skip
    [reading] = bench.store.readings.of_memory(memory.id)
    assert [step["thought"] for step in reading.trace] == ["abcdefgh"]
    assert bench.facts == {"home": "The user lives in Lisbon"}


def test_a_call_without_end_is_ended_as_its_schema_has_it(bench, wanting):
    bench.ingest(MOVE)

    report = read(bench, wanting(ignore("and so on " * 200)))

    [(outcome, reason, _)] = bench.readings
    assert (report.failures, outcome) == ((), "ignored")
    assert 0 < len(reason) < CALL_TOKENS
    assert reason != "and so on " * 200


def test_what_exceeds_the_context_is_read_in_smaller_segments(bench, wanting):
    bench.ingest(talk("Much", *(f"me: {number} {'word ' * 90}" for number in range(8))))
    reader = wanting(ignore(), context=3072)

    report = read(bench, reader)

    assert (report.failures, report.stopped_by) == ((), None)
    assert len(bench.readings) > 1
    read_keys = [key for _, _, keys in bench.readings for key in keys]
    assert list(dict.fromkeys(read_keys)) == list("12345678")


def test_where_what_it_searched_fills_the_context_it_has_to_settle_without(bench, wanting):
    own = OwnFacts(bench.store, bench.embedder)
    for number in range(5):
        own.add(Fact(f"trip {number}", MemoryType.USER, f"Lisbon {'word ' * 80}"), BEGIN - DAY)
    lines = ((f"T{number}", f"me: Lisbon {'tram ' * 60}") for number in range(3))
    bench.ingest(*(talk(*each, at=BEGIN - DAY) for each in lines), MOVE)
    searching = call(SEARCH, query="Lisbon")
    reader = wanting(*[ignore()] * 3, searching, ignore("nothing new"), context=3072)

    report = read(bench, reader)

    assert (report.failures, report.searches) == ((), 1)
    assert reader.asked[-2:] == [
        [SEARCH.name, ADD.name, IGNORE.name], [ADD.name, IGNORE.name]
    ]  # fmt: skip
    assert bench.readings[-1] == ("ignored", "nothing new", ["1", "2"])
