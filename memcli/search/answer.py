"""The last stage, run only if it is asked for: a chat model answers from the ranked sessions.

It is the third part of MemSifter's pipeline: the ranking decides what the chat model reads.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

from memcli.deadline import DeadlineExceededError, check_deadline, seconds_left
from memcli.domain import SessionId
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import answer_message
from memcli.protocols import DEFAULT_THOUGHT_TOKENS, Chat, Message, Thought
from memcli.search.budget import HISTORY_TOKENS, is_overdue, plan_sift
from memcli.search.context import ContextBlock, build_context
from memcli.search.dialogue import Dialogue
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import Activity, RankedSession, RankingListener, StageReport, StopCause

ANSWER_TOKENS = 512  # most that are written
SHORT_ANSWER_TOKENS = 128  # of an answer that there has to be time for
FRAME_MARGIN = 64  # tokens of a chat template around a message, and of joining texts
_REFERENCE = re.compile(r"(?<!\w)s_[0-9a-z]{4,16}(?::\d{1,6}(?:[-–]\d{1,6})?)?(?!\w)")
_BEGINNING = re.compile(
    r"(?<!\w)s(?:_(?:[0-9a-z]{0,16}|[0-9a-z]{4,16}:(?:\d{1,6}[-–]?)?\d{0,6}))?$"
)
UNKNOWN = "?"  # appended to a reference to something that the model was not shown


@dataclass(frozen=True, slots=True)
class TurnReference:
    """A turn, a range of turns or a session that an answer refers to: `s_2v4k8qjw0a:7`."""

    turn: str
    known: bool  # True if the model was shown it


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a chat model, as far as it was written."""

    text: str  # references to turns that the model was not shown end in `?`
    references: tuple[TurnReference, ...]  # in order, without repeats
    stage: StageReport
    out_of_time: bool = False  # True if the deadline ended it
    stopped_by: StopCause | None = None  # the error or Ctrl-C that ended it


class AnswerStage:
    """One question with its ranked sessions, put to a chat model."""

    def __init__(
        self,
        question: str,
        results: Sequence[RankedSession],
        chat: Chat,
        *,
        dialogue: Dialogue | None = None,
        thought_tokens: int = DEFAULT_THOUGHT_TOKENS,
        listener: RankingListener | None = None,
        speeds: ModelSpeeds | None = None,
    ) -> None:
        self._question, self._results, self._chat = question, results, chat
        self._dialogue = dialogue or Dialogue()
        self._thought_tokens = thought_tokens
        self._listener, self._speeds = listener or RankingListener(), speeds or ModelSpeeds()
        self._text = ""
        self._references = ReferenceMarker({})
        self._times: list[float] = []  # when generating began, and when each piece came
        self._prompt_tokens = 0
        self._load_seconds = 0.0
        self._began = monotonic()
        self._out_of_time = False
        self._stopped: StopCause | None = None

    @property
    def answer(self) -> Answer:
        """The answer as far as it was written."""
        stage = StageReport(
            "answer",
            self._chat.name,
            monotonic() - self._began,
            len(self._results),
            load_seconds=self._load_seconds,
            tokens_read=self._prompt_tokens,
            tokens_written=max(len(self._times) - 1, 0),
        )
        return Answer(
            text=self._text.strip(),
            references=tuple(self._references.found),
            stage=stage,
            out_of_time=self._out_of_time,
            stopped_by=self._stopped,
        )

    def stream(self) -> Iterator[str]:
        """Yield the answer as it is written; the thought before it goes to the listener.

        The deadline, a model that fails, and Ctrl-C end it; `reply` then has the text so far.
        """
        try:
            for piece in self._generate():
                self._text += piece
                yield piece
        except DeadlineExceededError:
            self._out_of_time = True
        except (BackendError, KeyboardInterrupt) as error:
            self._out_of_time = is_overdue(error)
            self._stopped = None if self._out_of_time else error
        if rest := self._references.flush():
            self._text += rest
            yield rest

    def _generate(self) -> Iterator[str]:
        chat, speeds = self._chat, self._speeds
        self._listener.on_activity(Activity("loading", speeds.of(chat).load))
        self._load_seconds = speeds.load(chat, self._question)
        check_deadline()
        history, thought = plan_sift(
            seconds_left(), speeds.of(chat), self._thought_tokens, after=SHORT_ANSWER_TOKENS
        )
        if not history:
            raise DeadlineExceededError
        message, shown = self._message(history, thought)
        self._references = ReferenceMarker(shown.shown)
        self._prompt_tokens = chat.count(message)
        self._listener.on_activity(Activity("reading", self._prompt_tokens / speeds.of(chat).read))
        self._times = [monotonic()]
        try:
            yield from self._write(message, thought)
        finally:
            speeds.record_generation(chat, self._prompt_tokens, self._times)

    def _write(self, message: str, thought_tokens: int) -> Iterator[str]:
        messages = [Message("user", message)]
        for piece in self._chat.write(
            messages, thought_tokens=thought_tokens, answer_tokens=ANSWER_TOKENS
        ):
            self._times.append(monotonic())
            if isinstance(piece, Thought):
                self._listener.on_activity(Activity("thinking"))
                self._listener.on_thought(piece.text)
            elif marked := self._references.feed(piece):
                yield marked
            check_deadline()

    def _message(self, history_tokens: int, thought_tokens: int) -> tuple[str, ContextBlock]:
        """Return the message, and the context that it shows.

        Raises:
            BackendError: not one turn fits the model's context.
        """
        chat, question = self._chat, self._dialogue.question_in_context(self._question)
        frame = chat.count(answer_message("", question)) + FRAME_MARGIN
        free = chat.context - thought_tokens - ANSWER_TOKENS - frame
        shown = build_context(self._results, chat.count, min(history_tokens, HISTORY_TOKENS, free))
        if not shown.text:
            raise BackendError(
                f"no turn fits into the {chat.context:,} tokens of {chat.name}",
                hint="let it think less with `--think`",
            )
        return answer_message(shown.text, question), shown


