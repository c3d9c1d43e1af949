"""The last stage, where it is asked for: a chat model answers from the ranked sessions.

This is the third part of MemSifter's pipeline: the ranking decides what the chat model reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from memcli.deadline import OutOfTimeError, check_time, seconds_left
from memcli.errors import BackendError
from memcli.prompts import answer_message
from memcli.protocols import Chat, Message, Thought
from memcli.search.budget import HISTORY_TOKENS, sift_plan
from memcli.search.context import Context, context
from memcli.search.dialogue import Dialogue
from memcli.search.model_speed import Speeds
from memcli.search.references import Reference, References
from memcli.search.results import Listener, Result, Stage, Work

ANSWER_TOKENS = 512  # most that are written
SHORT_TOKENS = 128  # of an answer that there has to be time for
FRAME_MARGIN = 64  # tokens of a chat template around a message, and of texts put together


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model answered, as far as it came."""

    text: str  # references to what it was not shown end in `?`
    references: tuple[Reference, ...]  # in order, without repeats
    stage: Stage
    cut: bool = False  # by the deadline
    stopped: BackendError | KeyboardInterrupt | None = None  # what ended it before its end


class Answering:
    """One question and its ranked sessions, put to a chat model."""

    def __init__(
        self,
        question: str,
        results: Sequence[Result],
        chat: Chat,
        *,
        dialogue: Dialogue | None = None,
        thought_tokens: int = 1024,
        listener: Listener | None = None,
        speeds: Speeds | None = None,
    ) -> None:
        self._question, self._results, self._chat = question, results, chat
        self._dialogue = dialogue or Dialogue()
        self._most_thought = thought_tokens
        self._listener, self._speeds = listener or Listener(), speeds or Speeds()
        self._text = ""
        self._references = References({})
        self._times: list[float] = []  # of the beginning and of each piece
        self._read = self._load = 0.0
        self._began = monotonic()
        self._cut = False
        self._stopped: BackendError | KeyboardInterrupt | None = None

    @property
    def reply(self) -> Reply:
        """What came so far."""
        stage = Stage(
            "answer",
            self._chat.name,
            monotonic() - self._began,
            len(self._results),
            load=self._load,
            read=int(self._read),
            written=max(len(self._times) - 1, 0),
        )
        text, found = self._text.strip(), tuple(self._references.found)
        return Reply(text, found, stage, self._cut, self._stopped)

    def pieces(self) -> Iterator[str]:
        """Yield the answer as it is written; the thought before it is the listener's.

        The deadline, a model that fails, and Ctrl-C end it with what there is: see `Reply`.
        """
        try:
            for piece in self._pieces():
                self._text += piece
                yield piece
        except OutOfTimeError:
            self._cut = True
        except (BackendError, KeyboardInterrupt) as stopped:
            late = isinstance(stopped, BackendError) and seconds_left() <= 0
            self._cut, self._stopped = late, None if late else stopped
        if rest := self._references.end():
            self._text += rest
            yield rest

    def _pieces(self) -> Iterator[str]:
        self._open()
        history, thought = sift_plan(
            seconds_left(), self._speeds.of(self._chat), self._most_thought, after=SHORT_TOKENS
        )
        if not history:
            raise OutOfTimeError
        message, shown = self._message(history, thought)
        self._references = References(shown.shown)
        self._read = self._chat.count(message)
        self._listener.working(Work("reading", self._read / self._speeds.of(self._chat).read))
        self._times = [monotonic()]
        try:
            yield from self._written(message, thought)
        finally:
            self._learn()

    def _written(self, message: str, thought: int) -> Iterator[str]:
        asked = [Message("user", message)]
        for piece in self._chat.write(asked, thought_tokens=thought, answer_tokens=ANSWER_TOKENS):
            self._times.append(monotonic())
            if isinstance(piece, Thought):
                self._listener.working(Work("thinking"))
                self._listener.thought(piece.text)
            elif marked := self._references.take(piece):
                yield marked
            check_time()

    def _open(self) -> None:
        """Load the model, and learn how long that takes."""
        self._listener.working(Work("loading", self._speeds.of(self._chat).load))
        began = monotonic()
        self._chat.count(self._question)
        self._load = monotonic() - began
        self._speeds.loaded(self._chat, self._load)
        check_time()

    def _message(self, history: int, thought: int) -> tuple[str, Context]:
        """Return the message, and what it shows.

        Raises:
            BackendError: not one turn fits the model's context.
        """
        chat, current = self._chat, self._dialogue.current(self._question)
        frame = chat.count(answer_message("", current)) + FRAME_MARGIN
        free = chat.context - thought - ANSWER_TOKENS - frame
        shown = context(self._results, chat.count, min(history, HISTORY_TOKENS, free))
        if not shown.text:
            raise BackendError(
                f"no turn fits into the {chat.context:,} tokens of {chat.name}",
                hint="let it think less with `--think`",
            )
        return answer_message(shown.text, current), shown

    def _learn(self) -> None:
        """Learn how fast the model reads, from the time to its first piece, and writes."""
        times, read = self._times, int(self._read)
        if len(times) > 1:
            self._speeds.read(self._chat, read, times[1] - times[0])
        else:  # stopped before it had read everything
            self._speeds.slower(self._chat, read, monotonic() - times[0])
        if len(times) > 2:  # a piece is a token, or nearly
            self._speeds.wrote(self._chat, len(times) - 2, times[-1] - times[1])
