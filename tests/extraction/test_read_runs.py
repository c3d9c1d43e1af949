"""Runs over several sessions: unread parts, and sessions that grow or change meanwhile."""

import re
import threading
import time
from dataclasses import replace
from itertools import permutations

import pytest
from helpers.builders import BEGIN, MINUTE, talk, turns
from helpers.hostile_server import reset, serving, silence
from helpers.scripted_reader import Bench, add, asked_in, buffer, fact, ignore, reader_at

from memcli.domain import YOU, Conversation
from memcli.errors import BackendError, BusyError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.store import Filters, MemoryFilters, ReadingOutcome, Store

DAY = 1440 * MINUTE
LINES = ("me: I moved to Lisbon.", "ai: How nice.", "me: I must not eat nuts.", "ai: Noted.")


@pytest.fixture
def bench(tmp_path):
    with Store(tmp_path / "mem.db", wait=0.1) as store:
        yield Bench(store)


def lines_shown(bodies):
    """Return the lines that readers were shown, a list for each request."""
    return [asked_in(body).split("\n")[2:] for body in bodies]


def test_sessions_are_read_in_the_order_they_were_had_or_backwards(bench, tmp_path):
    days = (3, 1, 2)
    bench.ingest(*(talk(f"T{n}", f"me: day {n}", at=BEGIN + n * DAY) for n in days))
    bench.ingest(talk("T0", "me: no day", at=None))

    _, bodies = bench.reads(ignore())
    _, backwards = bench.reads(ignore(), newest=True, limit=2, again=True)

    assert lines_shown(bodies) == [
        [f"[user]: {day}"] for day in ("day 1", "day 2", "day 3", "no day")
    ]
    assert lines_shown(backwards) == [["[user]: no day"], ["[user]: day 3"]]


def test_of_a_session_that_grew_only_what_is_new_is_decided_about(bench):
    bench.ingest(talk("Trip", *LINES[:2]))
    bench.reads(ignore())
    bench.ingest(talk("Trip", *LINES))

    report, bodies = bench.reads(ignore())

    assert report.segments == 1
    assert lines_shown(bodies) == [
        [
            "[already decided]:",
            "[user]: I moved to Lisbon.",
            "[assistant]: How nice.",
            "",
            "[to decide]:",
            "[user]: I must not eat nuts.",
            "[assistant]: Noted.",
        ]
    ]
    assert bench.reads(ignore())[0].segments == 0


def test_what_is_found_between_turns_that_were_read_is_read(bench):
    trip = talk("Trip", *LINES)
    bench.ingest(replace(trip, turns=(trip.turns[0], trip.turns[3])))
    bench.reads(ignore())
    bench.ingest(trip)

    _, [body] = bench.reads(ignore())

    assert lines_shown([body])[0][-2:] == ["[assistant]: How nice.", "[user]: I must not eat nuts."]


def test_an_edited_turn_is_read_again(bench):
    trip = talk("Trip", *LINES)
    bench.ingest(trip)
    bench.reads(ignore())
    edited = replace(trip.turns[2], text="I must not eat hazelnuts.")
    bench.ingest(
        replace(trip, turns=(*trip.turns[:2], edited, trip.turns[3]), updated_at=BEGIN + DAY)
    )

    _, [body] = bench.reads(ignore())

    assert lines_shown([body])[0][-1] == "[user]: I must not eat hazelnuts."


def test_another_reader_reads_again_only_when_told_to(bench):
    bench.ingest(talk("Trip", *LINES))
    bench.reads(ignore())

    with serving(ignore()) as served, reader_at(served) as reader:
        runs = [
            bench.read(reader, **how).segments for how in ({}, {"again": True}, {"again": True})
        ]
        thinking_more = bench.read(reader, again=True, thought_tokens=99).segments

    assert (runs, thinking_more) == ([0, 1, 0], 1)


def test_what_a_person_wrote_as_a_memory_is_not_read(bench):
    bench.ingest(Conversation(YOU, "1", "", turns("me: I like tea.")))

    assert bench.reads(ignore())[0].segments == 0


def while_thinking(do, *then):
    """Return a behaviour of a reader that does something before it answers."""

    def behave(request):
        do()
        yield from (then[0] if then else ignore())(request)

    return behave


def as_another_process(bench, work):
    """Return a function that works on the database as another process would."""

    def do():
        with Store(bench.store._database.path, wait=5) as store:
            work(Bench(store))

    return do


def test_while_the_reader_thinks_others_may_write(bench):
    bench.ingest(talk("Trip", *LINES))
    other = as_another_process(bench, lambda them: them.ingest(talk("Other", "me: Hello")))

    report, _ = bench.reads(while_thinking(other, add(fact("home", "I moved to Lisbon"))), ignore())

    assert (report.segments, bench.facts.keys()) == (1, {"home"})
    assert bench.reads(ignore())[0].segments == 1


