"""Runs the loops of sessions with one reader: one after the other, or several at once."""

from collections.abc import Generator, Iterator
from queue import Queue
from threading import Thread
from time import monotonic

from memcli.errors import ContextError, ReplyError
from memcli.extraction.tool_loop import ReaderReply, ReaderRequest
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Reader, ToolCall

# Of a reply: MemReader's authors let it write 1,024 tokens, thought and call together. What the
# thought leaves belongs to the call.
THOUGHT_TOKENS, CALL_TOKENS = 768, 256

SessionTask = Generator[ReaderRequest, ReaderReply, None]  # reads one session to its end
_FOR_THE_TASK = (ContextError, ReplyError)  # errors that the task knows how to handle


@dataclass(frozen=True, slots=True)
class ReplyBudget:
    """The tokens that a reader may write in one reply."""

    thought: int
    call: int


def ask_reader(reader: Reader, request: ReaderRequest, budget: ReplyBudget) -> ReaderReply:
    """Let a reader think about a request and call a tool.

    Raises:
        BackendError: see `Reader.call`.
    """
    began = first = last = monotonic()
    pieces: list[str] = []
    for piece in reader.call(
        request.messages,
        request.tools,
        thought_tokens=budget.thought,
        call_tokens=budget.call,
        seed=request.seed,
    ):
        if isinstance(piece, ToolCall):
            return ReaderReply(
                thought="".join(pieces).strip(),
                call=piece,
                reading_seconds=first - began,
                writing_seconds=last - first,
                pieces=len(pieces),
            )
        last = monotonic()
        first = last if not pieces else first
        pieces.append(piece)
    raise ReplyError(f"{reader.name} ended without a call")


def run_in_turn(tasks: Iterator[SessionTask], reader: Reader, budget: ReplyBudget) -> None:
    """Run tasks one after the other.

    Raises:
        MemError: a task, or the reader, failed.
    """
    for task in tasks:
        request = _start(task)
        while request:
            request = _resume(task, _try_reader(reader, request, budget))


def run_concurrently(
    tasks: Iterator[SessionTask], reader: Reader, budget: ReplyBudget, jobs: int
) -> None:
    """Run tasks, so many at a time, each in its order, and all of them in this thread.

    Only the reader works in other threads. These end with the process: nothing waits for a server
    that is still thinking when something fails or the person interrupts.

    Raises:
        MemError: a task, or the reader, failed.
    """
    replies: Queue[tuple[SessionTask, ReaderReply | BaseException]] = Queue()

    def work(task: SessionTask, request: ReaderRequest) -> None:
        try:
            replies.put((task, _try_reader(reader, request, budget)))
        except BaseException as error:  # any error belongs to the thread that waits for the reply
            replies.put((task, error))

    def submit(task: SessionTask, request: ReaderRequest | None) -> int:
        if request:
            Thread(target=work, args=(task, request), daemon=True).start()
        return 1 if request else 0

    waiting = 0
    while True:
        while waiting < jobs and (task := next(tasks, None)):
            waiting += submit(task, _start(task))
        if not waiting:
            return
        task, reply = replies.get()
        if isinstance(reply, BaseException) and not isinstance(reply, _FOR_THE_TASK):
            raise reply
        waiting += submit(task, _resume(task, reply)) - 1


def _try_reader(
    reader: Reader, request: ReaderRequest, budget: ReplyBudget
) -> ReaderReply | Exception:
    """Return a reply, or the error that the task can do something about."""
    try:
        return ask_reader(reader, request, budget)
    except _FOR_THE_TASK as error:
        return error


def _start(task: SessionTask) -> ReaderRequest | None:
    return next(task, None)


def _resume(task: SessionTask, reply: ReaderReply | BaseException) -> ReaderRequest | None:
    """Give a task the reply that it waits for; return its next request, None if it is done."""
    try:
        return task.throw(reply) if isinstance(reply, BaseException) else task.send(reply)
    except StopIteration:
        return None
