"""A budget of modules for each command: every press of Enter waits for what a command imports."""

import subprocess
import sys

import pytest
from helpers.small_exports import talk

# The most modules in memory after a command, and one in twenty more for other versions of Python.
BUDGETS = {
    "--version": 78,
    "--help": 93,
    "search hazelnuts --json": 258,
    "search hazelnuts": 258,
    "search dinner in May": 258,
    "ask hazelnuts": 257,
    "sessions": 226,
    "sessions --json": 226,
    "show 1": 247,
    "stats": 246,
    "stats --json": 246,
    "sources": 258,
    "people": 252,
    "timeline": 233,
    "memories": 316,
    "config": 240,
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
