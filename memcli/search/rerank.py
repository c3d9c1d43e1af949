"""The second stage: a calibrated yes or no about the best passages of the best sessions.

Judging is the expensive part, so passages are judged in the order of their probability to answer,
a few at a time, until the rest is unlikely to change the first places. With the sessions of LoCoMo
and a judge that says yes with a margin of 2 +- 1 and no with one of -3.5 +- 1, the best session
that answers is ranked almost as high as if everything was judged, with a sixth of the passages:

    judged                            passages    MRR   any@5    R@5
    all                                   81.2   .987    .988   .980
    each session's best, then seconds     23.9   .905    .912   .872
    this                                  13.5   .975    .978   .935
"""

import math
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

from memcli.deadline import check_deadline, seconds_left
from memcli.domain import Passage, fingerprint
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import passage_heading
from memcli.protocols import Reranker
from memcli.search.budget import PASSAGE_TOKENS, PASSAGES
from memcli.search.evidence.candidates import Candidate
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import Activity
from memcli.store import Store
from memcli.text.chunking import passage_text

RELEVANT = 0.5  # the least probability of a session that answers
SETTLED = 0.9  # probability of a session of which no other passage need be judged
FIRST_BATCH, NEXT_BATCH = 8, 4  # passages that are judged before it is decided whether to go on
# The odds that a session's first, second and third passage answer, relative to the first.
PASSAGE_ODDS = (1.0, 0.45, 0.3)

CandidatePassage = tuple[Candidate, Passage]


@dataclass(frozen=True, slots=True)
class Judgment:
    """A session's best passage and the probability that it answers."""

    probability: float  # in [0, 1]
    passage: Passage


