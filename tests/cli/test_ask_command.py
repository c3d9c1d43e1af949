"""`mem ask` and `mem search` without a language model: what is found, and how it is told."""

import json
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from helpers.hostile_server import answer, serving
from helpers.mem_process import MEM, Mem, Run
from helpers.small_exports import chatgpt, claude, talk, telegram

from memcli.store import Store

HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HOSTILE = "The \x1b[31mred\x1b[0m \x1b]0;owned\x07door \x9b2J\u202e opens\x08 with\r the zebra key"

JUNE = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
AUTUMN = datetime(2023, 11, 5, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    """`mem` with a small archive that no test changes."""
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.write(
        "chatgpt.json",
        [chatgpt("Dinner", "me: I must not eat hazelnuts.", "ai: Noted, no nuts.", at=JUNE)],
    )
    mem.write(
        "claude.json",
        [claude("Passport", "me: My passport ends in 2031.", "ai: Enough time.", at=AUTUMN)],
    )
    friend = ("Ann: Shall we eat at the new Thai place?", "Me: Gladly, on Friday.")
    mem.write("telegram.json", telegram("Ann Ng", *friend, at=datetime(2024, 7, 9, tzinfo=UTC)))
    mem.write(
        "notes.json",
        [
            talk("Lisbon", "me: We flew to Lisbon in May.", "ai: Did you take tram 28?"),
            talk("自行车", "me: 我的自行车锁的密码是四四七一", "ai: 好的,我记住了。"),
            talk("ラーメン", "me: 大阪で一番おすすめのラーメン屋は麺処夜鷹です"),
            talk("Operators", "me: NEAR the OR and NOT the AND of it, he said: a*b"),
            talk("Terminal \x1b[2J", f"me: {HOSTILE}"),
        ],
    )
    done = mem("ingest", "chatgpt.json", "claude.json", "telegram.json", "notes.json")
    assert done.code == 0, done
    return mem


def titles(done):
    return [session["title"] for session in done.json["sessions"]]


def test_the_session_that_answers_is_first_with_the_turns_that_are_evidence(mem):
    done = mem("ask", "what must I not eat", "--json")

    [first, *_] = done.json["sessions"]
    key = first["id"]
    assert (done.code, done.err) == (0, "")
    assert first == {
        "rank": 1,
        "id": key,
        "title": "Dinner",
        "source": "chatgpt",
        "started_at": "2024-06-01T12:00:00+00:00",
        "ended_at": "2024-06-01T12:01:00+00:00",
        "participants": ["user", "assistant"],
        "scores": {"retrieve": first["scores"]["retrieve"], "rerank": None, "sift_rank": None},
        "evidence": [
            {
                "turn": f"{key}:1",
                "speaker": "user",
                "at": "2024-06-01T12:00:00+00:00",
                "text": "I must not eat hazelnuts.",
            }
        ],
        "why": first["why"],
    }
    assert first["why"].startswith("words ")
    assert 0 < first["scores"]["retrieve"] <= 1


def test_the_json_object_has_every_promised_key(mem):
    asked = mem("ask", "what must I not eat", "--json").json
    searched = mem("search", "what must I not eat", "--json").json

    [stage] = asked["stages"]
    assert (asked["schema"], searched["schema"]) == ("mem.ask/1", "mem.search/1")
    assert (asked["question"], asked["verdict"]) == ("what must I not eat", "found")
    assert asked["trace"].startswith("No model thought about this.")
    assert set(stage) >= {"name", "model", "seconds", "candidates"}
    assert stage["name"] == "retrieve"
    assert set(asked) - set(searched) == {"trace", "plan", "left_out", "out_of_time"}
    assert asked["sessions"] == searched["sessions"][:5]
    ranks = [session["rank"] for session in asked["sessions"]]
    assert ranks == list(range(1, len(ranks) + 1))


def test_jsonl_is_one_session_a_line_and_the_same_sessions(mem):
    done = mem("search", "what must I not eat", "--jsonl")

    assert (done.code, done.err) == (0, "")
    assert done.lines == mem("search", "what must I not eat", "--json").json["sessions"]


def test_in_a_pipe_a_ranking_is_plain_text_with_a_line_a_quote(mem):
    [first] = mem("ask", "what must I not eat", "--json", "-n", "1").json["sessions"]

    done = mem("ask", "what must I not eat", "-n", "1")

    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    assert [line.rstrip() for line in done.out.splitlines()] == [
        " 1. Dinner",
        f"    2024-06-01 12:00  chatgpt  {first['id']}  {first['scores']['retrieve']:.2f}",
        f"    │ user: I must not eat hazelnuts. [{first['id']}:1]",
        f"    why  {first['why']}",
    ]


def test_a_long_turn_is_one_line_in_a_pipe(tmp_path):
    mem = Mem(tmp_path)
    words = " ".join(f"word{number}" for number in range(400))
    mem.remembers(talk("Long", f"me: zebra\n{words}"))

    [quote] = [line for line in mem("ask", "zebra").out.splitlines() if "│" in line]

    assert re.fullmatch(rf"    │ user: zebra {words} \[s_\w+:1\]", quote)


def test_the_whole_trace_is_printed_where_it_is_asked_for(mem):
    folded, whole = mem("ask", "hazelnuts"), mem("ask", "hazelnuts", "--trace")

    assert "\nwhy  " not in folded.out  # without a thought, each session has its own reasons
    assert "session 0." in whole.out.rpartition("why  ")[2]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (("--since", "2024-06"), {"Dinner", "Ann Ng"}),
        (("--since", "2024-06", "--until", "2024-06"), {"Dinner"}),
        (("--until", "2023-11-05"), {"Passport"}),
        (("--until", "2023-11-04"), set()),
        (("--since", "2024-07-09T00:00:00+00:00"), {"Ann Ng"}),
        (("--source", "claude"), {"Passport"}),
        (("--source", "telegram", "--source", "chatgpt"), {"Dinner"}),
        (("--speaker", "ANN"), {"Ann Ng"}),
        (("--speaker", "Ann", "--source", "chatgpt"), set()),
        (("--speaker", "Nobody"), set()),
    ],
)
def test_filters_limit_what_is_looked_at(mem, filters, left):
    done = mem("search", "eat passport", "--json", *filters)

    assert set(titles(done)) == left
    assert done.code == (0 if left else 3)


