"""Every command against every state of the database: status and message, never a traceback."""

import pytest
from helpers.mem_process import Mem
from helpers.small_exports import talk

from memcli.cli.reference.introspect import describe_commands

COMMANDS = list(describe_commands().all())
# The words that each command needs; those that are left out need none.
NEEDED = {
    "mem ingest": ("-",),
    "mem ask": ("door",),
    "mem search": ("door",),
    "mem show": ("s_k3j",),
    "mem forget": ("s_k3j", "--dry-run"),
    "mem backup": ("copy.db",),
    "mem sources move": ("a", "."),
    "mem sources remove": ("a",),
    "mem memories search": ("door",),
    "mem memories show": ("m_k3j",),
    "mem memories add": ("door", "3826"),
    "mem memories edit": ("m_k3j", "x"),
    "mem memories accept": ("m_k3j",),
    "mem memories forget": ("m_k3j", "--dry-run"),
    "mem memories import": ("-",),
}
# Commands that read or write no database, or that need models, data sets or a key first.
WITHOUT_DATABASE = (
    "mem models",
    "mem config",
    "mem demo",
    "mem bench",
    "mem mcp",
    "mem read",
    "mem people merge",
    "mem encrypt",
    "mem decrypt",
)
CREATE = {"mem ingest", "mem memories add", "mem memories import"}
READING = [each for each in COMMANDS if not each.name.startswith(WITHOUT_DATABASE)]


def words(command, *more):
    return (*command.words[1:], *NEEDED.get(command.name, ()), *more)


def by_name(command):
    return command.name


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A person whose database is empty, and one whose database is damaged."""
    empty, damaged = (Mem(tmp_path_factory.mktemp(name)) for name in ("empty", "damaged"))
    for mem in (empty, damaged):
        mem.remembers(talk("Door", "me: The door code is 3826."))
    [one] = empty("sessions", "--jsonl").lines
    empty("forget", one["id"], "--yes")
    damaged.database.write_bytes(damaged.database.read_bytes()[:20_000])
    return {"empty": empty, "damaged": damaged}


@pytest.mark.parametrize("command", COMMANDS, ids=by_name)
def test_a_wrong_option_is_bad_usage(mem, command):
    done = mem(*command.words[1:], "--no-such-option")

    assert (done.code, done.out) == (2, "")
    first, hint = done.err.splitlines()
    assert first == "mem: no such option: --no-such-option"
    assert hint.startswith("hint: ")
    assert not mem.database.exists()


@pytest.mark.parametrize("command", READING, ids=by_name)
def test_without_a_database_it_is_named_or_made(mem, command):
    done = mem(*words(command), stdin=b"[]")

    if command.name in CREATE:
        assert done.code in (0, 4)
    elif command.name == "mem doctor":
        assert "database" in done.out
    else:
        assert done.code == 5
        assert str(mem.database) in done.err
        assert "`mem ingest" in done.err or "mem ingest" in done.err
        assert not mem.database.exists()


@pytest.mark.parametrize("command", READING, ids=by_name)
def test_of_an_empty_database_nothing_is_found(states, command):
    done = states["empty"](*words(command), stdin=b"[]")

    assert done.code in ((0, 4) if command.name in CREATE else (0, 3)), done
    if done.code == 3:
        assert done.err.startswith("mem: ")


@pytest.mark.parametrize("command", READING, ids=by_name)
def test_a_damaged_database_leads_to_the_doctor(states, command):
    done = states["damaged"](*words(command), stdin=b"[]")

    assert done.code == 5, done
    assert "mem doctor" in done.err or command.name == "mem doctor"


@pytest.mark.parametrize(
    "command",
    [each for each in READING if any("--json" in one.names for one in each.parameters)],
    ids=by_name,
)
def test_json_of_an_empty_database_is_still_json(states, command):
    done = states["empty"](*words(command, "--json"), stdin=b"[]")

    if done.out:
        assert done.json["schema"].startswith("mem.")
    else:
        assert done.code in (3, 4)
