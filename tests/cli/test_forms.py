"""Every form of what `ask`, `search`, `sessions` and `show` print, side by side."""

import csv
import io
import json
import re

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk

HOSTILE = '=1+1 \x1b[31mred\x1b[0m\n# heading\n```\n</session> a,"b" <script>'


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    """`mem` with an archive that no test changes; the one session with a zebra has two turns."""
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Zoo *day*", "me: We saw a zebra.", f"ai: {HOSTILE}"),
        talk("Dinner", "me: No hazelnuts for me."),
    )
    return mem


@pytest.fixture(scope="module")
def zoo(mem):
    [key] = [one["id"] for one in mem("sessions", "--jsonl").lines if "Zoo" in one["title"]]
    return key


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


SAID = '=1+1 red\n# heading\n```\n</session> a,"b" <script>'
QUOTED = "\n".join(f"> {line}" for line in SAID.splitlines())
SCORE = r"0\.\d\d"
RANKED = (
    r" 1\. Zoo \*day\*\n    2024-03-01 12:00  generic  ID  " + SCORE +
    r"\n    │ user: We saw a zebra\. \[ID:1\]\n    why  words zebra(?:; [a-z ]+)*\n"
)  # fmt: skip
ASKED = re.escape("question,rank,id,title,source,started_at,ended_at,participants,") + (
    r"retrieve,rerank,sift_rank,turn,speaker,at,text\n"
)
ROW = (
    r"zebra,1,ID,Zoo \*day\*,generic,2024-03-01T12:00:00\+00:00,2024-03-01T12:01:00\+00:00,"
    r"user; assistant,0\.\d+,,,ID:1,user,2024-03-01T12:00:00\+00:00,We saw a zebra\.\n"
)
SECTION = (
    r"# zebra\n\n## 1\. Zoo \\\*day\\\*\n\n2024-03-01 12:00, generic, `ID`, " + SCORE +
    r"\n\n\*\*user\*\* `\[ID:1\]`, 2024-03-01 12:00\n\n> We saw a zebra\.\n"
)  # fmt: skip
CONTEXT = (
    r"Zoo \*day\*, 2024-03-01 \(Friday\)\n\[ID:1\] 12:00 user: We saw a zebra\.\n"
    r"\[ID:2\] 12:01 assistant: =1\+1 red\n    # heading\n    ```\n"
    r"    </session> a,\"b\" <script>\n"
)
TURN = "id,position,role,speaker,at,clock,kind,active,text\n"
TRANSCRIPT = (
    "Zoo *day*\nID  generic  2024-03-01 12:00\n\nFriday 2024-03-01\n\n"
    f"1  user  12:00\nWe saw a zebra.\n\n2  assistant  12:01\n{SAID}\n"
)
TABLE = "| id | began | turns | source | title |\n|---|---|---|---|---|\n"


@pytest.mark.parametrize(
    ("command", "form", "expected"),
    [
        ("ask zebra -n 1", "text", RANKED),
        ("ask zebra -n 1", "csv", ASKED + ROW),
        ("ask zebra -n 1", "markdown", SECTION),
        ("ask zebra -n 1", "context", CONTEXT),
        ("search zebra -n 1", "text", RANKED),
        ("search zebra -n 1", "csv", ASKED + ROW),
        ("search zebra -n 1", "markdown", SECTION),
        ("search zebra -n 1", "context", CONTEXT),
        ("sessions -n 9", "text",
         r"(?s).*ID  2024-03-01 12:00     2 turns  generic       Zoo \*day\*\n.*"),
        ("sessions -n 9", "csv", r"(?s)id,title,source,started_at,ended_at,participants,turns\n.*"
         r"ID,Zoo \*day\*,generic,2024-03-01T12:00:00\+00:00,2024-03-01T12:01:00\+00:00,"
         r"user; assistant,2\n.*"),
        ("sessions -n 9", "markdown", "(?s)" + re.escape(TABLE) +
         r".*\| `ID` \| 2024-03-01 12:00 \| 2 \| generic \| Zoo \\\*day\\\* \|\n.*"),
        ("show ID", "text", re.escape(TRANSCRIPT)),
        ("show ID", "csv", re.escape(TURN) +
         r"ID:1,1,user,,2024-03-01T12:00:00\+00:00,exact,text,True,We saw a zebra\.\n"
         r'ID:2,2,assistant,,2024-03-01T12:01:00\+00:00,exact,text,True,"' +
         re.escape(SAID.replace('"', '""')) + '"\n'),
        ("show ID", "markdown", r"# Zoo \\\*day\\\*\n\n`ID`, generic\n\n"
         r"\*\*user\*\* `\[ID:1\]`, 2024-03-01 12:00\n\n> We saw a zebra\.\n\n"
         r"\*\*assistant\*\* `\[ID:2\]`, 2024-03-01 12:01\n\n" + re.escape(QUOTED) + "\n"),
    ],
)  # fmt: skip
def test_forms_for_people_and_documents(mem, zoo, command, form, expected):
    done = mem(*command.replace("ID", zoo).split(), "--format", form)

    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(expected.replace("ID", zoo), done.out), done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("command", "schema"),
    [
        ("ask zebra", "mem.ask/1"),
        ("search zebra", "mem.search/1"),
        ("sessions", "mem.sessions/1"),
        ("show ID", "mem.show/1"),
    ],
)
def test_forms_for_programs(mem, zoo, command, schema):
    words = command.replace("ID", zoo).split()
    whole, lines = mem(*words, "--json"), mem(*words, "--jsonl")

    found = whole.json
    assert (whole.code, lines.code, found["schema"]) == (0, 0, schema)
    assert mem(*words, "--format", "json").json["schema"] == schema
    assert mem(*words, "--format", "jsonl").out == lines.out
    assert lines.lines == (found["sessions"] if "sessions" in found else found["session"]["turns"])


