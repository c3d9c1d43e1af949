"""The help: fast, and with examples that can be typed."""

import os
import shutil
import subprocess
import sys

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import chatgpt, talk, whatsapp

from memcli.cli.app import COMMANDS
from memcli.cli.help.examples import EXAMPLES
from memcli.cli.help.topics import topic_names, topic_title
from memcli.cli.reference.introspect import describe_commands

ROOT = describe_commands()
NAMES = [each.name for each in (*ROOT.all(), *(one for one in ROOT.commands if one.commands))]
NOT_RUN = {
    "mem browse": "fills a terminal: `test_browse_command` runs its examples in one",
    "mem read": "needs a model that reads",
    "mem bench": "needs a data set, and minutes",
    "claude mcp add": "is a command of another program",
    "mem mcp": "serves until its agent leaves",
    "mem models pull": "fetches gigabytes",
    "mem models verify memreranker-4b": "needs that model",
    "mem encrypt": "would change the database of all",
    "mem --db copy.db decrypt": "needs an encrypted database",
    "mem decrypt": "needs an encrypted database",
    "mem models add": "needs a model of one's own",
    "mem models remove": "needs those models",
    "mem models path memreranker-4b": "needs that model",
}


def loaded_modules(*arguments):
    code = (
        "import sys\nfrom memcli.cli import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",)])
def test_the_help_of_mem_loads_no_more_than_its_version(arguments):
    needed = loaded_modules("--version")

    more = {name for name in loaded_modules(*arguments) - needed if "memcli" in name}

    assert more <= {
        "memcli.lazy_dataclasses",
        "memcli.cli.completion",
        "memcli.cli.help",
        "memcli.cli.help.command_names",
        "memcli.cli.help.help_text",
        "memcli.cli.help.topics",
        "memcli.cli.completion.command_table",
    }
    assert not [name for name in loaded_modules(*arguments) if name.split(".")[0] == "typer"]


def test_the_help_of_mem_names_every_command_and_option(mem):
    shown = mem("--help")

    assert shown == mem("help")
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.out] == []
    for option in ROOT.parameters:
        assert option.form in shown.out
    wrong = mem()
    assert (wrong.code, wrong.out, wrong.err) == (2, "", shown.out)


@pytest.mark.parametrize("name", topic_names())
def test_every_topic_can_be_read(mem, name):
    shown = mem("help", name)

    assert (shown.code, shown.err) == (0, "")
    assert topic_title(name) in shown.out
    assert "|--" not in shown.out
    if name in COMMANDS:
        assert shown.out.startswith(mem(name, "--help").out)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_every_command_ends_with_two_examples(mem, name):
    shown = mem(*name.split()[1:], "--help").out

    first, second = EXAMPLES[name]
    assert shown.endswith(f"\nExamples:\n  {first}\n  {second}\n")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A person with exports and memories, and the ids that examples have."""
    mem = Mem(tmp_path_factory.mktemp("person"))
    mem.write("chat.txt", whatsapp("Ann: Hi", "Bob: The door code is 3826."))
    mem.write("notes.jsonl", '{"role": "user", "content": "Good morning"}\n')
    for name in ("chat.txt", "notes.jsonl"):
        for folder in ("home/Downloads", "home/archive"):
            mem.write(f"{folder}/{name}", (mem.folder / name).read_text())
    lines = ("me: Where is my passport? Which dish did Ann like?", "ai: The door code is 3826.")
    mem.write("export/conversations.json", [chatgpt("Passport", *lines)])
    shutil.make_archive(str(mem.home / "Downloads/chatgpt-export"), "zip", mem.folder / "export")
    mem.remembers(talk("Home", "me: I live in Lisbon now. I eat no nuts."))
    exports = ("home/Downloads/chat.txt", "notes.jsonl", "home/Downloads/chatgpt-export.zip")
    assert mem("ingest", *exports).code == 0
    mem("memories", "add", "door code", "It is 3826")
    mem("memories", "add", "diet", "I eat no hazelnuts")
    assert mem("memories", "export").code == 0
    return mem


@pytest.fixture
def person(library, tmp_path):
    """A copy of that person's files, which a test may change."""
    shutil.copytree(library.folder, tmp_path, dirs_exist_ok=True)
    mem = Mem(tmp_path)
    for path in ("home/Downloads/chat.txt", "notes.jsonl"):
        mem("sources", "move", library.folder / path, tmp_path / path)
    (mem.folder / "memories.json").write_text(mem("memories", "export").out)
    commands = mem.home / "bin"
    commands.mkdir()
    (commands / "mem").symlink_to(MEM)
    return mem


@pytest.mark.parametrize(
    "example",
    sorted(
        {
            example
            for pair in EXAMPLES.values()
            for example in pair
            if not example.startswith(tuple(NOT_RUN))
        }
    ),
)
def test_an_example_can_be_typed(person, example):
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("bash is not installed")
    first, second = (one["id"] for one in person("memories", "--jsonl").lines)
    [session, *_] = [
        one["id"] for one in person("sessions", "--jsonl").lines if one["title"] == "Passport"
    ]
    if "backup" in example:
        person("backup", "copy.db")
        (person.folder / "copy.db").unlink(missing_ok="--replace" not in example)
    typed = example.replace("s_k3j", session).replace("m_k3j", first).replace("m_q7x", second)

    done = subprocess.run(
        [bash, "-o", "pipefail", "-c", typed],
        capture_output=True,
        text=True,
        cwd=person.folder,
        env={
            **person.environment,
            "PATH": f"{person.home / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        },
        stdin=subprocess.DEVNULL,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
