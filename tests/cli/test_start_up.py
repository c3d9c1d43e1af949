"""A budget of modules for each command: every press of Enter waits for what a command imports."""

import subprocess
import sys

import pytest
from helpers.small_exports import talk

# The most modules in memory after a command, and one in twenty more for other versions of Python.
BUDGETS = {
    "--version": 78,
    "--help": 93,
    "search hazelnuts --json": 265,
    "search hazelnuts": 265,
    "search dinner in May": 265,
    "ask hazelnuts": 265,
    "sessions": 244,
    "sessions --json": 244,
    "show 1": 263,
    "stats": 257,
    "stats --json": 257,
    "sources": 265,
    "people": 259,
    "timeline": 244,
    "memories": 327,
    "config": 247,
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
