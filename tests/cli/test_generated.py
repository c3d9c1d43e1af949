import os
import re
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from memcli.cli.app import command_tree
from memcli.cli.reference.generate import ROOT, generate, generated_files
from memcli.cli.reference.introspect import describe_commands
from memcli.formats import FORMATS

TREE = describe_commands()
PAGES = [path for path in generated_files() if path.startswith("man/")]


def options_in_help(*command):
    """Read the options from the help, as a person does."""
    shown = CliRunner().invoke(command_tree(), [*command, "--help"], prog_name="mem").stdout
    return {
        option
        for line in re.findall(r"^  (-\S.*?)(?:  |$)", shown, re.MULTILINE)
        for option in re.findall(r"--?[a-z][a-z-]*", line)
    }


def section(heading, page="mem", kind="SH"):
    """Return a section of a page of the manual as it is read, without markup."""
    page = generated_files()[f"man/man1/{page}.1"]
    _, _, rest = page.partition(f".{kind} {heading}")
    end = r"^\.SH " if kind == "SH" else r"^\.S[HS] "
    return re.split(end, rest, maxsplit=1, flags=re.MULTILINE)[0].replace(r"\-", "-")


@pytest.mark.parametrize(("path", "text"), generated_files().items())
def test_generated_files_are_current(path, text):
    assert (ROOT / path).read_text() == text, "run: python -m memcli.cli.reference.generate"


def test_the_readme_says_of_every_format_what_is_kept():
    _, _, table = (ROOT / "README.md").read_text("utf-8").partition("| format | export |")
    named = re.findall(r"^\|([^|]+)\|", table.partition("\n\n")[0], re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", "".join(named))) == set(FORMATS)


def test_check_names_the_files_that_are_out_of_date(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("memcli.cli.reference.generate.ROOT", tmp_path)
    generate([])
    (tmp_path / "man" / "man1" / "mem.1").write_text("old")

    status = generate(["--check"])

    assert (status, capsys.readouterr().err) == (1, "man/man1/mem.1 is out of date\n")


@pytest.mark.parametrize("command", list(TREE.all()), ids=lambda command: command.name)
def test_the_manual_names_every_option_of_a_command(command):
    page = "-".join(command.words[:2])
    inside = (command.name, page, "SS") if len(command.words) > 2 else ("OPTIONS", page)

    typed = set(re.findall(r"--?[a-z][a-z-]*", section(*inside)))

    assert options_in_help(*command.words[1:]) - {"-h", "--help"} <= typed


def test_the_man_page_names_the_options_of_mem_itself():
    typed = set(re.findall(r"--?[a-z][a-z-]*", section("OPTIONS")))

    assert options_in_help() <= typed


def test_the_manual_tells_of_every_variable_that_stands_for_an_option():
    pages = "".join(generated_files()[page] for page in PAGES)

    variables = set(re.findall(r"\[env: (\w+)\]", pages))

    assert variables
    assert all(rf".B {variable}" in generated_files()["man/man1/mem.1"] for variable in variables)


@pytest.mark.parametrize("path", PAGES)
def test_the_manual_is_the_same_on_every_machine(path):
    page = generated_files()[path]

    assert page.isascii()
    assert str(ROOT) not in page
    assert not re.search(r"^[.']\W", page, re.MULTILINE)


@pytest.mark.parametrize("path", PAGES)
def test_the_manual_is_sound(path):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc, which checks manual pages, is not installed")

    checked = subprocess.run(
        ["mandoc", "-Tlint", "-Wstyle", ROOT / path], capture_output=True, text=True
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("path", PAGES)
def test_man_shows_every_page_without_a_warning(path):
    if not shutil.which("man"):
        pytest.skip("man is not installed")

    shown = subprocess.run(
        ["man", "--warnings", "-l", ROOT / path],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MANPAGER": "cat"},
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "NAME" in shown.stdout
