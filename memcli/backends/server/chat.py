"""Chat completions: messages in; thought, text and calls out, piece by piece."""

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import EndpointClient, RefusedError
from memcli.backends.server.plain_text import break_special_tokens
from memcli.backends.server.response import STREAM_END, InvalidReplyError
from memcli.backends.server.server_state import RefusedFields
from memcli.backends.server.thought_splitter import ThoughtSplitter
from memcli.backends.server.token_estimate import estimate_tokens
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Message, Sampling, Thought

_PATH = "chat/completions"
_TOOL_CHOICE = re.compile(r"tool[\s_-]?(?:choice|call[\s_-]?parser)", re.IGNORECASE)
UNKNOWN_FIELD = (400, 422)  # statuses that servers answer to a field they do not know
# A prompt counts as cut if its estimate, which is rather too high, exceeds the tokens that were
# read by this factor, and has this many tokens.
_CUT_FACTOR, _MIN_CUT = 3, 2000


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply."""

    thought: str = ""  # if the server separates it from the text
    text: str = ""
    calls: tuple[Mapping[str, Any], ...] = ()  # pieces of tool calls in the API's form
    finish: str = ""  # the reason of the end, in the last piece
    prompt_tokens: int = 0  # that the server has read, if it counts them

    @property
    def has_content(self) -> bool:
        """True if it is more than a count of tokens."""
        return bool(self.thought or self.text or self.calls or self.finish)


_STREAM_END = Delta(finish="stop")


class EmptyStreamError(RefusedError):
    """An answer without any piece: some servers cannot stream what was requested."""


class ChatClient:
    """A client of a served chat model, with one way of sampling.

    Args:
        endpoint: the address.
        sampling: how replies are sampled.
        note: is called, before the first text leaves this machine, with its destination.
        refusals: the file that remembers which fields the server refused; None for this run.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        sampling: Sampling,
        note: NoteCallback = ignore,
        refusals: Path | None = None,
    ) -> None:
        self.endpoint, self.refused = endpoint, RefusedFields(refusals, endpoint)
        self._client, self._sampling, self._note = EndpointClient(endpoint, note), sampling, note

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def stream_reply(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tokens: int,
        thinking: bool | None = None,
        extras: Mapping[str, Any] | None = None,
        stream: bool = True,
    ) -> Generator[Delta]:
        """Yield the next message of a dialogue, piece by piece.

        Args:
            messages: the dialogue in the API's form.
            tokens: the most tokens of thought and answer together.
            thinking: True thinks, for templates that leave the choice; None leaves the default.
            extras: further fields of the request.
            stream: True asks for pieces; some servers make calls in one piece only.

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
            "seed": sampling.seed,
            **(extras or {}),
        }
        if sampling.top_p < 1:  # a limit that limits nothing is left to the server
            body.setdefault("top_p", sampling.top_p)
        foreign: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
        if sampling.top_k > 0:
            foreign["top_k"] = sampling.top_k
        if thinking is not None:
            foreign["chat_template_kwargs"] = {"enable_thinking": thinking}
        yield from self._without_refused_fields(body, foreign)

    def _without_refused_fields(
        self, body: Mapping[str, Any], foreign: Mapping[str, Any]
    ) -> Generator[Delta]:
        """Yield a reply to a request without the fields that the server refuses.

        Args:
            body: the fields that every server has to know.
            foreign: fields that some servers do not know, OpenAI's own API among them.
        """
        fields = {name: value for name, value in foreign.items() if name not in self.refused}
        dropped: list[str] = []
        while True:
            try:
                for delta in self._deltas({**body, **fields}):
                    self.refused.add(*dropped)
                    yield delta
                return
            except RefusedError as error:
                if not fields or error.status not in UNKNOWN_FIELD or concerns_tools(error):
                    raise
                # Servers that name the field get the others all the same.
                named = [name for name in fields if name in str(error)] or list(fields)
                dropped += named
                for name in named:
                    del fields[name]

    def _deltas(self, body: Mapping[str, Any]) -> Iterator[Delta]:
        url, begun, finished = self.endpoint.url, False, False
        for delta in self._client.stream(_PATH, body, _parse_delta):
            if delta is _STREAM_END:  # some servers give no other sign of the end
                finished = True
                continue
            begun, finished = True, finished or bool(delta.finish)
            if delta.prompt_tokens:
                self._note_cut_prompt(body, delta.prompt_tokens)
            if delta.has_content:
                yield delta
        if not begun:
            raise EmptyStreamError(f"{url} answers with an empty stream", UNKNOWN_FIELD[0])
        if not finished:
            raise BackendError(f"{url} broke off in the middle of an answer")

    def _note_cut_prompt(self, body: Mapping[str, Any], read: int) -> None:
        """Warn, once, that the server has read far less than it was sent: Ollama cuts prompts."""
        sent = sum(estimate_tokens(str(message.get("content"))) for message in body["messages"])
        if sent > _CUT_FACTOR * read and sent > _MIN_CUT:
            note, self._note = self._note, ignore
            note(
                f"{self.endpoint.url} read {read:,} tokens of a prompt of about {sent:,}: it may"
                " have cut it; let the server have a larger context (Ollama:"
                " `OLLAMA_CONTEXT_LENGTH=32768`), or set `context` of this server in config.toml"
            )


class ServerChat:
    """A served model that answers in words. Implements `protocols.Chat`.

    Args:
        endpoint: the address; nothing is sent to it before there is a dialogue.
        context: tokens that messages, thought and answer share, at most.
        sampling: how the answer is sampled.
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
        self.fingerprint = fingerprint("chat", endpoint.url, endpoint.model, sampling)
        self._chat = ChatClient(endpoint, sampling, note, refusals)

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of a text; rather too many than too few."""
        return estimate_tokens(text)

    def write(
        self, messages: Sequence[Message], *, thought_tokens: int, answer_tokens: int
    ) -> Iterator[Thought | str]:
        """Yield the thought, if it can be recognized, and then the answer, piece by piece.

        A thought inside the text is recognized by its opening tag. If a thought takes all the
        tokens, the model is asked again, to answer at once.

        Raises:
            BackendError: the model failed, or gave no answer.
        """
        dialogue = to_openai_messages(messages)
        budgets = [thought_tokens, 0] if thought_tokens else [0]
        for budget in budgets:
            answered = False
            for piece in self._pieces(dialogue, budget, budget + answer_tokens):
                answered = answered or isinstance(piece, str)
                yield piece
            if answered:
                return
        raise BackendError(f"{self.name} at {self._chat.endpoint.url} gave no answer")

    def _pieces(
        self, dialogue: Sequence[Mapping[str, Any]], thought_tokens: int, tokens: int
    ) -> Iterator[Thought | str]:
        splitter, shown = ThoughtSplitter(unopened_is_answer=True), 0
        deltas = self._chat.stream_reply(dialogue, tokens=tokens, thinking=thought_tokens > 0)
        for delta in deltas:
            thought = delta.thought + splitter.feed(delta.text)
            if thought:
                yield Thought(thought)
            if len(splitter.answer) > shown:
                yield splitter.answer[shown:]
                shown = len(splitter.answer)
        splitter.finish()
        if len(splitter.answer) > shown:
            yield splitter.answer[shown:]


def concerns_tools(error: RefusedError) -> bool:
    """Return whether a request was refused because of its tools, not because of other fields."""
    return bool(_TOOL_CHOICE.search(str(error)))


def to_openai_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages in the API's form; a tool's result answers the call before it.

    A thought is put inside the text, where templates of models that think look for it. Names of
    special tokens in texts and thoughts are broken up.
    """
    converted: list[dict[str, Any]] = []
    call_id = ""
    for number, message in enumerate(messages):
        thought, text = map(break_special_tokens, (message.thought, message.text))
        thought = f"<think>\n{thought}\n</think>\n\n" if thought else ""
        fields: dict[str, Any] = {"role": message.role, "content": thought + text}
        if message.call:
            call_id = f"call_{number}"
            arguments = json.dumps(message.call.arguments, ensure_ascii=False)
            arguments = break_special_tokens(arguments)
            function = {"name": message.call.name, "arguments": arguments}
            fields["tool_calls"] = [{"id": call_id, "type": "function", "function": function}]
        if message.role == "tool":
            fields["tool_call_id"] = call_id
        converted.append(fields)
    return converted


