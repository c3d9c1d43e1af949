"""The sessions that may answer, each with everything that speaks for it."""

from collections.abc import Iterable, Mapping, Sequence

from memcli.domain import Passage, Session
from memcli.lazy_dataclasses import dataclass, replace
from memcli.search.evidence.reasons import FoundWords, describe_reasons
from memcli.search.evidence.turns import Evidence, choose_evidence
from memcli.search.query import SearchQuery, SignalWeights
from memcli.search.signals import TURN_DEPTH, Matches, SignalScores
from memcli.store import IndexMatch, spell_out

ON_TOPIC = 0.6  # share of the best score that a session on the topic has
MOST_PASSAGES = 3  # of a session


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session that may answer, with everything that speaks for it."""

    number: int  # of the session, in the database
    session: Session
    score: float  # in [0, 1]: the confidence, for the best one; for others, their share of it
    parts: dict[str, float]  # the part of the score that each signal adds, by its name
    terms: tuple[str, ...]  # terms of the question that the session has, and other words for them
    passages: tuple[Passage, ...]  # best first, at least one
    evidence: tuple[Evidence, ...]  # best first, at least one
    reasons: tuple[str, ...] = ()  # for its place, in words


def build_candidates(
    numbers: Sequence[int],
    scale: float,
    signals: Sequence[SignalScores],
    query: SearchQuery,
    matches: Matches,
) -> list[Candidate]:
    """Return sessions with everything that speaks for them, their scores times `scale`."""
    total = sum(signal.weight for signal in signals)
    shares = {signal.name: scale * signal.weight / total for signal in signals}
    sessions = query.store.sessions.by_numbers(numbers)
    firsts = {number: first_searched(session) for number, session in sessions.items()}
    passages = _choose_passages(firsts, query.weights, matches)
    evidence = choose_evidence(query, sessions, matches, _turns_with_words(numbers, query, matches))
    found = {place.session: place.terms for place in matches["session"]}
    others = {
        number: _other_words(found.get(number, ()), session, evidence[number], query)
        for number, session in sessions.items()
    }
    terms = {
        number: tuple(term for term in found.get(number, ()) if term not in query.synonyms)
        for number in numbers
    }
    parts = {
        number: {
            signal.name: signal.scores.get(number, 0.0) * shares[signal.name] for signal in signals
        }
        for number in numbers
    }
    scores = {number: sum(each.values()) for number, each in parts.items()}
    newest, alike = _newest_on_topic(sessions, scores)
    return [
        Candidate(
            number=number,
            session=sessions[number],
            score=scores[number],
            parts=parts[number],
            terms=(*terms[number], *(word for one in others[number] for word in one.words)),
            passages=tuple(passages[number]),
            evidence=tuple(evidence[number]),
            reasons=describe_reasons(
                query,
                sessions[number],
                terms[number],
                parts[number],
                other_words=others[number],
                newest_of=alike if number == newest else 0,
            ),
        )
        for number in numbers
    ]


def _other_words(
    terms: Iterable[str], session: Session, evidence: Iterable[Evidence], query: SearchQuery
) -> list[FoundWords]:
    """Return the other words that the shown turns have, for each term that they stand for."""
    texts = [session.turns[one.position - 1].text for one in evidence]
    words: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    others = [query.synonyms[term] for term in terms if term in query.synonyms]
    for one in sorted(others, key=lambda one: one.is_near):
        meant = tuple(query.corrections.get(each, each) for each in one.meant)
        known = words.setdefault((meant, one.is_near), [])
        said = {*known, *words.get((meant, False), ())}
        known += [word for word in spell_out(one.term, texts, query.own_terms) if word not in said]
    return [FoundWords(tuple(found), *stands) for stands, found in words.items() if found]


def _newest_on_topic(
    sessions: Mapping[int, Session], scores: Mapping[int, float]
) -> tuple[int | None, int]:
    """Return the newest of the sessions whose scores are near the best one, and their number.

    Of several values of one thing it has the present one. There is none if two are equally new.
    """
    best = max(scores.values(), default=0.0)
    near = sorted(
        (session.started_at, number)
        for number, session in sessions.items()
        if session.started_at and scores[number] >= ON_TOPIC * best
    )
    if not best or len(near) < 2 or near[-1][0] == near[-2][0]:
        return None, 0
    return near[-1][1], len(near)


def first_searched(session: Session) -> int:
    """Return the position to show of a session of which only the title or the day was found."""
    return next((at for at, turn in enumerate(session.turns, start=1) if turn.is_searchable), 1)


def _turns_with_words(
    numbers: Sequence[int], query: SearchQuery, matches: Matches
) -> Iterable[IndexMatch]:
    """Return the turns of some sessions that have words of the question, best first."""
    turns = matches["turn"]
    missing = tuple(set(numbers) - {turn.session for turn in turns})
    if not missing:
        return turns
    filters = replace(query.filters, among=missing)
    return [*turns, *query.store.index.match_terms("turn", query.terms, filters, TURN_DEPTH)]


def _choose_passages(
    firsts: Mapping[int, int], weights: SignalWeights, matches: Matches
) -> dict[int, list[Passage]]:
    """Choose the passages of each session that are likeliest to answer, by words and meaning."""
    scored: dict[int, dict[Passage, float]] = {number: {} for number in firsts}
    for name, weight in (("passage", weights.passage), ("meaning", weights.meaning)):
        greatest = max((each.score for each in matches[name]), default=0.0)
        for each in matches[name]:
            if each.session in scored and each.passage and greatest > 0:
                scores = scored[each.session]
                scores[each.passage] = scores.get(each.passage, 0) + weight * each.score / greatest
    return {
        number: sorted(scores, key=lambda place: -scores[place])[:MOST_PASSAGES]
        or [Passage(firsts[number], firsts[number])]
        for number, scores in scored.items()
    }
