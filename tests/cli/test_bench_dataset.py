"""`mem bench DATASET` on small data sets of our own making."""

import json
import re
import signal
import subprocess
import time

import pytest
from helpers.mem_process import MEM
from helpers.small_datasets import locomo_question, locomo_sample, longmemeval_element, two_people

pytestmark = pytest.mark.slow

METRICS = (
    "mrr map ndcg@1 ndcg@3 ndcg@10 ndcg f1 any@1 any@3 any@5 any@10 any@20"
    " all@1 all@3 all@5 all@10 all@20 recall@1 recall@3 recall@5 recall@10 recall@20"
).split()


def wait_for_an_answer(mem, running):
    """Wait until a first answer is kept; return the folder where that is."""
    journals = mem.home / ".local" / "state" / "mem" / "bench"
    while not sum(path.stat().st_size for path in journals.glob("*.jsonl")):
        assert running.poll() is None
        time.sleep(0.01)
    return journals


def haystacks():
    return [
        longmemeval_element("q1", bread="I baked bread.", rain="It rained all day."),
        longmemeval_element("q2", "rex2", snow="It snowed in the mountains."),
        longmemeval_element("q3_abs", question="Is the parrot blue?"),
    ]


def test_a_person_sees_the_stages_side_by_side(mem):
    mem.write("locomo.json", two_people())

    done = mem("bench", "locomo.json", "--quiet")

    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:3] == [
        "locomo.json",
        "locomo, sessions ranked; 5 questions, each in its own archive",
        "1 more left out: what answers them is not there",
    ]
    assert lines[4].split() == ["vectors", "bm25", "retrieve"]
    rows = {line[:8].strip(): line[8:] for line in lines[5:29]}
    assert list(rows)[:7] == ["MRR", "MAP", "NDCG@1", "NDCG@3", "NDCG@10", "NDCG", "F1"]
    assert list(rows)[-6:] == ["R@3", "R@5", "R@10", "R@20", "ms, p50", "ms, p95"]
    assert all(
        re.fullmatch(r"(\s*[01]?\.\d{3} ±\.\d{3}\*?){3}", row)
        for name, row in rows.items()
        if "ms" not in name
    )
    assert lines[29].startswith("± half of the 95% bootstrap interval")
    assert lines[31].split() == ["retrieve", *"n any@1 any@5 all@5 R@5 MRR NDCG@10 MAP".split()]
    assert [line.split()[:2] for line in lines[32:]] == [
        ["multi-hop", "1"], ["single-hop", "2"], ["temporal", "2"], ["all", "5"],
    ]  # fmt: skip
    assert max(map(len, lines)) <= 80


def test_json_has_every_figure(mem):
    mem.write("set.json", haystacks())

    done = mem("bench", "set.json", "--json", "--strangers", "--quiet")

    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["schema"] == "mem.bench/1"
    assert found["dataset"] == "set.json"
    assert (found["protocol"], found["grain"], found["questions"]) == ("haystack", "session", 2)
    assert set(found["stages"]) == {"vectors", "bm25", "retrieve"}
    for stage in found["stages"].values():
        assert list(stage["overall"]) == METRICS
        assert list(stage["by_category"]["single-session-user"]) == METRICS
        assert 0 < stage["latency_ms"]["p50"] <= stage["latency_ms"]["p95"]
        for metric in METRICS:
            low, high = stage["interval"][metric]
            assert low <= stage["overall"][metric] <= high
    retrieve = found["stages"]["retrieve"]
    assert retrieve["overall"]["mrr"] == 1
    assert retrieve["against"]["stage"] == "bm25"
    assert set(retrieve["against"]["p"]) == set(METRICS)
    assert found["verdicts"]["abstention"]["retrieve"]["unanswerable"] == 1
    assert found["verdicts"]["strangers"]["retrieve"]["unanswerable"] == 3
    assert found["models"]["embedder"]


def test_pooled_turns_and_several_data_sets(mem):
    mem.write("one.json", haystacks())
    mem.write("two.json", two_people())

    done = mem("bench", "one.json", "two.json", "--pooled", "--grain", "turn", "--json", "-q",
               "--stages", "retrieve,bm25")  # fmt: skip

    first, second = done.lines
    assert (first["shape"], second["shape"]) == ("longmemeval", "locomo")
    for one in (first, second):
        assert (one["protocol"], one["grain"]) == ("pooled", "turn")
        assert list(one["stages"]) == ["bm25", "retrieve"]
        assert "any@50" in one["stages"]["bm25"]["overall"]


