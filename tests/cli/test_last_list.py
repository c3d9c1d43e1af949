"""Numbers of the last list in place of ids, and scores that agree with the order."""

import pytest
from helpers.mem_process import Mem, Run
from helpers.small_exports import talk

from memcli.cli.output.session_view import trace_conclusion


@pytest.fixture
def mem(tmp_path):
    mem = Mem(tmp_path)
    mem.remembers(
        talk("Passport", "me: Where is my passport?", "ai: In the blue drawer."),
        talk("Photo", "me: The passport photo is too dark."),
        talk("Zebra", "me: A zebra."),
    )
    return mem


@pytest.mark.parametrize("command", ["search passport", "ask passport", "sessions"])
def test_show_takes_a_number_of_the_last_list(mem, command):
    listed = mem(*command.split())
    ids = [one["id"] for one in mem(*command.split(), "--jsonl").lines]

    assert listed.code == 0
    for number, key in enumerate(ids, start=1):
        assert mem("show", str(number)) == mem("show", key)
    assert mem("show", "1:1", "-C", "0") == mem("show", f"{ids[0]}:1", "-C", "0")


def test_documents_for_programs_do_not_replace_the_last_list(mem):
    mem("search", "zebra")
    mem("sessions", "--json")

    assert "A zebra." in mem("show", "1").out


def test_a_number_beyond_the_last_list_is_an_error(mem):
    none = mem("show", "1")
    mem("search", "zebra")
    beyond = mem("show", "9")

    assert none == Run(
        3, err="mem: there is no last list, and none is `1`\nhint: `mem sessions` makes one\n"
    )
    assert (beyond.code, beyond.err.split(",")[0]) == (3, "mem: the last list has 1 sessions")


def test_a_list_of_another_database_is_not_meant(mem):
    mem("search", "zebra")
    mem.write("notes.json", [talk("Other", "me: Other.")])
    mem("--db", "other.db", "ingest", "notes.json")

    assert mem("--db", "other.db", "show", "1").code == 3


@pytest.mark.parametrize(
    "thought",
    ["<think>All is well.", "All is well.</think>", "All is well.\n\n<ranking", "All is well.<"],
)
def test_a_thought_that_was_cut_off_shows_no_tag(thought):
    assert trace_conclusion(thought).strip() in ("All is well.", "")
