"""`mem sources`, and `mem ingest --discover` and without a path."""

import json
import os
import shutil

import pytest
from helpers.mem_process import Run
from helpers.small_exports import chatgpt, talk

CATS = ("me: A name for a cat?", "ai: Biscuit.")


def claude_code(name, *texts):
    """Return a session log of Claude Code, of prompts alone."""
    return "".join(
        json.dumps(
            {
                "type": "user",
                "uuid": f"{name}-{at}",
                "parentUuid": f"{name}-{at - 1}" if at else None,
                "sessionId": name,
                "timestamp": f"2025-05-01T12:0{at}:00Z",
                "message": {"role": "user", "content": text},
            }
        )
        + "\n"
        for at, text in enumerate(texts)
    )


@pytest.fixture
def archive(mem):
    """`mem` with one remembered folder of two files."""
    mem.write("exports/a.json", [chatgpt("Cats", *CATS)])
    mem.write("exports/b.json", [chatgpt("Dogs", "me: A name for a dog?", "ai: Rex.")])
    assert mem("ingest", "exports").code == 0
    return mem


def states(mem):
    return [(one["path"], one["state"]) for one in mem("sources", "--jsonl").lines]


def test_a_source_has_its_format_its_sessions_and_when_it_was_read(archive):
    [one] = archive("sources", "--json").json["sources"]

    assert one["path"] == str(archive.folder / "exports")
    assert (one["formats"], one["sessions"], one["state"]) == (["chatgpt"], 2, "unchanged")
    assert one["read_at"] is not None


def test_a_file_that_was_written_or_added_since_makes_a_source_changed(archive):
    folder = str(archive.folder / "exports")
    assert states(archive) == [(folder, "unchanged")]
    archive.write("exports/c.json", [chatgpt("Birds", *CATS)])
    os.utime(archive.folder / "exports/c.json", (1, 1))  # as a download keeps its old time

    changed = states(archive)
    archive("ingest")

    assert changed == [(folder, "changed")]
    assert states(archive) == [(folder, "unchanged")]


def test_a_source_that_has_gone_is_listed_and_cron_is_not_told(archive):
    shutil.rmtree(archive.folder / "exports")

    listed = archive("sources")

    assert listed.out.startswith("gone ")
    assert "`mem sources move OLD NEW`" in listed.err
    assert archive("ingest") == Run(0)
    strict = archive("ingest", "--strict")
    assert (strict.code, "no file or folder at" in strict.err) == (4, True)


def test_a_moved_source_is_not_read_again(archive):
    (archive.folder / "exports").rename(archive.folder / "elsewhere")

    moved = archive("sources", "move", "exports", "elsewhere")

    new = archive.folder / "elsewhere"
    assert moved == Run(0, f"{archive.folder / 'exports'}: now {new}\n")
    assert states(archive) == [(str(new), "unchanged")]
    again = archive("ingest", "elsewhere", "--json").json
    assert again["totals"]["sessions"] == {"new": 0, "changed": 0, "unchanged": 2, "skipped": 0}
    archive.write("elsewhere/a.json", [chatgpt("Cats", *CATS, "me: Thanks!")])
    assert archive("ingest").out.startswith(f"{new / 'a.json'}: chatgpt, 1 changed session")


def test_a_removed_source_is_not_read_again_and_its_sessions_stay(archive):
    removed = archive("sources", "remove", "exports")

    path = archive.folder / "exports"
    assert removed == Run(0, f"{path}: no longer read; its sessions stay\n")
    assert archive("sources") == Run(3, err="mem: no path is remembered\n")
    assert len(archive("sessions", "--jsonl").lines) == 2


@pytest.mark.parametrize("command", [("remove", "nowhere"), ("move", "nowhere", ".")])
def test_an_unknown_source_is_named(archive, command):
    done = archive("sources", *command)

    assert done == Run(
        3, err="mem: no remembered path is `nowhere`\nhint: `mem sources` lists them\n"
    )


def test_a_source_is_not_moved_to_nowhere(archive):
    done = archive("sources", "move", "exports", "nowhere")

    assert done.code == 4
    assert done.err.startswith("mem: no file or folder at nowhere\n")


def test_ingest_with_nothing_remembered_offers_to_look_and_creates_nothing(mem):
    done = mem("ingest")

    assert done == Run(
        2,
        err="mem: no path is remembered yet\nhint: `mem ingest PATH` imports an export,"
        " `mem ingest --discover` finds those on this machine\n",
    )
    assert not mem.database.exists()


@pytest.fixture
def machine(mem):
    """`mem` on a machine with a coding agent's logs, an export in a zip, and other files."""
    mem.write("home/.claude/projects/p/s.jsonl", claude_code("one", "Fix it.", "Thanks."))
    export = mem.folder / "export"
    export.mkdir()
    mem.write("export/conversations.json", [chatgpt("Cats", *CATS)])
    (mem.home / "Downloads").mkdir()
    shutil.make_archive(str(mem.home / "Downloads" / "chatgpt"), "zip", export)
    mem.write("home/Downloads/prices.csv", "name,price\nx,1\n")
    mem.write("home/Downloads/invoice.txt", "Ann: 3 apples\nBob: 2 pears\n")
    mem.write("home/Downloads/photos/readme.md", "# Photos\n")
    return mem


def test_discover_lists_what_there_is_and_a_dry_run_creates_nothing(machine):
    done = machine("ingest", "--discover", "--dry-run")

    rows = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("claude_code", "1", str(machine.home / ".claude/projects")),
        ("chatgpt", "1", str(machine.home / "Downloads/chatgpt.zip")),
    ]
    assert not machine.database.exists()


def test_discover_imports_what_is_wanted_and_remembers_it(machine):
    done = machine("ingest", "--discover", "--yes", "--json")

    assert done.json["totals"]["sessions"]["new"] == 2
    assert len(states(machine)) == 2
    assert machine("ingest", "--discover", "--yes") == Run(3, err="mem: nothing new was found\n")
    machine.write("home/.claude/projects/p/t.jsonl", claude_code("two", "Test it.", "Fine."))
    assert machine("ingest").out.count("claude_code, 1 new session") == 1


def test_discover_asks_and_without_a_terminal_imports_nothing(machine):
    done = machine("ingest", "--discover")

    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("mem: would import 2 places; add `--yes`\n")
    assert not machine.database.exists()


def test_discover_finds_the_paths_itself(machine):
    done = machine("ingest", "--discover", "export")

    assert (done.code, done.err.splitlines()[1]) == (2, "hint: leave out the path")


def test_a_database_of_memcli_is_not_an_export(mem):
    mem.remembers(talk("Cats", *CATS))

    done = mem("--db", "other.db", "ingest", mem.database)

    assert done.code == 4
    assert done.err == (
        f"mem: {mem.database} is a database of memcli itself;"
        f" `mem --db {mem.database} export --plain | mem ingest -` imports its sessions\n"
    )
