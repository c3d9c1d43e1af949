"""The third stage: a model reads the best sessions, thinks, and ranks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from memcli.deadline import check_time
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.prompts import history, sift_message
from memcli.protocols import Ranking, Sifter
from memcli.search.budget import RANKING_TOKENS
from memcli.search.model_speed import Speeds
from memcli.search.packing import SHOWN, Excerpt, block, pack
from memcli.search.results import Listener, Work
from memcli.search.retrieve import Candidate
from memcli.store import Store

RANKED = 10  # most of the sessions shown that the model ranks
FRAME_MARGIN = 8  # tokens: the parts of a message may take a few more together than apart


@dataclass(frozen=True, slots=True)
class Sifted:
    """What the sifter thought, and the order it came to."""

    thought: str
    order: tuple[int, ...]  # numbers of sessions, best first; only those it ranked
    shown: int  # how many it was shown
    remembered: bool = False  # from an earlier run
    read: int = 0  # tokens
    written: int = 0  # tokens


class Sifting:
    """One question about the first candidates, put to a sifter."""

    def __init__(
        self,
        question: str,
        candidates: Sequence[Candidate],
        sifter: Sifter,
        wording: str,
        store: Store,
        speeds: Speeds,
        listener: Listener | None = None,
    ) -> None:
        self.load = 0.0  # seconds
        self._question, self._wording = question, wording
        self._candidates = candidates[:SHOWN]
        self._sifter, self._store = sifter, store
        self._speeds, self._listener = speeds, listener or Listener()

    def remembered(self, history_tokens: int, thought_tokens: int) -> Sifted | None:
        """Return what came out before, asked the same about the same; no model is loaded."""
        kept = self._store.cache.get(self._key(history_tokens, thought_tokens))
        try:
            order = tuple(self._candidates[at].number for at in kept["order"])
            found = Sifted(str(kept["thought"]), order, int(kept["shown"]), remembered=True)
        except (TypeError, KeyError, IndexError, ValueError):  # there is nothing, or nonsense
            return None
        self._listener.thought(found.thought)
        return found

    def open(self) -> None:
        """Load the model, and learn how long that takes."""
        self._listener.working(Work("loading", self._speeds.of(self._sifter).load))
        began = monotonic()
        self._sifter.count(self._question)
        self.load = monotonic() - began
        self._speeds.loaded(self._sifter, self.load)
        check_time()

    def run(self, history_tokens: int, thought_tokens: int) -> Sifted:
        """Let the model read, think and rank.

        Args:
            history_tokens: most tokens of sessions it reads.
            thought_tokens: most tokens it thinks.

        Raises:
            BackendError: the model failed, or not one session fits its context.
            OutOfTimeError: the deadline passed.
        """
        shown = self._packed(history_tokens, thought_tokens)
        message = sift_message(self._wording, block(shown), self._question)
        read = self._sifter.count(message)
        self._listener.working(Work("reading", read / self._speeds.of(self._sifter).read))
        ranked, thought = self._ranked(message, read, len(shown), thought_tokens)
        order = [shown[index].candidate for index in ranked]
        places = [self._candidates.index(candidate) for candidate in order]
        value = {"thought": thought, "order": places, "shown": len(shown)}
        self._store.cache.put({self._key(history_tokens, thought_tokens): value})
        written = self._sifter.count(thought)
        numbers = tuple(candidate.number for candidate in order)
        return Sifted(thought, numbers, len(shown), read=read, written=written)

    def _ranked(
        self, message: str, read: int, shown: int, thought_tokens: int
    ) -> tuple[tuple[int, ...], str]:
        """Return the indices of the sessions shown, best first, and the thought."""
        check_time()
        times = [monotonic()]  # of the beginning and of each piece
        pieces: list[str] = []
        most = min(RANKED, shown)
        try:
            for piece in self._sifter.sift(
                message, shown=shown, ranked=most, thought_tokens=thought_tokens
            ):
                if isinstance(piece, Ranking):
                    times.append(monotonic())
                    return piece.order, "".join(pieces).strip()
                times.append(monotonic())
                pieces.append(piece)
                self._heard(piece, thought_tokens - len(pieces))
                check_time()
        finally:
            self._learn(read, times)
        raise BackendError(f"{self._sifter.name} ended without a ranking")

    def _heard(self, piece: str, left: int) -> None:
        seconds = max(left, 0) / self._speeds.of(self._sifter).write
        self._listener.working(Work("thinking", seconds))
        self._listener.thought(piece)

    def _learn(self, read: int, times: Sequence[float]) -> None:
        """Learn how fast the model reads, from the time to its first piece, and writes."""
        if len(times) > 1:
            self._speeds.read(self._sifter, read, times[1] - times[0])
        else:  # stopped before it had read everything
            self._speeds.slower(self._sifter, read, monotonic() - times[0])
        if len(times) > 2:  # a piece is a token, or nearly
            self._speeds.wrote(self._sifter, len(times) - 2, times[-1] - times[1])

    def _packed(self, history_tokens: int, thought_tokens: int) -> list[Excerpt]:
        sifter = self._sifter
        frame = sifter.count(sift_message(self._wording, "", self._question))
        # Two texts put together may take a token more than apart.
        free = sifter.context - thought_tokens - RANKING_TOKENS - frame - FRAME_MARGIN
        shown = pack(self._candidates, sifter.count, min(history_tokens, free))
        if not shown:
            raise BackendError(
                f"no session fits into the {sifter.context:,} tokens of {sifter.name}",
                hint="let it think less with `--think`",
            )
        return shown

    def _key(self, history_tokens: int, thought_tokens: int) -> str:
        """Return what stands for all that the ranking depends on, without loading the model."""
        read = [
            part
            for one in self._candidates
            for part in (
                history([(one.session, range(1, len(one.session.turns) + 1))]),
                (one.evidence, one.passages, one.terms),  # where it is cut
            )
        ]
        how = (self._sifter.fingerprint, self._sifter.context, self._wording)
        return fingerprint("sift", *how, history_tokens, thought_tokens, self._question, *read)