def test_what_was_read_of_a_session_that_is_forgotten_meanwhile_is_thrown_away(bench):
    bench.ingest(talk("Trip", *LINES))

    def forget(them):
        them.store.deletion.forget([one.id for one in them.store.sessions.summaries(Filters())])

    report, _ = bench.reads(
        while_thinking(as_another_process(bench, forget), add(fact("home", "Lisbon")))
    )

    assert (report.segments, report.stopped_by, bench.facts, bench.readings) == (0, None, {}, [])


def test_a_session_that_grows_meanwhile_is_read_on(bench):
    bench.ingest(talk("Trip", *LINES[:2]))
    grow = as_another_process(bench, lambda them: them.ingest(talk("Trip", *LINES)))

    _, bodies = bench.reads(while_thinking(grow), ignore())

    assert [keys for _, _, keys in bench.readings] == [["1", "2"], ["3", "4"]]
    assert len(bodies) == 2


def test_a_turn_that_is_edited_meanwhile_is_read_anew(bench):
    trip = talk("Trip", *LINES[:1])
    bench.ingest(trip)
    edited = replace(trip.turns[0], text="I moved to Porto.")
    change = as_another_process(
        bench,
        lambda them: them.ingest(replace(trip, turns=(edited,), updated_at=BEGIN + DAY)),
    )

    report, bodies = bench.reads(
        while_thinking(change, add(fact("home", "Lisbon"))), add(fact("home", "Porto"))
    )

    assert bench.facts == {"home": "Porto"}
    assert (report.segments, len(bodies)) == (1, 2)


def test_of_two_runs_at_once_over_one_session_one_counts(bench):
    bench.ingest(talk("Trip", *LINES))
    faster = as_another_process(bench, lambda them: them.reads(add(fact("home", "Lisbon"))))

    report, _ = bench.reads(while_thinking(faster, add(fact("home", "Porto"))))

    assert report.segments == 0
    assert bench.facts == {"home": "Lisbon"}


def test_a_writer_that_does_not_let_go_ends_the_run(bench):
    bench.ingest(talk("Trip", *LINES))
    with Store(bench.store._database.path, wait=0.1) as other, other.transaction():
        report, _ = bench.reads(ignore())

    assert isinstance(report.stopped_by, BusyError)
    assert bench.reads(ignore())[0].segments == 1


def test_when_the_time_is_up_nothing_more_is_begun(bench):
    bench.ingest(*(talk(f"T{n}", f"me: {n}", at=BEGIN + n * DAY) for n in range(3)))

    report, _ = bench.reads(while_thinking(lambda: time.sleep(0.3)), ignore(), seconds=0.2)

    assert (report.segments, report.out_of_time, report.stopped_by) == (1, True, None)
    assert bench.reads(ignore())[0].segments == 2


HOMES = [
    talk("Old", "me: I live in Lisbon.", at=BEGIN),
    talk("New", "me: I live in Porto now.", at=BEGIN + DAY),
    talk("Newest", "me: I live in Faro now.", at=BEGIN + 2 * DAY),
]


def of_the_city(request):
    """Remember the city of a message."""
    [city] = [name for name in ("Lisbon", "Porto", "Faro") if name in asked_in(request.body)]
    return add(fact("home", f"The user lives in {city}"))(request)


@pytest.mark.parametrize("order", list(permutations(HOMES)), ids=lambda order: order[0].title)
def test_in_whatever_order_sessions_are_read_the_newest_fact_counts(bench, order):
    for conversation in order:
        bench.ingest(conversation)
        bench.reads(of_the_city)

    [current] = [one for one in bench.store.memories.find(MemoryFilters()) if one.current]
    history = [one.fact.value for one in bench.store.memories.history(current)]
    assert current.fact.value == "The user lives in Faro"
    assert sorted(history) == [f"The user lives in {city}" for city in ("Faro", "Lisbon", "Porto")]


def test_sessions_are_read_at_once_and_each_in_its_order(bench, monkeypatch):
    monkeypatch.setattr("memcli.extraction.unread.SEGMENT_TOKENS", 32)
    for n in range(4):
        lines = [f"me: session {n} turn {m} {'word ' * 20}" for m in range(3)]
        bench.ingest(talk(f"T{n}", *lines, at=BEGIN + n * DAY))
    together = threading.Barrier(4, timeout=20)

    def meeting(request):
        if "turn 0" in asked_in(request.body):
            together.wait()
        yield from ignore()(request)

    report, bodies = bench.reads(meeting, jobs=4)

    assert (report.segments, report.stopped_by) == (12, None)
    for session in range(4):
        turns_of = [re.findall(rf"session {session} turn (\d)", asked_in(body)) for body in bodies]
        assert [found[-1] for found in turns_of if found] == ["0", "1", "2"]


