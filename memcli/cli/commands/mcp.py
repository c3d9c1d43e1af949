"""`mem mcp`: the memory as tools for agents, which can read it and change nothing."""

import sys
from importlib.util import find_spec
from typing import Annotated

from memcli.cli.models.open import open_models
from memcli.cli.option_groups import DatabaseOptions, ModelOptions
from memcli.cli.output.console import note
from memcli.cli.parsing.parameters import Option
from memcli.errors import UsageError
from memcli.search.stages import RankingModels
from memcli.store import Store

INSTRUCTIONS = """The person's own conversations with assistants and with people. `ask` ranks the
sessions that answer a question, with the turns that are evidence; `search` is faster and finds
sessions with the words; `show` reads one session; `memories` are facts found in them. Name sessions
by their ids when you use them."""


Redacted = Annotated[
    bool,
    Option(
        "--redact/--no-redact",
        help="Mask keys, tokens, passwords and numbers of cards and accounts in what agents get.",
    ),
]


def mcp(options: ModelOptions, database: DatabaseOptions, *, redact: Redacted = True) -> None:
    """Serve the memory to agents, as tools of the Model Context Protocol (MCP).

    The protocol runs over standard input and output: an agent starts `mem mcp` itself. The tools
    are `ask`, `search`, `show` and `memories`. They read the database and cannot change it. Models
    are loaded at the first question. Secrets are masked in all that agents get. Exits with status 2
    if the extra `mcp` is not installed.
    """
    if find_spec("mcp") is None:
        raise UsageError(
            "`mem mcp` needs the extra `mcp`",
            hint="`pip install 'memcli[mcp]'`, in a checkout `pip install '.[mcp]'`",
        )
    from memcli.cli.agent_tools.mcp_server import serve
    from memcli.cli.agent_tools.memory_tools import MemoryTools, make_tools

    if sys.stdin and sys.stdin.isatty():
        note("this command is meant to be started by an agent; Ctrl-C ends it")

    def models(store: Store) -> RankingModels:
        return open_models(
            options.reranker,
            options.sifter,
            gpu_layers=options.gpu_layers,
            thought_tokens=options.think,
            database=store,
        )

    tools = make_tools(MemoryTools(database.path, models, redact=redact))
    serve(tools, " ".join(INSTRUCTIONS.split()))
