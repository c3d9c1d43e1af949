"""Every way that reading a segment can go, with a served reader that follows a script."""

import pytest
from helpers.builders import BEGIN, MINUTE, talk
from helpers.hostile_server import answer, chat, reset, serving
from helpers.scripted_reader import (
    Bench,
    add,
    asked_in,
    buffer,
    fact,
    ignore,
    offered_in,
    reader_at,
    said,
    said_at_once,
    search,
)

from memcli.errors import BackendError
from memcli.extraction.tools import SYSTEM
from memcli.store import MemoryFilters, ReadingOutcome, Store

LISBON = fact("home", "The user lives in Lisbon", tags=["city"])
NUTS = fact("allergy", "The user must not eat hazelnuts")
MOVE = talk("Move", "me: I moved to Lisbon.", "ai: How nice.")
DAY = 1440 * MINUTE
LONG = talk(
    "Long",
    *(f"me: {name} {'word ' * 60}" for name in ("First", "Second", "Third", "Fourth")),
)  # at 100 tokens of a context for the segment, one turn each


@pytest.fixture
def bench(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as store:
        yield Bench(store)


@pytest.fixture
def a_turn_each(monkeypatch):
    """Make segments of so few tokens that each turn of LONG is one."""
    monkeypatch.setattr("memcli.extraction.unread.SEGMENT_TOKENS", 100)


def test_what_is_worth_keeping_is_kept_with_the_turn_it_came_from(bench):
    bench.ingest(MOVE)

    report, [body] = bench.reads(add(LISBON))

    assert (report.segments, report.memories, report.outcomes) == (1, 1, {ReadingOutcome.ADDED: 1})
    assert bench.facts == {"home": "The user lives in Lisbon"}
    assert bench.readings == [("added", "kept", ["1", "2"])]
    assert body["messages"][0] == {"role": "system", "content": SYSTEM}
    assert asked_in(body).endswith("\n\n[user]: I moved to Lisbon.\n[assistant]: How nice.")
    assert body["temperature"] == 0.2


def test_what_is_known_is_looked_for_before_something_is_added(bench):
    bench.ingest(
        talk("Cat", "me: My cat is called Pixel.", at=BEGIN - DAY),
        talk("Flat", "me: Pixel likes the new flat.", at=BEGIN),
        talk("Later", "me: Pixel is old.", at=BEGIN + DAY),
    )

    report, bodies = bench.reads(
        add(fact("cat", "The user's cat is called Pixel")),
        search("Pixel the cat"),
        add(fact("flat", "Pixel likes the flat")),
        ignore(),
    )

    told = bodies[2]["messages"][-1]
    assert (report.segments, report.searches, report.memories) == (3, 1, 2)
    assert bodies[2]["messages"][-2]["tool_calls"][0]["function"]["name"] == "search_memory"
    assert told["role"] == "tool"
    assert told["content"] == (
        "Memories:\n"
        "- 2024-02-29 [UserMemory] cat: The user's cat is called Pixel\n"
        "Earlier conversations:\n"
        "- 2024-02-29 user: My cat is called Pixel."
    )


def test_what_is_buffered_is_shown_again_with_what_follows(bench, a_turn_each):
    bench.ingest(LONG)

    report, bodies = bench.reads(buffer("a beginning"), add(NUTS))

    first, both = asked_in(bodies[0]), asked_in(bodies[1])
    assert report.outcomes == {ReadingOutcome.BUFFERED: 1, ReadingOutcome.ADDED: 3}
    assert "First" in first
    assert "Second" not in first
    assert "[user]: First" in both
    assert "[user]: Second" in both
    assert "already decided" not in both
    assert bench.readings[:2] == [("buffered", "a beginning", ["1"]), ("added", "kept", ["1", "2"])]


def test_at_the_end_of_a_session_nothing_can_be_buffered_any_more(bench, a_turn_each):
    bench.ingest(LONG)

    report, bodies = bench.reads(buffer(), ignore(), buffer(), ignore("nothing"))

    assert [("buffer_memory" in offered_in(body)) for body in bodies] == [True, True, True, False]
    assert report.outcomes == {ReadingOutcome.BUFFERED: 2, ReadingOutcome.IGNORED: 2}
    assert bench.readings[-1] == ("ignored", "nothing", ["3", "4"])


def test_nothing_is_buffered_beyond_what_the_context_holds(bench, a_turn_each):
    bench.ingest(LONG)

    def buffering(request):
        return (buffer() if "buffer_memory" in offered_in(request.body) else ignore())(request)

    def offered(context):
        _, bodies = bench.reads(buffering, context=context, again=True)
        return ["buffer_memory" in offered_in(body) for body in bodies]

    with serving(ignore()) as served, reader_at(served, context=8192) as reader:
        frame = 8192 - bench.run(reader)._unread._room

    assert offered(frame + 999) == [True, True, True, False]
    assert offered(frame + 270) == [True, True, False, False]


def test_chitchat_is_ignored_with_its_reason(bench):
    bench.ingest(MOVE)

    report, _ = bench.reads(ignore("only greetings"))

    assert (report.outcomes, report.memories) == ({ReadingOutcome.IGNORED: 1}, 0)
    assert bench.readings == [("ignored", "only greetings", ["1", "2"])]
    assert bench.reads(ignore())[0].segments == 0


def test_of_two_calls_at_once_the_first_is_made_and_the_reader_told(bench):
    bench.ingest(MOVE)

    report, bodies = bench.reads(
        said_at_once(
            ("search_memory", {"query": "home"}),
            ("ignore_memory", {"reason": "nothing"}),
        ),
        add(LISBON),
    )

    assert report.outcomes == {ReadingOutcome.ADDED: 1}
    assert bodies[1]["messages"][-1]["content"].endswith(
        "\nOnly search_memory was called: call exactly one tool at a time."
    )


def test_memories_of_a_second_call_at_once_are_not_lost(bench):
    bench.ingest(MOVE)
    two = [{"memory_list": [each], "summary": ""} for each in (LISBON, NUTS)]

    report, bodies = bench.reads(
        said_at_once(*(("add_memory", arguments) for arguments in two)), add(NUTS)
    )

    assert (report.segments, report.memories, len(bodies)) == (1, 2, 2)
    assert bench.facts.keys() == {"home", "allergy"}
    assert "buffer_memory" not in offered_in(bodies[1])


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (said("forget_memory", reason="x"), "it called 'forget_memory', which is not a tool"),
        (said("add_memory", summary="x"), "add_memory lacks memory_list"),
        (chat("<think>hm</think><tool_call>{'name': 'add"), "its call is not JSON"),
        (chat("<think>hm</think>I would keep that."), "it called no tool"),
        (chat("<think>", *["hm "] * 2000), "it called no tool"),
    ],
    ids=["unknown tool", "other arguments", "broken JSON", "prose", "endless thinking"],
)
def test_a_reply_that_is_no_call_is_shown_with_what_is_wrong_and_asked_for_again(
    bench, broken, why
):
    bench.ingest(MOVE)
    tries = 5  # of the backend, before it gives up

    report, bodies = bench.reads(*[broken] * tries, add(LISBON))

    *_, told = bodies[-1]["messages"]
    assert report.outcomes == {ReadingOutcome.ADDED: 1}
    assert (told["role"], bodies[-1]["messages"][-2]["role"]) == ("user", "assistant")
    assert f"made no usable call: {why}. Call exactly one of the tools." in told["content"]


