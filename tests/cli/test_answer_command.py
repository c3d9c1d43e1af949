"""`mem ask --answer` and `--continue`, as people run them."""

import json
import re
import signal
import subprocess
import time

import pytest
from helpers.hostile_server import chat, says, serving, stream
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk
from test_terminal import on_a_terminal, screen

from memcli.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def mem(tmp_path):
    mem = Mem(tmp_path)
    mem.remembers(
        talk("Dinner", "me: I must not eat hazelnuts.", "ai: Noted."),
        talk("Kyoto", "me: In Kyoto we stayed at a ryokan.", "ai: Lovely."),
        talk("Porto", "me: In Porto we stayed at a hostel.", "ai: Fine."),
    )
    return mem


def key_of(mem, title):
    [key] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == title]
    return key


def test_an_answer_follows_the_ranking_and_its_references_are_checked(mem):
    key = key_of(mem, "Dinner")
    with serving(chat("No hazelnuts [", key, ":1], no nuts [", key, ":9].")) as served:
        done = mem("ask", "what must I not eat", "--answer", "--chat", f"{served.url}#m")

    assert done.code == 0
    assert done.out.startswith(" 1. Dinner\n")
    assert done.out.endswith(f"why  words eat\n\nNo hazelnuts [{key}:1], no nuts [{key}:9?].\n")
    assert f"mem: the answer refers to turns that the model was not shown: {key}:9\n" in done.err
    [request] = served.requests
    assert f"[{key}:1] 12:00 user: I must not eat hazelnuts." in str(request.body)


def test_on_a_terminal_an_answer_is_wrapped_between_words_as_it_comes(mem):
    pieces = ["No haz", "elnuts, ", "and nothing that was near them", ".\n\n", "堅果は" * 12]
    with serving(chat({"reasoning_content": "hm"}, *pieces)) as served:
        chosen = f"{served.url}#m"
        status, sent = on_a_terminal(
            mem, "ask", "hazelnuts", "-n", "1", "--answer", "--chat", chosen, COLUMNS="40"
        )

    lines = screen(sent)
    assert status == 0
    assert lines[-4:] == [
        "No hazelnuts, and nothing that was near",
        "them.",
        "堅果は堅果は堅果は堅果は堅果は堅果は堅果",
        "は堅果は堅果は堅果は堅果は堅果は",
    ]


def test_json_has_the_answer_and_its_references(mem):
    key = key_of(mem, "Dinner")
    with serving(chat("<think>hm</think>", f"None [{key}:1] s_nowhere00:3")) as served:
        done = mem("ask", "hazelnuts", "--answer", "--json", MEM_CHAT=f"{served.url}#m")

    assert done.json["answer"] == {
        "text": f"None [{key}:1] s_nowhere00:3?",
        "model": "m",
        "references": [
            {"turn": f"{key}:1", "known": True},
            {"turn": "s_nowhere00:3", "known": False},
        ],
        "complete": True,
    }
    assert [stage["name"] for stage in done.json["stages"]] == ["retrieve", "answer"]


def test_markdown_begins_with_the_answer(mem):
    with serving(chat("None.")) as served:
        done = mem(
            "ask", "hazelnuts", "--answer", "--format", "markdown", "--chat", f"{served.url}#m"
        )

    assert done.out.startswith("# hazelnuts\n\nNone.\n\n## 1. Dinner\n")


def test_a_model_on_this_machine_answers(mem, smollm):
    done = mem("ask", "what must I not eat", "--answer", "--chat", str(smollm), "--json", "-n", "1")

    assert done.code == 0
    assert done.json["answer"]["text"]
    assert done.json["answer"]["model"] == smollm.stem
    assert done.json["stages"][-1]["tokens"]["read"] > 100


def test_without_a_model_that_answers_nothing_is_asked(mem):
    done = mem("ask", "hazelnuts", "--answer")

    assert (done.code, done.out) == (6, "")
    assert done.err.startswith(
        "mem: no model that answers in words is on this machine\nhint: `mem models"
    )