def test_where_a_server_goes_that_is_asked_by_several_the_run_ends_at_once(bench):
    bench.ingest(*(talk(f"T{n}", f"me: {n}", at=BEGIN + n * DAY) for n in range(6)))
    report, _ = bench.reads(ignore(), silence, reset, jobs=3)

    assert isinstance(report.stopped_by, BackendError)
    assert report.seconds < 4


def test_a_dry_run_counts_and_asks_nobody(bench):
    bench.ingest(talk("Trip", *LINES), talk("Other", "me: Hello", at=BEGIN + DAY))
    with serving(ignore()) as served, reader_at(served) as reader:
        run = bench.run(reader)
        extent = run.estimate(run.unread_sessions(Filters(), newest=False, limit=None))

    assert (extent.sessions, extent.segments, served.requests) == (2, 2, [])
    assert 30 < extent.tokens < 60
    assert extent.seconds > 0


def test_forgetting_a_session_forgets_what_was_thought_about_it(bench):
    bench.ingest(talk("Trip", *LINES), talk("Zebra", "me: zebracorn", at=BEGIN + DAY))
    bench.reads(ignore("zebracorn is nothing"), keep_traces=True)
    [_, zebra] = sorted(bench.store.sessions.summaries(Filters()), key=lambda one: one.title)

    bench.store.deletion.forget([zebra.id])

    assert bench.readings == [("ignored", "", ["1", "2", "3", "4"])]
    assert b"zebracorn" not in bench.store._database.path.read_bytes()


def test_a_forgotten_memory_does_not_come_back_when_its_session_is_read_again(bench):
    bench.ingest(talk("Trip", *LINES))
    bench.reads(add(fact("home", "Moved to Lisbon"), summary="zebracorn"), keep_traces=True)

    bench.store.deletion.forget([], bench.store.memories.find(MemoryFilters()))
    again, _ = bench.reads(add(fact("home", "Moved to Lisbon"), summary=""), again=True)

    assert (again.segments, bench.facts) == (1, {})
    assert b"zebracorn" not in bench.store._database.path.read_bytes()


def test_buffered_turns_are_taken_up_by_the_next_run(bench, monkeypatch):
    monkeypatch.setattr("memcli.extraction.unread.SEGMENT_TOKENS", 32)
    bench.ingest(talk("Long", *(f"me: {n} {'word ' * 20}" for n in range(3))))

    with serving(buffer(), ignore("both"), ignore("last")) as served, reader_at(served) as reader:
        first = bench.read(reader, seconds=0.0001)
        runs = [bench.read(reader, seconds=seconds) for seconds in (0.0001, 0.0001, 60)]

    assert first.segments in (0, 1)
    assert sum(run.segments for run in (first, *runs)) == 3
    assert [(outcome, keys) for outcome, _, keys in bench.readings] == [
        (ReadingOutcome.BUFFERED, ["1"]),
        (ReadingOutcome.IGNORED, ["1", "2"]),
        (ReadingOutcome.IGNORED, ["3"]),
    ]


def test_the_seed_depends_on_what_is_read_and_not_on_the_run(tmp_path):
    def seeds(folder, *first):
        with Store(folder / "mem.db") as store:
            bench = Bench(store)
            bench.ingest(*first)
            bench.ingest(talk("Trip", *LINES), talk("Other", "me: Hello", at=BEGIN + DAY))
            with serving(ignore()) as served:
                reader = reader_at(served)
                with reader as opened:
                    opened.fingerprint = "the same wherever it is served"
                    bench.read(opened)
        return {asked_in(one.body): one.body["seed"] for one in served.requests}

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    alone = seeds(tmp_path / "a")
    among = seeds(tmp_path / "b", talk("First", "me: Before", at=BEGIN - DAY))

    assert len(set(alone.values())) == 2
    assert alone.items() < among.items()


def test_turns_that_turn_out_to_be_a_copy_are_not_read_again(bench):
    later = talk("Copy", *LINES, at=BEGIN)
    original = replace(talk("Original", *LINES[:2]), updated_at=BEGIN + MINUTE)
    importer = ConversationImporter(bench.store, bench.embedder)
    importer.import_batch([later], ImportTally(), unique_keys=True)
    bench.reads(ignore())

    importer.import_batch([original], ImportTally(), unique_keys=True)

    held = [one.turns for one in bench.store.sessions.summaries(Filters())]
    assert held == [2, 2]
    assert bench.reads(ignore())[0].segments == 0


def test_a_turn_of_a_megabyte_is_read_in_parts_without_looking_at_all_of_it_each_time(bench):
    bench.ingest(talk("Long", f"me: {'A sentence of words. ' * 50_000}"))
    began = time.monotonic()

    report, bodies = bench.reads(ignore(), seconds=3)

    assert (report.out_of_time, report.stopped_by) == (True, None)
    assert report.segments == len(bodies) > 3
    assert time.monotonic() - began < 30
    assert bench.readings[0][2] == ["1"]