def test_a_reply_that_is_no_call_twice_marks_the_segment_and_the_run_goes_on(bench):
    bench.ingest(MOVE, talk("Nuts", "me: I must not eat hazelnuts.", at=BEGIN + DAY))

    with serving(*[chat("no")] * 10, add(NUTS), add(LISBON)) as served, reader_at(served) as reader:
        report, idle, again, done = (bench.read(reader, again=a) for a in (0, 0, 1, 1))

    [failure] = report.failures
    assert report.outcomes == {ReadingOutcome.FAILED: 1, ReadingOutcome.ADDED: 1}
    assert (failure.first, failure.last) == (1, 2)
    assert failure.reason.endswith("made no usable call: it called no tool")
    assert report.stopped_by is None
    assert [run.segments for run in (idle, again, done)] == [0, 1, 0]
    assert bench.facts.keys() == {"allergy", "home"}


def test_a_reader_that_searches_for_ever_has_to_settle_with_its_last_reply(bench):
    bench.ingest(MOVE)

    report, bodies = bench.reads(*[search("home")] * 5, ignore())

    assert report.outcomes == {ReadingOutcome.IGNORED: 1}
    assert [("search_memory" in offered_in(body)) for body in bodies] == [True] * 5 + [False]


def test_where_a_search_fills_the_context_it_is_left_out_and_the_reader_has_to_settle(bench):
    bench.ingest(MOVE)

    def narrow(request):
        if len(request.body["messages"]) > 2:
            error = {"message": "the request exceeds the available context size"}
            return answer({"error": error}, 400)(request)
        name = "search_memory" if "search_memory" in offered_in(request.body) else "ignore_memory"
        word = "query" if name == "search_memory" else "reason"
        return said(name, **{word: "home"})(request)

    report, bodies = bench.reads(narrow)

    assert (report.outcomes, report.searches) == ({ReadingOutcome.IGNORED: 1}, 1)
    assert len(bodies[-1]["messages"]) == 2
    assert offered_in(bodies[-1]) == ["add_memory", "ignore_memory"]


