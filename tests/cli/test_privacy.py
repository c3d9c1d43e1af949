"""Nothing leaves the machine: every command runs, and its attempts to connect are counted.

A hook in each process of Python, children included, writes an attempt down before it refuses it: a
library that swallows the refusal is counted all the same.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.mem_process import Mem
from helpers.small_datasets import two_people
from helpers.small_exports import talk

from memcli.cli.reference.introspect import describe_commands

pytestmark = pytest.mark.slow

# Python imports a module of this name when it starts.
HOOK = """
import os, sys

EVENTS = {"socket." + name for name in (
    "connect", "bind", "sendto", "sendmsg", "getaddrinfo", "getnameinfo",
    "gethostbyname", "gethostbyaddr",
)}

def refuse(event, arguments):
    ipv6_check = event == "socket.bind" and arguments[1][:2] == ("::1", 0)  # urllib3, on import
    if event in EVENTS and not ipv6_check:
        log = os.open(os.environ["ATTEMPTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, f"{event} {arguments[1:]}\\n".encode())
        os.close(log)
        raise ConnectionRefusedError("refused by a test")

sys.addaudithook(refuse)
"""
NOWHERE = "http://127.0.0.1:9/v1#model"
ADD = ("tiny.gguf", "--role", "sifter", "--like", "memsifter-4b")
# The words that let each command do its work, and the status it ends with.
RUNS = {
    "mem ingest": (("grown.json", "--verbose"), 0),
    "mem sources list": ((), 0),
    "mem sources move": (("chats.json", "grown.json"), 0),
    "mem sources remove": (("chats.json",), 0),
    "mem ask": (("What is the door code?", "--reranker", "tiny.gguf"), 3),  # its verdict is random
    "mem search": (("door", "code"), 0),
    "mem sessions": ((), 0),
    "mem show": (("SESSION",), 0),
    "mem browse": ((), 2),  # it needs a terminal
    "mem people list": ((), 0),
    "mem people merge": (("Ann", "Annie"), 0),
    "mem timeline": (("door",), 0),
    "mem read": (("--reader", "tiny.gguf"), 0),
    "mem memories list": ((), 0),
    "mem memories search": (("home",), 0),
    "mem memories show": (("m_", "--why"), 0),
    "mem memories add": (("tram", "28 goes to Graça"), 0),
    "mem memories edit": (("m_", "lives in Porto"), 0),
    "mem memories accept": (("m_",), 0),
    "mem memories forget": (("m_", "--yes"), 0),
    "mem memories export": ((), 0),
    "mem memories import": (("memories.json",), 0),
    "mem stats": ((), 0),
    "mem doctor": (("--fix",), 0),
    "mem index": (("--rebuild",), 0),
    "mem backup": (("copy.db", "--verify"), 0),
    "mem export": ((), 0),
    "mem forget": (("SESSION", "--yes"), 0),
    "mem encrypt": (("--key-file", "key"), 0),
    "mem decrypt": ((), 2),  # it is not encrypted
    "mem config": ((), 0),
    "mem models list": ((), 0),
    "mem models show": (("memsifter-4b",), 0),
    "mem models verify": ((), 0),
    "mem models add": (ADD, 0),
    "mem models remove": (("tiny",), 0),
    "mem models path": ((), 0),
    "mem demo": ((), 0),
    "mem bench": (("locomo.json",), 0),
}
ELSEWHERE = {
    "mem mcp": "test_no_tool_for_agents_connects",
    "mem models pull": "test_what_connects_at_a_persons_request_is_counted",
}


@dataclass
class Watched:
    """A person whose processes are refused every connection, and the attempts of these."""

    mem: Mem
    log: Path
    session: str  # the id of the session about the door

    @property
    def environment(self):
        return {
            **self.mem.environment,
            "PYTHONPATH": str(self.log.parent),
            "ATTEMPTS": str(self.log),
            "SHELL": "/bin/bash",  # for completion, where no shell started the tests
        }

    @property
    def attempts(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def run(self, *arguments, start=("-m", "memcli")):
        return subprocess.run(
            [sys.executable, *start, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.mem.folder,
            env=self.environment,
            timeout=300,
            check=False,
        )


@pytest.fixture
def watched(mem, tmp_path_factory, tiny):
    door = talk("Door code", "Ann: The door code is 3826.", "me: Saved, Ann.")
    mem.write("chats.json", [door])
    mem.write("grown.json", [door, talk("Boat", "Bo: The door of the boat jams.")])
    mem.write("locomo.json", two_people())
    mem.write("tiny.gguf", tiny.read_bytes())
    assert mem("ingest", "chats.json").code == 0
    mem("memories", "add", "home", "lives in Lisbon")
    mem.write("memories.json", mem("memories", "export").out)
    [session] = mem("search", "door", "--jsonl").lines
    folder = tmp_path_factory.mktemp("hook")
    (folder / "sitecustomize.py").write_text(HOOK)
    return Watched(mem, folder / "attempts", session["id"])


def test_every_command_is_run():
    names = {command.name for command in describe_commands().all()}

    assert names == RUNS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", RUNS)
def test_no_command_connects(name, watched):
    words, status = RUNS[name]
    if name == "mem models remove":
        assert watched.run("models", "add", *ADD).returncode == 0

    done = watched.run(
        *name.split()[1:], *(watched.session if each == "SESSION" else each for each in words)
    )

    assert (done.returncode, watched.attempts) == (status, []), done.stderr


@pytest.mark.parametrize("option", ["--help", "--version", "--show-completion"])
def test_no_option_connects(option, watched):
    assert (watched.run(option).returncode, watched.attempts) == (0, [])


def test_no_tool_for_agents_connects(watched):
    anyio = pytest.importorskip("anyio", reason="the extra `mcp` is not installed")
    mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
    calls = {
        "ask": {"question": "What is the door code?", "seconds": 60},
        "search": {"query": "door code"},
        "show": {"id": watched.session},
        "memories": {},
    }
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "memcli", "mcp", "--reranker", "tiny.gguf", "--sifter", "none"],
        env=watched.environment,
        cwd=watched.mem.folder,
    )

    async def call_all():
        with anyio.fail_after(120):
            async with mcp.Client(mcp.stdio_client(server)) as client:
                tools = {tool.name for tool in (await client.list_tools()).tools}
                return tools, [await client.call_tool(*each) for each in calls.items()]

    tools, results = anyio.run(call_all)

    assert tools == calls.keys()
    assert not any(result.is_error for result in results)
    assert watched.attempts == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("ask", "door code?", "--reranker", NOWHERE), 7),
        (("models", "pull", "memsifter-4b", "--yes"), 6),
    ],
)
def test_what_connects_at_a_persons_request_is_counted(arguments, status, watched):
    done = watched.run(*arguments)

    assert done.returncode == status
    assert watched.attempts


SWALLOWED = """
import socket, subprocess, sys
try:
    socket.create_connection(("127.0.0.1", 9))
except OSError:
    pass
if len(sys.argv) == 1:
    subprocess.run([sys.executable, "-P", __file__, "child"], check=True)
"""


def test_attempts_that_a_library_or_a_child_swallows_are_counted(watched):
    watched.mem.write("library.py", SWALLOWED)

    done = watched.run(start=("library.py",))

    assert (done.returncode, len(watched.attempts)) == (0, 2)
