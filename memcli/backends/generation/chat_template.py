"""Rendering of a dialogue in a model's own chat template, with markup and people's text apart.

Templates are programs. They render placeholders, and the texts replace the placeholders
afterwards: no text can be mistaken for markup, trimmed, or change how the rest looks.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.generation.bounded_template import TemplateFailedError, render_bounded
from memcli.backends.generation.thought_stream import THINK_CLOSE, THINK_OPEN
from memcli.errors import BackendError
from memcli.protocols import Message, Tool, ToolCall

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
THOUGHT_START = f"{THINK_OPEN}\n"
TOOLS_PROMPT = """\
You have these tools, a line of JSON each:
<tools>
{}
</tools>

Call one of them and say nothing after the call. A call is JSON between two tags:
<tool_call>
{{"name": "the tool's name", "arguments": {{"its": "arguments"}}}}
</tool_call>"""

_PLACEHOLDER = re.compile(r'MEM-1f0c2a9e77-(\d{1,9})-(\\*)"')  # no template spells it


def render_dialogue(
    template: str | None,
    variables: Mapping[str, str],
    path: Path,
    messages: Sequence[Message],
    tools: Sequence[Tool] = (),
    *,
    thinking: bool = True,
) -> list[str]:
    """Return markup and text by turns, markup first and last, up to the answer's open thought.

    If the template renders calls as Hermes does, which is the form that we generate, it also
    renders tools, calls and results. Else they are spelled out in the messages, in that form.

    Args:
        template: Jinja source; None takes ChatML.
        variables: the texts of bos_token and eos_token.
        path: of the model, for the error.
        messages: the dialogue so far; templates may leave out old thoughts.
        tools: the tools that the answer may call.
        thinking: True opens a thought if the template does not.

    Raises:
        BackendError: the template cannot be rendered, or does not show every message once.
    """
    source = template or CHATML
    spelled_out = tools and not _renders_hermes_calls(source, variables)
    build_fields = _hermes_fields if spelled_out else _native_fields
    try:
        parts = _render_parts(source, variables, build_fields, messages, tools)
    except _UnusableTemplateError as error:
        raise BackendError(f"the chat template of {path} {error}") from error
    if thinking and not parts[-1].rstrip().endswith(THINK_OPEN):
        parts[-1] += THOUGHT_START
    return parts


class _UnusableTemplateError(Exception):
    """A fault of a template; the message goes on after "the chat template"."""


class _Placeholders:
    """Texts, and the placeholders that stand for them while a template is rendered."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._optional: set[int] = set()

    def add(self, text: str, *, optional: bool = False) -> str:
        """Return a placeholder for a text. An empty text stands for itself."""
        if not text:
            return ""
        number = len(self._texts)
        self._texts.append(text)
        if optional:
            self._optional.add(number)
        return f'MEM-1f0c2a9e77-{number}-"'

    def replace_strings(self, value: Any) -> Any:  # Any: as JSON has it
        """Return a JSON value with placeholders instead of its strings."""
        match value:
            case str():
                return self.add(value)
            case Mapping():
                return {key: self.replace_strings(each) for key, each in value.items()}
            case list() | tuple():
                return [self.replace_strings(each) for each in value]
            case _:
                return value

    def split(self, rendered: str) -> list[str]:
        """Return markup and text by turns, markup first and last.

        Raises:
            _UnusableTemplateError: a text is missing, or stands there twice.
        """
        parts, done = [], 0
        shown: Counter[int] = Counter()
        for match in _PLACEHOLDER.finditer(rendered):
            number = int(match[1])
            if number >= len(self._texts):  # it is none of ours
                continue
            shown[number] += 1
            # A placeholder ends with a quote. Inside JSON one backslash precedes it, three in JSON
            # in JSON: the text is to be encoded as often.
            text = self._texts[number]
            for _ in range(len(match[2]).bit_length()):
                text = json.dumps(text, ensure_ascii=False)[1:-1]
            parts += [rendered[done : match.start()], text]
            done = match.end()
        for number in range(len(self._texts)):
            if shown[number] != 1 and (shown[number] or number not in self._optional):
                raise _UnusableTemplateError(f"shows a message {shown[number]} times, not once")
        return [*parts, rendered[done:]]


