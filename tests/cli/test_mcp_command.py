"""`mem mcp`, asked by the protocol's own client over a real process."""

import json
import signal
import subprocess
import sys
from functools import partial

import jsonschema
import pytest
from helpers.mem_process import MEM
from helpers.small_exports import talk

pytestmark = pytest.mark.slow

anyio = pytest.importorskip("anyio", reason="the extra `mcp` is not installed")
mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

DOOR = talk("Door code", "me: The door code is 3826.", "ai: Saved.")
LONG = talk("Long", *(f"me: Number {number} of ships. {'x' * 900}" for number in range(60)))


@pytest.fixture
def agent(mem):
    """Start `mem mcp`, hand its client to a conversation, and return what that returns."""

    def run(conversation, *options, **environment):
        server = mcp.StdioServerParameters(
            command=str(MEM),
            args=["mcp", *options],
            env={**mem.environment, **environment},
            cwd=mem.folder,
        )

        async def talked():
            with anyio.fail_after(120), (mem.folder / "err").open("w") as err:
                transport = mcp.stdio_client(server, errlog=err)
                async with mcp.Client(transport) as client:
                    return await conversation(client)

        return anyio.run(talked)

    return run


def call(name, **arguments):
    """A conversation of one call."""

    async def conversation(client):
        return await client.call_tool(name, arguments)

    return conversation


def text(result):
    [content] = result.content
    return content.text


def timeless(document):
    """Return an answer without what differs from one time to the next."""
    stages = [{**stage, "seconds": 0} for stage in document.get("stages", ())]
    return {**document, "stages": stages, "plan": None}


async def listed(client):
    return {tool.name: tool for tool in (await client.list_tools()).tools}


def test_an_agent_is_offered_what_reads_and_nothing_else(agent, mem):
    mem.remembers(DOOR)

    tools = agent(listed)

    assert list(tools) == ["ask", "search", "show", "memories"]
    assert all(tool.annotations.read_only_hint for tool in tools.values())


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("ask", {"question": "What is the door code?"}, ("ask", "What is the door code?")),
        ("search", {"query": "door code"}, ("search", "door code")),
        ("show", {"id": "s_"}, ("show", "s_")),
        ("memories", {}, ("memories", "list")),
        ("memories", {"type": "UserMemory"}, ("memories", "list", "--type", "UserMemory")),
        ("memories", {"query": "flat", "limit": 1}, ("memories", "list", "flat", "-n", "1")),
    ],
)
def test_a_tool_answers_as_the_command_does(name, arguments, command, agent, mem):
    mem.remembers(DOOR)
    if name == "memories":
        mem("memories", "add", "home", "My flat is in Lisbon")
        mem("memories", "add", "tram", "28 goes to Graça", "--type", "LongTermMemory")

    async def conversation(client):
        tools = await listed(client)
        return tools[name], await client.call_tool(name, arguments)

    tool, result = agent(conversation)

    expected = {**mem(*command, "--json").json, "cut": []}
    jsonschema.validate(result.structured_content, tool.output_schema)
    assert json.loads(text(result)) == result.structured_content
    assert timeless(result.structured_content) == timeless(expected)


def test_filters_are_those_of_the_command_line(agent, mem):
    mem.remembers(DOOR, talk("Boat", "Ann: The door of the boat jams."))

    result = agent(call("search", query="door", speaker="ann", since="2024", limit=3))

    assert [each["title"] for each in result.structured_content["sessions"]] == ["Boat"]


def test_a_long_session_is_read_in_pieces_and_what_was_cut_is_said(agent, mem):
    mem.remembers(LONG)

    async def conversation(client):
        first = await client.call_tool("show", {"id": "s_", "characters": 10_000})
        position = len(first.structured_content["session"]["turns"]) + 1
        arguments = {"id": "s_", "characters": 10_000, "first": position}
        return first, position, await client.call_tool("show", arguments)

    first, position, second = agent(conversation)

    assert len(text(first)) <= 10_000
    cut = f"turns {position} to 60: go on with `first` {position}"
    assert first.structured_content["cut"] == [cut]
    assert second.structured_content["session"]["turns"][0]["position"] == position


