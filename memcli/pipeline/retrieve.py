"""The first stage: sessions by words and by meaning, without a language model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from memcli.domain import Passage, Session
from memcli.pipeline.measures import Levers, Measures, measure
from memcli.protocols import Embedder
from memcli.store import Filters, Found, Store, searched

LEAST_COSINE = 0.45  # of a passage that shares no word with the question, to be shown at all
LEAST_CLOSENESS = 0.5  # of a session to the days named, where it shares no word either
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
    parts: dict[str, float]  # by name in Levers: what each measure adds to the score
    terms: tuple[str, ...]  # of the question, that the session has
    passages: tuple[Passage, ...]  # best first, at least one
    evidence: tuple[Evidence, ...]  # best first, at least one


def retrieve(
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    limit: int,
    now: datetime | None = None,
    levers: Levers | None = None,
    memories: Mapping[int, float] | None = None,
) -> list[Candidate]:
    """Return the sessions likeliest to answer, best first.

    Nothing is returned where no session has a word of the question, none comes near in meaning
    and none is from a day it names.

    Args:
        question: in the person's own words.
        store: where the sessions are.
        embedder: the one their vectors are of.
        filters: which sessions count.
        limit: most sessions to return.
        now: what "yesterday" counts from; the present by default.
        levers: how much each measure counts.
        memories: scores in [0, 1] of sessions, by number, that other keys of theirs earned.
    """
    levers = levers or Levers()
    found = measure(question, store, embedder, filters, now=now, levers=levers, memories=memories)
    parts = found.by_session()
    weights = {name: getattr(levers, name) for name in parts}
    scores = found.scores(levers)
    showable = _showable(found)
    ranked = sorted(scores.keys() & showable, key=lambda number: (-scores[number], number))
    chosen = ranked[:limit]
    sessions = {number: store.sessions.by_number(number) for number in chosen}
    firsts = {number: _first_searched(session) for number, session in sessions.items()}
    passages = _passages(firsts, found, levers)
    among = replace(filters, among=tuple(chosen))
    turns = store.index.with_words("turn", found.terms, among, 1000, weights=found.weights)
    evidence = _evidence(firsts, turns, found.near)
    sure = certainty(chosen[0], found, store) if chosen else 0.0
    shares = {name: sure * weight / sum(weights.values()) for name, weight in weights.items()}
    terms = {place.session: place.terms for place in found.sessions}
    return [
        Candidate(
            number,
            sessions[number],
            sure * scores[number],
            {name: parts[name].get(number, 0.0) * share for name, share in shares.items()},
            terms.get(number, ()),
            tuple(passages[number]),
            tuple(evidence[number]),
        )
        for number in chosen
    ]


def certainty(best: int, found: Measures, store: Store) -> float:
    """Return how much the best session has to do with the question at all, in [0, 1].

    The mean of two measures that do not depend on what else was found: the share of the
    question's terms, by weight, that the session has, and its best passage's cosine. It tells
    one's own questions from those of a stranger (`mem bench locomo10.json --strangers`).
    """
    weights = store.index.weights(found.terms)
    total = sum(weights.values())
    has = {term for place in found.sessions if place.session == best for term in place.terms}
    covered = sum(weights[term] for term in has) / total if total else 0.0
    cosine = max((place.score for place in found.near if place.session == best), default=0.0)
    return (covered + max(cosine, 0.0)) / 2


def _showable(found: Measures) -> set[int]:
    """Return the sessions that have a word of the question, or its meaning, or its day."""
    worded = {place.session for place in (*found.sessions, *found.passages, *found.turns)}
    meant = {place.session for place in found.near if place.score >= LEAST_COSINE}
    dated = {number for number, near in found.dated.items() if near >= LEAST_CLOSENESS}
    return worded | meant | dated | found.memories.keys()


def _first_searched(session: Session) -> int:
    """Return the position to show of a session of which nothing but its title or day was found."""
    return next((at for at, turn in enumerate(session.turns, start=1) if searched(turn)), 1)


def _passages(
    firsts: Mapping[int, int], found: Measures, levers: Levers
) -> dict[int, list[Passage]]:
    """Choose the passages of each session that are likeliest to answer, by words and meaning."""
    parts = [(levers.passage, found.passages), (levers.meaning, found.near)]
    scored: dict[int, dict[Passage, float]] = {number: {} for number in firsts}
    for weight, places in parts:
        greatest = max((each.score for each in places), default=0.0)
        for each in places:
            if each.session in scored and each.place and greatest > 0:
                scores = scored[each.session]
                scores[each.place] = scores.get(each.place, 0) + weight * each.score / greatest
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
