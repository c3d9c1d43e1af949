"""The third stage: a model reads the best sessions, thinks, and ranks them."""

from collections.abc import Sequence
from time import monotonic

from memcli.deadline import check_deadline
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import format_history, sift_message
from memcli.protocols import SiftedOrder, Sifter
from memcli.search.budget import RANKING_TOKENS
from memcli.search.evidence.candidates import Candidate
from memcli.search.model_speed import ModelSpeeds
from memcli.search.packing import MOST_SESSIONS, Excerpt, history_block, pack_sessions
from memcli.search.results import Activity, RankingListener
from memcli.store import Store

MOST_RANKED = 10  # of the sessions shown, by the model
FRAME_MARGIN = 8  # tokens; the parts of a message may take a few more together than apart


@dataclass(frozen=True, slots=True)
class SiftResult:
    """The thought of the sifter, and the order that it came to."""

    thought: str
    order: tuple[int, ...]  # numbers of the sessions that it ranked, best first
    shown: int  # sessions that it was shown
    cached: bool = False  # True if it is from an earlier run
    read: int = 0  # tokens
    written: int = 0  # tokens


class SiftStage:
    """One question about the first candidates, put to a sifter."""

    def __init__(
        self,
        question: str,
        candidates: Sequence[Candidate],
        sifter: Sifter,
        wording: str,
        store: Store,
        speeds: ModelSpeeds,
        listener: RankingListener | None = None,
    ) -> None:
        self.load_seconds = 0.0
        self._question, self._wording = question, wording
        self._candidates = candidates[:MOST_SESSIONS]
        self._sifter, self._store = sifter, store
        self._speeds, self._listener = speeds, listener or RankingListener()

    def cached_result(self, history_tokens: int, thought_tokens: int) -> SiftResult | None:
        """Return the result of an earlier run with the same input; it needs no model."""
        value = self._store.cache.get(self._key(history_tokens, thought_tokens))
        try:
            order = tuple(self._candidates[at].number for at in value["order"])
            result = SiftResult(str(value["thought"]), order, int(value["shown"]), cached=True)
        except (TypeError, KeyError, IndexError, ValueError):  # the cache has nothing, or nonsense
            return None
        self._listener.on_thought(result.thought)
        return result

    def load(self) -> None:
        """Load the model, and learn how long that takes.

        Raises:
            OutOfTimeError: the deadline passed.
        """
        self._listener.on_activity(Activity("loading", self._speeds.of(self._sifter).load))
        self.load_seconds = self._speeds.load(self._sifter, self._question)
        check_deadline()

    def run(self, history_tokens: int, thought_tokens: int) -> SiftResult:
        """Let the model read, think and rank.

        Args:
            history_tokens: most tokens of sessions that it reads.
            thought_tokens: most tokens that it thinks.

        Raises:
            BackendError: the model failed, or not one session fits its context.
            OutOfTimeError: the deadline passed.
        """
        shown = self._excerpts(history_tokens, thought_tokens)
        message = sift_message(self._wording, history_block(shown), self._question)
        read = self._sifter.count(message)
        self._listener.on_activity(Activity("reading", read / self._speeds.of(self._sifter).read))
        ranking, thought = self._generate(message, read, len(shown), thought_tokens)
        order = [shown[index].candidate for index in ranking]
        places = [self._candidates.index(candidate) for candidate in order]
        value = {"thought": thought, "order": places, "shown": len(shown)}
        self._store.cache.put({self._key(history_tokens, thought_tokens): value})
        written = self._sifter.count(thought)
        numbers = tuple(candidate.number for candidate in order)
        return SiftResult(thought, numbers, len(shown), read=read, written=written)

    def _generate(
        self, message: str, prompt_tokens: int, shown: int, thought_tokens: int
    ) -> tuple[tuple[int, ...], str]:
        """Return the indices of the sessions shown, best first, and the thought."""
        check_deadline()
        times = [monotonic()]  # when generating began, and when each piece came
        pieces: list[str] = []
        try:
            for piece in self._sifter.sift(
                message,
                shown=shown,
                ranked=min(MOST_RANKED, shown),
                thought_tokens=thought_tokens,
            ):
                times.append(monotonic())
                if isinstance(piece, SiftedOrder):
                    return piece.order, "".join(pieces).strip()
                pieces.append(piece)
                self._report(piece, thought_tokens - len(pieces))
                check_deadline()
        finally:
            self._speeds.record_generation(self._sifter, prompt_tokens, times)
        raise BackendError(f"{self._sifter.name} ended without a ranking")

    def _report(self, piece: str, tokens_left: int) -> None:
        seconds = max(tokens_left, 0) / self._speeds.of(self._sifter).write
        self._listener.on_activity(Activity("thinking", seconds))
        self._listener.on_thought(piece)

    def _excerpts(self, history_tokens: int, thought_tokens: int) -> list[Excerpt]:
        sifter = self._sifter
        frame = sifter.count(sift_message(self._wording, "", self._question))
        # Two texts put together may take a token more than apart.
        free = sifter.context - thought_tokens - RANKING_TOKENS - frame - FRAME_MARGIN
        shown = pack_sessions(self._candidates, sifter.count, min(history_tokens, free))
        if not shown:
            raise BackendError(
                f"no session fits into the {sifter.context:,} tokens of {sifter.name}",
                hint="let it think less with `--think`",
            )
        return shown

    def _key(self, history_tokens: int, thought_tokens: int) -> str:
        """Return a digest of everything that the ranking depends on, without loading the model."""
        content = [
            part
            for one in self._candidates
            for part in (
                format_history([(one.session, range(1, len(one.session.turns) + 1))]),
                (one.evidence, one.passages, one.terms),  # these decide where it is cut
            )
        ]
        sifter = self._sifter
        return fingerprint(
            "sift",
            sifter.fingerprint,
            sifter.context,
            self._wording,
            history_tokens,
            thought_tokens,
            self._question,
            *content,
        )
