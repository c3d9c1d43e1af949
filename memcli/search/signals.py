"""What each measure of the first stage says of the places in an archive, before they are added."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from memcli.protocols import Embedder
from memcli.search.fusion import by_maximum, by_range, weighted
from memcli.search.memory_search import turns_behind_memories
from memcli.search.question_vectors import question_vector, telling
from memcli.store import Filters, Found, Grain, Store, asked
from memcli.text.question_dates import FADING, Span, spans

DEPTH = 400  # passages and sessions looked at by words, and passages by meaning
TURNS = 4000  # looked at by words; more than sessions need, but they are the evidence, too
LONGEST = 40  # terms of a question whose words are looked at one by one; a longer one is a text
_FAR = timedelta(days=5 * FADING)  # from a span: what is left of its hint there is under .01


@dataclass(frozen=True, slots=True)
class Levers:
    """How much each measure counts. What is 0 is not done: `retrieve` says what that costs."""

    session: float = 0.4  # BM25 of whole sessions
    passage: float = 0.35  # BM25 of each session's best passage
    turn: float = 0.3  # BM25 of each session's best turn
    meaning: float = 0.5  # cosine of each session's best passage
    together: float = 0.25  # words that stand side by side in the question, and in a turn
    dates: float = 1.2  # how near a session is to the days the question names
    memories: float = 0.3  # the memories that came from a session
    spelling: float = 0.3  # what a word counts that a mistyped one is taken for
    telling: float = 0.3  # power of how much a term tells, as its weight in BM25
    assistant: float = 0.6  # what an assistant's turn counts against a person's


@dataclass(frozen=True, slots=True)
class Measures:
    """What was found for a question, by each measure, best first."""

    terms: tuple[str, ...]
    weights: tuple[float, ...]  # of the terms; 1 in the middle
    sessions: list[Found]
    passages: list[Found]
    turns: list[Found]
    near: list[Found]  # passages, by cosine in [-1, 1]
    together: list[Found]  # turns, once for each pair of terms they have
    dated: Mapping[int, float]  # closeness to the days the question names, by session, in [0, 1]
    keys: list[Found]  # turns that memories came from
    names_days: bool  # whether the question does

    def by_session(self) -> dict[str, dict[int, float]]:
        """Return what each measure, by its name in Levers, gives each session, in [0, 1].

        A measure that has nothing to say of this question is not among them.
        """
        pairs: dict[int, dict[str, float]] = {}
        for place in self.together:
            pairs.setdefault(place.session, {})[place.terms[0]] = place.score
        parts = {
            "session": by_maximum(best(self.sessions)),
            "passage": by_maximum(best(self.passages)),
            "turn": by_maximum(best(self.turns)),
            "meaning": by_range(best(self.near)),
            "together": by_maximum({number: sum(has.values()) for number, has in pairs.items()}),
            "dates": dict(self.dated),
            "memories": best(self.keys),
        }
        silent = {name for name in ("together", "memories") if not parts[name]}
        return {
            name: part
            for name, part in parts.items()
            if name not in silent and (name != "dates" or self.names_days)
        }

    def scores(self, levers: Levers) -> dict[int, float]:
        """Add what the measures give each session, in [0, 1]."""
        parts = self.by_session()
        return weighted([(getattr(levers, name), part) for name, part in parts.items()])


def measure(
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    now: datetime | None = None,
    levers: Levers | None = None,
) -> Measures:
    """Put a question to every measure that counts.

    Args:
        question: in the person's own words.
        store: where the sessions are.
        embedder: the one their vectors are of.
        filters: which sessions count.
        now: what "yesterday" counts from; the present by default.
        levers: how much each measure counts.
    """
    levers = levers or Levers()
    terms, weights = _terms(question, store, embedder, levers)

    def words(grain: Grain, lever: float, filters: Filters, depth: int = DEPTH) -> list[Found]:
        if not lever:
            return []
        return store.index.with_words(
            grain, terms, filters, depth, weights=weights, assistant=levers.assistant
        )

    sessions = words("session", levers.session, filters)
    vector = question_vector(question, embedder, store.cache) if levers.meaning else b""
    near = store.index.nearest(vector, embedder, filters, DEPTH) if levers.meaning else []
    likely = filters
    if len(sessions) == DEPTH:  # there are more: no passage or turn of these is looked at
        likely = replace(filters, among=tuple({found.session for found in (*sessions, *near)}))
    pairs = list(pairwise(terms)) if levers.together and len(terms) <= LONGEST else []
    named = _named_days(question, store, now) if levers.dates else []
    return Measures(
        tuple(terms),
        tuple(weights),
        sessions,
        words("passage", levers.passage, likely),
        words("turn", levers.turn, likely, TURNS),
        near,
        store.index.together(pairs, filters),
        _dated(named, store, filters),
        turns_behind_memories(question, store, embedder, filters) if levers.memories else [],
        bool(named),
    )


def best(places: Iterable[Found]) -> dict[int, float]:
    """Return the best score of every session."""
    scores: dict[int, float] = {}
    for place in places:
        scores[place.session] = max(place.score, scores.get(place.session, place.score))
    return scores


def _terms(
    question: str, store: Store, embedder: Embedder, levers: Levers
) -> tuple[list[str], list[float]]:
    """Return what to look for, misspelt terms put right, and how much each counts."""
    typed = asked(question)
    if len(typed) > LONGEST:
        return typed, [1.0] * len(typed)
    meant = store.index.meant(typed) if levers.spelling else {}
    terms = list(dict.fromkeys(meant.get(term, term) for term in typed))
    weights = [1.0] * len(terms)
    if levers.telling:
        told = telling(terms, embedder, store.cache)
        weights = [max(each, 0.001) ** levers.telling for each in told]
    mean = sum(weights) / max(len(weights), 1)
    doubtful = set(meant.values())
    return terms, [
        weight / mean * (levers.spelling if term in doubtful else 1.0)
        for term, weight in zip(terms, weights, strict=True)
    ]


def _named_days(question: str, store: Store, now: datetime | None) -> list[Span]:
    today = (now or datetime.now(UTC)).date()
    return spans(question, today, store.index.years())


def _dated(named: Iterable[Span], store: Store, filters: Filters) -> dict[int, float]:
    """Return how close the sessions near the days named are to them."""
    dated: dict[int, float] = {}
    for span in named:
        since, until = _midnight(span.first, -_FAR), _midnight(span.last, _FAR)
        around = replace(
            filters,
            since=max(since, filters.since or since),
            until=min(until, filters.until or until),
        )
        for number, days in store.index.times(around).items():
            dated[number] = max(span.closeness(*days), dated.get(number, 0.0))
    return dated


def _midnight(day: date, away: timedelta) -> datetime:
    moment = datetime.combine(day, time(), UTC)
    try:
        return moment + away
    except OverflowError:  # in the year 1, or 9999
        return moment
