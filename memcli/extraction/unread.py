"""What is to be read next of a session: found in the store, the same whoever looks."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache

from memcli.domain import Segment, Session, SessionId, fingerprint
from memcli.errors import BackendError, NotFoundError
from memcli.extraction.segments import (
    LEAST_TOKENS,
    SEGMENT_TOKENS,
    Piece,
    earlier,
    fitting,
    unread,
)
from memcli.extraction.tool_loop import STEPS
from memcli.extraction.tools import SYSTEM, TOOLS
from memcli.extraction.workers import Budget
from memcli.protocols import Reader
from memcli.store import Store

EARLIER_SHARE = 4  # one part in so many of a segment's tokens comes on top: what was said before
FRAME_MARGIN = 64  # tokens: what a chat template puts around messages and tools
COUNTED = 1 << 14  # texts whose tokens are known without counting again

_TOOLS = json.dumps([asdict(tool) for tool in TOOLS])


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment, with all that a reader is shown of it."""

    session: Session
    pieces: tuple[Piece, ...]
    earlier: tuple[str, ...]
    buffered: bool  # whether some of it was shown before
    may_buffer: bool

    @property
    def segment(self) -> Segment:
        """Where it is."""
        return Segment(self.session.id, self.pieces[0].position, self.pieces[-1].position)

    @property
    def tokens(self) -> int:
        """How many a reader is shown of it."""
        return sum(piece.tokens for piece in self.pieces)

    @property
    def characters(self) -> int:
        """How many of the session it is."""
        return sum(piece.stop - piece.start for piece in self.pieces)

    @property
    def turns(self) -> dict[str, int]:
        """How many characters of each of its turns are read with it, by key."""
        return {self.session.turns[one.position - 1].key: one.stop for one in self.pieces}

    def seed(self, way: str) -> int:
        """Return the seed of whoever reads it: the same in every run."""
        keys = (self.session.turns[one.position - 1].key for one in self.pieces)
        parts = [(key, one.start, one.stop) for key, one in zip(keys, self.pieces, strict=True)]
        return int(fingerprint("seed", way, self.session.id, *parts)[:7], 16)


class Stretches:
    """What one reader has left to read."""

    def __init__(self, store: Store, reader: Reader, budget: Budget, *, again: bool) -> None:
        """Begin; the reader is not asked anything yet, so it need not be loaded.

        Args:
            store: what was read before.
            reader: who reads.
            budget: what it may write in one answer.
            again: whether only what this reader has settled, asked in this way, counts as read.
        """
        self.way = fingerprint("read", reader.fingerprint, SYSTEM, _TOOLS, budget.thought, STEPS)
        self.count = lru_cache(COUNTED)(reader.count)
        self._store, self._counted_by = store, self.way if again else None
        self._reader, self._budget = reader, budget

    @cached_property
    def longest(self) -> int:
        """Most tokens of a segment: so few that two fit, and what was said before.

        Raises:
            BackendError: the reader cannot be loaded, or its context leaves no room.
        """
        longest = min(SEGMENT_TOKENS, self._room * EARLIER_SHARE // (2 * EARLIER_SHARE + 1))
        if longest < LEAST_TOKENS:
            context = f"the context of {self._reader.name}, {self._reader.context:,} tokens,"
            raise BackendError(
                f"{context} leaves no room to read", hint="let it think less with `--think`"
            )
        return longest

    @cached_property
    def _room(self) -> int:
        """Tokens for what is read, beside all else that a dialogue begins with."""
        frame = self.count(SYSTEM) + self.count(_TOOLS) + FRAME_MARGIN
        return self._reader.context - self._budget.thought - self._budget.call - frame

    @property
    def counted_by(self) -> str | None:
        """Whose readings count; None for everybody's."""
        return self._counted_by

    def next(self, named: SessionId, most: int, *, settle: bool = False) -> Stretch | None:
        """Return what is to be read next of a session, None where nothing is or it is gone.

        Args:
            named: the session, maybe by an id that it had before.
            most: tokens; what was buffered comes on top.
            settle: whether what was buffered has to be settled, without what follows.
        """
        session, run = self._first_run(named, most)
        if not (session and run):
            return None
        waiting = 0 if settle else self._waiting(session, run)
        taken = waiting + fitting(run[waiting:], most)
        pieces = run[:taken]
        before = most // EARLIER_SHARE
        more_fits = sum(piece.tokens for piece in pieces) + most + before <= self._room
        return Stretch(
            session,
            tuple(pieces),
            tuple(earlier(session, pieces[0], self.count, before)),
            buffered=waiting > 0,
            may_buffer=not settle and taken < len(run) and more_fits,
        )

    def as_now(self, stretch: Stretch, most: int) -> Stretch | None:
        """Return a stretch where it is now; None where it is no more what a reader was shown.

        Then its session has changed or gone, or somebody else was faster. What was only added
        behind it changes nothing.
        """
        session, run = self._first_run(stretch.session.id, most)
        pieces = tuple(run[: len(stretch.pieces)])
        if not session or pieces != stretch.pieces:
            return None
        before = earlier(session, pieces[0], self.count, most // EARLIER_SHARE)
        return replace(stretch, session=session) if tuple(before) == stretch.earlier else None

    def sizes(self, named: SessionId) -> Iterator[int]:
        """Yield the tokens of every segment that is left of a session, if none is buffered."""
        session = self._store.sessions.get(named)
        for run in self._runs(session, self.longest):
            while run:
                taken = fitting(run, self.longest)
                yield sum(piece.tokens for piece in run[:taken])
                run = run[taken:]

    def _first_run(self, named: SessionId, most: int) -> tuple[Session | None, list[Piece]]:
        try:
            session = self._store.sessions.get(named)
        except NotFoundError:
            return None, []
        # What was buffered, what follows it, and whether there is more.
        runs = self._runs(session, most, enough=self._room + most)
        return session, runs[0] if runs else []

    def _runs(self, session: Session, most: int, *, enough: float = math.inf) -> list[list[Piece]]:
        settled = self._store.reads.settled(session.id, way=self._counted_by)
        return unread(session, settled, self.count, most, enough=enough)

    def _waiting(self, session: Session, run: list[Piece]) -> int:
        """Return how many pieces at the beginning of a run were buffered."""
        buffered = self._store.reads.buffered(session.id, way=self.way)
        for place, piece in enumerate(run):
            if buffered.get(session.turns[piece.position - 1].key, 0) < piece.stop:
                return place
        return len(run)
