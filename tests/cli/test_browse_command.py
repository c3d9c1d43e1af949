"""`mem browse` as a command: what it needs, what it prints, and its screens in a real terminal."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Mem, Run
from helpers.small_exports import talk

import memcli.cli.help
from memcli.cli.commands.browse import full_screen as command
from memcli.cli.help.examples import EXAMPLES

PANES = Path(__file__).with_name("panes")
AT = datetime(2024, 5, 3, 9, 30, tzinfo=UTC)
LINES = 24
COLOUR = re.compile(r"\x1b\[(?:\d+;)*[34][0-8](?:;\d+)*m")


def test_without_the_extra_the_one_line_to_type_is_said(mem, monkeypatch):
    mem.remembers(talk("Zebra", "me: A zebra."))
    monkeypatch.setattr(command, "find_spec", lambda name: None)

    assert mem("browse") == Run(
        2,
        err="mem: `mem browse` needs the extra `browse`\n"
        "hint: `pip install 'memcli[browse]'`, in a checkout `pip install '.[browse]'`\n",
    )


def test_without_a_terminal_it_says_what_prints_instead(mem):
    mem.remembers(talk("Zebra", "me: A zebra."))

    assert mem("browse", "zebra") == Run(
        2,
        err="mem: `mem browse` needs a terminal\n"
        "hint: `mem search WORDS` and `mem sessions` print what they find\n",
    )


def test_a_filter_that_is_not_understood_is_bad_usage(mem):
    done = mem("browse", "--since", "x")

    assert (done.code, done.err.splitlines()[0]) == (2, "mem: not a date: `x`")


class Screen:
    """A terminal of a size, in which a line of shell runs."""

    def __init__(self, socket, columns, script, environment, folder, lines=LINES):
        self._base = ["tmux", "-u", "-S", str(socket), "-f", "/dev/null"]
        given = [f"{name}={value}" for name, value in environment.items()]
        typed = shlex.join(["env", "-i", *given, "sh", "-c", f"{script}; sleep 300"])
        self.folder = folder
        size = ["-x", str(columns), "-y", str(lines)]
        self._tmux("new-session", "-d", *size, "-c", str(folder), typed)

    def _tmux(self, *words):
        return subprocess.run(
            [*self._base, *words], check=True, capture_output=True, text=True
        ).stdout

    def press(self, *keys):
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.3)  # Escape and what follows at once are one key

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def pane(self, *, colours=False):
        shown = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip() + "\n"

    def wait_for(self, pattern, seconds=30):
        """Return the screen as soon as it matches."""
        end = time.monotonic() + seconds
        while not re.search(pattern, shown := self.pane()):
            assert time.monotonic() < end, shown
            time.sleep(0.1)
        return shown

    def close(self):
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk(
            "Papers for the trip, with a title that is a good deal longer than a narrow list",
            "me: Where are the papers?",
            "Ann Ng: Your passport is in the blue drawer, under the tickets. "
            + "The drawer sticks a little, so pull it by both handles. " * 2,
            "me: And the photo for the new passport?",
            "Ann Ng: In the envelope 🎉",
            at=AT,
        ),
        talk(
            "大阪の旅", "林晓: 旅行の passport は引き出しにあります。", at=AT + timedelta(days=40)
        ),
        talk("מסמכים", "דנה לוי: ה-passport במגירה", "me: תודה", at=AT + timedelta(days=80)),
        talk("Zebra", "me: A zebra.", at=None),
    )
    return mem


@pytest.fixture
def terminal(archive, tmp_path):
    """Run `mem browse` with arguments in a terminal of so many columns."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux, a terminal for tests, is not on this machine")
    opened = []

    def start(arguments="", columns=100, script=None, **environment):
        script = script or f"{MEM} browse {arguments}; echo status $?"
        given = {**archive.environment, "TERM": "tmux-256color", **environment}
        # A server that is just ending would still answer at the socket that it had.
        socket = tmp_path / f"tmux{len(opened)}"
        opened.append(Screen(socket, columns, script, given, archive.folder))
        return opened[-1]

    yield start
    for screen in opened:
        screen.close()


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_screens_look_as_they_did(terminal, columns):
    screen = terminal("passport drawer", columns)
    screen.wait_for("by words and meaning.*s_")
    time.sleep(0.5)
    shown = screen.pane()
    screen.press("Escape", "Right")
    shown += f"{'=' * columns}\n{screen.wait_for('← list')}"

    kept = PANES / f"browse-{columns}.txt"
    if not kept.exists():
        kept.write_text(shown, "utf-8")
        pytest.fail(f"wrote {kept}: look at it")
    assert shown == kept.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES["mem browse"])
