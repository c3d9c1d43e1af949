"""MemReader's loop over one segment: it thinks and calls tools until the segment is settled.

The loop does not know the reader that answers it: it is a generator that yields requests and
receives replies. So the loops of several sessions can wait for a served model at once, while all
searching and storing happens in one thread.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from memcli.domain import Fact, MemoryType
from memcli.errors import ContextError, ReplyError
from memcli.extraction.tools import ADD, BUFFER, IGNORE, SEARCH
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import CUT
from memcli.protocols import Message, Tool, ToolCall
from memcli.store import ReadingOutcome

MOST_REPLIES = 6  # of the reader about one segment; the last one has to settle it

# These two are messages to the model.
_COMPLAINT = "That was no call that can be made: {}. Call exactly one of the tools."
_ONE_CALL = "Only {} was called: call exactly one tool at a time."


@dataclass(frozen=True, slots=True)
class ReaderRequest:
    """The messages and tools that a reader is to answer."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class ReaderReply:
    """The thought and the call of a reader, and the time they took."""

    thought: str
    call: ToolCall
    reading_seconds: float = 0.0  # until the first piece of the thought
    writing_seconds: float = 0.0  # from there to the last piece
    pieces: int = 0  # of the thought; a piece is about a token


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a segment."""

    outcome: ReadingOutcome
    reason: str
    facts: tuple[Fact, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()  # the trace of it; Any: JSON
    replies: tuple[ReaderReply, ...] = ()

    @property
    def searches(self) -> int:
        """The number of searches for known memories."""
        return sum(reply.call.name == SEARCH.name for reply in self.replies)


ToolLoop = Generator[ReaderRequest, ReaderReply, Decision]


def run_tool_loop(
    messages: Sequence[Message], search: Callable[[str], str], *, seed: int, may_buffer: bool
) -> ToolLoop:
    """Let a reader decide about a segment.

    If a reply is not what was asked for, throw the `ReplyError` in: the reader is told what was
    wrong and asked once more; the second time the segment has failed. If the messages exceed the
    context, throw the `ContextError` in: the results of searches are left out, and the reader has
    to decide.

    A reader that calls several tools at once is held to one: only the first call is made, and the
    reader is told so. If another call was to add memories, the reader gets to make it.

    Args:
        messages: from `tools.initial_messages`.
        search: returns what is known about a query, in words.
        seed: of all sampling.
        may_buffer: whether the segment may wait for what follows.

    Raises:
        ContextError: there is nothing to leave out.
    """
    return _Loop(list(messages), search).run(seed, may_buffer=may_buffer)


class _Loop:
    """The state of the loop over one segment."""

    def __init__(self, messages: list[Message], search: Callable[[str], str]) -> None:
        self._messages, self._search = messages, search
        self._facts: list[Fact] = []
        self._steps: list[dict[str, Any]] = []
        self._replies: list[ReaderReply] = []
        self._initial = len(messages)
        self._has_complained = self._must_settle = False

    def run(self, seed: int, *, may_buffer: bool) -> ToolLoop:
        while True:
            last = len(self._steps) >= MOST_REPLIES - 1 or self._must_settle
            settling = [ADD, BUFFER, IGNORE] if may_buffer and not self._facts else [ADD, IGNORE]
            tools = settling if last else [SEARCH, *settling]
            try:
                reply = yield ReaderRequest(tuple(self._messages), tuple(tools), seed)
            except ReplyError as error:
                if self._has_complained:
                    return self._end(ReadingOutcome.FAILED, str(error), {"error": str(error)})
                self._complain(error)
                continue
            except ContextError:
                if len(self._messages) == self._initial:
                    raise
                del self._messages[self._initial :]
                self._must_settle = True
                continue
            self._replies.append(reply)
            if decision := self._call(reply):
                return decision

    def _call(self, reply: ReaderReply) -> Decision | None:
        """Make the call of a reply; return the decision, None if the loop goes on."""
        call = reply.call
        step = {"thought": reply.thought, "tool": call.name, "arguments": dict(call.arguments)}
        outcome, reason, result = ReadingOutcome.IGNORED, "", "Done."
        if call.name == SEARCH.name:
            result = self._search(call.arguments["query"])
        elif call.name == ADD.name:
            self._facts += parse_facts(call)
            outcome, reason = ReadingOutcome.ADDED, storable_text(call.arguments["summary"])
        else:
            outcome = ReadingOutcome.BUFFERED if call.name == BUFFER.name else outcome
            reason = storable_text(call.arguments["reason"])
        if call.name != SEARCH.name and ADD.name not in call.ignored_calls:
            return self._end(outcome, reason, step)
        if call.ignored_calls:
            result = f"{result}\n{_ONE_CALL.format(call.name)}"
        self._steps.append({**step, "result": result})
        answer = Message("assistant", "", reply.thought, call)
        self._messages += [answer, Message("tool", result)]
        if len(self._steps) < MOST_REPLIES:
            return None
        return self._end(outcome, reason)

    def _complain(self, error: ReplyError) -> None:
        self._has_complained = True
        self._steps.append({"error": str(error)})
        answer = Message("assistant", error.reply_text or CUT)
        self._messages += [answer, Message("user", _COMPLAINT.format(error))]

    def _end(self, outcome: ReadingOutcome, reason: str, *steps: dict[str, Any]) -> Decision:
        if self._facts:
            outcome = ReadingOutcome.ADDED
        elif outcome is ReadingOutcome.ADDED:
            outcome = ReadingOutcome.IGNORED
        return Decision(
            outcome,
            reason,
            facts=tuple(self._facts),
            steps=(*self._steps, *steps),
            replies=tuple(self._replies),
        )


def parse_facts(call: ToolCall) -> list[Fact]:
    """Return the facts of an `add_memory` call; those without a key or a value are left out."""
    facts = [
        Fact(
            storable_text(each["key"]),
            MemoryType(each["memory_type"]),
            storable_text(each["value"]),
            tuple(tag for each in each["tags"] if (tag := storable_text(each))),
        )
        for each in call.arguments["memory_list"]
    ]
    return [fact for fact in facts if fact.key and fact.value]


def storable_text(text: str) -> str:
    """Return a model's text without characters that no database holds."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()
