"""Who answers the questions of dialogues: one reader, alone or for several sessions at once."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from time import monotonic

from memcli.errors import ContextError, ReplyError
from memcli.extraction.tool_loop import Question, Spoken
from memcli.protocols import Reader, ToolCall

CALL_TOKENS = 1024  # of a call: a handful of memories

Course = Generator[Question, Spoken, None]
_TO_BE_TOLD = (ContextError, ReplyError)  # to the dialogue, which knows what to do


@dataclass(frozen=True, slots=True)
class Budget:
    """What a reader may write in one answer, in tokens."""

    thought: int
    call: int


def answer(reader: Reader, question: Question, budget: Budget) -> Spoken:
    """Let a reader think about a question and call a tool.

    Raises:
        BackendError: see `Reader.call`.
    """
    began = first = last = monotonic()
    pieces: list[str] = []
    for piece in reader.call(
        question.messages,
        question.tools,
        thought_tokens=budget.thought,
        call_tokens=budget.call,
        seed=question.seed,
    ):
        if isinstance(piece, ToolCall):
            thought = "".join(pieces).strip()
            return Spoken(thought, piece, first - began, last - first, len(pieces))
        last = monotonic()
        first = last if not pieces else first
        pieces.append(piece)
    raise ReplyError(f"{reader.name} ended without a call")


def one_by_one(courses: Iterator[Course], reader: Reader, budget: Budget) -> None:
    """Go through courses in their order.

    Raises:
        MemError: a course, or the reader, failed.
    """
    for course in courses:
        question = _begun(course)
        while question:
            question = _told(course, _answered(reader, question, budget))


def side_by_side(courses: Iterator[Course], reader: Reader, budget: Budget, jobs: int) -> None:
    """Go through courses, so many at a time: each in its order, and all of them in this thread.

    Only the reader works in others. They end with the process: nobody waits for a server that is
    still thinking when something fails or the person interrupts.

    Raises:
        MemError: a course, or the reader, failed.
    """
    answers: Queue[tuple[Course, Spoken | BaseException]] = Queue()

    def work(course: Course, question: Question) -> None:
        try:
            answers.put((course, _answered(reader, question, budget)))
        except BaseException as error:  # whatever it is, it belongs to who waits
            answers.put((course, error))

    def ask(course: Course, question: Question | None) -> int:
        if question:
            Thread(target=work, args=(course, question), daemon=True).start()
        return 1 if question else 0

    waiting = 0
    while True:
        while waiting < jobs and (course := next(courses, None)):
            waiting += ask(course, _begun(course))
        if not waiting:
            return
        course, found = answers.get()
        if isinstance(found, BaseException) and not isinstance(found, _TO_BE_TOLD):
            raise found
        waiting += ask(course, _told(course, found)) - 1


def _answered(reader: Reader, question: Question, budget: Budget) -> Spoken | Exception:
    """Return an answer, or what is wrong with it where the dialogue can do something about it."""
    try:
        return answer(reader, question, budget)
    except _TO_BE_TOLD as error:
        return error


def _begun(course: Course) -> Question | None:
    return next(course, None)


def _told(course: Course, found: Spoken | BaseException) -> Question | None:
    """Give a course what it waits for, and return what it asks next; None where it is done."""
    try:
        return course.throw(found) if isinstance(found, BaseException) else course.send(found)
    except StopIteration:
        return None
