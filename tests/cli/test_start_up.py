"""A budget of modules for each command: every press of Enter waits for what a command imports."""

import subprocess
import sys

import pytest
from helpers.small_exports import talk

# The most modules in memory after a command, and one in twenty more for other versions of Python.
BUDGETS = {
    "--version": 420,
    "--help": 420,
    "search hazelnuts --json": 420,
    "search hazelnuts": 420,
    "search dinner in May": 420,
    "ask hazelnuts": 420,
    "sessions": 420,
    "sessions --json": 420,
    "show 1": 420,
    "stats": 420,
    "stats --json": 420,
    "sources": 420,
    "people": 420,
    "timeline": 420,
    "memories": 420,
    "config": 420,
}
TOO_HEAVY = set(
    "typer pydantic numpy tokenizers wordllama email http ssl asyncio"
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
