"""Tool calls: found in a model's text, and checked against the tool's schema."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from memcli.protocols import Tool, ToolCall

TOOL_CALL_OPEN = "<tool_call>"

_CLOSE = "</tool_call>"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class InvalidCallError(Exception):
    """A missing call, or one that the tools do not allow; the message goes on after "it"."""


def parse_written_call(text: str) -> tuple[str, str]:
    """Return the name and the arguments, as JSON, of the first call in a text.

    Args:
        text: has a call in Hermes' form inside, or is the JSON of a call.

    Raises:
        InvalidCallError: there is none.
    """
    calls = _written_calls(text)
    if not calls and not text.startswith("{"):
        raise InvalidCallError("it called no tool")
    found = _parse_json(calls[0] if calls else text)
    if not isinstance(found, dict):
        raise InvalidCallError("its call is not an object")
    return str(found.get("name", "")), json.dumps(found.get("arguments"))


def other_called_tools(text: str) -> tuple[str, ...]:
    """Return the names of the tools that a text calls after its first call, if readable."""
    others = _written_calls(text)[1:]
    names = (re.search(r'"name"\s*:\s*"([^"]*)"', call) for call in others)
    return tuple(name[1] for name in names if name)


def validate_call(name: str, arguments: str, tools: Sequence[Tool]) -> ToolCall:
    """Return a call that obeys its tool's schema.

    Args:
        name: of the tool.
        arguments: JSON; also JSON inside a JSON string, which some servers send.
        tools: the tools that may be called.

    Raises:
        InvalidCallError: there is no such tool, or the arguments do not obey its schema.
    """
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        raise InvalidCallError(f"it called {name!r}, which is not a tool")
    found = _parse_json(arguments)
    if isinstance(found, str):
        found = _parse_json(found)
    if not isinstance(found, dict):
        raise InvalidCallError(f"the arguments of {name} are not an object")
    if violation := _schema_violation(found, tool.parameters, name):
        raise InvalidCallError(violation)
    return ToolCall(name, found)


def _written_calls(text: str) -> list[str]:
    """Return the contents of the calls in a text.

    A call ends where its JSON ends, for an argument may spell the closing tag; a call that is no
    JSON ends at the closing tag.
    """
    calls, decoder = [], json.JSONDecoder(strict=False)
    start = text.find(TOOL_CALL_OPEN)
    while start >= 0:
        rest = text[start + len(TOOL_CALL_OPEN) :].lstrip()
        try:
            _, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            end = len(rest.partition(_CLOSE)[0])
        calls.append(rest[:end])
        text = rest[end:]
        start = text.find(TOOL_CALL_OPEN)
    return calls


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)  # models write newlines into their strings
    except (ValueError, RecursionError) as error:
        raise InvalidCallError("its call is not JSON") from error


def _schema_violation(value: Any, schema: Mapping[str, Any], where: str) -> str:
    """Return the fault of a value under a schema, "" if it has none.

    The checked part of JSON Schema is the one that our tools use.
    """
    kind = schema.get("type")
    if kind in _TYPES and not _has_type(value, kind):
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
    return next(filter(None, (_schema_violation(*each) for each in inside)), "")


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])
