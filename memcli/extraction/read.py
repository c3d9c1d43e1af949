"""`mem read`: sessions into memories, a segment at a time.

What is left to do is read from the store before every segment, and what came of it is written in
one transaction after it. So a run can be killed at any moment, conversations may grow, go or be
read by somebody else meanwhile, and the store is locked for no longer than a transaction takes.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from memcli.domain import MemoryId, SessionId
from memcli.errors import BackendError, ContextError, InputError, MemError
from memcli.extraction.segments import LEAST_TOKENS
from memcli.extraction.tool_loop import Decision, Dialogue, decide
from memcli.extraction.tools import asked
from memcli.extraction.unread import EARLIER_SHARE, Stretch, Stretches
from memcli.extraction.workers import CALL_TOKENS, Budget, Course, one_by_one, side_by_side
from memcli.memories.recall import recall
from memcli.memories.remember import Memories
from memcli.protocols import Embedder, Reader
from memcli.search.model_speed import Speeds
from memcli.store import Filters, Outcome, Reading, Store, Unread

MOST_FAILURES = 5  # in a row: something is wrong with the model, not with what it reads
WRITTEN = 250  # tokens of thought and call about a segment, for an estimate


@dataclass(frozen=True, slots=True)
class How:
    """How to read."""

    thought_tokens: int = 1024  # most, about one segment and reply
    again: bool = False  # also what others have read, and what failed
    keep_traces: bool = False
    jobs: int = 1  # sessions at a time
    seconds: float = math.inf  # after so many nothing is begun
    call_tokens: int = CALL_TOKENS  # most, of one call


@dataclass(frozen=True, slots=True)
class Settled:
    """A segment that was read, and what came of it."""

    session: SessionId
    first: int  # positions of its first and last turn, from 1, both included
    last: int
    outcome: Outcome
    reason: str
    memories: tuple[MemoryId, ...]
    searches: int
    characters: int  # that need not be read again


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    sessions: int
    segments: int
    outcomes: dict[Outcome, int]
    searches: int
    memories: int  # that were added, or found again
    failures: tuple[Settled, ...]
    seconds: float
    out_of_time: bool = False  # whether something was left for another run
    stopped: MemError | KeyboardInterrupt | None = None  # what ended it before its end


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to read."""

    sessions: int
    segments: int
    tokens: int
    seconds: float  # roughly, by how fast the reader was on this machine