def _parse_delta(event: Any) -> Delta:
    """Return the piece of a reply that an event adds.

    Raises:
        InvalidReplyError: it is an error, or no event of this API.
    """
    if event is STREAM_END:
        return _STREAM_END
    found = event if isinstance(event, dict) else {}
    if error := found.get("error"):
        message = error.get("message") if isinstance(error, dict) else error
        raise InvalidReplyError(f"failed while it answered: {str(message)[:200]!r}")
    choices = found.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise InvalidReplyError("answers with an event that has no choices")
    counts = found.get("usage")
    read = counts.get("prompt_tokens") if isinstance(counts, dict) else 0
    read = read if isinstance(read, int) else 0
    if not choices:  # the event only counts tokens
        return Delta(prompt_tokens=read)
    choice = choices[0]
    piece = choice.get("delta") or choice.get("message") or {}
    if not isinstance(piece, dict):
        raise InvalidReplyError("answers with a choice that is not a message")
    calls = piece.get("tool_calls") or []
    return Delta(
        thought=_as_text(piece.get("reasoning_content") or piece.get("reasoning")),
        text=_as_text(piece.get("content")),
        calls=tuple(call for call in calls if isinstance(call, dict)) if calls else (),
        finish=str(choice.get("finish_reason") or ""),
        prompt_tokens=read,
    )


def _as_text(found: object) -> str:
    return found if isinstance(found, str) else ""