@pytest.mark.parametrize("form", [(), ("--json",), ("--jsonl",)])
def test_finding_nothing_is_no_error_but_scripts_can_tell(mem, form):
    done = mem("ask", "xyzzyplugh frobnicate", *form)

    assert (done.code, done.err) == (3, "mem: nothing found\n")
    if form == ("--json",):
        assert (done.json["verdict"], done.json["sessions"]) == ("nothing", [])
    else:
        assert done.out == ""


UNRELATED = "helicopter repairs by the eat company"  # it shares a word with two sessions


def test_the_nearest_sessions_are_shown_as_unlikely_where_nothing_relevant_is_found(mem):
    question = ("ask", UNRELATED, "-n", "2")
    nearest = mem(*question, "--json").json
    first, _ = (session["id"] for session in nearest["sessions"])

    done = mem(*question)
    opened = mem("show", "1")

    sentence, *shown = done.err.splitlines()
    assert (nearest["verdict"], done.code, done.out) == ("nothing", 3, "")
    assert sentence == ("mem: nothing relevant found; these are nearest, but unlikely to answer")
    assert [line.rpartition("  ")[2][4:] for line in shown if "  s_" in line] == [", unlikely"] * 2
    assert first in shown[1]
    assert "I must not eat hazelnuts." in done.err
    assert sum(line.startswith("    why  ") for line in shown) == 2
    assert first in opened.out


@pytest.mark.parametrize("form", ["csv", "markdown", "context", "jsonl"])
def test_other_forms_stay_empty_where_nothing_relevant_is_found(mem, form):
    done = mem("ask", UNRELATED, "--format", form)

    assert (done.code, done.out) == (3, "")
    assert re.fullmatch(r"mem: nothing relevant found; nearest is s_\w+, .+\n", done.err)


