"""A budget of modules for each command: every press of Enter waits for what a command imports."""

import subprocess
import sys

import pytest
from helpers.small_exports import talk

# The most modules in memory after a command, and one in twenty more for other versions of Python.
BUDGETS = {
    "--version": 78,
    "--help": 93,
    "search hazelnuts --json": 250,
    "search hazelnuts": 240,
    "search dinner in May": 240,
    "ask hazelnuts": 247,
    "sessions": 226,
    "sessions --json": 226,
    "show 1": 247,
    "stats": 246,
    "stats --json": 246,
    "sources": 244,
    "people": 241,
    "timeline": 233,
    "memories": 312,
    "config": 229,
}
TOO_HEAVY = set(
    "typer pydantic rich dataclasses inspect numpy tokenizers wordllama email http ssl asyncio"
    " importlib.metadata logging httpx2 huggingface_hub tomlkit multiprocessing".split()
)


def modules_after(mem, arguments):
    code = (
        "import sys\nfrom memcli.cli import main\n"
        f"try: main({arguments.split()!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True, text=True, check=True, env=mem.environment,
    )  # fmt: skip
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", BUDGETS)
def test_a_command_imports_no_more_than_its_budget(mem, arguments):
    mem.remembers(talk("Dinner", "me: I must not eat hazelnuts.", "ai: Noted, no hazelnuts."))
    mem("sessions")

    loaded = modules_after(mem, arguments)

    assert sorted(TOO_HEAVY & loaded) == []
    assert len(loaded) <= BUDGETS[arguments] * 1.05


def test_garbage_is_not_collected_before_a_command_runs_but_while_it_does(mem):
    mem.remembers(talk("Dinner", "me: I must not eat hazelnuts."))
    code = (
        "import gc, sys; collected = []\n"
        "gc.callbacks.append(lambda phase, info: collected.append(phase))\n"
        "sys.argv = ['mem', 'stats']\n"
        "from memcli.cli import main; from memcli.cli.parsing import parameters\n"
        "parameters.hide_remarks = lambda hidden: collected.append('run')\n"
        "collected.clear(); main()\n"
        "print(collected[0], gc.isenabled(), gc.get_freeze_count() > 5000, file=sys.stderr)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True, text=True, check=True, env=mem.environment,
    )  # fmt: skip

    assert ran.stderr.splitlines()[-1] == "run True True"
