"""`mem mcp`: the memory as tools for agents, which can read it and change nothing."""

import sys
from importlib.util import find_spec

from memcli.cli.models.open import open_models
from memcli.cli.options import Database, GpuLayers, Reranker, Sifter, Think
from memcli.cli.output.console import note
from memcli.errors import UsageError
from memcli.search.stages import Models
from memcli.settings import database_path

INSTRUCTIONS = """The person's own conversations with assistants and with people. `ask` ranks the
sessions that answer a question, with the turns that are evidence; `search` is faster and finds
sessions with the words; `show` reads one session; `memories` are facts found in them. Name sessions
by their ids when you use them."""


def mcp(
    reranker: Reranker = None,
    sifter: Sifter = None,
    think: Think = 1024,
    gpu_layers: GpuLayers = None,
    database: Database = None,
) -> None:
    """Serve the memory to agents, as tools of MCP.

    The Model Context Protocol is spoken over standard input and output: an agent starts `mem mcp`
    itself. Its tools are `ask`, `search`, `show` and `memories`. They read the database and cannot
    change it; models are loaded at the first question. Exits with status 2 where the extra `mcp`
    is not installed.
    """
    if find_spec("mcp") is None:
        raise UsageError(
            "`mem mcp` needs the extra `mcp`",
            hint="`pip install 'memcli[mcp]'`, in a checkout `pip install '.[mcp]'`",
        )
    from memcli.cli.agent_tools.mcp_server import serve
    from memcli.cli.agent_tools.memory_tools import MemoryTools, make_tools

    if sys.stdin and sys.stdin.isatty():
        note("an agent starts this command and speaks to it; Ctrl-C ends it")

    def models() -> Models:
        return open_models(reranker, sifter, gpu_layers=gpu_layers, think=think)

    tools = make_tools(MemoryTools(database or database_path(), models))
    serve(tools, " ".join(INSTRUCTIONS.split()))
