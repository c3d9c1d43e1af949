"""Every command as a process of its own: it says what `main()` says inside the tests."""

import pytest
from helpers.small_exports import talk

from memcli.cli import app

COMMANDS = {
    "ingest": ("ingest", "more.json", "--dry-run"),
    "ask": ("ask", "what must I not eat"),
    "search": ("search", "hazelnuts"),
    "read": ("read", "--dry-run"),
    "sessions": ("sessions", "--jsonl"),
    "show": ("show", "s_none"),
    "forget": ("forget", "--source", "telegram", "--dry-run"),
    "stats": ("stats",),
    "doctor": ("doctor", "--no-such-option"),
    "index": ("index",),
    "backup": ("backup", "mem.db"),
    "export": ("export",),
    "config": ("config",),
    "browse": ("browse",),
    "encrypt": ("encrypt",),
    "decrypt": ("decrypt",),
    "sources": ("sources",),
    "people": ("people",),
    "timeline": ("timeline", "hazelnuts"),
    "bench": ("bench", "nothing.json"),
    "memories": ("memories", "list"),
    "models": ("models", "list", "--json"),
    "version": ("--version",),
    "help": ("--help",),
    "no such command": ("forgte",),
}


@pytest.fixture
def archive(mem):
    mem.remembers(talk("Nuts", "me: I must not eat hazelnuts.", "ai: Noted, no hazelnuts."))
    mem.write("more.json", [talk("More", "me: Anything new?", "ai: Nothing.")])
    return mem


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_process_says_what_main_says(archive, arguments):
    inside = archive(*arguments)

    assert archive.process(*arguments) == inside


def test_every_command_is_started_once():
    elsewhere = {
        "demo": "tests/cli/test_demo.py starts it",
        "mcp": "tests/cli/test_mcp_command.py speaks to it",
    }
    assert set(app.COMMANDS) - elsewhere.keys() <= COMMANDS.keys()
