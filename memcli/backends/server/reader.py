"""A dialogue in, a thought and one tool call out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from memcli.backends.server.chat import UNKNOWN, ChatServer, wire
from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import RefusedError
from memcli.backends.server.thinking_reply import Reply, finished, forms, read_reply, with_closing
from memcli.backends.server.token_estimate import estimated
from memcli.backends.server.tool_calls import (
    OPEN,
    NoCallError,
    checked_call,
    further_calls,
    written_call,
)
from memcli.domain import fingerprint
from memcli.errors import ContextError, ReplyError
from memcli.protocols import Message, Sampling, Tool, ToolCall

# How vLLM, SGLang, llama-server and llama-cpp-python's server say that it was too much.
_TOO_MUCH = re.compile(r"context (?:length|size|window)", re.IGNORECASE)
_CLOSING = "Stop thinking. Decide now: call exactly one of the tools."


def open_reader(
    endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note = unsaid
) -> "ServerReader":
    """Return the reader at an endpoint; nothing is sent before it has something to read.

    Args:
        endpoint: where it is.
        context: tokens that messages, thought and call share, at most.
        sampling: how thought and call are drawn.
        note: told, before the first text leaves this machine, where it goes.
    """
    return ServerReader(endpoint, context=context, sampling=sampling, note=note)


class ServerReader:
    """A served model that thinks before it calls a tool. Implements `protocols.Reader`."""

    def __init__(self, endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note) -> None:
        self.name, self.context = endpoint.model, context
        self.fingerprint = fingerprint("read", endpoint.url, endpoint.model, sampling)
        self._chat = ChatServer(endpoint, sampling, note)
        self._seed = sampling.seed

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return about how many tokens a text takes; rather too many than too few."""
        return estimated(text)

    def call(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        *,
        thought_tokens: int,
        call_tokens: int,
        seed: int = 0,
    ) -> Iterator[str | ToolCall]:
        """Yield the thought in pieces as it is written, and last of all the one call.

        It is asked as it was taught, free to think and to call. Where no call that the tools allow
        comes of it, or the thought exceeds its budget, it is asked once more, and has to call.

        Raises:
            ContextError: everything together exceeds what the server allows.
            ReplyError: the model made no call that obeys a tool's schema.
            BackendError: the model failed.
        """
        extras = {"tools": [_offered(tool) for tool in tools], "seed": self._seed + seed}
        sent, reply = wire(messages), Reply()
        try:
            reply = yield from read_reply(
                self._chat.answer(
                    sent,
                    tokens=thought_tokens + call_tokens,
                    thinking=True,
                    extras={**extras, "tool_choice": "auto"},
                ),
                thought_tokens=thought_tokens,
                answer_tokens=call_tokens,
                begins=(OPEN,),
            )
            yield _call(reply, tools)
            return
        except NoCallError:
            pass
        except RefusedError as error:  # some servers can only be told to call
            if _TOO_MUCH.search(str(error)):
                raise ContextError(str(error)) from error
            if error.status not in UNKNOWN:
                raise
        yield self._forced(sent, extras, tools, reply.thought, call_tokens)

    def _forced(
        self,
        sent: list[dict[str, Any]],
        extras: dict[str, Any],
        tools: Sequence[Tool],
        thought: str,
        call_tokens: int,
    ) -> ToolCall:
        """Ask for a call and nothing else, in every way that servers can be held to it."""
        messages = with_closing(sent, thought, _CLOSING)
        failed: Exception | None = None
        said = ""
        ways: list[dict[str, Any]] = [
            {"tool_choice": "required"},
            *({"tool_choice": "none", "response_format": f} for f in forms("call", _schema(tools))),
            {"tool_choice": "auto"},
        ]
        for way in ways:
            deltas = self._chat.answer(
                messages,
                tokens=call_tokens,
                thinking=False,
                extras={**extras, **way},
                stream=False,
            )
            try:
                reply = finished(deltas, call_tokens, OPEN)
                said = _said(reply) or said
                return _call(reply, tools)
            except (RefusedError, NoCallError) as error:
                failed = error
        if isinstance(failed, RefusedError):
            raise failed
        named = f"{self.name} at {self._chat.endpoint.url}"
        raise ReplyError(f"{named} made no usable call: {failed}", said=said) from failed


def _offered(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _schema(tools: Sequence[Tool]) -> dict[str, Any]:
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


def _call(reply: Reply, tools: Sequence[Tool]) -> ToolCall:
    """Return the call of a reply, wherever the server put it.

    Raises:
        NoCallError: there is none that the tools allow.
    """
    if reply.called:
        call = checked_call(reply.called, reply.arguments, tools)
        return replace(call, others=tuple(reply.others))
    # Without tags, as under the schema, all of it looks like thought.
    text = reply.answer or reply.thought
    call = checked_call(*written_call(text), tools)
    return replace(call, others=further_calls(text))


def _said(reply: Reply) -> str:
    """Return a reply as the model might have written it."""
    return f"{reply.called} {reply.arguments}" if reply.called else reply.answer or reply.thought
