"""Tool calls: found in what a model says, and held against the tool's schema."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from memcli.protocols import Tool, ToolCall

OPEN = "<tool_call>"

_HERMES = re.compile(r"<tool_call>(.*?)(?:</tool_call>|$)", re.DOTALL)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class NoCallError(Exception):
    """There is no call, or none that the tools allow; the message says why."""


def written_call(text: str) -> tuple[str, str]:
    """Return name and arguments, as JSON, of the first call in a text.

    Args:
        text: with a call in the Hermes form inside, or nothing but the JSON of one.

    Raises:
        NoCallError: there is none.
    """
    block = _HERMES.search(text)
    if not block and not text.startswith("{"):
        raise NoCallError("it called no tool")
    found = _loaded(block[1] if block else text)
    if not isinstance(found, dict):
        raise NoCallError("its call is no object")
    return str(found.get("name", "")), json.dumps(found.get("arguments"))


def further_calls(text: str) -> tuple[str, ...]:
    """Return the tools that a text calls after the first, as far as their names can be read."""
    _first, *others = _HERMES.findall(text) or [""]
    names = (re.search(r'"name"\s*:\s*"([^"]*)"', call) for call in others)
    return tuple(name[1] for name in names if name)


def checked_call(name: str, arguments: str, tools: Sequence[Tool]) -> ToolCall:
    """Return a call that obeys its tool's schema.

    Args:
        name: of the tool.
        arguments: JSON; also JSON inside a JSON string, as some servers send it.
        tools: what may be called.

    Raises:
        NoCallError: there is no such tool, or the arguments are not what it takes.
    """
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        raise NoCallError(f"it called {name!r}, which is no tool")
    found = _loaded(arguments)
    if isinstance(found, str):
        found = _loaded(found)
    if not isinstance(found, dict):
        raise NoCallError(f"the arguments of {name} are no object")
    if wrong := _wrong(found, tool.parameters, name):
        raise NoCallError(wrong)
    return ToolCall(name, found)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, strict=False)  # models write newlines into their strings
    except (ValueError, RecursionError) as error:
        raise NoCallError("its call is no JSON") from error


def _wrong(value: Any, schema: Mapping[str, Any], where: str) -> str:
    """Return what is wrong with a value; as much of JSON Schema as tools need."""
    kind = schema.get("type")
    if kind in _TYPES and not _is(value, kind):
        return f"{where} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is none of {', '.join(map(str, schema['enum']))}"
    if isinstance(value, dict):
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            return f"{where} lacks {missing[0]}"
        known = schema.get("properties", {})
        inside = ((value[name], known[name], f"{where}.{name}") for name in value if name in known)
    elif isinstance(value, list):
        items = schema.get("items", {})
        inside = ((item, items, f"{where}[{at}]") for at, item in enumerate(value))
    else:
        return ""
    return next(filter(None, (_wrong(*each) for each in inside)), "")


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])
