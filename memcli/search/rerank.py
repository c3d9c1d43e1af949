"""The second stage: a calibrated yes or no about the best passages of the best sessions.

Judging is what costs, so passages are judged by how likely they are to answer, a few at a time,
until those that are left are unlikely to change the first places. With the sessions of LoCoMo and
a judge that says yes with a margin of 2 +- 1 and no with one of -3.5 +- 1, the best session that
answers comes out as high as if everything was judged, with a sixth of the passages:

    judged                            passages    MRR   any@5    R@5
    all                                   81.2   .987    .988   .980
    each session's best, then seconds     23.9   .905    .912   .872
    this                                  13.5   .975    .978   .935
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from memcli.deadline import check_time, seconds_left
from memcli.domain import Passage, fingerprint
from memcli.prompts import passage_heading
from memcli.protocols import Reranker
from memcli.search.budget import PASSAGE_TOKENS, PASSAGES
from memcli.search.model_speed import Speeds
from memcli.search.results import Work
from memcli.search.retrieve import Candidate
from memcli.store import Store
from memcli.text.chunking import passage_text

RELEVANT = 0.5  # the least probability of a session that answers
SETTLED = 0.9  # probability of a session of which no other passage need be judged
FIRST, STEP = 8, 4  # passages judged before it is looked how it goes, and between two looks
# How often a session's second and third passage answer, for once that its first does.
DEPTHS = (1.0, 0.45, 0.3)

Place = tuple[Candidate, Passage]


@dataclass(frozen=True, slots=True)
class Judged:
    """A session's best passage and the probability that it answers."""

    probability: float  # in [0, 1]
    passage: Passage


class Reranking:
    """The passages judged so far for one question."""

    def __init__(
        self,
        question: str,
        candidates: Sequence[Candidate],
        reranker: Reranker,
        store: Store,
        speeds: Speeds,
        *,
        working: Callable[[Work], None] = lambda _work: None,
    ) -> None:
        self.judged: dict[int, Judged] = {}  # by number of the session
        self.passages = 0
        self.remembered = 0  # passages that were judged in an earlier run
        self.load = 0.0  # seconds
        self.tokens = 0
        self._question, self._reranker, self._store = question, reranker, store
        self._speeds, self._working = speeds, working
        self._waiting = _by_chance(candidates)
        self.of = 0  # passages it would judge at most

    def run(self, *, wanted: int) -> None:
        """Judge passages until nothing that is left is likely to change the first places.

        That is when so many sessions are settled as are wanted; when a step has found no other
        session that answers than those found before; and while there is none, when PASSAGES are
        judged.

        Args:
            wanted: sessions in the first places.

        Raises:
            BackendError: the model failed. What was judged before counts.
            OutOfTimeError: the deadline passed. Likewise.
        """
        self.of = min(max(PASSAGES, wanted), len(self._waiting))
        size = max(FIRST, wanted)
        while places := self._next(min(size, self.of - self.passages)):
            before = self._likelier_than(RELEVANT)
            while places:
                number = self._affordable()
                self._judge(places[:number])
                places = places[number:]
            if self._likelier_than(RELEVANT) == before > 0:
                return
            if self._likelier_than(SETTLED) >= wanted:
                return
            size = STEP

    def _next(self, number: int) -> list[Place]:
        """Take the likeliest passages of sessions that are not settled."""
        settled = {one for one, said in self.judged.items() if said.probability >= SETTLED}
        self._waiting = [place for place in self._waiting if place[0].number not in settled]
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        return taken

    def _affordable(self) -> int:
        """Return how many passages can be judged in one go before the deadline, at least one.

        One, too, while there is a deadline and nobody knows how fast the model is.
        """
        seconds = seconds_left()
        if math.isinf(seconds):
            return len(self._waiting) + PASSAGES
        if not self._speeds.knows(self._reranker):
            return 1
        speed = self._speeds.of(self._reranker)
        return max(1, int((seconds - speed.load) * speed.read / PASSAGE_TOKENS))

    def _likelier_than(self, probability: float) -> int:
        return sum(said.probability >= probability for said in self.judged.values())

    def _judge(self, places: Sequence[Place]) -> None:
        """Judge passages, or remember what was said about them."""
        model, question = self._reranker.fingerprint, self._question
        texts = [f"{passage_heading(one.session)}\n{passage_text(one.session, passage)}"
                 for one, passage in places]  # fmt: skip
        keys = [fingerprint("rerank", model, question, text) for text in texts]
        missing = []
        for at, key in enumerate(keys):
            kept = _probability(self._store.cache.get(key))
            if kept is None:
                missing.append(at)
            else:
                self._keep(places[at], kept)
                self.remembered += 1
        new: dict[str, float] = {}
        try:
            for at, probability in self._asked([texts[at] for at in missing]):
                new[keys[missing[at]]] = probability
                self._keep(places[missing[at]], probability)
        finally:
            self._store.cache.put(new)  # what was judged before an interrupt is not judged again

    def _asked(self, texts: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield what the model says, as it says it, and learn how fast it is."""
        if not texts:
            return
        check_time()
        self._tell(self._speeds.of(self._reranker).read)
        began = monotonic()
        tokens = [self._reranker.count(text) for text in texts]  # loads the model
        loading, began = monotonic() - began, monotonic()
        if not self.load:
            self.load = loading
            self._speeds.loaded(self._reranker, loading)
        read = 0
        try:
            for at, probability in self._reranker.judge(self._question, texts):
                read += tokens[at]
                yield at, probability
                self._tell(read / max(monotonic() - began, 1e-6))
                check_time()
        finally:
            self._learn(read, sum(tokens), monotonic() - began)

    def _learn(self, read: int, of: int, seconds: float) -> None:
        self.tokens += read
        if read:
            self._speeds.read(self._reranker, read, seconds)
        else:  # stopped before it had read anything
            self._speeds.slower(self._reranker, of, seconds)

    def _tell(self, tokens_per_second: float) -> None:
        seconds = (self.of - self.passages) * PASSAGE_TOKENS / tokens_per_second
        self._working(Work("judging passages", seconds, self.passages, self.of))

    def _keep(self, place: Place, probability: float) -> None:
        candidate, passage = place
        self.passages += 1
        best = self.judged.get(candidate.number)
        if best is None or probability > best.probability:
            self.judged[candidate.number] = Judged(probability, passage)


def chance(rank: int) -> float:
    """Return how probable it is that the session at this place, from 0, answers.

    Rounded from LoCoMo: .77, .14, .07, .05, .03 and so on. It stands for a verdict where there is
    none, so that a session not judged comes before one that got a clear no.
    """
    return 0.6 / (1 + rank) ** 1.5  # type: ignore[no-any-return]  # a power may be complex


def _by_chance(candidates: Sequence[Candidate]) -> list[Place]:
    """Return the passages of all candidates, likeliest to answer first."""
    places = [
        (share / (1 + rank) ** 1.2, candidate, passage)
        for rank, candidate in enumerate(candidates)
        for share, passage in zip(DEPTHS, candidate.passages, strict=False)
    ]
    places.sort(key=lambda place: -place[0])
    return [(candidate, passage) for _, candidate, passage in places]


def _probability(kept: object) -> float | None:
    """Return what was remembered, None where it makes no sense."""
    return float(kept) if isinstance(kept, int | float) and 0 <= kept <= 1 else None
