import re
import subprocess

import pytest
from typer.testing import CliRunner

from memcli.cli.app import app
from memcli.cli.generate import ROOT, generated_files, main
from memcli.formats import FORMATS

COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def complete(monkeypatch, *words):
    """Press Tab after these words, as bash does."""
    monkeypatch.setenv("_MEM_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    return CliRunner().invoke(app, prog_name="mem").stdout.split()


def options_in_help(*command):
    """Read the options from the help, as a person does."""
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="mem").stdout
    return {
        option
        for line in re.findall(r"^  (-\S.*?)(?:  |$)", shown, re.MULTILINE)
        for option in re.findall(r"--?[a-z][a-z-]*", line)
    }


def section(heading, kind="SH"):
    """Return a section of the man page as it is read, without markup."""
    page = generated_files()["man/mem.1"]
    _, _, rest = page.partition(f".{kind} {heading}")
    return re.split(r"^\.S[HS] ", rest, maxsplit=1, flags=re.MULTILINE)[0].replace(r"\-", "-")


@pytest.mark.parametrize(("path", "text"), generated_files().items())
def test_generated_files_are_current(path, text):
    assert (ROOT / path).read_text() == text, "run: python -m memcli.cli.generate"


def test_the_readme_says_of_every_format_what_is_kept():
    _, _, table = (ROOT / "README.md").read_text("utf-8").partition("| format | source |")
    named = re.findall(r"^\|([^|]+)\|", table.partition("\n\n")[0], re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", "".join(named))) == set(FORMATS)


def test_check_names_the_files_that_are_out_of_date(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("memcli.cli.generate.ROOT", tmp_path)
    main([])
    (tmp_path / "man" / "mem.1").write_text("old")

    status = main(["--check"])

    assert (status, capsys.readouterr().err) == (1, "man/mem.1 is out of date\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_completion_offers_every_command(command, monkeypatch):
    assert command in complete(monkeypatch, "mem", command[:2])


def test_completion_offers_the_options_of_a_command(monkeypatch):
    assert complete(monkeypatch, "mem", "ask", "--si") == ["--sifter", "--since"]


def test_the_bash_script_asks_mem():
    script = f"source '{ROOT}/completions/mem.bash'; complete -p mem"

    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout == "complete -o default -F _mem_completion mem\n"


def test_zsh_finds_its_tag_on_the_first_line():
    assert (ROOT / "completions" / "_mem").read_text().startswith("#compdef mem\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_man_page_names_every_option_of_a_command(command):
    typed = set(re.findall(r"--?[a-z][a-z-]*", section(f"mem {command} ", "SS")))

    assert options_in_help(command) - {"--help"} <= typed


def test_the_man_page_names_the_options_of_mem_itself():
    typed = set(re.findall(r"--?[a-z][a-z-]*", section("OPTIONS")))

    assert options_in_help() <= typed


def test_the_man_page_names_every_variable_that_stands_for_an_option():
    page = generated_files()["man/mem.1"]

    variables = set(re.findall(r"\[env: (\w+)\]", page))

    assert variables
    assert all(rf".B {variable}" in page for variable in variables)


def test_the_man_page_is_the_same_on_every_machine():
    page = generated_files()["man/mem.1"]

    assert page.isascii()
    assert str(ROOT) not in page
    assert not re.search(r"^[.']\W", page, re.MULTILINE)
    assert max(map(len, section("DESCRIPTION").splitlines())) <= 79
