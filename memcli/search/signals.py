"""The signals of the first stage: each finds places that match a question, and scores sessions.

`SIGNALS` lists them and `find_matches` runs them. A session's score is computed in
`memcli.search.retrieve`, which weighs and adds what they give.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from memcli.lazy_dataclasses import dataclass, replace
from memcli.search.fusion import scale_by_maximum
from memcli.search.memory_search import turns_behind_memories
from memcli.search.query import SearchQuery
from memcli.search.question.other_words import MOST_WEIGHED_TERMS
from memcli.store import Grain, IndexMatch, query_terms, stem_tokens, word_spans
from memcli.text.question_dates import FADING_DAYS

DEPTH = 400  # most passages and sessions found by words, and most passages found by meaning
TURN_DEPTH = 4000  # most turns found by words; sessions need fewer, but turns are evidence, too
LEAST_WIDTH = 0.1  # of the cosines of sessions, from 0 to 1 as a score
MENTION = 0.5  # score of a session that mentions a person, where the person's own have 1
_FAR = timedelta(
    days=5 * FADING_DAYS
)  # from a named day; further away less than .01 of a hint is left

Scores = dict[int, float]  # by number of the session; in [0, 1] once a signal has scaled them
Matches = Mapping[str, Sequence[IndexMatch]]  # by name of the signal, best first


@dataclass(frozen=True, slots=True)
class Signal:
    """One way to find sessions and to score them."""

    find: Callable[[SearchQuery], list[IndexMatch]]  # places that match, best first
    score: Callable[[Iterable[IndexMatch]], Scores]
    counts: Callable[[SearchQuery, Scores], bool]  # False leaves it out of this question's scores


@dataclass(frozen=True, slots=True)
class SignalScores:
    """The scores that one signal gives sessions, and its weight."""

    name: str
    weight: float
    scores: Scores


def find_matches(query: SearchQuery) -> Matches:
    """Run every signal that has a weight.

    If DEPTH sessions or more have words of the question, passages and turns are looked for only in
    the sessions that were found by their words or by the meaning of a passage.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """

    def find(name: str, query: SearchQuery) -> list[IndexMatch]:
        return SIGNALS[name].find(query) if getattr(query.weights, name) else []

    sessions, nearest = find("session", query), find("meaning", query)
    likely = query
    if len(sessions) == DEPTH:
        among = tuple({place.session for place in (*sessions, *nearest)})
        likely = replace(query, filters=replace(query.filters, among=among))
    return {
        "session": sessions,
        "passage": find("passage", likely),
        "turn": find("turn", likely),
        "meaning": nearest,
        "together": find("together", query),
        "dates": find("dates", query),
        "memories": find("memories", query),
        "people": find("people", query),
        "title": find("title", query),
        "contrast": find("contrast", query),
    }


def score_signals(query: SearchQuery, matches: Matches) -> list[SignalScores]:
    """Return the scores of sessions by each signal that counts for a question."""
    scored = []
    for name, signal in SIGNALS.items():
        weight, scores = getattr(query.weights, name), signal.score(matches[name])
        if weight and signal.counts(query, scores):
            scored.append(SignalScores(name, weight, scores))
    return scored


def find_sessions(query: SearchQuery) -> list[IndexMatch]:
    """Find sessions that have words of the question."""
    return _find_words(query, "session", DEPTH)


def find_passages(query: SearchQuery) -> list[IndexMatch]:
    """Find passages that have words of the question."""
    return _find_words(query, "passage", DEPTH)


def find_turns(query: SearchQuery) -> list[IndexMatch]:
    """Find turns that have words of the question."""
    return _find_words(query, "turn", TURN_DEPTH)


def find_nearest_passages(query: SearchQuery) -> list[IndexMatch]:
    """Find the passages nearest to the question in meaning; scores are cosines in [-1, 1]."""
    return query.store.index.nearest_passages(query.vector, query.embedder, query.filters, DEPTH)


def find_adjacent_terms(query: SearchQuery) -> list[IndexMatch]:
    """Find turns in which two terms stand side by side, as they do in the question.

    A turn is found once for each such pair that it has.
    """
    terms = query.own_terms
    named = query.people.terms
    few = len(terms) <= MOST_WEIGHED_TERMS
    pairs = [pair for pair in pairwise(terms) if few and not named.issuperset(pair)]
    return query.store.index.match_pairs(pairs, query.filters)


def find_sessions_near_days(query: SearchQuery) -> list[IndexMatch]:
    """Find sessions near the days that the question names; scores are closenesses in [0, 1]."""
    filters, closeness = query.filters, dict[int, float]()
    for span in query.days:
        since, until = _midnight(span.first, -_FAR), _midnight(span.last, _FAR)
        around = replace(
            filters,
            since=max(since, filters.since or since),
            until=min(until, filters.until or until),
        )
        for number, (first, last) in query.store.index.session_days(around).items():
            closeness[number] = max(span.closeness(first, last), closeness.get(number, 0.0))
    return [IndexMatch(number, None, score) for number, score in closeness.items()]


def find_remembered_turns(query: SearchQuery) -> list[IndexMatch]:
    """Find the turns behind the memories that the question is about."""
    return turns_behind_memories(query.memories, query.store, query.filters)


def find_sessions_of_people(query: SearchQuery) -> list[IndexMatch]:
    """Find the sessions of the people whom the question names; those that mention them score .5."""
    people = query.people
    if not people.speakers and not people.sources:
        return []
    scores = dict.fromkeys(_mentioning(query), MENTION) if people.speakers else {}
    filters = query.filters
    for source in people.sources if filters.source is None else ():
        scores |= dict.fromkeys(query.store.sessions.numbers(replace(filters, source=source)), 1.0)
    if people.speakers and filters.speaker is None:
        spoken = query.store.sessions.numbers(replace(filters, speaker=people.speakers))
        scores |= dict.fromkeys(spoken, 1.0)
    return [IndexMatch(number, None, score) for number, score in scores.items()]


def find_titles(query: SearchQuery) -> list[IndexMatch]:
    """Find sessions by their titles: scores are the shares that question and title have in common.

    A title of several words that stands in the question as a whole scores 1. A title that is the
    name of a speaker says nothing about a subject.
    """
    titles = query.store.index.match_titles(query.own_terms, query.filters, DEPTH)
    rarity = query.store.index.term_weights(query.own_terms)
    informative = {
        " ".join(stem_tokens(term)): rarity[term]
        for term in query.own_terms
        if term not in query.people.terms
    }
    whole = f" {_to_stems(query.text)} "
    total = sum(informative.values()) or 1.0
    usual = max(informative.values(), default=1.0)
    found = []
    for number, title in titles.items():
        stems = [" ".join(stem_tokens(term)) for term in query_terms(title)]
        common = sum(informative.get(stem, 0.0) for stem in stems)
        size = sum(informative.get(stem, usual) for stem in stems) or 1.0
        score = common / size * common / total
        written = _to_stems(title)
        if len(written.split()) > 1 and common and f" {written} " in whole:
            score = 1.0
        if score:
            found.append(IndexMatch(number, None, score))
    return sorted(found, key=lambda one: -one.score)


def find_contrasting_sessions(query: SearchQuery) -> list[IndexMatch]:
    """Find the sessions that have what a question asks for and the one before it did not."""
    if not query.contrast:
        return []
    found = query.store.index.match_terms("session", query.contrast, query.filters, DEPTH)
    return [replace(one, score=1.0) for one in found]


def best_per_session(places: Iterable[IndexMatch]) -> Scores:
    """Return the best score of every session."""
    scores: Scores = {}
    for place in places:
        scores[place.session] = max(place.score, scores.get(place.session, place.score))
    return scores


def score_words(places: Iterable[IndexMatch]) -> Scores:
    """Score each session by its best place, as a share of the best one of all."""
    return scale_by_maximum(best_per_session(places))


def score_meaning(places: Iterable[IndexMatch]) -> Scores:
    """Score each session by its nearest passage: 1 for the nearest, 0 for the furthest one.

    Where all are nearly as near, as in a small archive, the furthest one scores more than 0.
    """
    cosines = best_per_session(places)
    greatest = max(cosines.values(), default=0.0)
    width = max(greatest - min(cosines.values(), default=0.0), LEAST_WIDTH)
    return {number: 1 - (greatest - cosine) / width for number, cosine in cosines.items()}


def score_adjacent_terms(places: Iterable[IndexMatch]) -> Scores:
    """Score each session by the different pairs of terms that it has, as a share of the best."""
    pairs: dict[int, dict[str, float]] = {}
    for place in places:
        pairs.setdefault(place.session, {})[place.terms[0]] = place.score
    return scale_by_maximum({number: sum(scores.values()) for number, scores in pairs.items()})


def always(_query: SearchQuery, _scores: Scores) -> bool:
    """Count a signal for every question."""
    return True


def if_anything_matches(_query: SearchQuery, scores: Scores) -> bool:
    """Count a signal for a question that it finds anything for."""
    return bool(scores)


def if_days_are_named(query: SearchQuery, _scores: Scores) -> bool:
    """Count a signal for a question that names a day, even if no session is near it."""
    return bool(query.days)


# Each signal's weight in `SignalWeights` has the same name.
SIGNALS = {
    "session": Signal(find_sessions, score_words, always),
    "passage": Signal(find_passages, score_words, always),
    "turn": Signal(find_turns, score_words, always),
    "meaning": Signal(find_nearest_passages, score_meaning, always),
    "together": Signal(find_adjacent_terms, score_adjacent_terms, if_anything_matches),
    "dates": Signal(find_sessions_near_days, best_per_session, if_days_are_named),
    "memories": Signal(find_remembered_turns, best_per_session, if_anything_matches),
    "people": Signal(find_sessions_of_people, best_per_session, if_anything_matches),
    "title": Signal(find_titles, best_per_session, if_anything_matches),
    "contrast": Signal(find_contrasting_sessions, best_per_session, if_anything_matches),
}


def _find_words(query: SearchQuery, grain: Grain, depth: int) -> list[IndexMatch]:
    return query.store.index.match_terms(
        grain,
        query.terms,
        query.filters,
        depth,
        weights=query.term_weights,
        assistant=query.weights.assistant,
    )


def _mentioning(query: SearchQuery) -> set[int]:
    names = [term for term in query.terms if term in query.people.terms]
    return {
        one.session for one in query.store.index.match_terms("session", names, query.filters, DEPTH)
    }


def _to_stems(text: str) -> str:
    """Return the stems of a text as one line, stop words included."""
    return " ".join(stem for _, _, term in word_spans(text) for stem in stem_tokens(term))


def _midnight(day: date, away: timedelta) -> datetime:
    moment = datetime.combine(day, time(), UTC)
    try:
        return moment + away
    except OverflowError:  # in the year 1, or 9999
        return moment