def test_language_models_rerank_and_sift(mem, tiny, smollm):
    mem.write("locomo.json", two_people()[:1])

    done = mem("bench", "locomo.json", "--stages", "retrieve,rerank,sift", "--json", "-q",
               "--reranker", str(tiny), "--sifter", str(smollm), "--think", "8",
               "-n", "2")  # fmt: skip

    assert done.code == 0, done.err
    stages = done.json["stages"]
    assert list(stages) == ["retrieve", "rerank", "sift"]
    assert stages["sift"]["against"]["stage"] == "rerank"
    assert stages["retrieve"]["latency_ms"]["p50"] < stages["rerank"]["latency_ms"]["p50"]
    assert set(done.json["models"]) == {"embedder", "reranker", "sifter"}


def test_a_run_that_was_killed_goes_on_where_it_was(mem):
    questions = [locomo_question(f"What is the dog of {number} called?", "D1:1")
                 for number in range(3000)]  # fmt: skip
    mem.write("locomo.json", [locomo_sample("x", *questions)])
    command = ("bench", "locomo.json", "--json", "--stages", "bm25")

    running = subprocess.Popen([MEM, *command, "-q"], cwd=mem.folder, env=mem.environment)
    journals = wait_for_an_answer(mem, running)
    running.send_signal(signal.SIGKILL)
    running.wait()
    [journal] = journals.iterdir()
    kept = journal.read_bytes().count(b"\n")
    again = mem(*command)
    anew = mem(*command, "--again")

    assert 0 < kept < 3000
    assert again.err.startswith(f"mem: locomo.json: {kept:,} answers are from an earlier run")
    assert again.json["questions"] == anew.json["questions"] == 3000
    assert again.json["stages"]["bm25"]["overall"] == anew.json["stages"]["bm25"]["overall"]
    assert anew.err == ""
    assert journal.read_bytes().count(b"\n") == 3000


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give either data sets or `--speed`"),
        (("set.json", "--speed"), 2, "give either data sets or `--speed`"),
        (("gone.json",), 4, "no file or folder at gone.json"),
        (("broken.json",), 4, "broken.json"),
        (("other.json",), 4, "has no questions as LoCoMo's and LongMemEval's are"),
        (("unanswered.json",), 4, "has no question that something in it answers"),
        (("set.json", "--stages", "magic"), 2, "not a stage: `magic`"),
        (("set.json", "--stages", ""), 2, "not a stage: ``"),
        (("set.json", "--grain", "word"), 2, "--grain"),
        (("set.json", "--limit", "0"), 2, "--limit"),
        (
            ("set.json", "--stages", "retrieve,rerank"),
            6,
            "there is no model on this machine for the stage `rerank`",
        ),
        (("set.json", "--stages", "sift", "--grain", "turn"), 2, "`sift` ranks sessions"),
        (("set.json", "--stages", "memories", "--grain", "turn"), 2, "`memories` ranks sessions"),
        (("set.json", "--stages", "memories"), 2, "set.json has no observations to remember"),
        (("set.json", "--outcome", "--grain", "turn"), 2, "`--outcome` needs whole sessions"),
        (("set.json", "--pooled", "--strangers"), 2, "one archive"),
        (("unanswered.json", "--strangers"), 2, "needs two"),
    ],
)
def test_what_makes_no_sense_is_said(mem, arguments, code, message):
    mem.write("set.json", haystacks())
    mem.write("broken.json", json.dumps(haystacks())[:-40])
    mem.write("other.json", [{"role": "user", "content": "Hello"}])
    mem.write("unanswered.json", [locomo_sample("x", locomo_question("Who?"))])

    done = mem("bench", *arguments)

    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_where_results_cannot_be_kept_it_is_said(mem):
    mem.write("set.json", haystacks())
    mem.write("home/.local/state", "a file")

    done = mem("bench", "set.json")

    assert done.code != 0
    assert "results cannot be kept in" in done.err


def test_ctrl_c_keeps_what_came_out_and_says_how_to_go_on(mem):
    questions = [locomo_question(f"What is the dog of {number} called?", "D1:1")
                 for number in range(3000)]  # fmt: skip
    mem.write("locomo.json", [locomo_sample("x", *questions)])

    running = subprocess.Popen(
        [MEM, "bench", "locomo.json", "--stages", "bm25"],
        cwd=mem.folder, env=mem.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for_an_answer(mem, running)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()

    assert (running.returncode, out) == (130, b"")
    assert re.fullmatch(
        "mem: interrupted; the same command goes on where it stopped\n", err.decode()
    )
    assert not list(mem.folder.glob("mem-bench-*"))