def test_where_nothing_is_found_no_model_is_asked(mem):
    with serving(chat("x")) as served:
        done = mem("ask", "xyzzyplugh", "--answer", "--chat", f"{served.url}#m")

    assert (done.code, done.out, served.requests) == (3, "", [])


def test_a_server_that_fails_leaves_the_ranking(mem):
    with serving(chat("x")) as served:
        address = f"{served.url}#m"

    done = mem("ask", "hazelnuts", "--answer", "--chat", address)

    assert done.code == 7
    assert done.out.startswith(" 1. Dinner\n")
    assert "Traceback" not in done.err


def test_a_budget_cuts_the_answer(mem):
    with serving(stream(*says(*["no "] * 100), pause=0.3)) as served:
        began = time.monotonic()
        done = mem(
            "ask",
            "hazelnuts",
            "--answer",
            "--chat",
            f"{served.url}#m-0.1b",
            "--budget",
            "8",
            "--json",
        )

    assert done.code == 0
    assert time.monotonic() - began < 20
    assert done.json["answer"]["complete"] is False
    assert "mem: the answer is cut short: the time was up\n" in done.err


def test_ctrl_c_leaves_what_was_answered(mem):
    with (
        serving(stream(*says("so ", *["far "] * 200), pause=0.2)) as served,
        subprocess.Popen(
            [MEM, "ask", "hazelnuts", "--answer", "--chat", f"{served.url}#m"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=mem.environment,
        ) as process,
    ):
        while not served.requests:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert re.search(r"\nso (far )+\n?$", out.decode())
    assert b"Traceback" not in err


def test_escape_sequences_of_a_model_never_reach_the_terminal(mem):
    with serving(chat("a \x1b[2J\x1b]0;owned\x07 b \x9b1m", "\x1b", "[31m c")) as served:
        done = mem("ask", "hazelnuts", "--answer", "--chat", f"{served.url}#m")

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out)


def test_a_question_goes_on_from_the_last_one(mem):
    alone = mem("ask", "and where did we stay?", "--json").json["sessions"]
    mem("ask", "When were we in Porto?")
    first = mem("ask", "--continue", "and where did we stay?", "--json").json["sessions"][0]
    mem("ask", "When were we in Kyoto?")
    second = mem("ask", "--continue", "and where did we stay?", "--json").json["sessions"][0]

    assert len({one["scores"]["retrieve"] for one in alone[:2]}) <= 2
    assert (first["title"], second["title"]) == ("Porto", "Kyoto")


def test_there_may_be_no_question_to_go_on_from(mem):
    done = mem("ask", "--continue", "hazelnuts")

    assert (done.code, done.err) == (
        0,
        "mem: there is no earlier question to continue from: this one is asked alone\n",
    )


def test_a_question_and_its_answer_go_with_what_is_forgotten(mem):
    with serving(chat("Pistachio")) as served:
        mem("ask", "hazelnuts of grandmother", "--answer", "--chat", f"{served.url}#m")
    assert mem("forget", key_of(mem, "Dinner"), "--yes").code == 0

    files = [path for path in mem.folder.rglob("*") if path.is_file()]
    raw = b"".join(path.read_bytes() for path in files)
    assert b"grandmother" not in raw
    assert b"Pistachio" not in raw
    with Store(mem.database) as store:
        assert store.cache._db.rows("select count(*) from answers") == [(0,)]


def test_questions_in_a_pipe_leave_the_dialogue_alone(mem):
    mem("ask", "When were we in Kyoto?")
    mem("ask", "-", "--jsonl", stdin=b"When were we in Porto?\n")

    done = mem("ask", "--continue", "and where did we stay?", "--json")

    assert done.json["sessions"][0]["title"] == "Kyoto"
    assert json.dumps(done.json["question"]) == '"and where did we stay?"'
