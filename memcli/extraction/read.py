"""`mem read`: makes memories of sessions, a segment at a time.

The work that is left is read from the store before every segment, and the outcome is written in
one transaction after it. So a run can be killed at any moment; conversations may grow, vanish or
be read by another process meanwhile; and the store is locked for no longer than a transaction.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from memcli.domain import MemoryId, SessionId
from memcli.errors import BackendError, ContextError, InputError, MemError
from memcli.extraction.segments import LEAST_TOKENS
from memcli.extraction.tool_loop import Decision, ToolLoop, run_tool_loop
from memcli.extraction.tools import initial_messages
from memcli.extraction.unread import EARLIER_SHARE, SegmentView, UnreadSegments
from memcli.extraction.workers import (
    CALL_TOKENS,
    THOUGHT_TOKENS,
    ReplyBudget,
    SessionTask,
    run_concurrently,
    run_in_turn,
)
from memcli.lazy_dataclasses import dataclass
from memcli.memories.recall import recall_for_reader
from memcli.memories.remember import MemoryWriter
from memcli.protocols import Embedder, Reader
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import StopCause
from memcli.store import Filters, ReadingOutcome, SegmentReading, Store, UnreadSession

MOST_FAILURES = 5  # in a row; more mean that something is wrong with the model
WRITTEN_TOKENS = 250  # of thought and call about a segment, for an estimate


@dataclass(frozen=True, slots=True)
class ExtractionOptions:
    """Options of a run."""

    thought_tokens: int = THOUGHT_TOKENS  # most, for each reply
    again: bool = False  # True reads also what other readers have read, and what failed
    keep_traces: bool = False
    jobs: int = 1  # sessions at a time
    seconds: float = math.inf  # after which no segment is begun
    call_tokens: int = CALL_TOKENS  # most, for each call, besides what the thought leaves


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """A segment that was read, and its outcome."""

    session: SessionId
    first: int  # position of its first turn, from 1
    last: int  # position of its last turn, included
    outcome: ReadingOutcome
    reason: str
    memories: tuple[MemoryId, ...]
    searches: int
    characters: int  # that need not be read again


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """The result of a run."""

    sessions: int
    segments: int
    outcomes: dict[ReadingOutcome, int]
    searches: int
    memories: int  # that were added, or found again
    failures: tuple[SegmentResult, ...]
    seconds: float
    out_of_time: bool = False  # True if something was left for another run
    stopped_by: StopCause | None = None  # the error or Ctrl-C that ended it


@dataclass(frozen=True, slots=True)
class ReadingEstimate:
    """An estimate of the work that is left."""

    sessions: int
    segments: int
    tokens: int
    seconds: float  # by the speed of the reader on this machine so far


class ExtractionRun:
    """A reader with everything that it needs.

    Args:
        store: the database with the sessions; memories are stored there, too.
        reader: the model that reads.
        memories: of that store.
        embedder: the model that made the vectors of the store, for searches.
        options: of the run.
        speeds: of the models on this machine; new measurements are added.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        memories: MemoryWriter,
        embedder: Embedder,
        options: ExtractionOptions,
        speeds: ModelSpeeds | None = None,
    ) -> None:
        self._store, self._reader, self._memories = store, reader, memories
        self._embedder, self._options, self._speeds = embedder, options, speeds or ModelSpeeds()
        self._budget = ReplyBudget(options.thought_tokens, options.call_tokens)
        self._unread = UnreadSegments(store, reader, self._budget, again=options.again)
        self._began = monotonic()
        self._results: list[SegmentResult] = []
        self._failures_in_a_row = 0
        self._on_segment: Callable[[SegmentResult], None] = lambda _result: None

    def unread_sessions(
        self, filters: Filters, *, newest: bool, limit: int | None
    ) -> list[UnreadSession]:
        """Return the sessions with something to read, earliest or newest first."""
        found = self._store.readings.unread_sessions(
            filters, reader_digest=self._unread.accepted_way
        )
        return (found[::-1] if newest else found)[:limit]

    def estimate(self, sessions: Sequence[UnreadSession]) -> ReadingEstimate:
        """Estimate the work that is left to do.

        Raises:
            BackendError: the reader cannot be loaded, or its context is too small.
        """
        sizes = [list(self._unread.sizes(one.session)) for one in sessions]
        segments, tokens = sum(map(len, sizes)), sum(map(sum, sizes))
        speed = self._speeds.of(self._reader)
        written = segments * min(WRITTEN_TOKENS, self._options.thought_tokens + WRITTEN_TOKENS // 2)
        earlier = segments and segments * self._unread.most_tokens // EARLIER_SHARE
        seconds = (tokens + earlier) / speed.read + written / speed.write
        return ReadingEstimate(
            sum(map(bool, sizes)), segments, tokens, seconds / self._options.jobs
        )

    def run(
        self,
        sessions: Sequence[UnreadSession],
        on_segment: Callable[[SegmentResult], None] = lambda _result: None,
    ) -> ExtractionReport:
        """Read the unread parts of sessions, in this order.

        A segment that fails twice is marked and left. An error and Ctrl-C end the run; segments
        that were read until then stay: see `ExtractionReport.stopped_by`.

        Args:
            sessions: from `unread`.
            on_segment: called for every segment when it is in the store.
        """
        self._began, self._on_segment = monotonic(), on_segment
        tasks = (self._read_session(one.session) for one in sessions)
        stopped: StopCause | None = None
        try:
            if sessions:
                self._speeds.load(self._reader, "")
            if self._options.jobs > 1:
                run_concurrently(tasks, self._reader, self._budget, self._options.jobs)
            else:
                run_in_turn(tasks, self._reader, self._budget)
        except (MemError, KeyboardInterrupt) as error:
            stopped = error
        return self._report(stopped)

    def _report(self, stopped: StopCause | None) -> ExtractionReport:
        results = self._results
        return ExtractionReport(
            sessions=len({one.session for one in results}),
            segments=len(results),
            outcomes=dict(Counter(one.outcome for one in results)),
            searches=sum(one.searches for one in results),
            memories=len({memory for one in results for memory in one.memories}),
            failures=tuple(one for one in results if one.outcome is ReadingOutcome.FAILED),
            seconds=monotonic() - self._began,
            out_of_time=self._out_of_time and not stopped,
            stopped_by=stopped,
        )

    @property
    def _out_of_time(self) -> bool:
        return monotonic() - self._began >= self._options.seconds

    def _read_session(self, session: SessionId) -> SessionTask:
        """Read one session to its end, as long as there is time.

        If a segment exceeds the context, a smaller one is tried: first without what follows the
        buffered part, then half of it, and half of that.
        """
        most, settle = self._unread.most_tokens, False
        while not self._out_of_time:
            view = self._unread.next(session, most, settle=settle)
            if view is None:
                return
            try:
                decision = yield from self._decide(view)
            except ContextError as error:
                if view.was_buffered:
                    settle = True
                    continue
                if most // 2 >= LEAST_TOKENS:
                    most, settle = most // 2, True
                    continue
                most = self._unread.most_tokens
                view = self._unread.next(session, most, settle=True) or view
                decision = Decision(ReadingOutcome.FAILED, str(error))
            self._store_decision(view, decision, most)
            most, settle = self._unread.most_tokens, False

    def _decide(self, view: SegmentView) -> ToolLoop:
        def search(query: str) -> str:
            return recall_for_reader(query, self._store, self._embedder, view.session)

        return run_tool_loop(
            initial_messages(view.earlier, [part.line for part in view.parts]),
            search,
            seed=view.seed(self._unread.way),
            may_buffer=view.may_buffer,
        )

    def _store_decision(self, view: SegmentView, decision: Decision, most: int) -> None:
        """Store the decision about a segment, unless the segment has changed since it was read.

        Raises:
            BackendError: too many segments in a row have failed.
        """
        self._record_speed(view, decision)
        with self._store.transaction():
            current = self._unread.refresh(view, most)
            if current is None:
                return
            memories = self._store_facts(current, decision)
            reading = self._reading(current, decision, memories)
            self._store.readings.add(current.session.id, reading)
        segment, is_buffered = current.segment, decision.outcome is ReadingOutcome.BUFFERED
        result = SegmentResult(
            session=segment.session,
            first=segment.first,
            last=segment.last,
            outcome=decision.outcome,
            reason=decision.reason,
            memories=memories,
            searches=decision.searches,
            characters=0 if is_buffered else current.characters,
        )
        self._results.append(result)
        self._on_segment(result)
        failed = decision.outcome is ReadingOutcome.FAILED
        self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0
        if self._failures_in_a_row == MOST_FAILURES:
            raise BackendError(
                f"{MOST_FAILURES} segments in a row failed; the last error: {decision.reason}",
                hint="once the model answers as it should, `mem read --again` reads them again",
            )

    def _store_facts(self, view: SegmentView, decision: Decision) -> tuple[MemoryId, ...]:
        """Store the facts of a decision; those without a key or a value are left out."""
        model = f"{self._reader.name} {self._reader.fingerprint[:8]}"
        memories: dict[MemoryId, None] = {}
        for fact in decision.facts:
            with suppress(InputError):
                memories[self._memories.remember(fact, view.segment, model=model)] = None
        return tuple(memories)

    def _reading(
        self, view: SegmentView, decision: Decision, memories: tuple[MemoryId, ...]
    ) -> SegmentReading:
        return SegmentReading(
            self._unread.way,
            self._reader.name,
            decision.outcome,
            decision.reason,
            tuple(view.turns.items()),
            memories,
            list(decision.steps) if self._options.keep_traces else None,
        )

    def _record_speed(self, view: SegmentView, decision: Decision) -> None:
        """Learn how fast the reader reads and writes, from its first reply."""
        for reply in decision.replies[:1]:
            if reply.pieces > 1:
                self._speeds.record_read(self._reader, view.tokens, reply.reading_seconds)
                self._speeds.record_write(self._reader, reply.pieces - 1, reply.writing_seconds)
