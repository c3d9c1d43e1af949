"""No signal and no kill leaves a plain copy of a chat behind."""

import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack, closing
from pathlib import Path

import apsw
import pytest
from helpers.mem_process import MEM
from helpers.small_exports import talk

from memcli.temporary import temporary_folder

CATS = [talk("Cats", "me: A name for a cat?", "ai: Pixel.")]
# A private copy that a command holds for as long as it is left alone.
HOLD = """
import sys, time
from memcli import cli
import memcli.cli.parsing.parse_words as parsing
from memcli.temporary import temporary_folder

def hold(_arguments):
    def run(*_, **__):
        with temporary_folder() as folder:
            (folder / "chat.txt").write_text("my secret chat")
            print("held", flush=True)
            time.sleep(60)
    return parsing.ParsedCommand(run, {})

parsing.parse_words = hold
sys.exit(cli.main(["sessions"]))
"""


def secrets(mem):
    """The temporary files that hold the chat, wherever they lie."""
    return [
        path
        for path in mem.folder.rglob("*")
        if path.is_file() and b"my secret chat" in path.read_bytes()
    ]


@pytest.fixture
def hold(mem):
    """Start processes that hold a copy until they are told to end."""
    with ExitStack() as stack:

        def hold():
            process = stack.enter_context(
                subprocess.Popen(
                    [MEM.with_name("python"), "-c", HOLD],
                    stdout=subprocess.PIPE,
                    cwd=mem.folder,
                    env=mem.environment,
                )
            )
            stack.callback(process.kill)
            assert process.stdout.readline() == b"held\n"
            return process

        yield hold


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_removes_temporary_copies(mem, hold, number):
    process = hold()
    [copy] = secrets(mem)
    assert all(
        parent.stat().st_mode & 0o077 == 0
        for parent in copy.parents
        if parent != mem.folder and parent.is_relative_to(mem.folder)
    )

    process.send_signal(number)

    assert process.wait(10) == (130 if number == signal.SIGINT else 128 + number)
    assert not secrets(mem)


def test_the_next_command_removes_what_a_kill_left_and_nothing_that_is_in_use(mem, hold):
    killed, living = hold(), hold()
    killed.kill()
    killed.wait()
    assert len(secrets(mem)) == 2

    mem.process("sessions")

    assert len(secrets(mem)) == 1
    living.terminate()
    living.wait(10)
    assert not secrets(mem)
    assert not list(mem.folder.glob("mem-*"))


def test_the_next_command_removes_the_copy_of_a_killed_import_from_a_database(mem):
    (mem.folder / "export").mkdir()
    with closing(apsw.Connection(str(mem.folder / "export/chat.db"))) as database, database:
        database.execute("create table chat (id, user_id, title, chat)")
        for number in range(3000):
            message = {"id": "q", "role": "user", "content": f"my secret chat {number} " * 20}
            chat = json.dumps({"history": {"messages": {"q": message}}})
            values = (f"c{number}", "u", "Cats", chat)
            database.execute("insert into chat values (?, ?, ?, ?)", values)
    export = (mem.folder / "export/chat.db").read_bytes()

    def copies():
        found = [Path(name, each) for name, _, names in os.walk(mem.folder) for each in names]
        return [path for path in found if path.name == "copy.db"]

    def is_copied():
        try:
            return any(path.stat().st_size > 100_000 for path in copies())
        except FileNotFoundError:
            return False

    for _ in range(3):
        with subprocess.Popen(
            [MEM, "ingest", "export/chat.db"],
            cwd=mem.folder,
            env=mem.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            until = time.monotonic() + 30
            while not is_copied() and process.poll() is None:
                assert time.monotonic() < until
            process.kill()
        if left := copies():
            break
    assert left
    assert b"my secret chat" in left[0].read_bytes()

    mem.process("sessions")

    assert not list(mem.folder.glob("mem-*"))
    assert (mem.folder / "export/chat.db").read_bytes() == export
    assert mem("ingest", "export/chat.db", "--json").code == 0
    assert len(mem("sessions", "--jsonl", "-n", "4000").lines) == 3000
    assert not list(mem.folder.glob("mem-*"))


def test_a_folder_of_another_user_is_not_used(mem, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(mem.folder))
    trap = mem.folder / f"mem-{os.getuid()}"
    trap.mkdir(mode=0o777)
    trap.chmod(0o777)

    with temporary_folder() as folder:
        assert not folder.is_relative_to(trap)
        assert folder.stat().st_mode & 0o077 == 0


def test_a_killed_backup_leaves_nothing_that_the_next_one_does_not_remove(mem):
    mem.write("chats.json", CATS)
    mem("ingest", "chats.json")
    before = set(mem.folder.iterdir())
    half = """
import os, signal, sys
from pathlib import Path
from memcli.errors import StoreError
from memcli.files import atomic_write
with atomic_write(Path("copy.db"), StoreError) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([MEM.with_name("python"), "-c", half], cwd=mem.folder, check=False)
    assert len(set(mem.folder.iterdir()) - before) == 1

    assert mem("backup", "copy.db").code == 0

    assert {path.name for path in set(mem.folder.iterdir()) - before} == {"copy.db"}


def test_the_logs_of_a_killed_copy_go_with_it_and_are_not_played_back(mem):
    mem.write("chats.json", CATS)
    mem("ingest", "chats.json")
    for ending in ("", "-journal", "-wal", "-shm"):
        mem.write(f".mem.db.0.part{ending}", "my secret chat")
        mem.write(f".copy.db.0.part{ending}", "my secret chat")

    assert mem("backup", "copy.db", "--verify").code == 0

    assert not secrets(mem)
    assert not [path for path in mem.folder.iterdir() if path.name.startswith(".")]


def test_many_processes_write_one_file_at_once(mem):
    write = """
import sys, time
from pathlib import Path
from memcli.files import atomic_write
for number in range(200):
    with atomic_write(Path("file"), OSError) as part:
        part.write_text(sys.argv[1] * 1000)
"""
    begun = [
        subprocess.Popen([MEM.with_name("python"), "-c", write, letter], cwd=mem.folder)
        for letter in "abcd"
    ]
    until = time.monotonic() + 30
    while any(process.poll() is None for process in begun):
        assert time.monotonic() < until
        if (mem.folder / "file").exists():
            text = (mem.folder / "file").read_text()
            assert len(text) == 1000
            assert len(set(text)) == 1
    assert [process.returncode for process in begun] == [0] * 4
    assert {path.name for path in mem.folder.iterdir()} == {"file", "home"}
