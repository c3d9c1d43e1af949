"""The database, and what the commands say when it is missing, locked, strange or too new."""

import ctypes
import os
import subprocess
from contextlib import closing

import apsw
import pytest
from helpers.mem_process import MEM, Run
from helpers.small_exports import talk

CATS = ("me: A name for a cat?", "ai: Pixel.")


def test_the_database_is_for_its_owner_alone_and_its_folder_is_made(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])
    folder = mem.folder / "new" / "folder"

    done = mem("ingest", "talks.json", "--db", str(folder / "mem.db"))

    assert done.code == 0
    assert (folder / "mem.db").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_name_the_database_is_in_the_data_folder(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])

    done = mem("ingest", "talks.json", MEM_DB="")

    assert done.code == 0
    assert (mem.home / "data" / "mem" / "mem.db").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_folder_that_cannot_be_written_to_is_a_matter_of_the_store(mem):
    mem.write("talks.json", [talk("Cats", *CATS)])
    folder = mem.folder / "locked"
    folder.mkdir(mode=0o500)

    done = mem("ingest", "talks.json", "--db", str(folder / "mem.db"))

    assert (done.code, done.out) == (5, "")
    assert done.err == f"mem: cannot make {folder}/mem.db: Permission denied\n"


def test_a_database_that_cannot_be_read_is_a_matter_of_the_store(mem):
    mem.remembers(talk("Cats", *CATS))
    mem.database.chmod(0)

    for words in (("sessions",), ("search", "cat"), ("ingest", "-"), ("doctor",), ("encrypt",)):
        done = subprocess.run(
            [MEM, *words],
            cwd=mem.folder,
            env=mem.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            preexec_fn=read_only_what_is_allowed,
            check=False,
        )
        assert done.returncode == 5, done
        assert f"{mem.database} cannot be opened: Permission denied" in done.stdout + done.stderr
        assert f"chmod 600 {mem.database}" in done.stdout + done.stderr


def read_only_what_is_allowed():
    """Let a process of root, too, be refused what the mode of a file refuses."""
    drop_from_bounding_set, override, read_search = 24, 1, 2  # of linux/prctl.h, capability.h
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (override, read_search):
            assert libc.prctl(drop_from_bounding_set, capability, 0, 0, 0) == 0


@pytest.mark.parametrize("name", [".", "mem.db", "link.db"])
def test_the_database_is_never_opened_beside_sqlite(mem, name):
    """To close a file that is open elsewhere in a process releases the locks of SQLite on it."""
    mem.remembers(talk("Cats", *CATS))
    mem.write("dogs.json", [talk("Dogs", *CATS)])
    (mem.folder / "link.db").symlink_to("mem.db")
    script = (
        "import sys\n"
        "from memcli.cli import main\n"
        "def tell(event, arguments):\n"
        "    if event == 'open' and 'mem.db' in str(arguments[0]):\n"
        "        print('opened', arguments[0])\n"
        "sys.addaudithook(tell)\n"
        f"sys.exit(main(['ingest', {name!r}, '--quiet']))\n"
    )

    done = subprocess.run(
        [MEM.with_name("python"), "-c", script],
        cwd=mem.folder,
        env=mem.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "opened" not in done.stdout
    assert done.returncode == (0 if name == "." else 4), done.stderr
    if name != ".":
        assert "is a database of memcli itself" in done.stderr


def test_a_folder_is_no_database(mem):
    done = mem("sessions", "--db", mem.home)

    assert done == Run(5, err=f"mem: {mem.home} is not a file\nhint: name a file with `--db`\n")


def test_while_another_process_writes_one_waits_or_leaves_with_75(mem):
    mem.remembers(talk("Cats", *CATS))
    mem.write("dogs.json", [talk("Dogs", *CATS)])

    with closing(apsw.Connection(str(mem.database))) as other:
        other.execute("begin immediate")
        done = mem("ingest", "dogs.json", "--wait", "0")
        read = mem("search", "cat", "--wait", "0")
        other.execute("rollback")

    assert (done.code, done.out) == (75, "")
    assert done.err.startswith(f"mem: another process is writing to {mem.database}\nhint: ")
    assert read.code == 0
    assert mem("ingest", "dogs.json", "--wait", "0").code == 0


def test_a_database_from_a_newer_memcli_is_left_alone(mem):
    mem.remembers(talk("Cats", *CATS))
    with closing(apsw.Connection(str(mem.database))) as other:
        other.execute("pragma user_version = 999")

    done = mem("sessions")

    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("mem: ")
    assert "\nhint: " in done.err


@pytest.mark.parametrize("command", [("ingest", "-"), ("ask", "x"), ("sessions",)])
def test_a_file_that_is_no_database_is_left_as_it_is(mem, command):
    words = b"These are only words, though there are quite a few of them. " * 20
    mem.database.write_bytes(words)

    done = mem(*command, stdin=b"[]")

    assert done == Run(
        5,
        err=f"mem: {mem.database} is not a database\nhint: name another file with `--db`\n",
    )
    assert mem.database.read_bytes() == words


def test_a_database_of_another_program_is_left_alone(mem):
    with closing(apsw.Connection(str(mem.database))) as other:
        other.execute("create table recipes (name)")

    done = mem("ingest", "-", stdin=b"[]")

    assert done.code == 5
    assert done.err.startswith(f"mem: {mem.database} is a database of another program\n")


@pytest.mark.parametrize("command", [("ask", "x"), ("search", "x"), ("sessions",), ("show", "s_")])
def test_before_anything_was_ingested_every_question_says_so(mem, command):
    done = mem(*command)

    assert done == Run(
        5,
        err=f"mem: nothing was ingested yet: no database at {mem.database}\n"
        "hint: `mem ingest PATH` imports an export, `mem ingest --discover` finds those on"
        " this machine\n",
    )
    assert not mem.database.exists()
