"""Tools for agents, spoken to in the Model Context Protocol over standard input and output.

What the tools do is handed in: this knows the protocol and nothing of memories.
"""

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
import jsonschema  # type: ignore[import-untyped]  # carries no types
import mcp_types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from memcli import __version__
from memcli.errors import MemError, UsageError

Document = Mapping[str, Any]  # whatever JSON holds


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that an agent may ask for, and that changes nothing."""

    name: str
    description: str
    arguments: Document  # JSON Schema
    result: Document  # JSON Schema
    call: Callable[[Document], Document]


def serve(tools: Sequence[Tool], instructions: str) -> None:
    """Answer until the agent closes its side.

    One call after another: a model works at one thing at a time. What calls print misses the
    protocol, which has standard output to itself.
    """
    # The SDK reads in a thread that nothing wakes. Nothing is written that could be left half done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    anyio.run(_serve, tools, instructions)


async def _serve(tools: Sequence[Tool], instructions: str) -> None:
    one_at_a_time = anyio.Lock()

    async def list_tools(_context: Any, _page: Any) -> mcp_types.ListToolsResult:  # SDK's contexts
        return mcp_types.ListToolsResult(tools=[_listed(tool) for tool in tools])

    async def call_tool(
        _context: Any, asked: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        async with one_at_a_time:
            return await anyio.to_thread.run_sync(_answer, tools, asked)

    server = Server(
        "mem",
        version=__version__,
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _listed(tool: Tool) -> mcp_types.Tool:
    return mcp_types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=dict(tool.arguments),
        output_schema=dict(tool.result),
        annotations=mcp_types.ToolAnnotations(
            read_only_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )


def _answer(
    tools: Sequence[Tool], asked: mcp_types.CallToolRequestParams
) -> mcp_types.CallToolResult:
    """Call a tool; an error of the person's or the agent's is told with what to do about it."""
    try:
        tool = next((tool for tool in tools if tool.name == asked.name), None)
        if not tool:
            known = ", ".join(tool.name for tool in tools)
            raise UsageError(f"no tool is called `{asked.name}`", hint=f"one of {known}")
        document = tool.call(_checked(asked.arguments or {}, tool))
    except MemError as error:
        told = f"{error}\nhint: {error.hint}" if error.hint else str(error)
        return mcp_types.CallToolResult(content=[_text(told)], is_error=True)
    return mcp_types.CallToolResult(
        content=[_text(json.dumps(document, ensure_ascii=False))], structured_content=document
    )


def _checked(arguments: Document, tool: Tool) -> Document:
    """Return arguments that are as the tool wants them.

    Raises:
        UsageError: they are not.
    """
    try:
        jsonschema.validate(arguments, tool.arguments)
    except jsonschema.ValidationError as error:
        where = "".join(f"`{part}`: " for part in error.absolute_path)
        raise UsageError(f"{where}{error.message}") from error
    return arguments


def _text(text: str) -> mcp_types.TextContent:
    # A lone surrogate, which a damaged export may hold, is no UTF-8.
    return mcp_types.TextContent(text=text.encode("utf-8", "replace").decode())
