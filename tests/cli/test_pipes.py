"""In a pipe nothing is cut or wrapped: one thing is one line, however long, in whatever script."""

import re

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk

TITLE = "A title about 大阪の一番好きなホテル and מסיבה in the evening 🎉👩‍👩‍👧‍👦 " * 5
SAID = "zebra " + "حجزنا hotel للحفلة and 😀 wide words here " * 12
VALUE = "a value of many words, 我的自行车 " * 12


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("a folder with " + "a long name " * 8))
    mem.remembers(talk(TITLE, f"ליאת {'לוי ' * 30}: {SAID}", f"me: {SAID}"))
    assert mem("memories", "add", "key " * 30, VALUE, "--tag", "tag " * 30).code == 0
    return mem


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("ask zebra -n 1", [TITLE, SAID]),
        ("search zebra -n 1", [TITLE, SAID]),
        ("sessions", [TITLE]),
        ("show ID", [TITLE, SAID]),
        ("memories", [VALUE]),
        ("memories m_", [VALUE]),
        ("forget --source generic --dry-run", [TITLE]),
        ("stats", ["mem.db"]),
        ("doctor", ["mem.db"]),
        ("config", ["mem.db"]),
        ("models list", []),
        ("ask zebra -n 1 --profile", [TITLE, VALUE]),
    ],
)
def test_a_pipe_gets_every_line_whole_however_wide_the_screen_is(mem, command, whole):
    [session] = mem("sessions", "--source", "generic", "--jsonl").lines
    command = command.replace("ID", session["id"])

    narrow, wide = (mem(*command.split(), COLUMNS=str(columns)) for columns in (40, 400))

    lines = [" ".join(line.split()) for line in narrow.out.splitlines()]
    assert re.sub(r"\d", "0", narrow.out) == re.sub(r"\d", "0", wide.out)  # the disk fills up
    for part in whole:
        assert any(" ".join(part.split()) in line for line in lines), narrow.out
