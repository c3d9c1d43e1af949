"""The table of promises in `mem help trust` names tests that exist, and says how many there are."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "memcli/cli/help/topics/trust.md").read_text("utf-8")
LINES = re.findall(r"\| `pytest (tests/[^`]+)` \| (\d+) passed \|$", TABLE, re.MULTILINE)


def count_tests():
    """Return the number of tests in each file that the table names."""
    paths = {path for paths, _ in LINES for path in paths.split()}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", *sorted(paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    counts = re.findall(r"^(tests/\S+\.py): (\d+)$", done.stdout, re.MULTILINE)
    return Counter({path: int(count) for path, count in counts})


def test_the_table_says_how_many_tests_hold_a_promise():
    assert len(LINES) == TABLE.count("| `pytest tests/")
    found = count_tests()
    said = {paths: int(count) for paths, count in LINES}
    assert said == {paths: sum(found[path] for path in paths.split()) for paths in said}


def test_each_command_of_the_table_has_its_files():
    commands = re.findall(r"`[^`]*(?:pytest|python) [^`]*`", TABLE)
    paths = re.findall(r"\btests/\S+\.py\b", " ".join(commands))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
