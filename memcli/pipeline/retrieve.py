"""The first stage: sessions by words and by meaning, without a language model.

Words are looked for at three grains and meaning in passages. What each gives is brought to the
range 0 to 1 and added by weight. The weights were chosen on LoCoMo and LongMemEval together
(`tests/measure.py`); equal-weight rank fusion loses to words alone there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from memcli.domain import Passage, Session
from memcli.pipeline.fusion import by_maximum, by_range, weighted
from memcli.pipeline.remembered import question_vector
from memcli.pipeline.remembering import memory_keys
from memcli.protocols import Embedder
from memcli.store import Filters, Found, Grain, Store, asked, searched

WEIGHTS = {"session": 1.0, "passage": 0.5, "turn": 0.5, "meaning": 0.7}
MEMORY = 0.2  # of what a session's score lacks, that a memory from it gives at most
DEPTH = 400  # places looked at of every kind
LEAST_COSINE = 0.45  # of a passage that shares no word with the question, to be shown at all
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
    score: float  # in [0, 1]: best by every measure, and has all of the question
    parts: dict[str, float]  # by name in WEIGHTS, and `memory`: what each measure adds to the score
    terms: tuple[str, ...]  # of the question, that the session has
    passages: tuple[Passage, ...]  # best first, at least one
    evidence: tuple[Evidence, ...]  # best first, at least one


def retrieve(
    question: str, store: Store, embedder: Embedder, filters: Filters, *, limit: int
) -> list[Candidate]:
    """Return the sessions likeliest to answer, best first.

    Nothing is returned where no session has a word of the question, none comes near in meaning,
    and no memory leads to one.
    """
    terms = asked(question)
    grains: tuple[Grain, ...] = ("session", "passage", "turn")
    found = {grain: store.index.with_words(grain, terms, filters, DEPTH) for grain in grains}
    vector = question_vector(question, embedder, store.cache)
    near = store.index.nearest(vector, embedder, filters, DEPTH)
    worded = {place.session: place.terms for place in found["session"]}
    meant = {place.session for place in near if place.score >= LEAST_COSINE}
    parts: dict[str, dict[int, float]] = {
        **{grain: by_maximum(_best(places)) for grain, places in found.items()},
        "meaning": by_range(_best(near)),
    }
    scores = weighted([(WEIGHTS[name], parts[name]) for name in WEIGHTS])
    keys = memory_keys(question, store, embedder, filters)
    gained = _gained(scores, keys)
    scores |= {number: scores.get(number, 0.0) + gain for number, gain in gained.items()}
    near = [*keys, *near]
    ranked = sorted(
        (number for number in scores if number in worded or number in meant or number in gained),
        key=lambda number: (-scores[number], number),
    )
    chosen = ranked[:limit]
    sessions = {number: store.sessions.by_number(number) for number in chosen}
    firsts = {number: _first_searched(session) for number, session in sessions.items()}
    passages = _passages(firsts, found["passage"], near)
    among = replace(filters, among=tuple(chosen))
    turns = store.index.with_words("turn", terms, among, 1000)
    evidence = _evidence(firsts, turns, near)
    sure = _certainty(chosen[0], store.index.weights(terms), worded, near) if chosen else 0.0
    shares = {name: sure * weight / sum(WEIGHTS.values()) for name, weight in WEIGHTS.items()}
    return [
        Candidate(
            number,
            sessions[number],
            sure * scores[number],
            {name: parts[name].get(number, 0.0) * share for name, share in shares.items()}
            | ({"memory": sure * gained[number]} if number in gained else {}),
            worded.get(number, ()),
            tuple(passages[number]),
            tuple(evidence[number]),
        )
        for number in chosen
    ]


def _certainty(
    best: int, weights: dict[str, float], worded: dict[int, tuple[str, ...]], near: Iterable[Found]
) -> float:
    """Return how much the best session has to do with the question at all, in [0, 1].

    The mean of two measures that do not depend on what else was found: the share of the
    question's terms, by weight, that the session has, and its best passage's cosine. It tells
    one's own questions from those of a stranger (`tests/measure.py locomo PATH --strangers`).
    """
    total = sum(weights.values())
    covered = sum(weights[term] for term in worded.get(best, ())) / total if total else 0.0
    cosine = max((place.score for place in near if place.session == best), default=0.0)
    return (covered + max(cosine, 0.0)) / 2


def _gained(scores: Mapping[int, float], keys: Iterable[Found]) -> dict[int, float]:
    """Return what memories add to the scores of the sessions they came from."""
    return {
        number: MEMORY * score * (1 - scores.get(number, 0.0))
        for number, score in _best(keys).items()
    }


def _best(places: Iterable[Found]) -> dict[int, float]:
    """Return the best score of every session."""
    best: dict[int, float] = {}
    for place in places:
        best[place.session] = max(place.score, best.get(place.session, place.score))
    return best


def _first_searched(session: Session) -> int:
    """Return the position to show of a session of which nothing but its title or day was found."""
    return next((at for at, turn in enumerate(session.turns, start=1) if searched(turn)), 1)


def _passages(
    firsts: Mapping[int, int], worded: Sequence[Found], near: Sequence[Found]
) -> dict[int, list[Passage]]:
    """Choose the passages of each session that are likeliest to answer, by words and meaning."""
    parts = [(WEIGHTS["passage"], worded), (WEIGHTS["meaning"], near)]
    scored: dict[int, dict[Passage, float]] = {number: {} for number in firsts}
    for weight, places in parts:
        greatest = max((found.score for found in places), default=0.0)
        for found in places:
            if found.session in scored and found.place and greatest > 0:
                scores = scored[found.session]
                scores[found.place] = scores.get(found.place, 0) + weight * found.score / greatest
    return {
        number: sorted(scores, key=lambda place: -scores[place])[:MOST_PASSAGES]
        or [Passage(firsts[number], firsts[number])]
        for number, scores in scored.items()
    }


def _evidence(
    firsts: Mapping[int, int], turns: Iterable[Found], near: Iterable[Found]
) -> dict[int, list[Evidence]]:
    """Choose the turns that speak for each session, by words; where none match, by meaning."""
    chosen: dict[int, list[Evidence]] = {number: [] for number in firsts}
    for turn in turns:
        if turn.place and len(chosen[turn.session]) < MOST_EVIDENCE:
            chosen[turn.session].append(Evidence(turn.place.first, turn.score))
    for passage in near:
        if passage.place and passage.session in chosen and not chosen[passage.session]:
            chosen[passage.session].append(Evidence(passage.place.first, 0.0))
    return {
        number: evidence or [Evidence(firsts[number], 0.0)] for number, evidence in chosen.items()
    }
