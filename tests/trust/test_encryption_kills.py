"""A kill of `mem encrypt` or `mem decrypt` leaves the old database whole or the new one.

`pytest -m trust` runs these; `MEM_TRUST_KILLS=500 pytest -m trust` is the long run.
"""

import os
import random
import subprocess
import time
from itertools import count, cycle

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk

pytestmark = [pytest.mark.trust, pytest.mark.slow]

KILLS = int(os.environ.get("MEM_TRUST_KILLS", "40"))
MOST_SECONDS = float(os.environ.get("MEM_TRUST_SECONDS", "75"))  # of each test
TALKS = 150
SECRET = b"quillfeather"
WAYS = [("encrypt",), ("encrypt", "--change-key"), ("decrypt",)]
# Kills itself before one of the operations on files in the folder.
KILLED = """
import os, signal, sys
count, at, folder = 0, int(sys.argv[1]), sys.argv[2]
def check(event, arguments):
    global count
    if event in ("open", "os.rename", "os.remove", "os.truncate", "os.chmod"):
        if folder in str(arguments[0]) and "/home/" not in str(arguments[0]):
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
from memcli.cli import main
sys.addaudithook(check)
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def archive(tmp_path):
    mem = Mem(tmp_path)
    mem.remembers(
        *(
            talk(f"Talk {number}", f"me: quillfeather {number}", "ai: Yes.")
            for number in range(TALKS)
        )
    )
    mem("config", "set", "database.key_file", str(mem.folder / "key"))
    return mem


def is_encrypted(mem):
    return not mem.database.read_bytes().startswith(b"SQLite format 3\0")


def check(mem):
    """Check that the database is whole, and that nothing else is left."""
    done = mem("sessions", "--jsonl", "--limit", str(2 * TALKS))
    assert (done.code, len(done.lines)) == (0, TALKS), done.err
    probes = {path for path in mem.folder.iterdir() if path.is_file() and path.stat().st_size == 4}
    left = {path.name for path in {*mem.folder.iterdir()} - probes} - {"home", "key"}
    assert {path.read_bytes() for path in probes} <= {b"blat"}  # of Python's tempfile, killed
    assert left <= {"mem.db", "mem.db-wal", "mem.db-shm"}
    if is_encrypted(mem):
        assert not [
            path for path in mem.folder.rglob("*") if path.is_file() and SECRET in path.read_bytes()
        ]


def next_way(mem, ways):
    """Return the next way that makes sense: a plain database is encrypted, and so on."""
    if not is_encrypted(mem):
        return WAYS[0]
    return next(ways)


def test_a_kill_before_each_operation_on_a_file(archive, record_property):
    mem, python, until = archive, MEM.with_name("python"), time.monotonic() + MOST_SECONDS
    kills, finished = 0, 0
    for way in WAYS:
        for at in count(1):
            if time.monotonic() > until:
                break
            if way != WAYS[0] and not is_encrypted(mem):
                assert mem("encrypt").code == 0
            elif way == WAYS[0] and is_encrypted(mem):
                assert mem("decrypt").code == 0
            done = subprocess.run(
                [python, "-c", KILLED, str(at), str(mem.folder), *way],
                cwd=mem.folder,
                env=mem.environment,
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert done.returncode in (0, -9), done
            check(mem)
            if done.returncode == 0:
                finished += 1
                break
            kills += 1
    record_property("kills", kills)
    record_property("ways_finished", finished)
    assert kills
    assert mem.process("doctor").code == 0


def test_a_kill_at_any_moment(archive, record_property):
    mem, rng, until = archive, random.Random(11), time.monotonic() + MOST_SECONDS
    ways, kills = cycle(WAYS[1:]), 0
    for _ in range(KILLS):
        if time.monotonic() > until:
            break
        process = subprocess.Popen(
            [MEM, *next_way(mem, ways)],
            cwd=mem.folder,
            env=mem.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.1, 1.2))
        process.kill()
        process.wait()
        kills += 1
        check(mem)
    record_property("kills", kills)
    assert mem.process("doctor").code == 0
