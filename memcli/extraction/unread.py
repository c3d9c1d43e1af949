"""The next segment to read of a session; it follows from the store alone, for any reader."""

import json
import math
from collections.abc import Iterator
from functools import cached_property, lru_cache

from memcli.domain import Segment, Session, SessionId, fingerprint
from memcli.errors import BackendError, NotFoundError
from memcli.extraction.segments import (
    LEAST_TOKENS,
    SEGMENT_TOKENS,
    TurnPart,
    count_fitting,
    preceding_lines,
    unread_runs,
)
from memcli.extraction.tool_loop import MOST_REPLIES
from memcli.extraction.tools import SYSTEM, TOOLS
from memcli.extraction.workers import ReplyBudget
from memcli.lazy_dataclasses import dataclass, replace
from memcli.protocols import Reader
from memcli.store import Store

EARLIER_SHARE = 4  # earlier turns take one part in so many of a segment's tokens, on top of it
FRAME_MARGIN = 64  # tokens that a chat template puts around messages and tools
MOST_COUNTED = 1 << 14  # texts whose numbers of tokens are remembered


def _tools_json() -> str:
    from dataclasses import asdict

    return json.dumps([asdict(tool) for tool in TOOLS])


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment with everything that a reader is shown of it."""

    session: Session
    parts: tuple[TurnPart, ...]
    earlier: tuple[str, ...]  # lines before it, for understanding
    was_buffered: bool  # True if some of it was shown before
    may_buffer: bool

    @property
    def segment(self) -> Segment:
        """The place of the segment."""
        return Segment(self.session.id, self.parts[0].position, self.parts[-1].position)

    @property
    def tokens(self) -> int:
        """The tokens of its lines."""
        return sum(part.tokens for part in self.parts)

    @property
    def characters(self) -> int:
        """The characters of its turns."""
        return sum(part.stop - part.start for part in self.parts)

    @property
    def turns(self) -> dict[str, int]:
        """The number of characters that are read with it, of each of its turns, by key."""
        return {self.session.turns[one.position - 1].key: one.stop for one in self.parts}

    def seed(self, way: str) -> int:
        """Return the seed of a reader: the same in every run.

        Args:
            way: digest of the reader and of how it is asked.
        """
        keys = (self.session.turns[one.position - 1].key for one in self.parts)
        places = [(key, one.start, one.stop) for key, one in zip(keys, self.parts, strict=True)]
        return int(fingerprint("seed", way, self.session.id, *places)[:7], 16)


class UnreadSegments:
    """The segments that one reader has left to read."""

    def __init__(self, store: Store, reader: Reader, budget: ReplyBudget, *, again: bool) -> None:
        """Prepare; the reader is not used yet, so it need not be loaded.

        Args:
            store: the database with the sessions and their readings.
            reader: the model that reads.
            budget: the tokens that it may write in one reply.
            again: True if only what this reader settled, asked in this way, counts as read.
        """
        self.way = fingerprint(
            "read", reader.fingerprint, SYSTEM, _tools_json(), budget.thought, MOST_REPLIES
        )
        self.count = lru_cache(MOST_COUNTED)(reader.count)
        self.accepted_way = self.way if again else None  # readings that count; None: all do
        self._store, self._reader, self._budget = store, reader, budget

    @cached_property
    def most_tokens(self) -> int:
        """The most tokens of a segment: so few that two fit the context, with earlier turns.

        Raises:
            BackendError: the reader cannot be loaded, or its context leaves no room.
        """
        most = min(SEGMENT_TOKENS, self._room * EARLIER_SHARE // (2 * EARLIER_SHARE + 1))
        if most < LEAST_TOKENS:
            context = f"the context of {self._reader.name}, {self._reader.context:,} tokens,"
            raise BackendError(
                f"{context} leaves no room to read", hint="let it think less with `--think`"
            )
        return most

    @cached_property
    def _room(self) -> int:
        """The tokens for the segment and earlier turns, beside everything else in the context."""
        frame = self.count(SYSTEM) + self.count(_tools_json()) + FRAME_MARGIN
        return self._reader.context - self._budget.thought - self._budget.call - frame

    def next(self, session_id: SessionId, most: int, *, settle: bool = False) -> SegmentView | None:
        """Return the next segment of a session; None if nothing is left or the session is gone.

        Args:
            session_id: of the session, maybe one that it had before.
            most: tokens; a buffered part comes on top.
            settle: True if a buffered part has to be settled, without what follows.
        """
        session, run = self._first_run(session_id, most)
        if not (session and run):
            return None
        buffered = 0 if settle else self._count_buffered(session, run)
        taken = buffered + count_fitting(run[buffered:], most)
        parts = run[:taken]
        earlier_tokens = most // EARLIER_SHARE
        more_fits = sum(part.tokens for part in parts) + most + earlier_tokens <= self._room
        return SegmentView(
            session,
            tuple(parts),
            tuple(preceding_lines(session, parts[0], self.count, earlier_tokens)),
            was_buffered=buffered > 0,
            may_buffer=not settle and taken < len(run) and more_fits,
        )

    def refresh(self, view: SegmentView, most: int) -> SegmentView | None:
        """Return a segment where it is now; None if it is no longer what a reader was shown.

        In that case its session has changed or gone, or another process has read it. Turns that
        were only added behind it change nothing.
        """
        session, run = self._first_run(view.session.id, most)
        parts = tuple(run[: len(view.parts)])
        if not session or parts != view.parts:
            return None
        earlier = preceding_lines(session, parts[0], self.count, most // EARLIER_SHARE)
        return replace(view, session=session) if tuple(earlier) == view.earlier else None

    def sizes(self, session_id: SessionId) -> Iterator[int]:
        """Yield the tokens of every segment that is left of a session, if none is buffered."""
        session = self._store.sessions.get(session_id)
        for run in self._runs(session, self.most_tokens):
            while run:
                taken = count_fitting(run, self.most_tokens)
                yield sum(part.tokens for part in run[:taken])
                run = run[taken:]

    def _first_run(self, session_id: SessionId, most: int) -> tuple[Session | None, list[TurnPart]]:
        try:
            session = self._store.sessions.get(session_id)
        except NotFoundError:
            return None, []
        # Enough for a buffered part, for what follows it, and to know whether there is more.
        runs = self._runs(session, most, enough=self._room + most)
        return session, runs[0] if runs else []

    def _runs(
        self, session: Session, most: int, *, enough: float = math.inf
    ) -> list[list[TurnPart]]:
        settled = self._store.readings.settled_characters(
            session.id, reader_digest=self.accepted_way
        )
        return unread_runs(session, settled, self.count, most, enough=enough)

    def _count_buffered(self, session: Session, run: list[TurnPart]) -> int:
        """Return how many parts at the beginning of a run were buffered."""
        buffered = self._store.readings.buffered_characters(session.id, reader_digest=self.way)
        for place, part in enumerate(run):
            if buffered.get(session.turns[part.position - 1].key, 0) < part.stop:
                return place
        return len(run)