def test_an_example_can_be_typed(terminal, example):
    screen = terminal(example.removeprefix("mem browse"))
    screen.wait_for(r"\d sessions? .*s_\w+")
    screen.press("C-c")

    assert screen.wait_for("status") == "status 130\n"


@pytest.mark.slow
def test_enter_prints_the_reference_and_leaves_the_terminal_as_it_was(archive, terminal):
    [papers] = [one["id"] for one in archive("sessions", "--jsonl").lines if "Pap" in one["title"]]
    screen = terminal("blue drawer")
    screen.wait_for("by words and meaning")
    screen.press("Enter")

    shown = screen.wait_for("status 0")

    assert shown == f"{papers}:2\nmem: `mem show {papers}:2` prints it\nstatus 0\n"


@pytest.mark.slow
def test_the_reference_can_be_taken_by_a_script(terminal):
    script = f'taken=$({MEM} browse zebra); echo "status $?, taken: $taken"'
    screen = terminal(script=script)
    screen.wait_for("by words and meaning")
    screen.press("Enter")

    assert re.fullmatch(r"status 0, taken: s_\w+:1\n", screen.wait_for("status"))


@pytest.mark.slow
@pytest.mark.parametrize("keys", [("C-c",), ("Escape", "q"), ("C-q",)])
def test_without_a_choice_the_status_says_so(terminal, keys):
    screen = terminal()
    screen.wait_for("4 sessions")
    screen.press(*keys)

    assert screen.wait_for("status") == "status 130\n"


@pytest.mark.slow
def test_the_pager_opens_and_closes(terminal):
    screen = terminal("drawer", MEM_PAGER="sh -c 'cat; echo PAGED; sleep 2' x <&0")
    screen.wait_for("by words and meaning")
    screen.press("Escape", "o")
    assert "under the tickets" in screen.wait_for("PAGED")
    screen.wait_for(r"search   drawer(?s:.*)by words and meaning")

    screen.press("q")
    screen.wait_for("status 130")


@pytest.mark.slow
def test_where_there_is_no_pager_enter_goes_back(terminal):
    screen = terminal("drawer", MEM_PAGER="")
    screen.wait_for("by words and meaning")
    screen.press("C-o")
    assert "under the tickets" in screen.wait_for("Enter goes back")
    screen.press("Enter")
    screen.wait_for("by words and meaning")


@pytest.mark.slow
def test_no_color_means_no_colour(terminal):
    def colours(**environment):
        screen = terminal("passport", **environment)
        screen.wait_for("by words and meaning.*s_")
        found = COLOUR.findall(screen.pane(colours=True))
        screen.close()
        return [one for one in found if not re.search(r"[34]9", one)]

    assert colours() != []
    assert colours(NO_COLOR="1") == []


@pytest.mark.slow
def test_a_terminal_that_is_ended_is_left_as_it_was(terminal):
    ended = "echo status $?; stty -a | tr ' ' '\\n' | grep -x -- '-\\?echo'"
    screen = terminal(script=f"sh -c 'echo $$ > pid; exec {MEM} browse'; {ended}")
    screen.wait_for("4 sessions")
    os.kill(int((screen.folder / "pid").read_text()), signal.SIGTERM)

    assert screen.wait_for("echo") == "status 143\necho\n"


RECIPES = Path(memcli.cli.help.__file__).parent / "topics" / "recipes.md"
LEAST_FZF = (0, 38)  # the first with `become`


@pytest.mark.slow
def test_without_the_extra_fzf_finds_previews_and_opens(archive, terminal, tmp_path):
    fzf = shutil.which("fzf")
    if fzf is None:
        pytest.skip("fzf is not installed")
    version = subprocess.run([fzf, "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < LEAST_FZF:
        pytest.skip("this fzf has no `become`")
    [line] = re.findall(r"^mem sessions .* \| fzf .*$", RECIPES.read_text(), re.MULTILINE)
    path = f"{MEM.parent}:{Path(fzf).parent}:{os.defpath}"
    screen = terminal(script=f"{line}; echo status $?", columns=120, PATH=path, MEM_PAGER="cat")
    screen.wait_for("4/4")

    screen.type("papers")
    screen.wait_for(r"1/4")
    preview = screen.wait_for("blue drawer")
    screen.press("Enter")
    shown = screen.wait_for("status 0")

    assert "Ann Ng" in preview
    assert "In the envelope" in shown
    assert "1/4" not in shown
