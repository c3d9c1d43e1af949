import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.mem_process import MEM, Run
from helpers.small_exports import talk

import memcli
from memcli.cli.reference.generate import generated_files
from memcli.errors import EXIT_CODE_MEANINGS, ExitCode, MemError

RECIPES = Path(memcli.__file__).parent / "cli/help/topics/recipes.md"
NO_ERROR = {ExitCode.OK, ExitCode.BUG, ExitCode.INTERRUPTED}
# Kinds of an error end as their parent does.
ERRORS = MemError.__subclasses__()


def fail(raised):
    """Run `mem ask` in a process where opening the models raises something."""
    script = (
        "import importlib, sys\n"
        "from memcli import cli, errors\n"
        f"def fail(*_, **__): raise {raised}\n"
        "importlib.import_module('memcli.cli.ask_session').open_models = fail\n"
        "sys.exit(cli.main(['ask', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return Run(done.returncode, done.stdout, done.stderr)


def test_every_error_has_an_exit_status_of_its_own():
    statuses = [error.exit_code for error in ERRORS]

    assert sorted(statuses) == sorted(set(ExitCode) - NO_ERROR)


def test_every_exit_status_has_a_meaning():
    assert list(EXIT_CODE_MEANINGS) == list(ExitCode)


def test_the_man_page_tells_every_exit_status():
    _, _, section = generated_files()["man/man1/mem.1"].partition(".SH EXIT STATUS\n")
    told = re.findall(r"^\.TP\n\.B (\d+)\n(.+)\.$", section.partition("\n.SH ")[0], re.MULTILINE)

    assert {int(status): meaning.lower() for status, meaning in told} == {
        status: meaning.lower() for status, meaning in EXIT_CODE_MEANINGS.items()
    }


def test_the_recipes_tell_every_exit_status():
    _, _, table = RECIPES.read_text("utf-8").partition("| status | means |\n|---|---|\n")
    told = re.findall(r"^\| (\d+) \| (.+) \|$", table.partition("\n\n")[0], re.MULTILINE)

    assert {int(status): meaning for status, meaning in told} == EXIT_CODE_MEANINGS


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_what_happened_and_what_to_type_next(error):
    ended = fail(f"errors.{error.__name__}('no `x` here', hint='mem show s_1')")

    assert ended == Run(error.exit_code, err="mem: no `x` here\nhint: mem show s_1\n")


def test_an_error_without_a_hint_is_one_line():
    assert fail("errors.InputError('x is cut short')") == Run(4, err="mem: x is cut short\n")


def test_a_bug_keeps_its_traceback():
    ended = fail("RuntimeError('oh')")

    assert (ended.code, ended.out) == (ExitCode.BUG, "")
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert ended.err.endswith("\nRuntimeError: oh\n")


def test_ctrl_c_ends_without_a_word():
    assert fail("KeyboardInterrupt") == Run(ExitCode.INTERRUPTED)


@pytest.mark.parametrize("form", ["", "--json", "--jsonl"])
def test_a_reader_that_has_seen_enough_is_no_error(mem, form):
    mem.remembers(talk("Lisbon", "me: We flew to Lisbon in May.", "ai: How nice."))

    with subprocess.Popen(
        [MEM, "sessions", *form.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=mem.environment,
    ) as process:
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (ExitCode.OK, b"")


@pytest.mark.parametrize(
    "arguments",
    [["ask"], ["ask", " "], ["show", "s_1", "--wrong"], ["search", "x", "-n", "many"], ["unknown"]],
    ids=" ".join,
)
def test_bad_usage_exits_2_and_says_why(mem, arguments):
    ended = mem(*arguments)

    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert ended.err


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        ("ask", "missing argument 'QUESTION...'", "`mem ask --help`"),
        ("stats --zzz", "no such option: --zzz", "`mem stats --help`"),
        ("ask x --formt json", "no such option: --formt", "did you mean `--format`"),
        ("serach x", "no such command 'serach'", "did you mean `mem search`"),
        ("models lsit", "no such command 'lsit'", "did you mean `mem models list`"),
        (
            "sessions \x1b[31m",
            "unexpected: `\\x1b[31m`",
            "`mem sessions --help`",
        ),
    ],
)
def test_bad_usage_is_told_as_any_other_error(mem, words, what, hint):
    ended = mem(*words.split())

    assert (ended.code, ended.err) == (ExitCode.USAGE, f"mem: {what}\nhint: {hint}\n")


def test_nothing_typed_brings_the_help(mem):
    ended = mem()

    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert ended.err == mem("--help").out


def test_help_and_version_are_results(mem):
    for asked in ("--help", "--version"):
        ended = mem(asked)

        assert (ended.code, ended.err) == (ExitCode.OK, "")
        assert ended.out


def test_the_versions_of_the_parts_are_for_bug_reports(mem):
    told = mem("--version", "--verbose")

    assert told.code == 0
    assert told.out.splitlines()[0].startswith(f"mem {memcli.__version__} (")
    assert "apsw-sqlite3mc 3." in told.out
    assert Path(told.out.splitlines()[-1].removeprefix("changes ")).is_file()