def test_memories_that_say_nothing_are_none(bench):
    bench.ingest(MOVE)

    report, _ = bench.reads(add(fact("", "x"), fact("x", " "), fact("?", "…"), summary="hm"))

    assert (report.memories, bench.facts) == (0, {})
    assert report.segments == 1


def test_words_that_no_database_holds_are_made_to_fit(bench):
    bench.ingest(MOVE)

    report, _ = bench.reads(add(fact("ho\x00me", "in \ud800 Lisbon"), summary="\ud800\x00"))

    assert report.memories == 1
    assert bench.facts == {"home": "in ? Lisbon"}
    assert bench.readings[0][1] == "?"


def too_much(request):
    """Refuse a message of more than 400 letters, as a server does if it exceeds its context."""
    if len(request.body["messages"][1]["content"]) > 400:
        error = {"message": "This model's maximum context length is 128 tokens."}
        return answer({"error": error}, 400)(request)
    return ignore()(request)


def test_a_segment_that_exceeds_the_context_is_read_in_smaller_ones(bench):
    bench.ingest(talk("Long", *(f"me: {number} {'word ' * 40}" for number in range(4))))

    report, bodies = bench.reads(too_much)

    read = [keys for _, _, keys in bench.readings]
    assert (report.failures, report.stopped_by) == ((), None)
    assert read == [["1"], ["2"], ["3"], ["4"]]
    assert len(bodies) > 4


def test_what_exceeds_every_context_is_marked_and_the_run_goes_on(bench):
    bench.ingest(MOVE, talk("Nuts", "me: I must not eat hazelnuts.", at=BEGIN + DAY))
    error = answer({"error": {"message": "the request exceeds the context size"}}, 400)

    tries = 12  # of 1024 tokens, 512, … 32, each once more without what not every server knows

    report, bodies = bench.reads(*[error] * tries, ignore())

    [failure] = report.failures
    assert failure.reason.endswith("the request exceeds the context size")
    assert report.outcomes == {ReadingOutcome.FAILED: 1, ReadingOutcome.IGNORED: 1}
    assert bench.readings[0][2] == ["1", "2"]
    assert len(bodies) == tries + 1


def test_where_the_server_goes_in_the_middle_what_was_done_stays(bench):
    bench.ingest(MOVE, talk("Nuts", "me: I must not eat hazelnuts.", at=BEGIN + DAY))

    report, _ = bench.reads(add(LISBON), reset)

    assert isinstance(report.stopped_by, BackendError)
    assert "cannot be reached" in str(report.stopped_by)
    assert (report.segments, bench.facts.keys()) == (1, {"home"})
    assert bench.reads(add(NUTS))[0].segments == 1
    assert bench.facts.keys() == {"home", "allergy"}


def test_a_model_that_fails_at_everything_ends_the_run(bench):
    bench.ingest(*(talk(f"T{n}", "me: Hello", at=BEGIN + n * DAY) for n in range(8)))

    report, _ = bench.reads(chat("no"))

    assert str(report.stopped_by).startswith("5 segments in a row failed; the last error: ")
    assert report.stopped_by.hint.startswith(
        "once the model answers as it should, `mem read --again`"
    )
    assert len(report.failures) == 5


def test_what_the_reader_thought_is_kept_where_that_was_asked_for(bench):
    bench.ingest(MOVE)

    bench.reads(search("home", thought="known?"), add(LISBON, thought="new"), keep_traces=True)

    [memory] = bench.store.memories.find(MemoryFilters())
    [reading] = bench.store.readings.of_memory(memory.id)
    assert [(step["thought"], step["tool"]) for step in reading.trace] == [
        ("known?", "search_memory"),
        ("new", "add_memory"),
    ]
    assert reading.trace[0]["result"].startswith("Nothing")
    assert reading.model == "reader"


def test_without_that_nothing_of_it_is_kept(bench):
    bench.ingest(MOVE)

    bench.reads(add(LISBON))

    [memory] = bench.store.memories.find(MemoryFilters())
    assert bench.store.readings.of_memory(memory.id)[0].trace is None
