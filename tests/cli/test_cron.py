"""The line for cron in the recipes, run as cron runs it: with next to no environment."""

import re
import subprocess
from pathlib import Path

import pytest
from helpers.mem_process import MEM
from helpers.small_exports import talk

import memcli

pytestmark = pytest.mark.slow

RECIPES = Path(memcli.__file__).parent / "cli/help/topics/recipes.md"
MINUTE_TO_WEEKDAY = r"(?:[\d*/,-]+\s+){5}"


def run_as_cron(mem, line):
    """Run a command in the home, by /bin/sh, as cron does; return its status and its mail."""
    home = mem.home
    (home / ".local" / "bin").mkdir(parents=True, exist_ok=True)
    link = home / ".local" / "bin" / "mem"
    if not link.exists():
        link.symlink_to(MEM)
    cron = ["env", "-i", f"HOME={home}", "LOGNAME=me", "PATH=/usr/bin:/bin", "SHELL=/bin/sh"]
    done = subprocess.run(
        [*cron, "/bin/sh", "-c", line], cwd=home, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def test_the_line_for_cron_imports_what_is_new_and_is_silent(mem):
    block = RECIPES.read_text("utf-8").partition("```cron\n")[2].partition("```")[0]
    line, _ = [re.sub(f"^{MINUTE_TO_WEEKDAY}", "", line) for line in block.splitlines()]
    export = mem.home / "notes.json"
    mem.write("home/notes.json", [talk("Cats", "me: Pixel?")])
    assert run_as_cron(mem, f"~/.local/bin/mem ingest {export}")[0] == 0

    nothing_new = run_as_cron(mem, line)
    mem.write("home/notes.json", [talk("Cats", "me: Pixel?"), talk("Dogs", "me: Rex?")])
    something_new = run_as_cron(mem, line)

    _, listed = run_as_cron(mem, "~/.local/bin/mem sessions")
    assert (nothing_new, something_new) == ((0, ""), (0, ""))
    assert len(listed.splitlines()) == 2
