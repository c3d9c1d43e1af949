"""Long commands in a log: lines with how fast it is and how long it takes; the quiet hear none.

A log gets a line a minute; here a minute is over at once.
"""

import re
import subprocess
import sys

import pytest
from helpers.mem_process import Mem
from helpers.panes import pane
from helpers.small_datasets import two_people
from helpers.small_exports import talk

pytestmark = pytest.mark.slow

NO_WAIT = (
    "from memcli.cli import main; from memcli.cli.output import progress;"
    "progress.LOG_INTERVAL = 1e-9; import sys; sys.exit(main())"
)
LINE = r"mem: {}: [\d.,kMG]+ of [\d.,kMG]+, [\d.,kMG]+ a second(, about [\d a-z]+ to go)?"
LONG = {
    "ingest talks": "importing",
    "ingest talks --dry-run": "importing",
    "index --rebuild": "words",
    "export": "exporting",
    "bench locomo.json --stages bm25 --again": "locomo.json, questions",
    "bench locomo.json --stages bm25 --pooled --again": "locomo.json, one archive",
}


@pytest.fixture
def mem(tmp_path):
    mem = Mem(tmp_path)
    for number in range(3):
        talks = [talk(f"Cats {number} {at}", f"me: {'word ' * 900}") for at in range(3)]
        mem.write(f"talks/{number}.json", talks)
    mem.write("locomo.json", two_people())
    mem.remembers(*(talk(f"Dogs {number}", "me: Rex?") for number in range(3)))
    return mem


def logged(mem, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", NO_WAIT, *arguments],
        cwd=mem.folder, env=mem.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("command", LONG)
def test_it_tells_a_log_how_far_it_is_and_the_quiet_nothing(mem, command):
    quiet = logged(mem, *command.split(), "--quiet")
    mem.write("talks/new.json", [talk("New cats", "me: Biscuit?")])

    told = logged(mem, *command.split())

    assert quiet == ""
    assert re.search(LINE.format(re.escape(LONG[command])), told), told
    assert "\x1b" not in told


def test_a_terminal_that_cannot_erase_gets_lines(mem):
    program = (sys.executable, "-c", NO_WAIT)

    shown = pane(mem, "ingest", "talks", width=200, program=program, TERM="dumb")

    assert re.search(LINE.format("importing"), shown), shown
    assert "talks/0.json: generic_json, 3 new sessions" in shown
