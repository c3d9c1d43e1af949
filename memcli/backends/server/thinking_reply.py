"""A whole reply of a model that thinks first, read up to a budget."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from memcli.backends.server.chat import Delta
from memcli.backends.server.thought_splitter import Split

_LETTERS = 6  # a piece of more of them is more than one token


@dataclass(slots=True)
class Reply:
    """What came, as far as it was waited for."""

    thought: str = ""
    answer: str = ""
    called: str = ""  # name of the tool; of several calls, the first one's
    arguments: str = ""  # JSON, if it is whole
    cut: bool = False  # by a budget, before the model was done
    others: list[str] = field(default_factory=list)  # the tools that were called after the first

    def add(self, call: Mapping[str, Any]) -> None:
        """Add a piece of a call as the API has it; of other calls only the tools are kept."""
        function = call.get("function")
        if not isinstance(function, dict):
            return
        name, arguments = function.get("name") or "", function.get("arguments") or ""
        # Some servers do not number their calls.
        if call.get("index") not in (0, None) or (name and self.arguments):
            self.others += [str(name)] if name else []
            return
        self.called = self.called or str(name)
        self.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)


def read_reply(
    deltas: Generator[Delta], *, thought_tokens: int, answer_tokens: int, begins: tuple[str, ...]
) -> Generator[str, None, Reply]:
    """Yield the thought in pieces; return the whole reply.

    Each piece counts as one token, a long one as more: servers do not say. A thought or an answer
    that exceeds its budget is left, and closing the connection tells the server to stop.

    Args:
        deltas: the reply as it comes.
        thought_tokens: of the thought, at most.
        answer_tokens: of text and calls, at most.
        begins: tags that an answer begins with.
    """
    split, reply, apart = Split(*begins), Reply(), False
    thought: list[str] = []
    left = {"thought": thought_tokens, "answer": answer_tokens}
    with closing(deltas):
        for delta in deltas:
            if delta.thought and not apart:
                split, apart = Split(closed=True), True  # the server tells them apart
            answering = split.closed
            piece = ("" if answering else delta.thought) + split.take(delta.text)
            if piece:
                thought.append(piece)
                yield piece
            for call in delta.calls:
                reply.add(call)
            left["answer" if answering or delta.calls else "thought"] -= _tokens(delta)
            reply.cut = delta.finish == "length" or min(left.values()) < 0
            if min(left.values()) < 0:
                break
    if rest := split.end():
        thought.append(rest)
        yield rest
    reply.thought, reply.answer = "".join(thought).strip(), split.answer
    return reply


def finished(deltas: Generator[Delta], tokens: int, begin: str) -> Reply:
    """Return a whole reply whose thought nobody listens to."""
    reply = read_reply(deltas, thought_tokens=tokens, answer_tokens=tokens, begins=(begin,))
    while True:
        try:
            next(reply)
        except StopIteration as end:
            found: Reply = end.value
            return found


def with_closing(
    messages: Sequence[Mapping[str, Any]], thought: str, closing: str
) -> list[Mapping[str, Any]]:
    """Return a dialogue that goes on with the thought so far and the order to end it.

    What was sent before comes first and unchanged, so a server need not read it again.
    """
    if thought:
        said = {"role": "assistant", "content": thought}
        return [*messages, said, {"role": "user", "content": closing}]
    *before, last = messages
    if last["role"] != "user":  # templates refuse two messages of one role in a row
        return [*messages, {"role": "user", "content": closing}]
    return [*before, {**last, "content": f"{last['content']}\n\n{closing}"}]


def forms(name: str, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ways of requests to hold an answer to a JSON Schema: OpenAI's, llama.cpp's."""
    return [
        {"type": "json_schema", "json_schema": {"name": name, "schema": schema}},
        {"type": "json_object", "schema": schema},
    ]


def _tokens(delta: Delta) -> int:
    """Return a guess at how many tokens a piece is."""
    letters = len(delta.thought) + len(delta.text)
    return -(-letters // _LETTERS) if letters > 2 * _LETTERS else 1