class RerankStage:
    """The judgments so far about the passages of one question's candidates."""

    def __init__(
        self,
        question: str,
        candidates: Sequence[Candidate],
        reranker: Reranker,
        store: Store,
        speeds: ModelSpeeds,
        *,
        on_activity: Callable[[Activity], None] = lambda _work: None,
    ) -> None:
        self.judgments: dict[int, Judgment] = {}  # by number of the session
        self.passages = 0  # judged so far, cached ones included
        self.most_passages = 0  # that will be judged
        self.cached = 0  # passages that were judged in an earlier run
        self.load_seconds = 0.0
        self.tokens = 0
        self._question, self._reranker, self._store = question, reranker, store
        self._speeds, self._on_activity = speeds, on_activity
        self._waiting = _likeliest_first(candidates)

    def run(self, *, wanted: int) -> None:
        """Judge passages until the rest is unlikely to change the first places.

        It ends when as many sessions are settled as are wanted; when a batch has found no other
        session that answers than those before; and if there is none, after PASSAGES passages.

        Args:
            wanted: sessions in the first places.

        Raises:
            BackendError: the model failed. Passages that were judged before count.
            OutOfTimeError: the deadline passed. Passages that were judged before count.
        """
        self.most_passages = min(max(PASSAGES, wanted), len(self._waiting))
        size = max(FIRST_BATCH, wanted)
        while batch := self._next_batch(min(size, self.most_passages - self.passages)):
            before = self._count_likely(RELEVANT)
            while batch:
                number = self._affordable_passages()
                self._judge(batch[:number])
                batch = batch[number:]
            if self._count_likely(RELEVANT) == before > 0:
                return
            if self._count_likely(SETTLED) >= wanted:
                return
            size = NEXT_BATCH

    def _next_batch(self, size: int) -> list[CandidatePassage]:
        """Take the likeliest passages of sessions that are not settled."""
        settled = {number for number, one in self.judgments.items() if one.probability >= SETTLED}
        self._waiting = [each for each in self._waiting if each[0].number not in settled]
        batch, self._waiting = self._waiting[:size], self._waiting[size:]
        return batch

    def _affordable_passages(self) -> int:
        """Return how many passages can be judged in one go before the deadline, at least one.

        It is also one while there is a deadline and the speed of the model is unknown.
        """
        seconds = seconds_left()
        if math.isinf(seconds):
            return len(self._waiting) + PASSAGES
        if not self._speeds.knows(self._reranker):
            return 1
        speed = self._speeds.of(self._reranker)
        return max(1, int((seconds - speed.load) * speed.read / PASSAGE_TOKENS))

    def _count_likely(self, probability: float) -> int:
        return sum(one.probability >= probability for one in self.judgments.values())

    def _judge(self, batch: Sequence[CandidatePassage]) -> None:
        """Judge passages, or take their cached probabilities."""
        model, question = self._reranker.fingerprint, self._question
        texts = [
            f"{passage_heading(candidate.session)}\n{passage_text(candidate.session, passage)}"
            for candidate, passage in batch
        ]
        keys = [fingerprint("rerank", model, question, text) for text in texts]
        missing = []
        for at, key in enumerate(keys):
            cached = _valid_probability(self._store.cache.get(key))
            if cached is None:
                missing.append(at)
            else:
                self._add(batch[at], cached)
                self.cached += 1
        new: dict[str, float] = {}
        try:
            for at, probability in self._ask_model([texts[at] for at in missing]):
                new[keys[missing[at]]] = probability
                self._add(batch[missing[at]], probability)
        finally:
            self._store.cache.put(new)  # passages judged before an interrupt are not judged again

    def _ask_model(self, texts: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield the model's probabilities as they come, and learn how fast it is."""
        if not texts:
            return
        check_deadline()
        self._report(self._speeds.of(self._reranker).read)
        began = monotonic()
        tokens = [self._reranker.count(text) for text in texts]  # loads the model
        loading, began = monotonic() - began, monotonic()
        if not self.load_seconds:
            self.load_seconds = loading
            self._speeds.record_load(self._reranker, loading)
        read = 0
        try:
            for at, probability in self._reranker.judge(self._question, texts):
                read += tokens[at]
                yield at, probability
                self._report(read / max(monotonic() - began, 1e-6))
                check_deadline()
        finally:
            self._record(read, sum(tokens), monotonic() - began)

    def _record(self, tokens_read: int, tokens: int, seconds: float) -> None:
        self.tokens += tokens_read
        if tokens_read:
            self._speeds.record_read(self._reranker, tokens_read, seconds)
        else:  # it was stopped before it had read anything
            self._speeds.record_unfinished_read(self._reranker, tokens, seconds)

    def _report(self, tokens_per_second: float) -> None:
        seconds = (self.most_passages - self.passages) * PASSAGE_TOKENS / tokens_per_second
        self._on_activity(
            Activity("judging passages", seconds, done=self.passages, total=self.most_passages)
        )

    def _add(self, place: CandidatePassage, probability: float) -> None:
        candidate, passage = place
        self.passages += 1
        best = self.judgments.get(candidate.number)
        if best is None or probability > best.probability:
            self.judgments[candidate.number] = Judgment(probability, passage)


def probability_at_rank(rank: int) -> float:
    """Return how probable it is that the session at this rank, from 0, answers.

    The formula approximates LoCoMo: .77, .14, .07, .05, .03 and so on. It stands for a judgment of
    a session without one, so that such a session comes before one that got a clear no.
    """
    return 0.6 / (1 + rank) ** 1.5  # type: ignore[no-any-return]  # a power may be complex


def _likeliest_first(candidates: Sequence[Candidate]) -> list[CandidatePassage]:
    """Return the passages of all candidates, likeliest to answer first."""
    places = [
        (odds / (1 + rank) ** 1.2, candidate, passage)
        for rank, candidate in enumerate(candidates)
        for odds, passage in zip(PASSAGE_ODDS, candidate.passages, strict=False)
    ]
    places.sort(key=lambda place: -place[0])
    return [(candidate, passage) for _, candidate, passage in places]


def _valid_probability(cached: object) -> float | None:
    """Return a cached probability, None if it makes no sense."""
    return float(cached) if isinstance(cached, int | float) and 0 <= cached <= 1 else None
