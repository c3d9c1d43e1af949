"""`mem` on a terminal: colour and a view that improves, and then only the result."""

import os
import pty
import re
import subprocess

import pytest
from helpers.mem_process import MEM, Mem
from helpers.panes import everything
from helpers.small_exports import talk

pytestmark = pytest.mark.slow

CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\r")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Dinner", "me: I must not eat hazelnuts.", "ai: Noted."),
        talk("Long", f"me: zebra {'words ' * 200}"),
    )
    return mem


def on_a_terminal(mem, *arguments, stdin=None, **environment):
    """Return the status, and everything a terminal would have been sent.

    Bytes of standard input come through a pipe.
    """
    terminal, end = pty.openpty()
    environment = {**mem.environment, "TERM": "xterm-256color", "COLUMNS": "80", **environment}
    process = subprocess.Popen(
        [MEM, *arguments],
        stdin=end if stdin is None else subprocess.PIPE,
        stdout=end,
        stderr=end,
        env=environment,
        cwd=mem.folder,
    )
    if process.stdin:
        with process.stdin:
            process.stdin.write(stdin)
    os.close(end)
    sent = everything(terminal)
    return process.wait(timeout=60), sent


def screen(sent):
    """Return what stays on the screen: lines that were written over or erased are gone."""
    lines, row = [""], 0
    for part in re.split(r"(\x1b\[[0-?]*[ -/]*[@-~]|\r\n|\r|\n)", sent):
        if part in ("\n", "\r\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif up := re.fullmatch(r"\x1b\[(\d+)A", part):
            row = max(0, row - int(up[1]))
        elif not CONTROL.fullmatch(part):
            lines[row] += part
    return [line.rstrip() for line in lines if line.strip()]


def test_a_ranking_is_in_colour(mem):
    status, sent = on_a_terminal(mem, "ask", "what must I not eat")

    assert status == 0
    assert COLOUR.search(sent)


def test_with_no_color_there_is_none(mem):
    status, sent = on_a_terminal(mem, "ask", "what must I not eat", NO_COLOR="1")

    assert status == 0
    assert re.findall(r"\x1b\[(?:\d+;)*[34]\d(?:;\d+)*m", sent) == []


@pytest.mark.parametrize("options", [(), ("--sifter", "tiny"), ("--quiet",)])
def test_in_the_end_the_screen_holds_the_ranking_and_nothing_else(mem, tiny, options):
    options = [str(tiny) if option == "tiny" else option for option in options]
    if "--sifter" in options:
        options += ["--think", "20"]

    status, sent = on_a_terminal(mem, "ask", "must not eat", "-n", "1", *options)

    lines = [line for line in screen(sent) if "unverified" not in line]
    assert status == 0
    assert lines[0] == " 1. Dinner"
    assert lines[2].startswith("    │ user: I must not eat hazelnuts.")
    assert sum(line == " 1. Dinner" for line in lines) == 1
    assert sum(line.startswith("    why  words ") for line in lines) == 1
    assert any(line.startswith("why") for line in lines) == ("--sifter" in options)
    assert "\x1b[?25l" not in sent or sent.rindex("\x1b[?25h") > sent.rindex("\x1b[?25l")


def test_a_long_turn_is_cut_and_wrapped_on_a_terminal(mem):
    _, sent = on_a_terminal(mem, "search", "zebra", NO_COLOR="1")

    quote = [line for line in screen(sent) if "words words" in line]
    assert len(quote) >= 4
    assert max(map(len, quote)) <= 80
    assert re.search(r"… \[s_\w+:1\]$", quote[-1])


def test_json_is_json_on_a_terminal_too(mem):
    status, sent = on_a_terminal(mem, "ask", "what must I not eat", "--json")

    assert (status, sent.count("\n"), sent[0], sent.rstrip()[-1]) == (0, 1, "{", "}")


def test_an_import_shows_its_progress_and_takes_it_away(mem, tmp_path):
    other = Mem(tmp_path)
    other.write("talks.json", [talk("Cats", "me: Pixel?", "ai: Good.")])

    status, sent = on_a_terminal(other, "ingest", "talks.json")

    assert status == 0
    assert screen(sent) == ["talks.json: generic_json, 1 new session, 2 new turns"]


def test_a_narrow_terminal_cuts_nothing_out_of_an_unspaced_script(mem):
    said = "大阪で一番好きなラーメン屋は「麺処夜鷹」、福島駅から歩いて三分です。" * 2
    mem.remembers(talk("Ramen", f"me: {said}"))

    _, sent = on_a_terminal(mem, "search", "ラーメン", "-n", "1", COLUMNS="44", NO_COLOR="1")

    assert said in re.sub(r"[\s│]", "", "".join(screen(sent)))
