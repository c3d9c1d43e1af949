"""`mem export`: what it writes, what reads it back, and what it never does to a disk."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Mem, Run
from helpers.panes import pane
from helpers.small_exports import chatgpt, talk, telegram

import memcli.demo

DEMO = Path(memcli.demo.__file__).parent / "exports"


@pytest.fixture
def other(tmp_path):
    """Another memory."""
    (tmp_path / "other").mkdir()
    return Mem(tmp_path / "other")


def ids(mem):
    return [one["id"] for one in mem("sessions", "--jsonl").lines]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_memory_that_reads_the_export_of_another_has_the_same_ids_and_the_same_export(mem, other):
    assert mem("ingest", str(DEMO)).code == 0
    export = mem("export")

    done = other("ingest", "-", stdin=export.out.encode())

    assert done == Run(0, "standard input: memcli, 44 new sessions, 321 new turns\n")
    assert ids(other) == ids(mem)
    assert other("export") == export
    question = ("ask", "What is the door code of my flat in Lisbon now?", "--json")
    assert other(*question).json["sessions"] == mem(*question).json["sessions"]


def test_memories_and_what_was_forgotten_come_along(mem, other):
    mem.remembers(talk("Cats", "me: Pixel?"), talk("Dogs", "me: Rex?"))
    mem("memories", "add", "door code", "It is 3826")
    mem("memories", "add", "cat", "Is called Pixel")
    [cat] = [one["id"] for one in mem("memories", "--jsonl").lines if one["key"] == "cat"]
    mem("memories", "edit", cat, "Was called Pixel")
    [dogs] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == "Dogs"]
    mem("forget", dogs, "--yes")
    export = mem("export")

    done = other("ingest", "-", stdin=export.out.encode())

    assert done.out == ("standard input: memcli, 4 new sessions, 4 new turns, 3 new memories\n")
    assert other("export") == export
    assert other("memories", "--history", "--json") == mem("memories", "--history", "--json")
    other.remembers(talk("Dogs", "me: Rex?"))
    assert ids(other) == ids(mem)
    other.write("export.jsonl", export.out)
    for _ in range(2):
        assert other("ingest", "export.jsonl").out == (
            "export.jsonl: memcli, 4 unchanged sessions, 4 unchanged turns\n"
        )


def test_of_chosen_sessions_nothing_is_written_but_them(mem):
    mem.remembers(talk("Cats", "me: Pixel?"))
    mem("memories", "add", "door code", "It is 3826")

    whole, chosen = mem("export").lines, mem("export", "--source", "generic").lines

    assert [line["schema"] for line in whole] == [
        "mem.export/1", "mem.export/1", "mem.export.memory/1"
    ]  # fmt: skip
    assert [line["schema"] for line in chosen] == ["mem.export/1"]


def test_the_branch_that_was_not_kept_comes_along(mem, other):
    mem.write(
        "conversations.json", [chatgpt("Trip", "me: Where?", "ai: Lisbon", "ai: Porto", kept=2)]
    )
    mem("ingest", "conversations.json")

    other("ingest", "-", stdin=mem("export").out.encode())

    [session] = ids(other)
    shown = other("show", session, "--json").json
    assert [turn["active"] for turn in shown["session"]["turns"]] == [True, True, False]
    assert shown == mem("show", session, "--json").json


def test_filters_and_ids_say_what_is_written(mem):
    mem.remembers(talk("Cats", "me: Pixel?"), talk("Dogs", "me: Rex?"))
    mem.write("result.json", telegram("Ann", "Ann: Good?"))
    mem("ingest", "result.json")
    [cats] = [one["id"] for one in mem("sessions", "--jsonl").lines if one["title"] == "Cats"]

    def titles(*arguments):
        return [line["title"] for line in mem("export", *arguments).lines]

    assert titles(cats[:6]) == ["Cats"]
    assert titles("--source", "telegram") == titles("--speaker", "ann") == ["Ann"]
    assert sorted(titles("--since", "2024")) == ["Ann", "Cats", "Dogs"]
    assert mem("export", "--since", "2030") == Run(3, err="mem: no sessions found\n")
    assert mem("export", "s_zzz").code == 3


def test_markdown_is_a_file_a_session_that_only_the_person_can_read(mem):
    mem.remembers(talk("A trip to *Lisbon*", "me: We fly\x1b[31m in May.", "ai: # Noted"))
    [session] = ids(mem)

    assert mem("export", "--format", "markdown", "--to", "out/notes") == Run(
        0, "out/notes: 1 session\n"
    )

    [path] = (mem.folder / "out" / "notes").iterdir()
    assert path.name == f"2024-03-01 A trip to Lisbon {session}.md"
    assert path.read_text() == (
        f"# A trip to \\*Lisbon\\*\n\n{session} · generic · user, assistant\n\n"
        "## Friday 2024-03-01\n\n**user** 12:00\n\nWe fly[31m in May.\n\n"
        "**assistant** 12:01\n\n# Noted\n"
    )
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "title",
    ["../../../etc/passwd", "/etc/passwd", "..", ".", "a/b\\c:d*e?f", "\x00\n\r\t", "~/x", "-rf",
     "林晓 " * 200, "é" * 300, "CON", "\u202eelif", "🦓" * 90, "x" * 5000],
)  # fmt: skip
def test_no_title_leads_out_of_the_folder(mem, title):
    mem.remembers(talk(title, "me: x", key="one"))

    assert mem("export", "--format", "markdown", "--to", "out").code == 0

    [name] = files(mem.folder / "out")
    assert len(os.fsencode(name)) < 200
    assert name.startswith("2024-03-01 ")
    assert name.endswith(f"{ids(mem)[0]}.md")
    assert not set(name[:-3]) & set("./\\:*?\x00\n\u202e")


def test_again_replaces_the_files_and_follows_no_link(mem):
    mem.remembers(talk("Cats", "me: Pixel?"))
    mem("export", "--format", "markdown", "--to", "out")
    [name] = files(mem.folder / "out")
    victim = mem.folder / "victim"
    victim.write_text("mine")
    (mem.folder / "out" / name).unlink()
    (mem.folder / "out" / name).symlink_to(victim)

    assert mem("export", "--format", "markdown", "--to", "out").code == 0

    assert victim.read_text() == "mine"
    assert files(mem.folder / "out") == [name]
    assert "Pixel?" in (mem.folder / "out" / name).read_text()


def test_a_folder_that_cannot_be_made_is_named(mem):
    mem.remembers(talk("Cats", "me: Pixel?"))
    mem.write("file", "x")

    assert mem("export", "--format", "markdown", "--to", "file/out") == Run(
        5, err="mem: cannot make file/out: Not a directory\n"
    )


@pytest.mark.parametrize("arguments", [("--format", "markdown"), ("--to", "out")])
def test_markdown_takes_a_folder_and_nothing_else_does(mem, arguments):
    done = mem("export", *arguments)

    assert (done.code, done.out) == (2, "")
    assert not (mem.folder / "out").exists()


def test_into_a_pipe_from_a_terminal_only_the_progress_is_on_the_terminal(mem):
    mem.remembers(talk("Cats", "me: Pixel?"))
    terminal, end = pty.openpty()

    done = subprocess.run(
        [MEM, "export"], env=mem.environment, stdout=subprocess.PIPE, stderr=end, stdin=end
    )

    os.close(end)
    drawn = os.read(terminal, 1 << 16)
    os.close(terminal)
    assert (done.returncode, done.stdout.decode()) == (0, mem("export").out)
    assert b"Pixel" not in drawn


def test_on_a_terminal_the_lines_are_all_there_is(mem):
    mem.remembers(talk("Cats", "me: Pixel?"))

    shown = pane(mem, "export", width=4000)

    assert shown == mem("export").out


def test_a_reader_who_has_seen_enough_is_no_error(mem):
    mem.remembers(*[talk(f"Zebra {number}", "me: " + "x" * 5000) for number in range(100)])
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "w") as gone:
        done = subprocess.run(
            [MEM, "export"], env=mem.environment, stdout=gone, stderr=subprocess.PIPE
        )

    assert (done.returncode, done.stderr) == (0, b"")
