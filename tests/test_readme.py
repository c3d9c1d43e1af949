"""The README and the topics of the manual, block by block: what they tell people to type is typed,
and what they show is compared."""

import os
import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Mem

import memcli.demo
from memcli.settings import load_settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXPORTS = Path(memcli.demo.__file__).parent / "exports"
README = (ROOT / "README.md").read_text("utf-8")
TOPICS = ROOT / "memcli/cli/help/topics"
LINKED = re.findall(r"\(memcli/cli/help/topics/(\w+\.md)\)", README)
BLOCKS = [
    block
    for text in (README, *((TOPICS / name).read_text("utf-8") for name in LINKED))
    for block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
# Commands that are not run here, by how they begin, and why.
NOT_RUN = {
    'mem show "$(mem browse': "fills a terminal; tests/cli/test_browse_command.py takes its result",
    "mem sessions --format tsv | fzf": "needs fzf, and a person who types",
    "pipx install": "installs from a package index; .ci/run installs the same with pip",
    "python3 -m venv": "installs from a package index; .ci/run pastes it",
    "mem bench": "needs data sets that are not ours to ship, and minutes",
    "mem encrypt": "would encrypt the database of all; tests/cli/test_encryption.py types them",
    "mem decrypt": "the same",
    "openssl rand": "writes into a password manager",
    "mem read": "needs a model that reads; tests/cli/test_read_command.py has one",
    "mem memories m_k3j": "needs a memory of that id; tests/cli/test_memories_command.py has some",
    "mem memories edit m_k3j": "the same",
    "mem memories list --unsupported": "finds none here, as it should",
    "mem index --embedder": "needs a model; tests/cli/test_index_command.py makes one",
    "mem config set models": "names that model; tests/cli/test_config_command.py sets one",
    "mem --install-completion": "changes a shell; tests/cli/test_completion.py does so",
    "mem models pull": "fetches gigabytes",
    "mem models verify": "says that there is no model here",
    "mem models add mine.gguf": "needs a model of one's own; tests/cli/test_models_command.py does",
}
NOT_COMMANDS = {
    "cron": "run by test_the_line_for_cron_says_nothing_when_nothing_is_new",
    "toml": "read by test_the_settings_shown_are_understood",
    "json": "the settings of an agent that starts `mem mcp`",
}


def typed(language):
    """Return the commands of all blocks in a language, in order."""
    return [line for each, text in BLOCKS if each == language for line in text.splitlines() if line]


def is_run(command):
    return not command.startswith(tuple(NOT_RUN))


def shown():
    """Return what is typed in blocks of a terminal, and what is shown below it."""
    [text] = [text for language, text in BLOCKS if language == "console"]
    return re.findall(r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """A person with the exports that the README speaks of, made of the archive of `mem demo`."""
    mem = Mem(tmp_path_factory.mktemp("person"))
    pack(mem.folder / "chatgpt-export.zip", "chatgpt")
    for name in ("WhatsApp Chat with Kaito Mori.txt", "notes.jsonl"):
        shutil.copy(EXPORTS / name, mem.folder)
    shutil.copy(EXPORTS / "WhatsApp Chat with Kaito Mori.txt", mem.folder / "chat.txt")
    (mem.home / "Downloads").mkdir()
    pack(mem.home / "Downloads" / "data-2026-11.zip", "claude")
    shutil.copytree(EXPORTS / "telegram", mem.home / "exports")
    commands = mem.home / ".local" / "bin"
    commands.mkdir(parents=True)
    (commands / "mem").symlink_to(MEM)
    for name, does in (
        ("some-program", 'echo \'{"role": "user", "content": "Good morning"}\''),
        ("some-llm", "cat"),
    ):
        program = commands / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    return mem


def pack(path, name):
    with zipfile.ZipFile(path, "w") as packed:
        packed.write(EXPORTS / name / "conversations.json", "conversations.json")


def run(command, mem):
    """Run what is typed, as a shell that stops at the first failure in a pipe."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("bash is not installed")
    if " jq " in command and not shutil.which("jq"):
        pytest.skip("jq, which the command pipes into, is not installed")
    path = f"{mem.home / '.local/bin'}:{os.environ.get('PATH', os.defpath)}"
    return subprocess.run(
        [bash, "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=mem.folder,
        env={**mem.environment, "PATH": path, "TZ": "Europe/Lisbon"},
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


@pytest.mark.parametrize(("command", "output"), shown())
def test_the_terminal_shows_what_the_readme_shows(command, output, person):
    done = run(command, person)

    assert (done.returncode, done.stderr) == (0, "")
    # A terminal breaks lines where it ends, a pipe does not.
    assert done.stdout.split() == output.split()


@pytest.mark.parametrize("command", list(filter(is_run, typed("sh"))))
def test_what_the_readme_says_can_be_typed(command, person):
    done = run(command, person)

    notes = re.sub(r"mem: \d+ sessions? without a date (is|are) left out\n", "", done.stderr)
    assert (done.returncode, notes) == (0, "")


def test_the_first_screen_of_the_readme_is_one():
    first = README.partition("## More")[0].splitlines()

    assert len(first) <= 55
    assert sorted(LINKED) == sorted(path.name for path in TOPICS.glob("*.md"))


def test_every_block_is_run_or_says_why_not():
    languages = {language for language, _ in BLOCKS}
    needless = {
        start for start in NOT_RUN if not any(command.startswith(start) for command in typed("sh"))
    }

    assert languages <= {"console", "sh"} | NOT_COMMANDS.keys()
    assert needless == set()


def test_the_line_for_cron_says_nothing_when_nothing_is_new(person):
    line, _ = typed("cron")  # the other needs a model
    command = " ".join(line.split()[5:])
    run("mem ingest notes.jsonl", person)

    # As cron does: no terminal, and nothing in the environment but a home, and our database.
    bare = f"HOME='{person.home}' MEM_DB='{person.database}'"
    done = run(f"env -i {bare} /bin/sh -c {shlex.quote(command)}", person)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_settings_shown_are_understood(tmp_path, monkeypatch):
    [text] = [text for language, text in BLOCKS if language == "toml"]
    (tmp_path / "config.toml").write_text(text)
    monkeypatch.setenv("MEM_CONFIG", str(tmp_path / "config.toml"))

    understood = load_settings()

    assert understood.models["embedder"] == "bge-m3"
    assert "kaito" in understood.names_of("Kaito Mori")
