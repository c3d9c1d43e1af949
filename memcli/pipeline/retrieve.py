"""The first stage: sessions by words and by meaning, without a language model.

Words are looked for at three grains and meaning in passages. What each gives is brought to the
range 0 to 1 and added by weight. The weights were chosen on LoCoMo and LongMemEval together
(`tests/measure.py`); equal-weight rank fusion loses to words alone there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from memcli.domain import Session
from memcli.pipeline.fusion import by_maximum, by_range, weighted
from memcli.protocols import Embedder
from memcli.store import Filters, Found, Grain, Store, asked

WEIGHTS = {"session": 1.0, "passage": 0.5, "turn": 0.5, "meaning": 0.7}
DEPTH = 400  # places looked at of every kind
LEAST_COSINE = 0.5  # of a passage that shares no word with the question, to be shown at all
MOST_EVIDENCE = 3  # turns


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
    parts: dict[str, float]  # by name in WEIGHTS, in [0, weight]: what each measure adds
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
    worded = {place.session for places in found.values() for place in places}
    meant = {place.session for place in near if place.score >= LEAST_COSINE}
    parts: dict[str, dict[int, float]] = {
        **{grain: by_maximum(_best(places)) for grain, places in found.items()},
        "meaning": by_range(_best(near)),
    }
    scores = weighted([(WEIGHTS[name], parts[name]) for name in WEIGHTS])
    ranked = sorted(
        (number for number in scores if number in worded | meant),
        key=lambda number: (-scores[number], number),
    )
    chosen = ranked[:limit]
    turns = store.index.with_words("turn", terms, filters, 1000, within=chosen)
    evidence = _evidence(chosen, turns, near)
    return [
        Candidate(
            number,
            store.sessions.by_number(number),
            scores[number],
            {name: WEIGHTS[name] * parts[name].get(number, 0.0) for name in WEIGHTS},
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


def _evidence(
    sessions: Iterable[int], turns: Iterable[Found], near: Iterable[Found]
) -> dict[int, list[Evidence]]:
    """Choose the turns that speak for each session, by words; where none match, by meaning."""
    chosen: dict[int, list[Evidence]] = {number: [] for number in sessions}
    for turn in turns:
        if len(chosen[turn.session]) < MOST_EVIDENCE:
            chosen[turn.session].append(Evidence(turn.first, turn.score))
    for passage in near:
        if passage.session in chosen and not chosen[passage.session]:
            chosen[passage.session].append(Evidence(passage.first, 0.0))
    return {number: evidence or [Evidence(1, 0.0)] for number, evidence in chosen.items()}
