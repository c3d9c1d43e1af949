"""stdout and stderr, whatever they are connected to."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(*[talk(f"Zebra {number}", "me: A zebra — café — 斑马") for number in range(40)])
    return mem


def run(mem, *arguments, **streams):
    """Run with streams of one's own; return the status and what was said on stderr."""
    done = subprocess.run(
        [MEM, *arguments], env=mem.environment, cwd=mem.folder, stderr=subprocess.PIPE, **streams
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("command", ["search zebra -n 40", "sessions --jsonl", "ask zebra --json"])
def test_a_reader_who_has_seen_enough_is_no_error(mem, command):
    script = f'"{MEM}" {command} | head -1 | wc -l; echo "${{PIPESTATUS[0]}}"'

    done = subprocess.run(
        ["bash", "-c", script], env=mem.environment, capture_output=True, text=True
    )

    assert (done.stdout.split(), done.stderr) == (["1", "0"], "")


@pytest.mark.parametrize("command", ["search zebra", "sessions --json", "ingest empty", "--help"])
def test_a_reader_who_left_before_the_first_line_does_not_change_the_status(mem, command):
    (mem.folder / "empty").mkdir(exist_ok=True)
    reading, writing = os.pipe()
    os.close(reading)

    status, said = run(mem, *command.split(), stdout=writing)
    os.close(writing)

    expected = "mem: no chat export was recognised in empty\n" if "ingest" in command else ""
    assert (status, said) == (4 if "ingest" in command else 0, expected)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", ["search zebra", "sessions --json", "sessions --jsonl"])
def test_a_full_disk_under_the_result_is_named(mem, command):
    with Path("/dev/full").open("wb") as full:
        status, said = run(mem, *command.split(), stdout=full)

    assert (status, said) == (1, "mem: cannot write the result: No space left on device\n")


def test_closed_streams_are_no_obstacle(mem):
    script = f'"{MEM}" search zebra >&- && "{MEM}" search xyzzyplugh 2>&-; echo $?'

    done = subprocess.run(
        ["bash", "-c", script], env=mem.environment, capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("3\n", "")


def test_letters_the_terminal_cannot_spell_are_escaped(mem):
    told = mem.process("search", "zebra", "-n", "1", PYTHONIOENCODING="ascii")
    shape = mem.process("search", "zebra", "-n", "1", "--json", PYTHONIOENCODING="latin-1")

    [session] = json.loads(shape.out)["sessions"]
    assert (told.code, shape.code) == (0, 0)
    assert r"caf\xe9" in told.out
    assert session["evidence"][0]["text"] == "A zebra — café — 斑马"
