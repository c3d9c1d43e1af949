"""`mem read` as people run it, mostly with a served reader on loopback that follows a script."""

import json
import re
import signal
import subprocess
import time
from datetime import timedelta

import pytest
from helpers.hostile_server import chat, serving, silence
from helpers.mem_process import MEM, Run
from helpers.scripted_reader import add, buffer, fact, ignore, search
from helpers.small_exports import BEGIN, talk
from test_terminal import on_a_terminal, screen
from typer.testing import CliRunner

from memcli.cli.app import command_tree
from memcli.cli.output.numbers import rough_duration
from memcli.cli.output.progress import reading_progress
from memcli.domain import SessionId
from memcli.extraction.read import SegmentResult
from memcli.store import ReadingOutcome, UnreadSession

LISBON = fact("home", "The user lives in Lisbon")
DAY = timedelta(days=1)


@pytest.fixture
def mem(mem):
    """`mem` with two sessions."""
    mem.remembers(
        talk("Move", "me: I moved to Lisbon.", "ai: How nice."),
        talk("Nuts", "me: I must not eat hazelnuts.", at=BEGIN + DAY),
    )
    return mem


def read(mem, *script, options=()):
    """Run `mem read` with a script; return how it ended and what was asked."""
    with serving(*script) as served:
        done = mem("read", "--reader", f"{served.url}#reader", *options)
    return done, [request.body for request in served.requests]


def ids(mem):
    return {one["title"]: one["id"] for one in mem("sessions", "--json").json["sessions"]}


def test_it_tells_how_much_was_read_and_what_came_of_it(mem):
    done, bodies = read(mem, add(LISBON), ignore())
    again, _ = read(mem, ignore())

    assert done == Run(0, "2 segments of 2 sessions: 1 memory, 1 segment ignored\n")
    assert again == Run(0, err="mem: nothing new to read\n")
    assert len(bodies) == 2
    assert "The user lives in Lisbon" in mem("memories").out


def test_json_tells_the_same(mem):
    done, _ = read(mem, search("Lisbon"), add(LISBON), ignore(), options=["--json"])

    told = done.json
    assert told.pop("seconds") > 0
    assert told == {
        "schema": "mem.read/1",
        "model": "reader",
        "sessions": 2,
        "segments": 2,
        "actions": {"add": 1, "ignore": 1, "buffer": 0, "search": 1},
        "memories": 1,
        "failures": [],
        "out_of_time": False,
    }


def test_json_lines_tell_of_every_segment(mem):
    done, _ = read(mem, add(LISBON), ignore("chitchat"), options=["--jsonl"])

    first, second = done.lines
    assert first["memories"][0].startswith("m_")
    assert second == {
        "session": ids(mem)["Nuts"],
        "first": 1,
        "last": 1,
        "action": "ignore",
        "reason": "chitchat",
        "memories": [],
        "searches": 0,
    }


def test_only_what_is_asked_for_is_read(mem):
    nuts = ids(mem)["Nuts"]

    named, [body] = read(mem, ignore(), options=[nuts])
    later, _ = read(mem, ignore(), options=["--since", "2024-03-02"])
    first, _ = read(mem, ignore(), options=["--limit", "1", "--newest", "--json"])

    assert "hazelnuts" in body["messages"][1]["content"]
    assert (named.code, later.err) == (0, "mem: nothing new to read\n")
    assert first.json["segments"] == 1


def test_a_dry_run_tells_how_much_there_is_and_asks_nobody(mem):
    done, bodies = read(mem, ignore(), options=["--dry-run"])
    as_json, _ = read(mem, ignore(), options=["--dry-run", "--json"])

    assert re.fullmatch(r"2 sessions, 2 segments, \d\d tokens: reader takes about .+\n", done.out)
    assert as_json.json["to_read"].keys() == {"sessions", "segments", "tokens", "seconds"}
    assert bodies == []


def test_why_a_memory_is_there_is_told_with_all_that_was_thought(mem):
    read(
        mem,
        search("home", thought="Is it known?"),
        add(LISBON, thought="It is \x1b[31mnew.", summary="a move"),
        ignore(),
        options=["--keep-traces"],
    )
    [memory] = mem("memories", "--json").json["memories"]

    told = mem("memories", memory["id"], "--why").out
    [why] = mem("memories", memory["id"], "--why", "--json").json["why"]

    _, _, trace = told.partition("\nwhy  reader: a move\n")
    assert trace.splitlines() == [
        "Is it known?",
        'search_memory {"query": "home"}',
        "Nothing was found.",
        "It is new.",
        f"add_memory {json.dumps({'memory_list': [LISBON], 'summary': 'a move'})}",
    ]
    assert (why["model"], why["reason"], len(why["trace"])) == ("reader", "a move", 2)


def test_what_a_model_fails_at_is_named_with_what_to_type_and_the_status_is_0(mem):
    done, _ = read(mem, *[chat("no")] * 10, ignore())

    move = ids(mem)["Move"]
    assert (done.code, done.out) == (
        0,
        "2 segments of 2 sessions: 0 memories, 1 segment ignored, 1 segment failed\n",
    )
    assert re.fullmatch(
        rf"mem: {move}:1-2 failed: reader at http://127\S+ made no usable call: it called no tool\n"
        rf"mem: `mem read --again {move}` tries again\n",
        done.err,
    )