def test_a_ranking_fits_and_says_what_was_cut(agent, mem):
    mem.remembers(LONG, *(talk(f"Talk {n}", f"me: ships {'y' * 3000}") for n in range(8)))

    result = agent(call("search", query="ships", limit=20, characters=2000))

    assert len(text(result)) <= 2000 + 200  # the list of what was cut comes on top
    assert "the ends of long turns: `show` has them whole" in result.structured_content["cut"]


WRONG = [
    ("show", {"id": "s_no"}, "no session `s_no`\nhint: the tools `search` and `ask` return"),
    ("search", {"query": "x", "since": "someday"}, "not a date: `someday`\nhint: "),
    ("search", {"query": "x", "limit": 0}, "`limit`: 0 is less than the minimum of 1"),
    ("search", {"query": "x", "sinse": "2024"}, "'sinse' was unexpected"),
    ("search", {}, "'query' is a required property"),
    ("ask", {"question": "  "}, "the question is empty"),
    ("search", {"query": "x", "source": ["y" * 50_000]}, "yyy … yyy"),
    (
        "forget",
        {"id": "s_"},
        "no tool is called `forget`\nhint: one of ask, search, ",
    ),
]


def test_what_goes_wrong_is_told_with_what_to_do(agent, mem):
    mem.remembers(DOOR)

    async def conversation(client):
        return [await client.call_tool(name, arguments) for name, arguments, _ in WRONG]

    results = agent(conversation)

    assert all(result.is_error for result in results)
    for result, (_, _, told) in zip(results, WRONG, strict=True):
        assert told in text(result)
        assert "`mem " not in text(result)
        assert len(text(result)) < 1000


def test_without_a_database_the_agent_is_told_and_none_is_made(agent, mem):
    result = agent(call("ask", question="Anything?"))

    assert result.is_error
    assert "nothing was ingested yet" in text(result)
    assert not mem.database.exists()


def test_nothing_in_the_database_changes(agent, mem):
    mem.remembers(DOOR)
    before = mem.database.read_bytes()
    mem.database.chmod(0o400)

    agent(call("ask", question="What is the door code?"))

    assert mem.database.read_bytes() == before


def test_models_are_loaded_once(agent, mem, tiny):
    mem.remembers(DOOR)

    async def conversation(client):
        asked = partial(client.call_tool, "ask")
        return [await asked({"question": f"door code {n}?", "seconds": 60}) for n in range(2)]

    answers = agent(conversation, "--reranker", str(tiny), "--sifter", "none")

    loads = [
        stage["load_seconds"]
        for answer in answers
        for stage in answer.structured_content["stages"]
        if stage["name"] == "rerank"
    ]
    assert len(loads) == 2
    assert loads[0] > 0 == loads[1]


def test_a_model_that_is_missing_is_told_and_search_goes_on(agent, mem):
    mem.remembers(DOOR)

    async def conversation(client):
        asked = await client.call_tool("ask", {"question": "door?"})
        return asked, await client.call_tool("search", {"query": "door"})

    asked, searched = agent(conversation, "--reranker", "nosuchmodel")

    assert asked.is_error
    assert "nosuchmodel" in text(asked)
    assert not searched.is_error


def test_stdout_is_the_protocol_and_garbage_is_answered(mem):
    lines = b'nonsense\n{"jsonrpc":"2.0","id":1,"method":"nosuch"}\n'

    done = mem("mcp", stdin=lines)

    assert done.code == 0
    assert all(line["jsonrpc"] == "2.0" for line in done.lines)


def test_without_the_extra_it_is_told_how_to_install_it(mem):
    hidden = (
        "import importlib.util, sys; found = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name: None if name == 'mcp' else found(name);"
        "from memcli.cli import main; sys.exit(main(['mcp']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", hidden], capture_output=True, text=True, env=mem.environment
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mem: `mem mcp` needs the extra `mcp`\n"
        "hint: `pip install 'memcli[mcp]'`, in a checkout `pip install '.[mcp]'`\n"
    )


def test_an_interrupt_ends_it_at_once(mem):
    served = subprocess.Popen(
        [MEM, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=mem.environment
    )
    with served:
        served.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        served.stdin.flush()
        answer = served.stdout.readline()

        served.send_signal(signal.SIGINT)
        status = served.wait(timeout=30)

    assert json.loads(answer)["id"] == 1
    assert status == -signal.SIGINT
