"""A dialogue in, a thought and one tool call out."""

from collections.abc import Iterator, Sequence
from typing import Any

from memcli.backends.server.calls import OPEN, NoCallError, checked_call, written_call
from memcli.backends.server.chat import UNKNOWN, ChatServer, wire
from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import RefusedError
from memcli.backends.server.reply import Reply, finished, forms, read_reply, with_closing
from memcli.backends.server.tokens import estimated
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Message, Sampling, Tool, ToolCall

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
    ) -> Iterator[str | ToolCall]:
        """Yield the thought in pieces as it is written, and last of all the one call.

        It is asked as it was taught, free to think and to call. Where no call that the tools allow
        comes of it, or the thought exceeds its budget, it is asked once more, and has to call.

        Raises:
            BackendError: the model failed, or made no call that obeys a tool's schema.
        """
        sent, offered = wire(messages), [_offered(tool) for tool in tools]
        reply = Reply()
        try:
            reply = yield from read_reply(
                self._chat.answer(
                    sent,
                    tokens=thought_tokens + call_tokens,
                    thinking=True,
                    extras={"tools": offered, "tool_choice": "auto"},
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
            if error.status not in UNKNOWN:
                raise
        yield self._forced(sent, offered, tools, reply.thought, call_tokens)

    def _forced(
        self,
        sent: list[dict[str, Any]],
        offered: list[dict[str, Any]],
        tools: Sequence[Tool],
        thought: str,
        call_tokens: int,
    ) -> ToolCall:
        """Ask for a call and nothing else, in every way that servers can be held to it."""
        messages = with_closing(sent, thought, _CLOSING)
        failed: Exception | None = None
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
                extras={"tools": offered, **way},
                stream=False,
            )
            try:
                return _call(finished(deltas, call_tokens, OPEN), tools)
            except (RefusedError, NoCallError) as error:
                failed = error
        if isinstance(failed, RefusedError):
            raise failed
        named = f"{self.name} at {self._chat.endpoint.url}"
        raise BackendError(f"{named} made no usable call: {failed}") from failed


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
        return checked_call(reply.called, reply.arguments, tools)
    # Without tags, as under the schema, all of it looks like thought.
    return checked_call(*written_call(reply.answer or reply.thought), tools)