def _renders_hermes_calls(template: str, variables: Mapping[str, str]) -> bool:
    """Return whether a template renders tools, calls and results, and calls as Hermes does."""
    tool = Tool("search", "Searches.", {"type": "object", "properties": {}})
    messages = [
        Message("system", "Help."),
        Message("user", "Hello"),
        Message("assistant", "", call=ToolCall("search", {"query": "cats"})),
        Message("tool", "none"),
    ]
    call = '<tool_call>\n{"name": "search", "arguments": {"query": "cats"}}\n</tool_call>'
    try:
        return call in "".join(_render_parts(template, variables, _native_fields, messages, [tool]))
    except _UnusableTemplateError:
        return False


def _render_parts(
    template: str,
    variables: Mapping[str, str],
    build_fields: Callable[[_Placeholders, Sequence[Message], Sequence[Tool]], dict[str, Any]],
    messages: Sequence[Message],
    tools: Sequence[Tool],
) -> list[str]:
    placeholders = _Placeholders()
    fields = build_fields(placeholders, messages, tools)
    return placeholders.split(_render(template, {**variables, **fields}))


def _native_fields(
    placeholders: _Placeholders, messages: Sequence[Message], tools: Sequence[Tool]
) -> dict[str, Any]:
    """Return messages and tools in the fields that templates expect."""
    fields: dict[str, Any] = {"messages": []}
    for message in messages:
        field: dict[str, Any] = {"role": message.role, "content": placeholders.add(message.text)}
        if message.thought:
            field["reasoning_content"] = placeholders.add(
                message.thought.strip("\n"), optional=True
            )
        if message.call:
            field["tool_calls"] = [
                {"type": "function", "function": _call_fields(placeholders, message.call)}
            ]
        fields["messages"].append(field)
    if tools:
        fields["tools"] = list(_tool_fields(placeholders, tools))
    return fields


def _hermes_fields(
    placeholders: _Placeholders, messages: Sequence[Message], tools: Sequence[Tool]
) -> dict[str, Any]:
    """Return messages alone, with tools, calls and results spelled out in them."""
    lines = "\n".join(
        json.dumps(tool, ensure_ascii=False) for tool in _tool_fields(placeholders, tools)
    )
    described = TOOLS_PROMPT.format(lines)
    shown = [
        {"role": message.role, "content": _hermes_content(placeholders, message)}
        for message in messages
    ]
    if shown and shown[0]["role"] == "system":
        shown[0]["content"] += f"\n\n{described}"
    else:
        shown.insert(0, {"role": "system", "content": described})
    for field in shown:
        if field["role"] == "tool":
            field["role"] = "user"
    return {"messages": shown}


def _hermes_content(placeholders: _Placeholders, message: Message) -> str:
    text = placeholders.add(message.text)
    if message.role == "tool":
        return f"<tool_response>\n{text}\n</tool_response>"
    if message.thought:
        thought = placeholders.add(message.thought.strip("\n"), optional=True)
        text = f"{THOUGHT_START}{thought}\n{THINK_CLOSE}\n\n{text}"
    if message.call:
        call = json.dumps(_call_fields(placeholders, message.call), ensure_ascii=False)
        text += "\n" if message.text else ""
        text += f"<tool_call>\n{call}\n</tool_call>"
    return text


def _call_fields(placeholders: _Placeholders, call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": placeholders.replace_strings(call.arguments)}


def _tool_fields(placeholders: _Placeholders, tools: Iterable[Tool]) -> Iterable[dict[str, Any]]:
    for tool in tools:
        function = {
            "name": tool.name,
            "description": placeholders.add(tool.description),
            "parameters": tool.parameters,
        }
        yield {"type": "function", "function": function}


def _render(template: str, fields: Mapping[str, Any]) -> str:
    try:
        return render_bounded(template, fields)
    except TemplateFailedError as error:
        raise _UnusableTemplateError(str(error)) from error
