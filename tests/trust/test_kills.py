"""No kill and no fault of a disk loses what was committed, doubles it, or leaves a trace.

`pytest -m trust` runs these; `MEM_TRUST_KILLS=500 pytest -m trust` is the long run.
"""

import os
import random
import subprocess
import time
from collections import Counter

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk

pytestmark = [pytest.mark.trust, pytest.mark.slow]

KILLS = int(os.environ.get("MEM_TRUST_KILLS", "40"))
MOST_SECONDS = 240
TALKS = 120
# Raises OSError at one of the first operations on files of the temporary folder.
FAULTY = """
import errno, sys, io
from pathlib import Path
count, at, code = 0, int(sys.argv[1]), getattr(errno, sys.argv[2])
def check(event, arguments):
    global count
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.scandir"):
        if sys.argv[3] in str(arguments[0]):
            count += 1
            if count == at:
                raise OSError(code, "made up")
from memcli.cli import main
sys.addaudithook(check)
sys.exit(main(sys.argv[4:]))
"""


def sessions(mem):
    done = mem.process("sessions", "--json")
    assert done.code in (0, 3), done
    return Counter(one["title"] for one in done.json["sessions"]) if done.code == 0 else Counter()


@pytest.fixture
def exports(tmp_path):
    mem = Mem(tmp_path)
    mem.write(
        "chats.json",
        [talk(f"Talk {number}", f"me: word{number}", "ai: Noted.") for number in range(TALKS)],
    )
    return mem


def test_no_kill_loses_or_doubles_anything(exports, record_property):
    mem, rng, until = exports, random.Random(7), time.monotonic() + MOST_SECONDS
    commands = [
        ("ingest", "chats.json"),
        ("index", "--rebuild"),
        ("backup", "copy.db", "--replace"),
        ("forget", "--source", "nobody", "--yes"),
        ("doctor", "--fix"),
    ]
    known, kills = Counter(), 0
    for kill in range(KILLS):
        if time.monotonic() > until:
            break
        process = subprocess.Popen(
            [MEM, *commands[kill % len(commands)]],
            cwd=mem.folder,
            env=mem.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.05, 2.0))
        process.kill()
        process.wait()
        kills += 1
        if not mem.database.exists():
            continue
        found = sessions(mem)
        assert not known - found
        assert set(found.values()) <= {1}
        known = found
    record_property("kills", kills)
    assert mem.process("ingest", "chats.json").code == 0
    assert len(sessions(mem)) == TALKS
    assert mem.process("doctor").code == 0
    left = {path.name for path in mem.folder.iterdir()}
    assert left <= {"home", "chats.json", "mem.db", "mem.db-wal", "mem.db-shm", "copy.db"} | {
        name for name in left if name.startswith(".")
    }


def test_no_fault_of_the_disk_ends_in_a_traceback(exports, record_property):
    mem, until = exports, time.monotonic() + MOST_SECONDS
    faults, python = 0, MEM.with_name("python")
    for at in range(1, KILLS + 1):
        if time.monotonic() > until:
            break
        code = ("EIO", "ENOSPC", "EACCES")[at % 3]
        done = subprocess.run(
            [python, "-c", FAULTY, str(at), code, str(mem.folder), "ingest", "chats.json"],
            cwd=mem.folder,
            env=mem.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        faults += 1
        assert "Traceback" not in done.stderr, (at, code, done.stderr)
        assert done.returncode in (0, 1, 2, 4, 5, 7, 75), (at, code, done)
    record_property("faults", faults)
    assert mem.process("ingest", "chats.json").code == 0
    assert len(sessions(mem)) == TALKS
