"""What people see: whole screens of a real terminal, at several widths, kept beside this file.

A screen that is meant to change: delete its file, run the test, and look at what it wrote.
"""

import re
import shlex
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mem_process import MEM, Mem
from small_exports import talk

PANES = Path(__file__).with_name("panes")
LINES = 80
END = "END OF PANE"
COMMANDS = (
    'ask "Which hotel in 大阪 did we book for the party?" -n 4 --reranker none --sifter none',
    "sessions",
    "show {party}:3 -C 1",
)
OSAKA = "大阪で一番好きなホテルは「福島」、駅から歩いて三分です。" * 3
LATIN = "café naïve 🎉 👍"


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    at = datetime(2024, 5, 3, 9, 30, tzinfo=UTC)
    mem.remembers(
        talk(
            "Party 🎉 in Osaka, with a title that is a good deal longer than a narrow screen",
            "Ann Ng: Hello!",
            "me: We booked the hotel for the party: two nights, breakfast, " + LATIN,
            "Ann Ng: The hotels nearby were full. " + "It is a long way from the station, and " * 9
            + "the booking number of our party is 4471.",
            "me: Thanks!",
            "Ann Ng: See you.",
            at=at,
        ),
        talk("大阪のホテル", f"林晓: {OSAKA}", at=at),
        talk("מסיבה", "דנה לוי: הזמנו hotel ל-12 אורחים, party!", "me: תודה", at=at),
        talk("حفلة", "ليلى: حجزنا hotel للحفلة party", at=at),
        talk("No words match", "me: A zebra."),
    )  # fmt: skip
    return mem


@pytest.fixture
def tmux(tmp_path):
    """Run a line of shell in a terminal of so many columns; return what it shows."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux, a terminal for tests, is not on this machine")
    socket = str(tmp_path / "tmux")
    base = ["tmux", "-u", "-S", socket, "-f", "/dev/null"]

    def run(script, columns, environment):
        given = [f"{name}={value}" for name, value in environment.items()]
        typed = shlex.join(["env", "-i", *given, "sh", "-c", f"{script}; echo {END}; sleep 300"])
        size = ["-x", str(columns), "-y", str(LINES)]
        subprocess.run([*base, "new-session", "-d", *size, typed], check=True)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            pane = subprocess.run(
                [*base, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True
            ).stdout
            if END in pane:
                return pane.partition(END)[0]
            time.sleep(0.2)
        raise AssertionError(pane)

    yield run
    subprocess.run([*base, "kill-server"], check=False)


def plain(pane):
    lines = re.sub(r"\x1b\[[0-9;]*m", "", pane).splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_screens_look_as_they_did(mem, tmux, columns):
    [party] = [one["id"] for one in mem("sessions", "--jsonl").lines if "🎉" in one["title"]]
    script = "; ".join(f"echo; {MEM} {command.format(party=party)}" for command in COMMANDS)
    environment = {**mem.environment, "TERM": "tmux-256color", "MEM_PAGER": ""}

    pane = tmux(script, columns, environment)

    kept = PANES / f"{columns}.txt"
    if not kept.exists():
        kept.write_text(plain(pane), "utf-8")
        pytest.fail(f"wrote {kept}: look at it")
    assert plain(pane) == kept.read_text("utf-8")
    colours = set(re.findall(r"\d+", " ".join(re.findall(r"\x1b\[([0-9;]*)m", pane))))
    assert colours <= {"0", "1", "2", "7", "32", "36", "39", "49"}  # read well on light and on dark
    assert {"1", "36"} <= colours