def test_without_a_reader_it_says_what_to_type(mem):
    done = mem("read")

    assert done == Run(
        6,
        err="mem: no model that reads sessions is on this machine\n"
        "hint: `mem models pull memreader-4b`\n",
    )


def test_where_the_server_is_gone_what_was_done_stays_and_the_next_run_goes_on(mem):
    with serving(add(LISBON), silence) as served:
        reader = f"{served.url}#reader"
        process = subprocess.Popen(
            [MEM, "read", "--reader", reader],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=mem.environment,
        )
        wait_for(lambda: len(served.requests) == 2)
    out, err = process.communicate(timeout=60)  # the server has left

    assert process.returncode == 7, err
    assert out == b"1 segment of 1 session: 1 memory\n"
    assert b"cannot be reached" in err or b"broke off" in err
    assert read(mem, ignore())[0].out.startswith("1 segment")


def wait_for(done, seconds=30):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(mem, jobs):
    mem.remembers(talk("Third", "me: Hello", at=BEGIN + 2 * DAY))
    with serving(ignore(), silence) as served:
        command = [MEM, "read", "--reader", f"{served.url}#reader", "--jobs", jobs, "--json"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=mem.environment
        )
        wait_for(lambda: len(served.requests) >= 2)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert err == b"mem: interrupted; the results are kept, and `mem read` continues there\n"
    assert json.loads(out)["segments"] == 1
    assert read(mem, ignore())[0].out.startswith("2 segments of 2 sessions")


def test_when_the_time_is_up_it_says_so(mem):
    done, _ = read(mem, ignore(), options=["--budget", "0.0001s"])

    assert done.code == 0
    assert done.err == "mem: the time is up; `mem read` continues there\n"


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        (("--budget", "soon"), 2, "mem: not a duration: `soon`\n"),
        (("--budget", "h"), 2, "mem: not a duration: `h`\n"),
        (("--jobs", "2", "--reader", "x.gguf"), 2, "mem: `--jobs` needs a served model"),
        (("--reader", "gone.gguf"), 6, "mem: no reader file at gone.gguf\n"),
        (("--reader", "memsifter-4b"), 2, "mem: `memsifter-4b` is a sifter, not a reader\n"),
        (("--reader", "http://127.0.0.1:1/v1"), 2, "mem: `http://127.0.0.1:1/v1` names no model\n"),
        (("s_none",), 3, "mem: no session `s_none`\n"),
    ],
)
def test_bad_usage_says_what_is_wrong(mem, options, status, error):
    done = mem("read", *options)

    assert (done.code, done.out) == (status, "")
    assert done.err.startswith(error)


def test_without_a_database_there_is_nothing_to_read(tmp_path, mem):
    done = mem("read", MEM_DB=str(tmp_path / "none.db"))

    assert done.code == 5
    assert done.err.startswith("mem: nothing was ingested yet")


@pytest.mark.slow
def test_a_reader_on_this_machine_reads(mem, tiny):
    done = mem("read", "--reader", str(tiny), "--think", "4", "--limit", "1", "--json")

    assert (done.code, done.json["segments"], done.json["model"]) == (0, 1, "tiny")


def test_where_nothing_is_new_no_model_is_loaded(mem, smollm, monkeypatch):
    read(mem, ignore())

    def loaded(*_, **__):
        raise AssertionError("it was loaded")

    monkeypatch.setattr("memcli.backends.llama.generators.LlamaModel", loaded)
    monkeypatch.setenv("MEM_DB", str(mem.database))
    result = CliRunner().invoke(command_tree(), ["read", "--reader", str(smollm)])

    assert (result.exit_code, result.stdout) == (0, "")


def test_a_context_that_leaves_no_room_is_said_before_anything_is_read(mem, tiny):
    done = mem("read", "--reader", str(tiny), "--think", "4000")

    assert (done.code, done.out) == (7, "")
    assert done.err.endswith(
        "mem: the context of tiny, 4,096 tokens, leaves no room to read\n"
        "hint: let it think less with `--think`\n"
    )


def test_on_a_terminal_progress_is_shown_and_taken_away(mem):
    with serving(buffer(), ignore()) as served:
        status, sent = on_a_terminal(mem, "read", "--reader", f"{served.url}#reader")

    assert status == 0
    assert "segments a minute" in sent
    assert screen(sent)[-1].startswith("2 segments of 2 sessions: 0 memories")


def test_in_a_log_there_is_a_line_a_minute(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("memcli.cli.output.progress.monotonic", lambda: now[0])
    settled = SegmentResult(SessionId("s_1"), 1, 2, ReadingOutcome.IGNORED, "", (), 0, 100)

    with reading_progress([UnreadSession(SessionId("s_1"), 1000)], quiet=False) as watch:
        for _ in range(5):
            now[0] += 25
            watch(settled)

    assert capsys.readouterr().err == (
        "mem: 3 segments, 0 memories, 2.4 segments a minute, about 3 min to go\n"
    )


def test_a_time_is_told_as_people_say_it():
    assert [rough_duration(seconds) for seconds in (0, 89, 90, 5400, 130_000)] == [
        "0 s",
        "89 s",
        "2 min",
        "2 h",
        "2 days",
    ]
