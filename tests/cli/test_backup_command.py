"""`mem backup`: whole, private, and never in the way of what is there."""

import subprocess

import pytest
from helpers.mem_process import MEM, Run
from helpers.small_exports import talk

from memcli.errors import StoreError
from memcli.store import Store


@pytest.fixture
def archive(mem):
    mem.remembers(talk("Cats", "me: The cat is called Pixel."), talk("Dogs", "me: Woof."))
    return mem


def files(mem):
    return sorted(path.name for path in mem.folder.iterdir() if path.name != "home")


@pytest.mark.parametrize("options", [(), ("--verify",)])
def test_a_copy_is_one_private_file_with_all_that_was_there(archive, options):
    done = archive("backup", "copy.db", *options)

    checked = ", checked" if options else ""
    assert (done.code, done.err) == (0, "")
    size = (archive.folder / "copy.db").stat().st_size
    assert done.out == f"copy.db: {size / 1e6:.1f} MB{checked}\n"
    assert (archive.folder / "copy.db").stat().st_mode & 0o777 == 0o600
    assert files(archive) == ["copy.db", "mem.db"]
    assert archive("--db", "copy.db", "export") == archive("export")
    assert archive("ask", "Pixel", "--db", "copy.db").code == 0


def test_what_is_there_is_replaced_only_when_asked(archive):
    archive.write("copy.db", "mine")

    assert archive("backup", "copy.db") == Run(
        2, err="mem: copy.db is already there\nhint: `--replace` writes over a file\n"
    )
    assert (archive.folder / "copy.db").read_text() == "mine"
    assert archive("backup", "copy.db", "--replace", "-q") == Run(0)
    assert archive("--db", "copy.db", "sessions").code == 0


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("mem.db", 2, "mem: mem.db is the database itself\n"),
        ("gone/copy.db", 5, "mem: cannot write gone/copy.db: No such file or directory\n"),
        ("home", 2, "mem: home is already there\n"),
    ],
)
def test_where_no_copy_can_be_it_says_so(archive, target, status, said):
    done = archive("backup", target, "--replace")

    assert (done.code, done.out) == (status, "")
    assert done.err.startswith(said)
    assert archive("sessions").code == 0


def test_a_database_in_use_is_not_replaced(archive):
    assert archive("backup", "other.db").code == 0
    with Store(archive.folder / "other.db") as store, store.transaction():
        store.conversations.add("notes", "1", endless=False)

        done = archive("backup", "other.db", "--replace")

    assert done == Run(2, err="mem: other.db is a database in use, and cannot be replaced\n")


def test_a_copy_is_of_one_moment_while_another_process_writes(archive):
    rows = [talk(f"Talk {number}", "me: hello " + "x" * 2000) for number in range(300)]
    archive.write("talks.json", rows)
    writer = subprocess.Popen(
        [MEM, "ingest", "talks.json", "-q"], env=archive.environment, cwd=archive.folder
    )

    done = archive("backup", "copy.db", "--verify")

    assert done.code == 0
    assert writer.wait(120) == 0
    kept = len(archive("--db", "copy.db", "sessions", "--jsonl").lines)
    assert kept in (2, 302)  # the import is one transaction


def test_a_damaged_copy_is_never_put_in_the_place_of_a_sound_one(archive):
    archive("backup", "copy.db")
    before = (archive.folder / "copy.db").read_bytes()
    with Store(archive.database) as store:
        store._database.rows("delete from turn_words_docsize where id = 1")
        store._database.rows("pragma foreign_keys = off")
        store._database.rows(
            "insert into passages (id, session_id, first, last, start) values (999, 999, 1, 1, 0)"
        )
        with pytest.raises(StoreError, match="the copy is damaged"):
            store.back_up(
                archive.folder / "copy.db", replace=True, verify=True, progress=lambda *_: None
            )

    assert (archive.folder / "copy.db").read_bytes() == before
    assert files(archive) == ["copy.db", "mem.db"]


def test_interrupted_it_leaves_nothing(archive):
    script = (
        "import os, signal, sys, threading\n"
        "from memcli import cli\n"
        "from memcli.store.sqlite.connection import Database\n"
        "def stop(*_): os.kill(os.getpid(), signal.SIGINT)\n"
        "copy = Database.copy_to\n"
        "Database.copy_to = lambda self, path, told: copy(self, path, stop)\n"
        "sys.exit(cli.main(['backup', 'copy.db']))"
    )
    python = MEM.with_name("python")

    done = subprocess.run(
        [python, "-c", script], env=archive.environment, cwd=archive.folder, capture_output=True
    )

    assert (done.returncode, done.stderr) == (
        130, b"mem: interrupted; copy.db was not written\n"
    )  # fmt: skip
    assert files(archive) == ["mem.db"]


def test_a_backup_is_not_written_to_a_file_called_minus(archive):
    done = archive("backup", "-")

    assert (done.code, done.err.splitlines()[0]) == (
        2,
        "mem: a backup cannot be written to standard output",
    )
    assert files(archive) == ["mem.db"]
