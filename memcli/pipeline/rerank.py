"""The second stage: a calibrated yes or no about the best passages of the best sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memcli.domain import Passage, fingerprint
from memcli.pipeline.chunking import passage_text
from memcli.pipeline.prompts import passage_heading
from memcli.pipeline.retrieve import Candidate
from memcli.protocols import Reranker
from memcli.store import Store

PASSAGES = 24  # judged for one question
RELEVANT = 0.5  # the least probability of a session that answers

Progress = Callable[[int, int], None]  # passages judged, of how many


@dataclass(frozen=True, slots=True)
class Judged:
    """A session's best passage and the probability that it answers."""

    probability: float  # in [0, 1]
    passage: Passage


def rerank(
    question: str,
    candidates: Sequence[Candidate],
    reranker: Reranker,
    store: Store,
    *,
    progress: Progress = lambda _done, _of: None,
) -> dict[int, Judged]:
    """Judge the best passages of the candidates, first ones first.

    Every candidate's best passage comes before any candidate's second. What the reranker said
    about a passage before is remembered.

    Returns:
        The verdict on each session that was judged, by its number.

    Raises:
        BackendError: the model failed.
    """
    places = [
        (candidate, candidate.passages[depth])
        for depth in range(max((len(c.passages) for c in candidates), default=0))
        for candidate in candidates
        if depth < len(candidate.passages)
    ][:PASSAGES]
    texts = [
        f"{passage_heading(candidate.session)}\n{passage_text(candidate.session, passage)}"
        for candidate, passage in places
    ]
    probabilities = _judge(question, texts, reranker, store, progress)
    judged: dict[int, Judged] = {}
    for (candidate, passage), probability in zip(places, probabilities, strict=True):
        best = judged.get(candidate.number)
        if best is None or probability > best.probability:
            judged[candidate.number] = Judged(probability, passage)
    return judged


def _judge(
    question: str, texts: Sequence[str], reranker: Reranker, store: Store, progress: Progress
) -> list[float]:
    keys = [fingerprint("rerank", reranker.fingerprint, question, text) for text in texts]
    known: dict[str, float] = {}
    for key in keys:
        kept = store.cache.get(key)
        if kept is not None:
            known[key] = float(kept)
    missing = [at for at, key in enumerate(keys) if key not in known]
    new: dict[str, float] = {}
    try:
        for at, probability in reranker.judge(question, [texts[at] for at in missing]):
            new[keys[missing[at]]] = probability
            progress(len(texts) - len(missing) + len(new), len(texts))
    finally:
        store.cache.put(new)  # what was judged before an interrupt need not be judged again
    known |= new
    return [known[key] for key in keys]
