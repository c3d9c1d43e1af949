"""A thought and one tool call from an endpoint."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.server.chat import (
    UNKNOWN_FIELD,
    ChatClient,
    EmptyStreamError,
    to_openai_messages,
)
from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import RefusedError
from memcli.backends.server.thinking_reply import (
    ThinkingReply,
    collect_reply,
    describe_field,
    response_format_variants,
    stream_reply,
    with_forced_close,
)
from memcli.backends.server.token_estimate import estimate_tokens
from memcli.backends.server.tool_calls import (
    TOOL_CALL_OPEN,
    InvalidCallError,
    other_called_tools,
    parse_written_call,
    validate_call,
)
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import BackendError, ContextError, ReplyError
from memcli.lazy_dataclasses import replace
from memcli.protocols import Message, Sampling, Tool, ToolCall

# vLLM, SGLang, llama-server and llama-cpp-python's server answer this if the context is exceeded.
_CONTEXT_EXCEEDED = re.compile(r"context (?:length|size|window)", re.IGNORECASE)
_NO_TOOLS = re.compile(r"does not support tools", re.IGNORECASE)  # Ollama
_NO_TOOLS_HINT = (
    "the server's chat template for this model knows no tools: in Ollama's Modelfile, `TEMPLATE`"
    " has to have `.Tools`"
)
_CHOICES = ("required", "auto", "none")  # values of `tool_choice`, as trained first
_MUTE = "thought under tool_choice=required"
_ORDER = "Stop thinking. Decide now: call exactly one of the tools."


class ServerReader:
    """A served model that thinks before it calls a tool. Implements `protocols.Reader`.

    Args:
        endpoint: the address; nothing is sent to it before there is a dialogue to read.
        context: tokens that messages, thought and call share, at most.
        sampling: how thought and call are sampled.
        note: is called, before the first text leaves this machine, with its destination.
        refusals: the file that remembers which fields the server refused; None for this run.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        context: int,
        sampling: Sampling,
        note: NoteCallback = ignore,
        refusals: Path | None = None,
    ) -> None:
        self.name, self.context = endpoint.model, context
        self.fingerprint = fingerprint("read", endpoint.url, endpoint.model, sampling)
        self._chat = ChatClient(endpoint, sampling, note, refusals)
        self._seed, self._note = sampling.seed, note

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of a text; rather too many than too few."""
        return estimate_tokens(text)

    def call(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        thought_tokens: int,
        call_tokens: int,
        seed: int = 0,
    ) -> Iterator[str | ToolCall]:
        """Yield the thought in pieces as it comes, and finally the one call.

        The first request is the one of the model's training, free to think and bound to call. A
        `tool_choice` that the server refuses is not sent again, and neither is one under which the
        model cannot think. If a reply has no call that the tools allow, or the thought exceeds its
        budget, another request forces a call.

        Raises:
            ContextError: everything together exceeds the server's context.
            ReplyError: the model made no call that obeys a tool's schema.
            BackendError: the model failed.
        """
        extras = {"tools": [_tool_fields(tool) for tool in tools], "seed": self._seed + seed}
        dialogue, reply = to_openai_messages(messages), ThinkingReply()
        refused: list[str] = []
        for choice in self._free_choices():
            try:
                reply = yield from stream_reply(
                    self._chat.stream_reply(
                        dialogue,
                        tokens=thought_tokens + call_tokens,
                        thinking=True,
                        extras={**extras, "tool_choice": choice},
                    ),
                    thought_tokens=thought_tokens,
                    answer_tokens=call_tokens,
                    answer_tags=(TOOL_CALL_OPEN,),
                )
            except EmptyStreamError:  # some servers make calls in one piece only
                break
            except RefusedError as error:
                if _CONTEXT_EXCEEDED.search(str(error)):
                    raise ContextError(str(error)) from error
                if _NO_TOOLS.search(str(error)):
                    raise BackendError(str(error), hint=_NO_TOOLS_HINT) from error
                if error.status not in UNKNOWN_FIELD:
                    raise
                refused.append(f"tool_choice={choice}")
                self._note_parser(error)
                continue
            if choice == "required" and thought_tokens and not reply.thought:
                refused.append(_MUTE)
            self._chat.refused.add(*refused)
            try:
                yield _parse_call(reply, tools)
                return
            except InvalidCallError:
                break
        yield self._force_call(dialogue, extras, tools, reply.thought, call_tokens)

    def _free_choices(self) -> list[str]:
        """Return the values of `tool_choice` that leave the model free to think, in order."""
        known = self._chat.refused
        return [
            one
            for one in _CHOICES
            if f"tool_choice={one}" not in known and not (one == "required" and _MUTE in known)
        ]

    def _note_parser(self, error: RefusedError) -> None:
        """Name the missing setting, if a `tool_choice` was refused for it."""
        if "parser" in str(error):
            self._note(
                f"{self._chat.endpoint.url} has no parser for tool calls, so that memcli reads"
                " them: start vLLM with `--enable-auto-tool-choice --tool-call-parser hermes`"
            )

    def _force_call(
        self,
        dialogue: list[dict[str, Any]],
        extras: dict[str, Any],
        tools: Sequence[Tool],
        thought: str,
        call_tokens: int,
    ) -> ToolCall:
        """Request a call and nothing else, in every way that servers may understand."""
        messages = with_forced_close(dialogue, thought, _ORDER)
        failure: Exception | None = None
        text, refused = "", list[str]()
        schema = _call_schema(tools)
        variants: list[dict[str, Any]] = [
            {"tool_choice": "required"},
            *(
                {"tool_choice": "none", "response_format": response_format}
                for response_format in response_format_variants("call", schema)
            ),
            {"tool_choice": "auto"},
        ]
        for variant in variants:
            field, choice = describe_field(variant), f"tool_choice={variant['tool_choice']}"
            if field in self._chat.refused or choice in self._chat.refused:
                continue
            deltas = self._chat.stream_reply(
                messages,
                tokens=call_tokens,
                thinking=False,
                extras={**extras, **variant},
                stream=False,
            )
            try:
                reply = collect_reply(deltas, tokens=call_tokens, answer_tag=TOOL_CALL_OPEN)
                text = _reply_text(reply) or text
                call = _parse_call(reply, tools)
                self._chat.refused.add(*refused)
                return call
            except (RefusedError, InvalidCallError) as error:
                failure = error
                if isinstance(error, RefusedError) and error.status in UNKNOWN_FIELD:
                    refused.append(field)
        if isinstance(failure, RefusedError):
            raise failure
        name = f"{self.name} at {self._chat.endpoint.url}"
        raise ReplyError(f"{name} made no usable call: {failure}", reply_text=text) from failure


def _tool_fields(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _call_schema(tools: Sequence[Tool]) -> dict[str, Any]:
    """Return the schema of a call to any of the tools."""
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": tool.parameters},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return {"anyOf": calls}


def _parse_call(reply: ThinkingReply, tools: Sequence[Tool]) -> ToolCall:
    """Return the call of a reply, from the field or the text that has it.

    Raises:
        InvalidCallError: there is none that the tools allow.
    """
    if reply.tool:
        call = validate_call(reply.tool, reply.arguments, tools)
        return replace(call, ignored_calls=tuple(reply.other_tools))
    # Without tags, as under the schema, the whole text looks like a thought.
    text = reply.answer or reply.thought
    call = validate_call(*parse_written_call(text), tools)
    return replace(call, ignored_calls=other_called_tools(text))


def _reply_text(reply: ThinkingReply) -> str:
    """Return a reply as the model might have written it."""
    return f"{reply.tool} {reply.arguments}" if reply.tool else reply.answer or reply.thought