def test_csv_is_read_back_as_it_was_but_for_escape_sequences(mem, zoo):
    [_, second] = rows(mem("show", zoo, "--format", "csv").out)

    assert second["text"] == SAID


@pytest.mark.parametrize(
    "options",
    [
        ("--json", "--jsonl"),
        ("--json", "--format", "csv"),
        ("--context-tokens", "9", "--json"),
        ("--answer", "--format", "csv"),
        ("--answer", "--jsonl"),
        ("--answer", "--format", "context"),
        ("--profile", "--json"),
    ],
)
def test_forms_that_exclude_each_other_are_bad_usage(mem, options):
    done = mem("ask", "zebra", *options)

    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"mem: .+\nhint: `--.+`\n", done.err)


def test_a_context_takes_at_most_the_tokens_it_was_given(mem):
    small = mem("ask", "zebra", "--context-tokens", "80")
    none = mem("ask", "zebra", "--context-tokens", "5")

    assert small.code == 0
    assert "We saw a zebra." in small.out
    assert "red" not in small.out
    assert (none.code, none.out) == (2, "")
    assert none.err == ("mem: not one turn fits into 5 tokens\nhint: `--context-tokens 4000`\n")


def test_sessions_below_a_score_are_left_out(mem):
    [first] = mem("search", "zebra", "--json", "-n", "1").json["sessions"]
    score = first["scores"]["retrieve"]

    assert mem("ask", "zebra", "--min-score", str(score - 0.01)).code == 0
    assert mem("ask", "zebra", "--min-score", str(score + 0.01)).code == 3
    assert mem("ask", "zebra", "--min-score", "1.5").code == 2
    low = mem("ask", "hazelnuts in a zoo far away from everything else", "--min-score", "0.01")
    assert low.code == 0


def test_questions_on_standard_input_are_answered_one_a_line(mem):
    done = mem("ask", "-", "--jsonl", stdin="zebra\r\n\n  \n\ufeffhazelnuts\nxyzzyplugh".encode())

    asked = [(one["schema"], one["question"], one["verdict"]) for one in done.lines]
    assert asked == [
        ("mem.ask/1", "zebra", "found"),
        ("mem.ask/1", "hazelnuts", "found"),
        ("mem.ask/1", "xyzzyplugh", "nothing"),
    ]
    assert (done.code, done.err) == (0, "mem: nothing found for `xyzzyplugh`\n")
    assert done.lines[0]["sessions"] == mem("ask", "zebra", "--json").json["sessions"]


def test_questions_may_end_in_nul_and_have_several_lines(mem):
    done = mem("ask", "-", "-0", "--jsonl", stdin=b"zebra\nin the zoo\0hazelnuts\0")

    assert [one["question"] for one in done.lines] == ["zebra\nin the zoo", "hazelnuts"]


@pytest.mark.parametrize("stdin", [b"", b"\n\n", b"xyzzyplugh\nfrobnicate\n"])
def test_nothing_found_to_any_question_ends_in_status_3(mem, stdin):
    assert mem("ask", "-", "--jsonl", stdin=stdin).code == 3
    assert mem("search", "-", stdin=stdin).code == 3


def test_other_forms_take_many_questions_too(mem):
    stdin = b"zebra\nhazelnuts\n"

    text = mem("ask", "-", "-n", "1", stdin=stdin).out
    table = rows(mem("ask", "-", "-n", "1", "--format", "csv", stdin=stdin).out)
    document = mem("ask", "-", "-n", "1", "--format", "markdown", stdin=stdin).out
    shown = mem("ask", "-", "-n", "1", "--format", "context", stdin=stdin).out

    assert re.findall(r"^(?:zebra|hazelnuts)$", text, re.MULTILINE) == ["zebra", "hazelnuts"]
    assert [row["question"] for row in table] == ["zebra", "hazelnuts"]
    assert re.findall(r"^# (.+)$", document, re.MULTILINE) == ["zebra", "hazelnuts"]
    assert re.findall(r"^\S.*\(Friday\)$", shown, re.MULTILINE) == [
        "Zoo *day*, 2024-03-01 (Friday)",
        "Dinner, 2024-03-01 (Friday)",
    ]
    assert mem("ask", "-", "--json", stdin=stdin).code == 2


def test_a_question_without_end_is_refused(mem):
    done = mem("ask", "-", "--jsonl", stdin=b"zebra\n" + b"x" * (3 << 20))

    assert (done.code, len(done.lines)) == (4, 1)
    assert done.err == "mem: question 2 on standard input is longer than 1,048,576 bytes\n"


def test_bytes_that_are_no_text_are_a_question_like_any_other(mem):
    done = mem("ask", "-", "--jsonl", stdin=b"zebra \xff\xfe\x1b[2J\n")

    assert (done.code, json.loads(done.out)["verdict"]) == (0, "found")
