"""A dialogue in a model's own chat template, its markup kept apart from what people wrote.

Templates are programs. They are shown marks in place of texts, and the texts take the places of
the marks afterwards: no text can be mistaken for markup, trimmed, or change how the rest looks.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from memcli.errors import BackendError
from memcli.protocols import Message, Tool, ToolCall

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
OPEN = "<think>"
THOUGHT = f"{OPEN}\n"
TOOLS = """\
You have these tools, a line of JSON each:
<tools>
{}
</tools>

Call one of them and say nothing after the call. A call is JSON between two tags:
<tool_call>
{{"name": "the tool's name", "arguments": {{"its": "arguments"}}}}
</tool_call>"""

_MARK = re.compile(r'MEM-1f0c2a9e77-(\d{1,9})-(\\*)"')  # no template spells it


def dialogue(
    template: str | None,
    marks: Mapping[str, str],
    path: Path,
    messages: Sequence[Message],
    tools: Sequence[Tool] = (),
    *,
    thinking: bool = True,
) -> list[str]:
    """Return markup and text by turns, markup first and last, up to the answer's open thought.

    Tools, calls and results are shown as the template has it if its calls look like Hermes', which
    is how we have them written; else they are spelled out in the messages, in the form of Hermes.

    Args:
        template: Jinja source; None takes ChatML.
        marks: values of bos_token and eos_token.
        path: of the model, for the error.
        messages: what was said so far; templates may leave out old thoughts.
        tools: what the answer may call.
        thinking: whether to open a thought where the template does not.

    Raises:
        BackendError: the template cannot be rendered, or does not show every message once.
    """
    source = template or CHATML
    fields = _hermes if tools and not _calls_like_hermes(source, marks) else _native
    try:
        parts = _shown(source, marks, fields, messages, tools)
    except _UnfitError as error:
        raise BackendError(f"the chat template of {path} {error}") from error
    if thinking and not parts[-1].rstrip().endswith(OPEN):
        parts[-1] += THOUGHT
    return parts


class _UnfitError(Exception):
    """What a template does instead of showing a dialogue."""


class _Texts:
    """Texts and the marks that stand for them."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._optional: set[int] = set()

    def mark(self, text: str, *, optional: bool = False) -> str:
        """Return what stands for a text. An empty text stands for itself."""
        if not text:
            return ""
        number = len(self._texts)
        self._texts.append(text)
        if optional:
            self._optional.add(number)
        return f'MEM-1f0c2a9e77-{number}-"'

    def marked(self, value: Any) -> Any:  # Any: as JSON has it
        """Return a JSON value with marks in place of its strings."""
        match value:
            case str():
                return self.mark(value)
            case Mapping():
                return {key: self.marked(each) for key, each in value.items()}
            case list() | tuple():
                return [self.marked(each) for each in value]
            case _:
                return value

    def split(self, rendered: str) -> list[str]:
        """Return markup and text by turns, markup first and last."""
        parts, done = [], 0
        shown: Counter[int] = Counter()
        for match in _MARK.finditer(rendered):
            number = int(match[1])
            if number >= len(self._texts):  # none of ours
                continue
            shown[number] += 1
            # A mark ends with a quote. Inside JSON one backslash precedes it, three in JSON in
            # JSON: so often is the text to be encoded.
            text = self._texts[number]
            for _ in range(len(match[2]).bit_length()):
                text = json.dumps(text, ensure_ascii=False)[1:-1]
            parts += [rendered[done : match.start()], text]
            done = match.end()
        for number in range(len(self._texts)):
            if shown[number] != 1 and (shown[number] or number not in self._optional):
                raise _UnfitError(f"shows a message {shown[number]} times, not once")
        return [*parts, rendered[done:]]


def _calls_like_hermes(template: str, marks: Mapping[str, str]) -> bool:
    """Return whether a template shows tools, calls and results, and calls as Hermes does."""
    tool = Tool("search", "Searches.", {"type": "object", "properties": {}})
    messages = [
        Message("system", "Help."),
        Message("user", "Hello"),
        Message("assistant", "", call=ToolCall("search", {"query": "cats"})),
        Message("tool", "none"),
    ]
    call = '<tool_call>\n{"name": "search", "arguments": {"query": "cats"}}\n</tool_call>'
    try:
        return call in "".join(_shown(template, marks, _native, messages, [tool]))
    except _UnfitError:
        return False


def _shown(
    template: str,
    marks: Mapping[str, str],
    fields: Callable[[_Texts, Sequence[Message], Sequence[Tool]], dict[str, Any]],
    messages: Sequence[Message],
    tools: Sequence[Tool],
) -> list[str]:
    texts = _Texts()
    return texts.split(_rendered(template, {**marks, **fields(texts, messages, tools)}))


def _native(texts: _Texts, messages: Sequence[Message], tools: Sequence[Tool]) -> dict[str, Any]:
    """Return messages and tools as templates expect them."""
    fields: dict[str, Any] = {"messages": []}
    for message in messages:
        field: dict[str, Any] = {"role": message.role, "content": texts.mark(message.text)}
        if message.thought:
            field["reasoning_content"] = texts.mark(message.thought.strip("\n"), optional=True)
        if message.call:
            field["tool_calls"] = [{"type": "function", "function": _call(texts, message.call)}]
        fields["messages"].append(field)
    if tools:
        fields["tools"] = list(_described(texts, tools))
    return fields


def _hermes(texts: _Texts, messages: Sequence[Message], tools: Sequence[Tool]) -> dict[str, Any]:
    """Return messages alone, with the rest spelled out in them."""
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in _described(texts, tools))
    described = TOOLS.format(lines)
    shown = [{"role": message.role, "content": _content(texts, message)} for message in messages]
    if shown and shown[0]["role"] == "system":
        shown[0]["content"] += f"\n\n{described}"
    else:
        shown.insert(0, {"role": "system", "content": described})
    for field in shown:
        if field["role"] == "tool":
            field["role"] = "user"
    return {"messages": shown}


def _content(texts: _Texts, message: Message) -> str:
    text = texts.mark(message.text)
    if message.role == "tool":
        return f"<tool_response>\n{text}\n</tool_response>"
    if message.thought:
        thought = texts.mark(message.thought.strip("\n"), optional=True)
        text = f"{THOUGHT}{thought}\n</think>\n\n{text}"
    if message.call:
        call = json.dumps(_call(texts, message.call), ensure_ascii=False)
        text += "\n" if message.text else ""
        text += f"<tool_call>\n{call}\n</tool_call>"
    return text


def _call(texts: _Texts, call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": texts.marked(call.arguments)}


def _described(texts: _Texts, tools: Iterable[Tool]) -> Iterable[dict[str, Any]]:
    for tool in tools:
        function = {
            "name": tool.name,
            "description": texts.mark(tool.description),
            "parameters": tool.parameters,
        }
        yield {"type": "function", "function": function}


def _rendered(template: str, fields: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    try:
        return environment.from_string(template).render(
            add_generation_prompt=True,
            enable_thinking=True,
            raise_exception=refuse,
            strftime_now=lambda form: datetime.now().astimezone().strftime(form),
            **fields,
        )
    # A template is a program of a stranger: these are the ways in which one fails.
    except (
        *(TemplateError, TypeError, ValueError, LookupError, ArithmeticError),
        *(AttributeError, RecursionError, MemoryError),
    ) as error:
        raise _UnfitError(f"fails: {error}") from error


def _to_json(
    value: Any,  # Any: whatever a template has at hand
    indent: int | None = None,
    *,
    ensure_ascii: bool = False,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Encode as transformers does, whose templates these are; Jinja's own filter is for HTML."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
