"""Tab, in the shells themselves."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest
from helpers.mem_process import MEM
from helpers.small_exports import talk

from memcli.cli.app import COMMANDS
from memcli.cli.completion import values
from memcli.cli.completion.command_table import load_command_table
from memcli.cli.completion.complete import complete_line
from memcli.cli.reference.generate import ROOT
from memcli.cli.reference.introspect import describe_commands

pytestmark = pytest.mark.slow

SCRIPTS = ROOT / "completions"
NAMES = [
    "Kaito Mori",
    "O'Brien",
    'Bob "the" Builder',
    "a:b:c",
    "$(touch pwned)",
    "`touch pwned`",
    "back\\slash",
    "star*",
    "[/bold]",
    "林晓",
    "semi;colon & pipe|",
]
TITLES = [
    "$(touch pwned)",
    "`touch pwned`",
    "\\$(touch pwned)",
    "a 'b' \"c\": [/d] 林晓",
    "x\x1b[2J\ny",
]


@pytest.fixture
def archive(mem):
    """An archive of people and titles that would harm a careless shell."""
    mem.remembers(
        *(
            talk(title, f"{name}: Hello {number}", "me: Good morning", key=str(number))
            for number, (name, title) in enumerate(zip(NAMES, TITLES * 3, strict=False))
        )
    )
    return mem


def shell(name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def environment(mem):
    return {**mem.environment, "PATH": f"{MEM.parent}:{os.defpath}", "TERM": "dumb"}


def all_of(*texts):
    """A pattern that texts in any order match."""
    return "(?s)^" + "".join(f"(?=.*{re.escape(text)})" for text in texts)


class Terminal:
    """A shell in a terminal, typed into by a person."""

    def __init__(self, command, mem):
        self._screen, inside = pty.openpty()
        self._shell = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=mem.folder,
            env={**environment(mem), "PS1": "$ ", "COLUMNS": "200"},
            start_new_session=True,
        )
        os.close(inside)

    def type(self, keys, until, seconds=60):
        """Type, and return what appears until a pattern does."""
        os.write(self._screen, keys.encode())
        seen, end = "", time.monotonic() + seconds
        while not re.search(until, seen):
            assert time.monotonic() < end, seen
            if select.select([self._screen], [], [], 0.1)[0]:
                seen += os.read(self._screen, 65536).decode(errors="replace")
        return seen

    def arguments(self, keys):
        """Type the beginning of a command, and Tab; return its arguments as the shell has them."""
        os.write(self._screen, f"{keys}\t".encode())
        # Only when Tab is done the shell reads on: to the front of the line, and what prints it.
        typed = (
            "\x01"
            + f'{sys.executable} -c \'import sys; print(ascii(sys.argv[1:]), "EN" + "D")\' \r'
        )
        seen = self.type(typed, r"END")
        return eval(re.findall(r"^(\[.*\]) END", seen.replace("\r", ""), re.MULTILINE)[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._shell.kill()
        self._shell.wait()
        os.close(self._screen)


def bash(mem):
    command = [shell("bash"), "--noprofile", "--norc", "-i"]
    terminal = Terminal(command, mem)
    terminal.type(f"set +o history; source '{SCRIPTS}/mem.bash'; echo rea''dy\r", r"ready")
    return terminal


def zsh(mem):
    terminal = Terminal([shell("zsh"), "-f", "-i"], mem)
    setup = (
        f"bindkey -e; unset zle_bracketed_paste; fpath=('{SCRIPTS}' $fpath);"
        " autoload -Uz compinit; compinit -u -d .zcompdump; echo rea''dy\r"
    )
    terminal.type(setup, r"ready")
    return terminal


def fish(mem, line):
    """Return what fish offers: values and what they are."""
    done = subprocess.run(
        [
            shell("fish"),
            "--no-config",
            "-c",
            f"source '{SCRIPTS}/mem.fish'; complete -C $argv[1]",
            line,
        ],
        capture_output=True,
        text=True,
        cwd=mem.folder,
        env=environment(mem),
        timeout=120,
    )
    assert done.stderr == ""
    return [tuple(each.split("\t", 1)) for each in done.stdout.splitlines()]


def offered(mem, line):
    """Return what `mem` answers when a shell asks."""
    done = mem(_MEM_COMPLETE=line)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def without_text(found):
    """Return what is offered, without what it is."""
    return [offer.partition("\t")[0] for offer in found]


@pytest.mark.parametrize("start", [bash, zsh])
def test_a_session_is_completed_by_its_id(start, archive):
    ids = [each["id"] for each in archive("sessions", "--json").json["sessions"]]

    with start(archive) as terminal:
        typed = terminal.arguments(f"mem show {ids[0][:9]}")

    assert typed == ["mem", "show", ids[0]]


@pytest.mark.parametrize("start", [bash, zsh])
def test_names_reach_mem_as_they_are(start, archive):
    beginnings = {name: re.split(r"\W", name)[0][:2] for name in NAMES}

    with start(archive) as terminal:
        typed = {
            name: terminal.arguments(f"mem ask x --speaker {beginning}")
            for name, beginning in beginnings.items()
            if beginning  # a sign, which a person would have to quote first
        }

    assert typed == {name: ["mem", "ask", "x", "--speaker", name] for name in typed}
    assert not (archive.folder / "pwned").exists()


NEW = {  # what is typed before Tab, and the word that Tab makes of its last one
    "mem brow": "browse",
    "mem peop": "people",
    "mem timel": "timeline",
    "mem sourc": "sources",
    "mem memories acc": "accept",
    "mem browse --spea": "--speaker",
    "mem browse --source gener": "generic",
    "mem browse --since yest": "yesterday",
    "mem timeline --until tod": "today",
    "mem timeline --format sv": "svg",
}


@pytest.mark.parametrize("start", [bash, zsh])
def test_commands_options_values_and_dates_are_completed(start, archive):
    with start(archive) as terminal:
        typed = {line: terminal.arguments(line)[-1] for line in NEW}

    assert typed == NEW


def test_fish_offers_commands_options_values_and_dates(archive):
    assert {line: fish(archive, line)[0][0] for line in NEW} == NEW


def test_two_tabs_in_bash_show_titles(archive):
    with bash(archive) as terminal:
        seen = terminal.type("mem show s_\t\t", all_of("林晓", "$(touch pwned)"))

    assert "\x1b[2J" not in seen
    assert not (archive.folder / "pwned").exists()


def test_tab_in_zsh_shows_titles(archive):
    with zsh(archive) as terminal:
        terminal.type("mem show s_\t\t", all_of("x y", "$(touch pwned)"))

    assert not (archive.folder / "pwned").exists()


def test_fish_offers_ids_with_titles_and_names(archive):
    titles = {text for _, text in fish(archive, "mem show s_")}
    names = [name for name, *_ in fish(archive, "mem ask x --speaker ")]

    assert {"$(touch pwned)", "x y"} <= titles
    assert set(NAMES) - {name.replace("\\\\", "\\") for name in names} == set()
    assert not (archive.folder / "pwned").exists()


def test_fish_offers_files_where_mem_knows_nothing_better(archive):
    (archive.folder / "export.zip").touch()

    assert ("export.zip",) in [each[:1] for each in fish(archive, "mem ingest exp")]


def test_what_is_offered_is_of_the_database_that_the_line_names(archive, tmp_path):
    archive("ingest", "-", "--db", "other.db", stdin=b'[{"role": "user", "content": "Hi"}]')

    assert len(offered(archive, "mem show --db other.db s_")) == 1
    assert len(offered(archive, "mem --db other.db show s_")) == 1
    assert len(offered(archive, "mem show s_")) == len(NAMES)
    assert len(offered(archive, f"mem show --db ~/../{archive.database.name} s_")) == len(NAMES)


@pytest.mark.parametrize(
    "command", list(describe_commands().all()), ids=lambda command: command.name
)
def test_every_option_is_offered_and_every_value_of_a_short_list(command):
    options = [each for each in command.parameters if each.is_option]

    names = without_text(complete_line(f"{command.name} -"))

    assert names == [*(name for each in options for name in each.names), "-h", "--help"]
    for each in options:
        if each.choices:
            assert complete_line(f"{command.name} {each.names[-1]} ") == list(each.choices)


def test_commands_are_offered_as_they_are_in_the_help():
    assert without_text(complete_line("mem ")) == list(COMMANDS)
    assert without_text(complete_line("mem models p")) == ["pull", "path"]
    assert complete_line("mem sea")[0].startswith("search\tfind sessions by words and meaning")


@pytest.mark.parametrize(
    "typed",
    ["config", "config --json", "config --what", "config --", "--db a config", "--db=a config"],
)
def test_the_next_argument_is_offered_whatever_options_come_before(typed, monkeypatch):
    monkeypatch.setenv("MEM_DB", "mem.db")

    assert complete_line(f"mem {typed} ") == ["list", "get", "set", "unset", "edit"]


@pytest.mark.parametrize(
    "line",
    [
        "mem",
        "mem nothing s",
        "mem ask --nothing=",
        "mem ask -- --",
        "mem sessions x ",
        "mem show \udcff",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(line):
    assert complete_line(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "mem ask x --speaker 'Kaito ",
        'mem ask x --speaker "Kaito ',
        "mem ask x --speaker Kaito\\ ",
        "mem ask x --speaker=Kai",
        "mem ask -qn 3 x --speaker Kaito\\ M",
    ],
)
def test_a_name_of_two_words_is_completed_within_it(line, archive):
    assert without_text(offered(archive, line)) == ["Kaito Mori"]


def test_models_formats_and_sources_are_offered(archive):
    assert "memsifter-4b\tsifter" in offered(archive, "mem ask x --sifter mem")
    assert offered(archive, "mem ingest --format telegram_") == ["telegram_html"]
    assert offered(archive, "mem search x --source gen") == ["generic"]


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_tab_makes_no_database_and_never_complains(content, mem):
    if content is not None:
        mem.database.write_bytes(content)

    assert offered(mem, "mem show s_") == []
    assert sorted(path.name for path in mem.folder.iterdir()) == (
        ["home"] if content is None else ["home", "mem.db"]
    )


def test_tab_leaves_no_file_beside_the_database(archive):
    before = sorted(archive.folder.iterdir())

    assert offered(archive, "mem show s_")

    assert sorted(archive.folder.iterdir()) == before


def test_tab_does_not_wait_for_a_writer(archive):
    import apsw

    database = apsw.Connection(str(archive.database))
    database.execute("begin immediate")

    found = offered(archive, "mem show s_")

    database.close()
    assert len(found) == len(NAMES)


def test_what_is_written_down_of_the_commands_is_what_they_are():
    assert load_command_table() == describe_commands()


def test_what_completes_a_value_is_where_tab_looks_for_it():
    parameters = [each for command in describe_commands().all() for each in command.parameters]
    named = {each.completer for each in parameters if each.completer}

    assert {"offer_session_ids", "offer_memory_ids", "offer_rerankers"} <= named
    assert all(callable(getattr(values, name)) for name in named)


@pytest.mark.parametrize("value", ["ID", "SOURCE", "MODEL"])
def test_what_can_be_completed_is_completed_in_every_command(value):
    """A new command has only to say what its values are."""
    wanting = [
        f"{command.name} {each.form}"
        for command in describe_commands().all()
        for each in command.parameters
        if re.sub(r"[\[\].]", "", each.metavar) == value and not each.completer
    ]

    assert wanting == []


@pytest.mark.parametrize(
    ("name", "place", "sourced"),
    [
        ("bash", ".local/share/bash-completion/completions/mem", ".bashrc"),
        ("zsh", ".zfunc/_mem", ".zshrc"),
        ("fish", ".config/fish/completions/mem.fish", None),
    ],
)
def test_completion_is_installed_once(name, place, sourced, mem):
    for _ in range(2):
        command = f"'{MEM}' --install-completion; true"  # so that the shell stays beside it
        done = subprocess.run(
            [shell(name), "-c", command], capture_output=True, text=True, env=environment(mem)
        )
        assert done.stderr == ""

    assert (mem.home / place).read_text() == (
        SCRIPTS / {"zsh": "_mem"}.get(name, f"mem.{name}")
    ).read_text()
    if sourced:
        assert (mem.home / sourced).read_text() == f"source '{mem.home / place}'\n"


def test_the_script_can_be_printed(mem):
    done = subprocess.run(
        [shell("bash"), "-c", f"'{MEM}' --show-completion; true"],
        capture_output=True,
        text=True,
        env=environment(mem),
    )

    assert done.stdout == (SCRIPTS / "mem.bash").read_text()


def test_zsh_finds_its_tag_on_the_first_line():
    assert (SCRIPTS / "_mem").read_text().startswith("#compdef mem\n")


def test_relative_dates_are_offered():
    offers = complete_line("mem sessions --since la")

    assert without_text(offers) == ["last week", "last month", "last year"]
