"""Serves tools to agents in the Model Context Protocol, over standard input and output.

The tools are handed in: this module knows the protocol and nothing of memories.
"""

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread
import jsonschema  # type: ignore[import-untyped]  # carries no types
import mcp_types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from memcli import __version__
from memcli.errors import MemError, NotFoundError, UsageError
from memcli.lazy_dataclasses import dataclass

JsonObject = Mapping[str, Any]  # Any: as JSON has it

LONGEST_ERROR = 600  # characters of an error message


@dataclass(frozen=True, slots=True)
class AgentTool:
    """A tool that an agent may call, and that changes nothing."""

    name: str
    description: str
    arguments: JsonObject  # JSON Schema
    result: JsonObject  # JSON Schema
    call: Callable[[JsonObject], JsonObject]


def serve(tools: Sequence[AgentTool], instructions: str) -> None:
    """Answer calls until the agent closes its side.

    Calls run one after another: a model works at one thing at a time. The protocol has standard
    output to itself: texts that calls print do not get into it.
    """
    # The SDK reads in a thread that nothing wakes, and no write could be left half done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    anyio.run(_serve, tools, instructions)


async def _serve(tools: Sequence[AgentTool], instructions: str) -> None:
    one_at_a_time = anyio.Lock()

    async def list_tools(
        _context: Any, _page: Any
    ) -> mcp_types.ListToolsResult:  # Any: the SDK's contexts
        return mcp_types.ListToolsResult(tools=[_describe(tool) for tool in tools])

    async def call_tool(
        _context: Any, request: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        async with one_at_a_time:
            return await anyio.to_thread.run_sync(_call, tools, request)

    server = Server(
        "mem",
        version=__version__,
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _describe(tool: AgentTool) -> mcp_types.Tool:
    return mcp_types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=dict(tool.arguments),
        output_schema=dict(tool.result),
        annotations=mcp_types.ToolAnnotations(
            read_only_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )


def _call(
    tools: Sequence[AgentTool], request: mcp_types.CallToolRequestParams
) -> mcp_types.CallToolResult:
    """Call a tool; return an error that a person or an agent can correct, with its hint."""
    try:
        tool = next((tool for tool in tools if tool.name == request.name), None)
        if not tool:
            known = ", ".join(tool.name for tool in tools)
            raise UsageError(f"no tool is called `{request.name}`", hint=f"one of {known}")
        document = tool.call(_validate(request.arguments or {}, tool))
    except MemError as error:
        return mcp_types.CallToolResult(
            content=[_text_content(_error_message(error))], is_error=True
        )
    return mcp_types.CallToolResult(
        content=[_text_content(json.dumps(document, ensure_ascii=False))],
        structured_content=document,
    )


def _error_message(error: MemError) -> str:
    """Return an error for an agent: short, and with no command of a shell that it does not have."""
    message = str(error)
    if len(message) > LONGEST_ERROR:  # it may repeat an argument of any length
        message = f"{message[: LONGEST_ERROR // 2]} … {message[-LONGEST_ERROR // 2 :]}"
    hint = error.hint
    if hint and "`mem " in hint:
        is_missing = isinstance(error, NotFoundError)
        hint = "the tools `search` and `ask` return the ids of sessions" if is_missing else None
    return f"{message}\nhint: {hint}" if hint else message


def _validate(arguments: JsonObject, tool: AgentTool) -> JsonObject:
    """Return the arguments, once the tool's schema allows them.

    Raises:
        UsageError: the schema does not allow them.
    """
    try:
        jsonschema.validate(arguments, tool.arguments)
    except jsonschema.ValidationError as error:
        where = "".join(f"`{part}`: " for part in error.absolute_path)
        raise UsageError(f"{where}{error.message}") from error
    return arguments


def _text_content(text: str) -> mcp_types.TextContent:
    # A lone surrogate, which a damaged export may hold, is not valid UTF-8.
    return mcp_types.TextContent(text=text.encode("utf-8", "replace").decode())
