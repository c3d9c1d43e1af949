"""No kill, no fault of a disk and no hostile input loses, doubles or stops anything.

`pytest -m trust` runs these within ten minutes; `python tests/trust_run.py --minutes 60` runs the
same for as long as you like.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.fuzzing import TARGETS
from helpers.kills import kill_commands, write_at_once

pytestmark = [pytest.mark.trust, pytest.mark.slow]

TESTS = Path(__file__).parents[1]


def run_helper(module, *words):
    """Return what a helper printed, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"helpers.{module}", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_no_kill_loses_or_doubles_anything(tmp_path, record_property):
    kills = kill_commands(tmp_path, seconds=110, most=100)

    record_property("kills", kills)
    assert sum(kills.values()) >= 20


def test_many_processes_at_once_lose_and_double_nothing(tmp_path, record_property):
    commands = write_at_once(tmp_path, seconds=60)

    record_property("commands", commands)
    assert sum(commands.values()) >= 8


def test_no_fault_of_the_disk_ends_in_a_traceback_or_a_torn_database(tmp_path, record_property):
    found = run_helper("faults", tmp_path, 90, 2000)

    record_property("faults", found)
    assert found["faults"] >= 20


@pytest.mark.parametrize("target", [each.__name__ for each in TARGETS])
def test_no_input_ends_in_a_traceback_or_takes_long(target, record_property):
    found = run_helper("fuzzing", target, 14, 1 << 30)

    record_property("runs", found)
    assert found["runs"] >= 100