class ReferenceMarker:
    """A filter for text that comes in pieces; it finds references and marks unknown ones.

    Args:
        shown: positions of the turns that the model was shown, by session.
    """

    def __init__(self, shown: Mapping[SessionId, frozenset[int]]) -> None:
        self.found: list[TurnReference] = []  # in the order they came, without repeats
        self._shown = shown
        self._pending = ""  # may turn out to be the beginning of a reference
        self._last_letter = ""  # before the pending text

    def feed(self, piece: str) -> str:
        """Add a piece; return the text that is certain now, with its marks."""
        text = self._pending + piece
        # The letter before it tells a reference from the end of a word.
        beginning = _BEGINNING.search(self._last_letter + text, len(self._last_letter))
        certain = beginning.start() - len(self._last_letter) if beginning else len(text)
        self._pending = text[certain:]
        return self._mark_all(text[:certain])

    def flush(self) -> str:
        """Return the text that was still pending, with its marks."""
        pending, self._pending = self._pending, ""
        return self._mark_all(pending)

    def _mark_all(self, text: str) -> str:
        whole, done = self._last_letter + text, len(self._last_letter)
        parts = []
        for match in _REFERENCE.finditer(whole, done):
            parts += [whole[done : match.start()], self._mark(match)]
            done = match.end()
        self._last_letter = whole[-1:]
        return "".join([*parts, whole[done:]])

    def _mark(self, match: re.Match[str]) -> str:
        reference = TurnReference(match[0].replace("–", "-"), self._is_known(match[0]))
        if reference not in self.found:
            self.found.append(reference)
        return match[0] if reference.known else match[0] + UNKNOWN

    def _is_known(self, reference: str) -> bool:
        session, _, positions = reference.partition(":")
        shown = self._shown.get(SessionId(session))
        if shown is None or not positions:
            return shown is not None
        first, _, last = positions.replace("–", "-").partition("-")
        turns = range(int(first), int(last or first) + 1)
        return 0 < len(turns) <= len(shown) and set(turns) <= shown
