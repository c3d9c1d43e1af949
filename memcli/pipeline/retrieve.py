"""The first stage: sessions by words and by meaning, without a language model.

Words are looked for at three grains and meaning in passages. What each gives is brought to the
range 0 to 1 and added by weight. The weights were chosen on LoCoMo and LongMemEval together
(`tests/measure.py`); equal-weight rank fusion loses to words alone there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memcli.domain import Passage, Session
from memcli.pipeline.fusion import by_maximum, by_range, weighted
from memcli.protocols import Embedder
from memcli.store import Filters, Found, Grain, Store, asked

WEIGHTS = {"session": 1.0, "passage": 0.5, "turn": 0.5, "meaning": 0.7}
DEPTH = 400  # places looked at of every kind
LEAST_COSINE = 0.5  # of a passage that shares no word with the question, to be shown at all
MOST_EVIDENCE = 3  # turns of a session
MOST_PASSAGES = 3  # of a session


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn that earned its session's score."""

    position: int  # from 1
    score: float  # BM25 of its words; 0 where it was found by meaning


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session that may answer, with what speaks for it."""

    number: int
    session: Session
    score: float  # in [0, 1]: 1 is best by every measure
    parts: dict[str, float]  # by name in WEIGHTS: what each measure adds to the score
    terms: tuple[str, ...]  # of the question, that the session has
    passages: tuple[Passage, ...]  # best first, at least one
    evidence: tuple[Evidence, ...]  # best first, at least one


def retrieve(
    question: str, store: Store, embedder: Embedder, filters: Filters, *, limit: int
) -> list[Candidate]:
    """Return the sessions likeliest to answer, best first.

    Nothing is returned where no session has a word of the question and none comes near in
    meaning.
    """
    terms = asked(question)
    grains: tuple[Grain, ...] = ("session", "passage", "turn")
    found = {grain: store.index.with_words(grain, terms, filters, DEPTH) for grain in grains}
    [vector] = embedder.embed([question])
    near = store.index.nearest(vector, embedder, filters, DEPTH)
    worded = {place.session: place.terms for place in found["session"]}
    meant = {place.session for place in near if place.score >= LEAST_COSINE}
    parts: dict[str, dict[int, float]] = {
        **{grain: by_maximum(_best(places)) for grain, places in found.items()},
        "meaning": by_range(_best(near)),
    }
    scores = weighted([(WEIGHTS[name], parts[name]) for name in WEIGHTS])
    shares = {name: weight / sum(WEIGHTS.values()) for name, weight in WEIGHTS.items()}
    ranked = sorted(
        (number for number in scores if number in worded or number in meant),
        key=lambda number: (-scores[number], number),
    )
    chosen = ranked[:limit]
    passages = _passages(chosen, found["passage"], near)
    turns = store.index.with_words("turn", terms, filters, 1000, within=chosen)
    evidence = _evidence(chosen, turns, near)
    return [
        Candidate(
            number,
            store.sessions.by_number(number),
            scores[number],
            {name: parts[name].get(number, 0.0) * share for name, share in shares.items()},
            worded.get(number, ()),
            tuple(passages[number]),
            tuple(evidence[number]),
        )
        for number in chosen
    ]


def _best(places: Iterable[Found]) -> dict[int, float]:
    """Return the best score of every session."""
    best: dict[int, float] = {}
    for place in places:
        best[place.session] = max(place.score, best.get(place.session, place.score))
    return best


def _passages(
    sessions: Iterable[int], worded: Sequence[Found], near: Sequence[Found]
) -> dict[int, list[Passage]]:
    """Choose the passages of each session that are likeliest to answer, by words and meaning."""
    parts = [(WEIGHTS["passage"], worded), (WEIGHTS["meaning"], near)]
    scored: dict[int, dict[Passage, float]] = {number: {} for number in sessions}
    for weight, places in parts:
        greatest = max((found.score for found in places), default=0.0)
        for found in places:
            if found.session in scored and found.place and greatest > 0:
                scores = scored[found.session]
                scores[found.place] = scores.get(found.place, 0) + weight * found.score / greatest
    return {
        number: sorted(scores, key=lambda place: -scores[place])[:MOST_PASSAGES] or [Passage(1, 1)]
        for number, scores in scored.items()
    }


def _evidence(
    sessions: Iterable[int], turns: Iterable[Found], near: Iterable[Found]
) -> dict[int, list[Evidence]]:
    """Choose the turns that speak for each session, by words; where none match, by meaning."""
    chosen: dict[int, list[Evidence]] = {number: [] for number in sessions}
    for turn in turns:
        if turn.place and len(chosen[turn.session]) < MOST_EVIDENCE:
            chosen[turn.session].append(Evidence(turn.place.first, turn.score))
    for passage in near:
        if passage.place and passage.session in chosen and not chosen[passage.session]:
            chosen[passage.session].append(Evidence(passage.place.first, 0.0))
    return {number: evidence or [Evidence(1, 0.0)] for number, evidence in chosen.items()}
