"""Commands, options and dates typed as one thinks, without knowing memcli."""

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    """`mem` with two sessions, one of them without a date."""
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Passport", "me: Where is my passport? In the blue drawer."),
        talk("Undated", "me: The passport photo is too dark.", at=None),
    )
    return mem


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_needs_no_quotes(mem, command):
    words = mem(command, "where", "is", "my", "passport", "--json", "-n", "1")
    quoted = mem(command, "where is my passport", "--json", "-n", "1")

    assert words.json["question"] == "where is my passport"
    assert words.json["sessions"] == quoted.json["sessions"]


@pytest.mark.parametrize("command", ["ask", "search"])
def test_options_may_stand_between_the_words(mem, command):
    done = mem(command, "blue", "--json", "drawer")

    assert done.json["question"] == "blue drawer"


@pytest.mark.parametrize(
    ("typed", "same_as"),
    [
        ("-h", "--help"),
        ("help", "--help"),
        ("help sessions", "sessions --help"),
        ("ask -h", "ask --help"),
        ("help models pull", "models pull --help"),
        ("memories add -h", "memories add --help"),
        ("-V", "--version"),
    ],
)
def test_help_and_version_have_their_usual_names(mem, typed, same_as):
    done = mem(*typed.split())

    assert done == mem(*same_as.split())
    assert done.code == 0
    assert done.out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("import x", "mem ingest"),
        ("list", "mem sessions"),
        ("ls", "mem sessions"),
        ("find x", "mem search"),
        ("rm s_k3j", "mem forget"),
        ("delete x", "mem forget"),
        ("settings", "mem config"),
        ("serch x", "mem search"),
        ("models rm bge-m3", "mem models remove"),
        ("models download bge-m3", "mem models pull"),
        ("ask x --after 2024", "--since"),
        ("ask x --before 2024", "--until"),
        ("ask x --person Ann", "--speaker"),
        ("search x --max 3", "--limit"),
        ("forget s_k3j --force", "--yes"),
        ("search x --sinc 2024", "--since"),
        ("sessions --format md", "markdown"),
        ("search x --format tsv", "csv"),
        ("sessions --format jsn", "json"),
        ("ask x --format llm", "context"),
        ("memories add k v --type fact", "LongTermMemory"),
    ],
)
def test_a_word_of_another_program_leads_to_ours(mem, typed, meant):
    done = mem(*typed.split())

    assert done.code == 2
    assert done.err.splitlines()[-1] == f"hint: did you mean `{meant}`"


def test_a_word_that_means_nothing_leads_to_the_help(mem):
    assert mem("xyzzy").err == "mem: no such command 'xyzzy'\nhint: `mem --help`\n"


def test_sessions_without_a_date_are_said_to_be_left_out(mem):
    done = mem("search", "passport", "--since", "2020", "--json")

    assert [one["title"] for one in done.json["sessions"]] == ["Passport"]
    assert done.err == "mem: 1 session without a date is left out\n"
    assert mem("search", "passport", "--source", "generic", "--json").err == ""


def test_a_range_is_both_ends(mem):
    inside = mem("sessions", "--json", "--since", "2024-02..2024-03")
    before = mem("sessions", "--json", "--since", "..2023")

    assert [one["title"] for one in inside.json["sessions"]] == ["Passport"]
    assert before.code == 3


def test_a_range_and_an_end_contradict_each_other(mem):
    done = mem("sessions", "--since", "2024-02..2024-03", "--until", "2024-03")

    assert (done.code, done.err) == (
        2,
        "mem: both `--since` and `--until` give an end\nhint: leave out `--until`\n",
    )
