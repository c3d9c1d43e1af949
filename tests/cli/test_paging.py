"""Long sessions go through a pager on a terminal; references are links where it has them."""

import re
import sys

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk
from test_terminal import on_a_terminal

PAGER = f"{sys.executable} -c \"import sys; print('PAGED', len(sys.stdin.read().splitlines()))\""


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Long", *[f"me: line number {number}" for number in range(1, 61)]),
        talk("Short", "me: zebra"),
    )
    return mem


@pytest.fixture(scope="module")
def keys(mem):
    return {one["title"]: one["id"] for one in mem("sessions", "--jsonl").lines}


def shown(mem, *arguments, **environment):
    status, sent = on_a_terminal(mem, "show", *arguments, LINES="24", **environment)
    assert status == 0
    return sent


def test_a_session_longer_than_the_screen_goes_through_the_pager(mem, keys):
    sent = shown(mem, keys["Long"], PAGER=PAGER)

    assert re.fullmatch(r"PAGED \d+", sent.strip())
    assert "PAGED" in shown(mem, keys["Long"], PAGER="cat", MEM_PAGER=PAGER)


@pytest.mark.parametrize(
    ("title", "options", "environment"),
    [
        ("Short", (), {"PAGER": PAGER}),
        ("Long", ("--no-pager",), {"PAGER": PAGER}),
        ("Long", (), {"PAGER": "cat"}),
        ("Long", (), {"PAGER": PAGER, "MEM_PAGER": ""}),
        ("Long", (), {"PAGER": PAGER, "TERM": "dumb"}),
        ("Long", ("--json",), {"PAGER": PAGER}),
    ],
)
def test_what_is_short_or_not_to_be_paged_is_printed(mem, keys, title, options, environment):
    sent = shown(mem, keys[title], *options, **environment)

    assert "PAGED" not in sent
    assert ("zebra" if title == "Short" else "line number 60") in sent


@pytest.mark.parametrize(
    ("words", "paged"),
    [(["line", "number"], True), (["-n", "1", "zebra"], False)],
)
def test_a_search_longer_than_the_screen_goes_through_the_pager(mem, words, paged):
    status, sent = on_a_terminal(mem, "search", *words, PAGER=PAGER, LINES="5")

    assert status == 0
    assert ("PAGED" in sent) is paged
    assert ("zebra" in sent) is not paged


def test_several_searches_are_printed_as_they_are_found(mem):
    terminal = on_a_terminal(mem, "search", "-", PAGER=PAGER, LINES="5", stdin=b"line\nnumber\n")

    assert "PAGED" not in terminal[1]
    assert terminal[1].count("mem show") == 1
    assert re.sub(r"\x1b\[[\d;]*m", "", terminal[1]).count("line number") > 3


def test_in_a_pipe_nothing_is_paged(mem, keys):
    assert "PAGED" not in mem("show", keys["Long"], PAGER=PAGER).out


@pytest.mark.parametrize("pager", ["no-such-pager", "'unended", sys.executable + "-none x"])
def test_a_pager_that_does_not_run_is_no_obstacle(mem, keys, pager):
    sent = shown(mem, keys["Long"], MEM_PAGER=pager)

    assert f"mem: the pager `{pager}` does not run" in sent.replace("\r\n", "")
    assert "line number 60" in sent


def test_a_pager_that_leaves_early_is_no_error(mem, keys):
    assert shown(mem, keys["Long"], MEM_PAGER="true") == ""


@pytest.mark.parametrize(
    ("environment", "linked"),
    [
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"VTE_VERSION": "7000"}, True),
        ({"VTE_VERSION": "4000"}, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM_PROGRAM": "WezTerm", "TMUX": "/tmp/x,1,0"}, False),
        ({"TERM_PROGRAM": "WezTerm", "TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_references_are_links_where_the_terminal_is_known_to_have_them(
    mem, keys, environment, linked
):
    _, sent = on_a_terminal(mem, "search", "zebra", **environment)

    key = keys["Short"]
    assert bool(re.search(rf"\x1b\]8;[^;]*;mem:{key}:1\x1b\\", sent)) is linked
    assert ("\x1b]8;" in sent) is linked


def test_in_a_pipe_nothing_is_a_link(mem):
    assert "\x1b" not in mem("search", "zebra", TERM_PROGRAM="WezTerm").out


def test_matching_words_are_bold_on_a_terminal(mem):
    _, sent = on_a_terminal(mem, "search", "zebras")

    assert re.search(r"\x1b\[1mzebra\x1b\[0m", sent)


def test_a_dumb_terminal_gets_plain_text(mem):
    status, sent = on_a_terminal(mem, "ask", "zebra", TERM="dumb")

    assert status == 0
    assert "\x1b" not in sent
    assert sent.startswith(" 1. Short\r\n")
