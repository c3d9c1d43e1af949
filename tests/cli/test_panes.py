"""What people see: whole screens of a real terminal, at several widths, kept beside this file.

A screen that is meant to change: delete its file, run the test, and look at what it wrote.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk, whatsapp

pytestmark = pytest.mark.slow

PANES = Path(__file__).with_name("panes")
LINES = 140
END = "END OF PANE"
COMMANDS = (
    'ask "What hotel in 大阪 did we book for the party?" -n 4 --reranker none --sifter none',
    "search hotel party -n 2",
    "sessions",
    "show 2",
    "show {party}:3 -C 1",
)
CARE = (
    "stats",
    "doctor",
    "memories --history",
    "memories {city}",
    "config",
    "people",
    "timeline hotel",
)
STEADY = Path(__file__).parents[1] / "helpers" / "steady_mem.py"
# What reads well on a light background and on a dark one: bold, dim, reverse, red, green, magenta
# and cyan. Yellow and white vanish on the one, black and blue on the other.
READABLE = {"0", "1", "2", "7", "31", "32", "35", "36", "39", "49"}
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
            "me: We booked the hotel for the party: three nights, " + LATIN,
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

    def run(script, columns, environment, folder):
        given = [f"{name}={value}" for name, value in environment.items()]
        typed = shlex.join(["env", "-i", *given, "sh", "-c", f"{script}; echo {END}; sleep 300"])
        size = ["-x", str(columns), "-y", str(LINES)]
        subprocess.run([*base, "new-session", "-d", *size, "-c", str(folder), typed], check=True)
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


def check(pane, name):
    """Compare a pane with the one that is kept, and look at its colours."""
    kept = PANES / f"{name}.txt"
    if not kept.exists():
        kept.write_text(plain(pane), "utf-8")
        pytest.fail(f"wrote {kept}: look at it")
    assert plain(pane) == kept.read_text("utf-8")
    colours = set(re.findall(r"\d+", " ".join(re.findall(r"\x1b\[([0-9;]*)m", pane))))
    assert {"1", "36"} <= colours <= READABLE


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_screens_look_as_they_did(mem, tmux, columns):
    [party] = [one["id"] for one in mem("sessions", "--jsonl").lines if "🎉" in one["title"]]
    script = "; ".join(f"echo; {MEM} {command.format(party=party)}" for command in COMMANDS)
    environment = {**mem.environment, "TERM": "tmux-256color", "MEM_PAGER": ""}

    pane = tmux(script, columns, environment, mem.folder)

    check(pane, columns)


@pytest.fixture
def home():
    """A folder whose name is always as long, because it is on the screen."""
    folder = Path(tempfile.mkdtemp(prefix="mem-panes-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_screens_of_sources_look_as_they_did(home, tmux, columns):
    mem = Mem(home)
    mem.write(
        "exports/notes.json",
        [talk("Party", "me: The hotel is booked."), talk("Zebra", "me: A zebra.")],
    )
    mem.write("exports/WhatsApp Chat with 林晓.txt", whatsapp("林晓: 你好", "Mira: Hello"))
    mem.write("gone.json", [talk("Gone", "me: Nothing is left.")])
    assert mem("ingest", "exports", "gone.json").code == 0
    (home / "gone.json").unlink()
    environment = {**mem.environment, "TERM": "tmux-256color", "MEM_PAGER": ""}

    pane = plain(tmux(f"{MEM} sources", columns, environment, home))

    pane = re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d", "2024-05-03 09:30", pane)
    for letter, digit in zip(home.name[-8:], "12345678", strict=True):  # lines may break between
        before = re.escape(f"{'12345678'[: int(digit) - 1]}")
        spread = "\\n?".join(["mem-panes-".replace("-", "\\n?-\\n?"), *before])
        pane = re.sub(f"({spread}\\n?){re.escape(letter)}", rf"\g<1>{digit}", pane)
    kept = PANES / f"sources-{columns}.txt"
    if not kept.exists():
        kept.write_text(pane, "utf-8")
        pytest.fail(f"wrote {kept}: look at it")
    assert pane == kept.read_text("utf-8")


MEMORIES = [
    {"key": "city", "value": "Lives in 大阪, near the station, in a flat with a view of the river",
     "said_at": "2024-05-03", "tags": ["place", "home 🏠"]},
    {"key": "city", "value": "Lives in Lisbon", "said_at": "2023-05-03"},
    {"key": "name", "value": "דנה לוי", "said_at": "2024-05-04"},
    {"key": "guests", "value": "12", "said_at": "2024-05-05"},
    {"key": "guests", "value": "14", "said_at": "2024-05-05"},
]  # fmt: skip


@pytest.fixture(scope="module")
def kept(mem, tmp_path_factory):
    """An archive with memories, in a folder from which it is `mem.db`."""
    kept = Mem(tmp_path_factory.mktemp("kept"))
    assert kept("ingest", "-", stdin=mem("export").out.encode()).code == 0
    assert kept("memories", "import", "-", stdin=json.dumps(MEMORIES).encode()).code == 0
    kept.write("config.toml", '[people]\nme = ["Mira"]\n"דנה לוי" = ["Dana"]\n')
    (kept.folder / "config.toml").chmod(0o600)
    return kept


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_screens_of_care_look_as_they_did(kept, tmux, columns):
    listed = kept("memories", "--jsonl").lines
    [city] = [one["id"] for one in listed if one["key"] == "city"]
    steady = shlex.join([sys.executable, str(STEADY)])
    script = "; ".join(f"echo; {steady} {command.format(city=city)}" for command in CARE)
    environment = {
        **kept.environment, "TERM": "tmux-256color", "MEM_DB": "mem.db",
        "MEM_CONFIG": "config.toml", "MEM_MODELS": "models",
    }  # fmt: skip

    pane = tmux(script, columns, environment, kept.folder)

    check(pane, f"care-{columns}")
