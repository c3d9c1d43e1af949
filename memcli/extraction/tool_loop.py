"""MemReader's loop over one segment: think, call a tool, be answered, until it is settled.

A dialogue does not know who answers its questions: it is a generator that yields them. So dialogues
about several sessions can wait for a served model at once, while what they search and store is
searched and stored in one place.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from memcli.domain import Fact, MemoryType
from memcli.errors import ContextError, ReplyError
from memcli.extraction.tools import ADD, BUFFER, IGNORE, SEARCH
from memcli.prompts import CUT
from memcli.protocols import Message, Tool, ToolCall
from memcli.store import Outcome

STEPS = 6  # replies of the reader about one segment; with the last one it has to be settled

_COMPLAINT = "That was no call that can be made: {}. Call exactly one of the tools."
_ONE = "Only {} was called: call exactly one tool at a time."


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader is asked."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a reader answers."""

    thought: str
    call: ToolCall
    waited: float = 0.0  # seconds, until the first piece of the thought
    wrote: float = 0.0  # seconds, from there to the last
    pieces: int = 0  # of the thought, a token each, or nearly


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a segment."""

    outcome: Outcome
    reason: str
    facts: tuple[Fact, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()  # how it came about; Any: as JSON has it
    replies: tuple[Spoken, ...] = ()

    @property
    def searches(self) -> int:
        """How often it looked for what is known."""
        return sum(reply.call.name == SEARCH.name for reply in self.replies)


Dialogue = Generator[Question, Spoken, Decision]


def decide(
    messages: Sequence[Message], search: Callable[[str], str], *, seed: int, may_buffer: bool
) -> Dialogue:
    """Let a reader decide about a segment.

    Where its answer is not what was asked for, throw the `ReplyError` in: it is told what was wrong
    and asked once more; the second time the segment has failed. Where the dialogue exceeds the
    context, throw the `ContextError` in: what was searched is left out, and it has to decide.

    A reader that calls several tools at once is held to one: the first is called, and it is told
    so. If a memory was to be added beside, it gets to do so.

    Args:
        messages: from `tools.asked`.
        search: returns what is known, in words.
        seed: of every draw.
        may_buffer: whether the segment may wait for what follows.

    Raises:
        ContextError: there is nothing to leave out.
    """
    return _Deciding(list(messages), search).run(seed, may_buffer=may_buffer)


class _Deciding:
    def __init__(self, messages: list[Message], search: Callable[[str], str]) -> None:
        self._messages, self._search = messages, search
        self._facts: list[Fact] = []
        self._steps: list[dict[str, Any]] = []
        self._replies: list[Spoken] = []
        self._begun = len(messages)
        self._complained = self._crowded = False

    def run(self, seed: int, *, may_buffer: bool) -> Dialogue:
        while True:
            last = len(self._steps) >= STEPS - 1 or self._crowded
            settling = [ADD, BUFFER, IGNORE] if may_buffer and not self._facts else [ADD, IGNORE]
            tools = settling if last else [SEARCH, *settling]
            try:
                spoken = yield Question(tuple(self._messages), tuple(tools), seed)
            except ReplyError as error:
                if self._complained:
                    return self._end(Outcome.FAILED, str(error), {"error": str(error)})
                self._complain(error)
                continue
            except ContextError:
                if len(self._messages) == self._begun:
                    raise
                del self._messages[self._begun :]
                self._crowded = True
                continue
            self._replies.append(spoken)
            if decision := self._make(spoken):
                return decision

    def _make(self, spoken: Spoken) -> Decision | None:
        """Make a call; return what is decided with it, None where the dialogue goes on."""
        call = spoken.call
        step = {"thought": spoken.thought, "tool": call.name, "arguments": dict(call.arguments)}
        outcome, reason, result = Outcome.IGNORED, "", "Done."
        if call.name == SEARCH.name:
            result = self._search(call.arguments["query"])
        elif call.name == ADD.name:
            self._facts += facts(call)
            outcome, reason = Outcome.ADDED, storable(call.arguments["summary"])
        else:
            outcome = Outcome.BUFFERED if call.name == BUFFER.name else outcome
            reason = storable(call.arguments["reason"])
        if call.name != SEARCH.name and ADD.name not in call.others:
            return self._end(outcome, reason, step)
        if call.others:
            result = f"{result}\n{_ONE.format(call.name)}"
        self._steps.append({**step, "result": result})
        said = Message("assistant", "", spoken.thought, call)
        self._messages += [said, Message("tool", result)]
        if len(self._steps) < STEPS:
            return None
        return self._end(outcome, reason)

    def _complain(self, error: ReplyError) -> None:
        self._complained = True
        self._steps.append({"error": str(error)})
        said = Message("assistant", error.said or CUT)
        self._messages += [said, Message("user", _COMPLAINT.format(error))]

    def _end(self, outcome: Outcome, reason: str, *steps: dict[str, Any]) -> Decision:
        if self._facts:
            outcome = Outcome.ADDED
        elif outcome is Outcome.ADDED:
            outcome = Outcome.IGNORED
        steps = (*self._steps, *steps)
        return Decision(outcome, reason, tuple(self._facts), steps, tuple(self._replies))


def facts(call: ToolCall) -> list[Fact]:
    """Return what is to be added; memories without a key or a value say nothing."""
    found = [
        Fact(
            storable(each["key"]),
            MemoryType(each["memory_type"]),
            storable(each["value"]),
            tuple(tag for each in each["tags"] if (tag := storable(each))),
        )
        for each in call.arguments["memory_list"]
    ]
    return [fact for fact in found if fact.key and fact.value]


def storable(text: str) -> str:
    """Return a model's words without what no database holds."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()
