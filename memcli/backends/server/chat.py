"""Chat completions: messages in; thought, text and calls out, piece by piece."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import RefusedError, Server
from memcli.backends.server.response import NonsenseError
from memcli.backends.server.thought_splitter import Split
from memcli.backends.server.token_estimate import estimated
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Message, Sampling, Thought

_PATH = "chat/completions"
UNKNOWN = (400, 422)  # what servers answer to a field they do not know


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer."""

    thought: str = ""  # where the server tells it from the text
    text: str = ""
    calls: tuple[Mapping[str, Any], ...] = ()  # pieces of tool calls, as the API has them
    finish: str = ""  # why it ends, in the last piece


class ChatServer:
    """A served chat model, sampled in one way."""

    def __init__(self, endpoint: Endpoint, sampling: Sampling, note: Note = unsaid) -> None:
        self.endpoint = endpoint
        self._server, self._sampling = Server(endpoint, note), sampling
        self._plain = False  # whether the server refuses what OpenAI's own API has not

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def answer(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tokens: int,
        thinking: bool | None = None,
        extras: Mapping[str, Any] | None = None,
        stream: bool = True,
    ) -> Generator[Delta]:
        """Yield the next message of a dialogue as it is written.

        Args:
            messages: as the API has them.
            tokens: most tokens of thought and answer together.
            thinking: whether to think, for templates that leave the choice; None says nothing.
            extras: further fields of the request.
            stream: whether somebody listens; some servers make calls in one piece only.

        Raises:
            RefusedError: the server refuses the request; before the first piece.
            BackendError: the server failed.
        """
        sampling = self._sampling
        body = {
            "model": self.endpoint.model,
            "messages": messages,
            "stream": stream,
            "max_tokens": tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            **(extras or {}),
        }
        more: dict[str, Any] = {"top_k": sampling.top_k}
        if thinking is not None:
            more["chat_template_kwargs"] = {"enable_thinking": thinking}
        if self._plain:
            yield from self._deltas(body)
            return
        try:
            yield from self._deltas({**body, **more})
        except RefusedError as error:
            if error.status not in UNKNOWN:
                raise
            for delta in self._deltas(body):
                self._plain = True
                yield delta

    def _deltas(self, body: Mapping[str, Any]) -> Iterator[Delta]:
        url, begun, finished = self.endpoint.url, False, False
        for delta in self._server.stream(_PATH, body, _delta):
            begun, finished = True, finished or bool(delta.finish)
            if delta != Delta():
                yield delta
        if not begun:
            raise RefusedError(f"{url} answers with a stream of nothing", UNKNOWN[0])
        if not finished:
            raise BackendError(f"{url} broke off in the middle of an answer")


class ServerChat:
    """A served model that answers in words. Implements `protocols.Chat`."""

    def __init__(self, endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note) -> None:
        self.name, self.context = endpoint.model, context
        self.fingerprint = fingerprint("chat", endpoint.url, endpoint.model, sampling)
        self._chat = ChatServer(endpoint, sampling, note)

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return about how many tokens a text takes; rather too many than too few."""
        return estimated(text)

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought, as far as it can be told, and then the answer, as they are written.

        A thought inside the text is recognised by the tag that opens it. Where one takes all the
        tokens there are, the model is asked again, to answer at once.

        Raises:
            BackendError: the model failed, or gave no answer.
        """
        sent = wire(messages)
        tries = [thought_tokens, 0] if thought_tokens else [0]
        for thinking in tries:
            answered = False
            for piece in self._pieces(sent, thinking, thinking + answer_tokens):
                answered = answered or isinstance(piece, str)
                yield piece
            if answered:
                return
        raise BackendError(f"{self.name} at {self._chat.endpoint.url} gave no answer")

    def _pieces(
        self, sent: Sequence[Mapping[str, Any]], thinking: int, tokens: int
    ) -> Iterator[Thought | str]:
        split, shown = Split(closed=True), 0
        for delta in self._chat.answer(sent, tokens=tokens, thinking=thinking > 0):
            thought = delta.thought + split.take(delta.text)
            if thought:
                yield Thought(thought)
            if len(split.answer) > shown:
                yield split.answer[shown:]
                shown = len(split.answer)
        split.end()
        if len(split.answer) > shown:
            yield split.answer[shown:]


def open_chat(
    endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note = unsaid
) -> ServerChat:
    """Return what talks to a served model; nothing is sent before it has something to say.

    Args:
        endpoint: where it is.
        context: tokens that messages, thought and answer share, at most.
        sampling: how the answer is drawn.
        note: told, before the first text leaves this machine, where it goes.
    """
    return ServerChat(endpoint, context=context, sampling=sampling, note=note)


def wire(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as the API has them; a tool's result answers the call before it.

    A thought goes along inside the text, where templates of models that think look for it.
    """
    sent: list[dict[str, Any]] = []
    call = ""
    for number, message in enumerate(messages):
        thought = f"<think>\n{message.thought}\n</think>\n\n" if message.thought else ""
        one: dict[str, Any] = {"role": message.role, "content": thought + message.text}
        if message.call:
            call = f"call_{number}"
            arguments = json.dumps(message.call.arguments, ensure_ascii=False)
            function = {"name": message.call.name, "arguments": arguments}
            one["tool_calls"] = [{"id": call, "type": "function", "function": function}]
        if message.role == "tool":
            one["tool_call_id"] = call
        sent.append(one)
    return sent


def _delta(event: Any) -> Delta:
    """Return what an event adds to the answer.

    Raises:
        NonsenseError: it is an error, or no event of this API.
    """
    found = event if isinstance(event, dict) else {}
    if error := found.get("error"):
        told = error.get("message") if isinstance(error, dict) else error
        raise NonsenseError(f"failed while it answered: {str(told)[:200]!r}")
    choices = found.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise NonsenseError("answers with an event that has no choices")
    if not choices:
        return Delta()  # counts of tokens
    choice = choices[0]
    said = choice.get("delta") or choice.get("message") or {}
    if not isinstance(said, dict):
        raise NonsenseError("answers with a choice that is no message")
    calls = said.get("tool_calls") or []
    return Delta(
        thought=_text(said.get("reasoning_content") or said.get("reasoning")),
        text=_text(said.get("content")),
        calls=tuple(call for call in calls if isinstance(call, dict)) if calls else (),
        finish=str(choice.get("finish_reason") or ""),
    )


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""