class ReadRun:
    """A reader, and all that it needs.

    Args:
        store: what is read, and where memories go.
        reader: who reads.
        memories: of that store.
        embedder: for what is searched.
        how: see there.
        speeds: of the models on this machine; learns.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        memories: Memories,
        embedder: Embedder,
        how: How,
        speeds: Speeds | None = None,
    ) -> None:
        self._store, self._reader, self._memories = store, reader, memories
        self._embedder, self._how, self._speeds = embedder, how, speeds or Speeds()
        self._budget = Budget(how.thought_tokens, how.call_tokens)
        self._stretches = Stretches(store, reader, self._budget, again=how.again)
        self._began = monotonic()
        self._settled: list[Settled] = []
        self._failed = 0  # in a row
        self._heard: Callable[[Settled], None] = lambda _settled: None

    def unread(self, filters: Filters, *, newest: bool, limit: int | None) -> list[Unread]:
        """Return the sessions with something to read, earliest or newest first."""
        found = self._store.reads.unread(filters, way=self._stretches.counted_by)
        return (found[::-1] if newest else found)[:limit]

    def extent(self, sessions: Sequence[Unread]) -> Extent:
        """Return how much there is to read.

        Raises:
            BackendError: the reader cannot be loaded, or its context is too small.
        """
        sizes = [list(self._stretches.sizes(one.session)) for one in sessions]
        segments, tokens = sum(map(len, sizes)), sum(map(sum, sizes))
        speed = self._speeds.of(self._reader)
        written = segments * min(WRITTEN, self._how.thought_tokens + WRITTEN // 2)
        before = segments and segments * self._stretches.longest // EARLIER_SHARE
        seconds = (tokens + before) / speed.read + written / speed.write
        return Extent(sum(map(bool, sizes)), segments, tokens, seconds / self._how.jobs)

    def read(
        self,
        sessions: Sequence[Unread],
        heard: Callable[[Settled], None] = lambda _settled: None,
    ) -> Report:
        """Read what is unread of sessions, in this order.

        A segment that fails twice is marked and left. An error and Ctrl-C end the run, what was
        done until then stays; see `Report.stopped`.

        Args:
            sessions: from `unread`.
            heard: told of every segment when it is in the store.
        """
        self._began, self._heard = monotonic(), heard
        courses = (self._course(one.session) for one in sessions)
        stopped: MemError | KeyboardInterrupt | None = None
        try:
            if sessions:
                self._load()
            if self._how.jobs > 1:
                side_by_side(courses, self._reader, self._budget, self._how.jobs)
            else:
                one_by_one(courses, self._reader, self._budget)
        except (MemError, KeyboardInterrupt) as error:
            stopped = error
        return self._report(stopped)

    def _load(self) -> None:
        """Load the reader, and learn how long that takes."""
        began = monotonic()
        self._reader.count("")
        self._speeds.loaded(self._reader, monotonic() - began)

    def _report(self, stopped: MemError | KeyboardInterrupt | None) -> Report:
        settled = self._settled
        return Report(
            len({one.session for one in settled}),
            len(settled),
            dict(Counter(one.outcome for one in settled)),
            sum(one.searches for one in settled),
            len({memory for one in settled for memory in one.memories}),
            tuple(one for one in settled if one.outcome is Outcome.FAILED),
            monotonic() - self._began,
            self._out_of_time and not stopped,
            stopped,
        )

    @property
    def _out_of_time(self) -> bool:
        return monotonic() - self._began >= self._how.seconds

    def _course(self, session: SessionId) -> Course:
        """Read one session to its end, as long as there is time.

        Where a segment exceeds the context, a smaller one is tried: without what follows what was
        buffered, then half, and half of that.
        """
        most, settle = self._stretches.longest, False
        while not self._out_of_time:
            stretch = self._stretches.next(session, most, settle=settle)
            if stretch is None:
                return
            try:
                decision = yield from self._decided(stretch)
            except ContextError as error:
                if stretch.buffered:
                    settle = True
                    continue
                if most // 2 >= LEAST_TOKENS:
                    most, settle = most // 2, True
                    continue
                most = self._stretches.longest
                stretch = self._stretches.next(session, most, settle=True) or stretch
                decision = Decision(Outcome.FAILED, str(error))
            self._settle(stretch, decision, most)
            most, settle = self._stretches.longest, False

    def _decided(self, stretch: Stretch) -> Dialogue:
        def search(query: str) -> str:
            return recall(query, self._store, self._embedder, stretch.session)

        return decide(
            asked(stretch.earlier, [piece.line for piece in stretch.pieces]),
            search,
            seed=stretch.seed(self._stretches.way),
            may_buffer=stretch.may_buffer,
        )

    def _settle(self, read: Stretch, decision: Decision, most: int) -> None:
        """Keep what came of a segment, unless it is no more what was read: then throw it away.

        Raises:
            BackendError: too many segments in a row have failed.
        """
        self._learn(read, decision)
        with self._store.transaction():
            stretch = self._stretches.as_now(read, most)
            if stretch is None:
                return
            memories = self._remembered(stretch, decision)
            self._store.reads.keep(stretch.session.id, self._reading(stretch, decision, memories))
        where, is_buffered = stretch.segment, decision.outcome is Outcome.BUFFERED
        self._settled.append(
            Settled(
                *(where.session, where.first, where.last),
                *(decision.outcome, decision.reason, memories),
                *(decision.searches, 0 if is_buffered else stretch.characters),
            )
        )
        self._heard(self._settled[-1])
        self._failed = self._failed + 1 if decision.outcome is Outcome.FAILED else 0
        if self._failed == MOST_FAILURES:
            raise BackendError(
                f"{self._failed} segments in a row failed, the last one so: {decision.reason}",
                hint="once the model answers as it should, `mem read --again` reads them",
            )

    def _remembered(self, stretch: Stretch, decision: Decision) -> tuple[MemoryId, ...]:
        """Store the facts of a decision; those that say nothing at all are left out."""
        model = f"{self._reader.name} {self._reader.fingerprint[:8]}"
        memories: dict[MemoryId, None] = {}
        for fact in decision.facts:
            with suppress(InputError):
                memories[self._memories.remember(fact, stretch.segment, model=model)] = None
        return tuple(memories)

    def _reading(
        self, stretch: Stretch, decision: Decision, memories: tuple[MemoryId, ...]
    ) -> Reading:
        return Reading(
            self._stretches.way,
            self._reader.name,
            decision.outcome,
            decision.reason,
            tuple(stretch.turns.items()),
            memories,
            list(decision.steps) if self._how.keep_traces else None,
        )

    def _learn(self, stretch: Stretch, decision: Decision) -> None:
        """Learn how fast the reader reads and writes, from its first reply."""
        for reply in decision.replies[:1]:
            if reply.pieces > 1:
                self._speeds.read(self._reader, stretch.tokens, reply.waited)
                self._speeds.wrote(self._reader, reply.pieces - 1, reply.wrote)
