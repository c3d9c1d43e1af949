"""A whole reply of a model that thinks first, read up to a budget."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from memcli.backends.server.chat import Delta
from memcli.backends.server.plain_text import break_special_tokens
from memcli.backends.server.thought_splitter import ThoughtSplitter
from memcli.lazy_dataclasses import dataclass, field

_CHARACTERS_PER_TOKEN = 6  # a piece with more of them is more than one token


@dataclass(slots=True)
class ThinkingReply:
    """The parts of a reply, as far as it was read."""

    thought: str = ""
    answer: str = ""
    tool: str = ""  # the name of the called tool; of several calls, the first one's
    arguments: str = ""  # JSON, if it is whole
    is_cut: bool = False  # by a budget, before the model was done
    other_tools: list[str] = field(default_factory=list)  # the tools called after the first

    def add_call(self, call: Mapping[str, Any]) -> None:
        """Add a piece of a call from the API; of other calls only the tools are kept."""
        function = call.get("function")
        if not isinstance(function, dict):
            return
        name, arguments = function.get("name") or "", function.get("arguments") or ""
        # Some servers do not number their calls.
        if call.get("index") not in (0, None) or (name and self.arguments):
            if name:
                self.other_tools.append(str(name))
            return
        self.tool = self.tool or str(name)
        self.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)


def stream_reply(
    deltas: Generator[Delta],
    *,
    thought_tokens: int,
    answer_tokens: int,
    answer_tags: tuple[str, ...],
) -> Generator[str, None, ThinkingReply]:
    """Yield the thought in pieces; return the whole reply.

    Each piece counts as one token, a long one as more: servers do not tell. A thought or a reply
    that exceeds its budget is left, and closing the connection tells the server to stop.

    Args:
        deltas: the pieces of the reply.
        thought_tokens: the budget of the thought.
        answer_tokens: the budget of text and calls, besides what the thought left.
        answer_tags: tags that an answer begins with.
    """
    splitter, reply, separate = ThoughtSplitter(*answer_tags), ThinkingReply(), False
    thought: list[str] = []
    budget = {"thought": thought_tokens, "reply": thought_tokens + answer_tokens}
    with closing(deltas):
        for delta in deltas:
            if delta.thought and not separate:  # the server separates thought and answer
                splitter, separate = ThoughtSplitter(unopened_is_answer=True), True
            in_answer = splitter.in_answer
            piece = ("" if in_answer else delta.thought) + splitter.feed(delta.text)
            if piece:
                thought.append(piece)
                yield piece
            for call in delta.calls:
                reply.add_call(call)
            tokens = _count_tokens(delta)
            budget["reply"] -= tokens
            budget["thought"] -= 0 if in_answer or delta.calls else tokens
            exceeded = min(budget.values()) < 0
            reply.is_cut = delta.finish == "length" or exceeded
            if exceeded:
                break
    if rest := splitter.finish():
        thought.append(rest)
        yield rest
    reply.thought, reply.answer = "".join(thought).strip(), splitter.answer
    return reply


def collect_reply(deltas: Generator[Delta], *, tokens: int, answer_tag: str) -> ThinkingReply:
    """Return a whole reply without streaming its thought."""
    reply = stream_reply(
        deltas, thought_tokens=tokens, answer_tokens=tokens, answer_tags=(answer_tag,)
    )
    while True:
        try:
            next(reply)
        except StopIteration as end:
            found: ThinkingReply = end.value
            return found


def with_forced_close(
    messages: Sequence[Mapping[str, Any]], thought: str, order: str
) -> list[Mapping[str, Any]]:
    """Return a dialogue that continues with the thought so far and the order to end it.

    The old messages come first and unchanged, so a server need not read them again.
    """
    if thought:
        assistant = {"role": "assistant", "content": break_special_tokens(thought)}
        return [*messages, assistant, {"role": "user", "content": order}]
    *before, last = messages
    if last["role"] != "user":  # templates refuse two messages of one role in a row
        return [*messages, {"role": "user", "content": order}]
    return [*before, {**last, "content": f"{last['content']}\n\n{order}"}]


def response_format_variants(name: str, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ways to request an answer under a JSON Schema: OpenAI's, and llama.cpp's."""
    return [
        {"type": "json_schema", "json_schema": {"name": name, "schema": schema}},
        {"type": "json_object", "schema": schema},
    ]


def describe_field(extras: Mapping[str, Any]) -> str:
    """Return a name for the field that distinguishes a request; "" for a request without one."""
    if response_format := extras.get("response_format"):
        return f"response_format={response_format['type']}"
    choice = extras.get("tool_choice")
    return f"tool_choice={choice}" if choice else next(iter(extras), "")


def _count_tokens(delta: Delta) -> int:
    """Return an estimate of the number of tokens of a piece."""
    characters = len(delta.thought) + len(delta.text)
    if characters <= 2 * _CHARACTERS_PER_TOKEN:
        return 1
    return -(-characters // _CHARACTERS_PER_TOKEN)
