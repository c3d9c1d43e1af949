"""Every command in every state of the database: a table of statuses and messages.

`every_command.txt` beside this file is the table. When a message is meant to change: delete its
lines, run the test, and look at what it wrote.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk

from memcli.cli.reference.introspect import describe_commands

TABLE = Path(__file__).with_name("every_command.txt")
COMMANDS = list(describe_commands().all())
# The words that each command needs; those that are left out need none.
NEEDED = {
    "mem ingest": ("-",),
    "mem ask": ("door",),
    "mem search": ("door",),
    "mem show": ("SESSION",),
    "mem forget": ("SESSION", "--dry-run"),
    "mem backup": ("copy.db",),
    "mem export": (),
    "mem sources move": ("door.json", "."),
    "mem sources remove": ("door.json",),
    "mem people merge": ("me", "Mira"),
    "mem memories search": ("door",),
    "mem memories show": ("MEMORY",),
    "mem memories add": ("flat", "It has a door"),
    "mem memories edit": ("MEMORY", "The code is 1"),
    "mem memories accept": ("MEMORY",),
    "mem memories forget": ("MEMORY", "--dry-run"),
    "mem memories import": ("-",),
    "mem config": (),
    "mem models add": ("no.gguf", "--role", "chat"),
    "mem models remove": ("bge-m3",),
    "mem models show": ("bge-m3",),
    "mem bench": ("no.json",),
}
STATES = ("full", "empty", "none", "damaged")  # of the database
# Commands that fetch, serve, or ask a small archive of their own: only their usage is tried here.
USAGE_ONLY = {"mem models pull", "mem mcp", "mem demo"}
TURNS = json.dumps([talk("Door", "me: Is the door shut?")]).encode()
FACTS = b'[{"key": "door", "value": "The code is 3826"}]'


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A person for each state of the database, and the ids in it."""
    people = {name: Mem(tmp_path_factory.mktemp(name)) for name in STATES}
    for name in ("full", "empty", "damaged"):
        mem = people[name]
        mem.write("door.json", [talk("Door", "me: The door code is 3826.", "ai: Noted.")])
        mem("ingest", "door.json")
        mem("memories", "import", "-", stdin=FACTS)
    for name in ("empty", "full"):
        written, session = [one["id"] for one in people[name]("sessions", "--jsonl").lines]
        [memory] = [one["id"] for one in people[name]("memories", "--jsonl").lines]
        if name == "empty":
            assert people[name]("forget", written, session, memory, "--yes").code == 0
    damaged = people["damaged"].database
    damaged.write_bytes(damaged.read_bytes()[:20_000])
    return people, {"SESSION": session, "MEMORY": memory}


@pytest.fixture
def run(states, tmp_path):
    """Run a command on a copy of a state."""
    people, ids = states

    def run(command, state, *more):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        shutil.copytree(people[state].folder, folder)
        words = [ids.get(word, word) for word in NEEDED.get(command.name, ())]
        facts = command.name == "mem memories import"
        done = Mem(folder)(*command.words[1:], *words, *more, stdin=FACTS if facts else TURNS)
        return done, folder

    return run


def has(command, option):
    return any(option in each.names for each in command.parameters if each.is_option)


def cases(command):
    """Yield the cases of a command: its name, the state of the database, and further words."""
    yield "help", "full", ("-h",)
    yield "wrong option", "full", ("--no-such-option",)
    if command.name in USAGE_ONLY:
        return
    yield from ((flag, "full", (flag,)) for flag in ("--json", "--jsonl") if has(command, flag))
    yield "-q", "full", ("-q",)
    if not any("..." in each.form for each in command.parameters):
        yield "one word more", "full", ("surplus", "surplus")
    yield from ((f"{state} database", state, ()) for state in STATES)


def row(case, done, folder, ids):
    """Return the line of the table for a run: what was tried, the status, and the message."""
    message = done.err.splitlines()[0] if done.err else "-"
    for name, found in (("FOLDER", str(folder)), *((key, found) for key, found in ids.items())):
        message = message.replace(found, name)
    message = re.sub(r"\d+(\.\d+)? (MB|s)\b", r"N \2", message)
    return f"  {case:<16} {done.code:>3}  {message}\n"


def written(text, command):
    """Return the part of the table that is about a command."""
    match = re.search(rf"^{command.name}\n((?:  .*\n)*)", text, re.MULTILINE)
    return match[1] if match else ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_state_has_its_status_and_message(command, run, states):
    rows = ""
    for case, state, more in cases(command):
        done, folder = run(command, state, *more)

        rows += row(case, done, folder, states[1])
        if case == "help":
            assert done.out.startswith(f"Usage: {command.name} ")
        elif case == "wrong option":
            assert done.err.splitlines()[1].startswith("hint: ")
        elif case == "-q" and done.code == 0:
            assert done.err == ""
        elif case == "--json" and done.out:
            assert done.json["schema"].startswith("mem.")
        elif case == "--jsonl":
            assert all(isinstance(line, dict) for line in done.lines)
        if state == "none" and done.code:
            assert not (folder / "mem.db").exists()

    kept = TABLE.read_text("utf-8") if TABLE.exists() else ""
    if not written(kept, command):
        TABLE.write_text(f"{kept}{command.name}\n{rows}", "utf-8")
        pytest.fail(f"wrote the part of {command.name} into {TABLE}: look at it")
    assert rows == written(kept, command)


def test_the_table_has_every_command_and_no_other():
    listed = re.findall(r"^mem .*", TABLE.read_text("utf-8"), re.MULTILINE)

    assert sorted(listed) == sorted(command.name for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_quiet(command):
    assert has(command, "--quiet")


@pytest.mark.parametrize("form", ["csv", "markdown"])
@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if has(each, "--jsonl")], ids=lambda command: command.name
)
def test_what_prints_lines_of_json_also_prints_tables(command, form, run):
    if command.name in ("mem ingest", "mem read", "mem models verify"):
        pytest.skip("its lines are events, printed as they come")

    done, _ = run(command, "full", "--format", form)

    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) > 1