@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_empty_question_is_bad_usage(mem, command):
    done = mem(command, " \n ")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mem: the question is empty\nhint: `mem ask ")


@pytest.mark.parametrize(
    "question",
    [
        'NEAR(the OR NOT "AND" of: it* ^he - said',
        '"',
        "title:operators AND (NOT",
        "'; drop table sessions; --",
        "* ^ ( ) { } : -",
        "NOT",
    ],
)
def test_search_operators_in_a_question_are_words(mem, question):
    done = mem("search", question, "--json")

    assert (done.code, done.err) in ((0, ""), (3, "mem: nothing found\n"))
    assert done.json["question"] == question


def test_words_that_are_operators_can_be_found(mem):
    assert titles(mem("search", "NEAR OR NOT AND", "--json"))[0] == "Operators"


@pytest.mark.parametrize(
    "date",
    [
        "soon",
        "7x",
        "2024-01..2024-03",
        "2024-13",
        "2024-02-30",
        "9999",
        "9999-12-31",
        "0001-01-01",
        "",
    ],
)
def test_what_is_no_date_is_bad_usage(mem, date):
    hint = (
        "hint: write it as in `2024-03-01`, `2024-03`, `7d`, `yesterday`, `last week`, or for"
        " `--since` as in `2025-03..2025-05`\n"
    )

    assert mem("ask", "x", "--until", date) == Run(2, err=f"mem: not a date: `{date}`\n{hint}")


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("我的自行车密码是什么？", "自行车"),
        ("大阪のラーメン屋はどこ？", "ラーメン"),
        ("密码", "自行车"),
    ],
)
def test_chinese_and_japanese_questions_find_their_session(mem, question, title):
    done = mem("search", question, "--json")

    assert titles(done)[0] == title
    assert title in mem("search", question).out.splitlines()[0]


@pytest.mark.parametrize("form", [(), ("--json",), ("--jsonl",)])
def test_escape_sequences_in_a_chat_never_reach_the_terminal(mem, form):
    done = mem("ask", "zebra key", "-n", "1", *form)

    assert (done.code, done.err) == (0, "")
    assert "zebra key" in done.out
    assert HARMFUL.findall(done.out) == []
    assert "owned" not in done.out or form


def test_json_still_holds_every_character_of_a_hostile_chat(mem):
    [first] = mem("ask", "zebra key", "-n", "1", "--json").json["sessions"]

    assert [quote["text"] for quote in first["evidence"]] == [HOSTILE]
    assert first["title"] == "Terminal \x1b[2J"


def test_a_hostile_title_is_harmless_where_only_the_nearest_is_named(mem):
    done = mem("show", "s_\x1b[2J")

    assert done == Run(3, err="mem: no session `s_`\nhint: list sessions with `mem sessions`\n")


def test_verbose_tells_of_the_stages_on_stderr(mem):
    quiet = mem("search", "hazelnuts", "--json")
    told = mem("search", "hazelnuts", "--json", "--verbose")

    assert told.json["sessions"] == quiet.json["sessions"]
    assert re.fullmatch(r"mem: retrieve: \d+ sessions, \d\.\d\d s, \S+\n", told.err)


def test_bytes_that_are_no_text_are_found_nowhere_and_harm_nothing(mem):
    odd = "caf\udce9"

    assert mem("ask", f"hazelnuts {odd}", "--json").code == 0
    assert mem("ask", "hazelnuts", "--speaker", odd).code == 3
    assert mem("ask", "hazelnuts", "--source", odd).code == 3
    assert mem("show", odd).code == 3


def modules_after(mem, *arguments):
    """Return the modules in memory after `mem` has run."""
    code = (
        "import sys\nfrom memcli.cli import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=mem.environment)
    return ran.stdout, set(ran.stderr.splitlines()[-1].split())


HEAVY = set("llama_cpp wordllama tokenizers numpy torch transformers jinja2 gguf".split())
HEAVY |= set("huggingface_hub httpx2 tomlkit mcp sqlite_vec statistics pydantic".split())


def test_the_same_question_again_loads_no_model(mem, tiny):
    models = ("--reranker", str(tiny), "--sifter", str(tiny), "--think", "10")
    command = ("ask", "what must I not eat with hazelnuts", *models)

    first, loaded = modules_after(mem, *command)
    again, kept = modules_after(mem, *command)

    assert again == first
    assert "llama_cpp" in loaded
    assert not HEAVY & kept


@pytest.mark.parametrize("command", ["ask", "search"])
def test_who_asks_loads_nothing_of_ingesting_reading_or_pulling(command, mem):
    mem(command, "what must I not eat")

    _, loaded = modules_after(mem, command, "what must I not eat", "--json")

    assert not (HEAVY | {"rich"}) & loaded
    ours = {name for name in loaded if name.startswith("memcli.")}
    assert not {"memcli.formats", "memcli.evaluation", "memcli.backends.llama"} & ours
    unneeded = {"memcli.ingest", "memcli.extraction", "memcli.weights.pull"}
    assert not unneeded & ours


def test_with_a_budget_too_small_for_a_model_the_ranking_before_it_is_the_answer(mem, smollm):
    began = time.monotonic()
    done = mem("ask", "what must I not eat", "--sifter", str(smollm), "--budget", "0", "--json")

    assert done.code == 0
    assert time.monotonic() - began < 10
    assert titles(done)[0] == "Dinner"
    assert [stage["name"] for stage in done.json["stages"]] == ["retrieve"]
    assert done.json["plan"]["history_tokens"] == 0
    assert done.json["left_out"] == ["sift: left out, there were 0.0 s for it"]


def test_stages_leave_out_models(mem, tiny):
    models = ("--reranker", str(tiny), "--sifter", str(tiny), "--think", "5", "--json")

    def stages(*options):
        return [
            stage["name"] for stage in mem("ask", "zebra key", *models, *options).json["stages"]
        ]

    assert stages("--stages", "retrieve") == ["retrieve"]
    assert stages("--stages", "retrieve,sift") == ["retrieve", "sift"]
    assert stages("--stages", "auto")[:2] == ["retrieve", "rerank"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--stages", "think"), "mem: not a stage: `think`\n"),
        (("--stages", ""), "mem: not a stage: ``\n"),
        (("--budget", "soon"), "mem: not a duration: `soon`\n"),
        (("--budget", "-1"), "mem: not a duration: `-1`\n"),
        (("--budget", "nan"), "mem: not a duration: `nan`\n"),
        (("--budget", "inf"), "mem: not a duration: `inf`\n"),
        (("--gpu-layers", "all"), "mem: not a number of layers: `all`\n"),
        (("--gpu-layers", "²"), "mem: not a number of layers: `²`\n"),
    ],
)
def test_what_makes_no_sense_is_bad_usage(mem, options, told):
    done = mem("ask", "x", *options)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(told + "hint: ")


def test_a_stage_without_a_model_is_told(mem):
    done = mem("ask", "what must I not eat", "--stages", "retrieve,rerank")

    assert (done.code, done.out) == (6, "")
    assert done.err.startswith(
        "mem: there is no model on this machine for the stage `rerank`\nhint: "
    )


def test_verbose_tells_what_each_stage_cost(mem, tiny):
    models = ("--reranker", str(tiny), "--gpu-layers", "auto")

    done = mem("ask", "which passport ends", *models, "--verbose")
    again = mem("ask", "which passport ends", *models, "--verbose")

    [judged] = [line for line in done.err.splitlines() if line.startswith("mem: rerank: ")]
    [kept] = [line for line in again.err.splitlines() if line.startswith("mem: rerank: ")]
    assert re.fullmatch(
        r"mem: rerank: \d+ sessions, \d+ passages, [\d.]+ s(, [\d.]+ s of it to load)?,"
        r" [\d,]+ tokens read, [\d,]+ tokens/s, tiny",
        judged,
    )
    assert re.fullmatch(
        r"mem: rerank: (\d+) sessions, (\d+) passages, \2 from the cache, [\d.]+ s, tiny", kept
    )


def test_ctrl_c_prints_what_there_is(mem, smollm):
    def remembered():
        with Store(mem.database) as store:
            return store.cache._db.rows("select count(*) from answers")

    before = remembered()
    command = [MEM, "ask", "what must I never eat", "--sifter", str(smollm), "--think", "4000"]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=mem.environment
    ) as process:
        while remembered() == before:  # until the first stage is done
            time.sleep(0.1)
        time.sleep(1)  # it loads, reads or thinks
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert [stage["name"] for stage in json.loads(out)["stages"]] == ["retrieve"]
    assert b"Traceback" not in err


def test_the_nearest_sessions_are_shown_also_if_a_model_fails(mem):
    with serving(answer({"error": {"message": "out of order"}}, status=400)) as served:
        done = mem(
            "ask",
            "which dentist took out my wisdom tooth on a friday",
            "--reranker",
            f"{served.url}#x",
        )

    assert (done.code, done.out) == (7, "")
    _, found, below = done.err.partition("mem: nothing relevant found; these are nearest")
    assert found
    assert ", unlikely\n" in below
    assert "out of order" in below
