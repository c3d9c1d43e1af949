"""A question as the first stage needs it: terms and their weights, a vector, the days it names.

A question that is asked again needs no embedder loaded: see `question.vectors`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from memcli.lazy_dataclasses import dataclass, field, replace
from memcli.protocols import Embedder
from memcli.search.memory_search import SESSION_DEPTH, MemoryHit, search_memories
from memcli.search.question.answer_type import AnswerType, expected_types
from memcli.search.question.other_words import (
    FACTORS,
    MOST_WEIGHED_TERMS,
    Factors,
    OtherWords,
    Synonym,
    find_other_words,
)
from memcli.search.question.people import NamedPeople, find_named_people
from memcli.search.question.vectors import question_vector, term_salience
from memcli.search.question.wording import contrasts, goes_on
from memcli.store import (
    Filters,
    MemoryFilters,
    Store,
    is_year,
    query_terms,
)
from memcli.text.date_words import parse_month
from memcli.text.question_dates import DateSpan, find_date_expressions

GOING_ON = 0.8  # factor for the terms of earlier questions, if the question points back to them
EARLIER = 0.4  # the same, if it does not
LEAST_SALIENCE = 0.001  # so that a term that says nothing still counts a little


@dataclass(frozen=True, slots=True)
class SignalWeights:
    """The weights of the signals in a small archive, and settings of theirs.

    A signal of weight 0 is not computed. `memcli.search.retrieve` says what each one is worth.
    """

    session: float = 0.4  # BM25 of whole sessions
    passage: float = 0.35  # BM25 of each session's best passage
    turn: float = 0.3  # BM25 of each session's best turn
    meaning: float = 0.5  # cosine of each session's best passage
    together: float = 0.25  # words that stand side by side in the question, and in a turn
    dates: float = 1.2  # closeness of a session to the days that the question names
    memories: float = 0.3  # the memories that came from a session
    people: float = 1.1  # the people whom the question names, as participants
    title: float = 1.2  # the title, if the question has most of it
    contrast: float = 0.5  # what a question asks for that the one before did not
    synonyms: float = FACTORS.present  # factor for other words of the same thing
    absent: float = FACTORS.absent  # the same, if no session has the word itself
    narrower: float = FACTORS.narrower  # share of these that a word of something narrower counts
    foreign: float = FACTORS.foreign  # factor for words of it in another script
    related: float = FACTORS.related  # share of `absent` that a word of what belongs to it counts
    spelling: float = 0.3  # factor for the term that replaces a mistyped one; 0 replaces none
    salience: float = 0.3  # power to which a term's salience is raised, as its weight in BM25
    assistant: float = 0.6  # factor for an assistant's turn; a person's counts 1
    name: float = 0.0  # factor for a term that names a speaker: it says nothing about a subject
    date: float = 0.3  # factor for a term that names days, "two weeks ago": `dates` looks for them
    tense: float = 0.35  # share of the best score that the newest, or the oldest, session gains
    answer: float = 0.2  # the same, for a session with something of the type of the answer


SMALL_ARCHIVE, LARGE_ARCHIVE = 100, 20_000  # sessions; weights change between the two
WITHOUT_SYNONYMS = 1_000  # sessions of an archive that has enough with the words themselves
_IN_A_LARGE_ARCHIVE = {
    "session": 0.315,
    "turn": 0.64,
    "together": 0.67,
    "meaning": 0.16,
    "tense": 0.1,
    "answer": 0.1,
}


def weights_for_size(sessions: int) -> SignalWeights:
    """Return the weights for an archive of so many sessions.

    The more sessions there are, the more of them are near in meaning, and the more it says that
    one turn has the words of a question, side by side. Weights change with the logarithm.
    """
    least, most = math.log(SMALL_ARCHIVE), math.log(LARGE_ARCHIVE)
    faded = math.log(WITHOUT_SYNONYMS)
    size = min(max(math.log(max(sessions, 1)), least), most)
    share = (size - least) / (most - least)
    small = SignalWeights()
    other_words = max((faded - size) / (faded - least), 0)
    return replace(
        small,
        **{
            name: (1 - share) * getattr(small, name) + share * large
            for name, large in _IN_A_LARGE_ARCHIVE.items()
        },
        synonyms=small.synonyms * other_words,
        related=small.related * other_words,
    )


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question that is ready to be put to one database."""

    text: str
    terms: tuple[str, ...]
    term_weights: tuple[float, ...]  # one for each term, 1 on average
    vector: bytes  # float32, little endian; empty if meaning has no weight
    days: tuple[DateSpan, ...]  # that the question names
    date_terms: frozenset[str]  # the terms that name them
    people: NamedPeople
    filters: Filters
    weights: SignalWeights
    store: Store
    embedder: Embedder
    corrections: Mapping[str, str] = field(default_factory=dict)  # stems, by the mistyped terms
    synonyms: Mapping[str, Synonym] = field(default_factory=dict)  # other words, by their terms
    contrast: tuple[str, ...] = ()  # the terms for what the question before did not ask for
    memories: tuple[MemoryHit, ...] = ()  # that the question is about; none if they have no weight
    answer_types: tuple[AnswerType, ...] = ()  # of the answers that it expects

    @property
    def own_terms(self) -> tuple[str, ...]:
        """The terms of the question itself."""
        return tuple(term for term in self.terms if term not in self.synonyms)


def prepare_query(
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    now: datetime | None,
    weights: SignalWeights,
    earlier: str = "",
    names: Sequence[Sequence[str]] = (),
) -> SearchQuery:
    """Prepare a question for the signals.

    Args:
        question: in the person's own words.
        store: the database with the sessions.
        embedder: the model that made their vectors.
        filters: the sessions that count.
        now: the moment that "yesterday" counts from; None is the present.
        weights: of the signals.
        earlier: the questions before, if this one may go on from there.
        names: the names of each person who has several.

    Raises:
        BackendError: the embedder failed.
    """
    asked, before = _find_people(question, earlier, store, names)
    people = asked or before
    others = _find_other_words(f"{question}\n{earlier}".strip(), store, weights)
    weighed, corrections = _weigh_terms(question, store, embedder, weights, people, others)
    follows = bool(earlier) and goes_on(question)
    if earlier:
        factor = GOING_ON if follows else EARLIER
        older, _ = _weigh_terms(earlier, store, embedder, weights, before, others)
        weighed |= {term: factor * older[term] for term in older if term not in weighed}
    days = _find_days(question, earlier, store, now) if weights.dates else {}
    date_terms = frozenset(term for words in days.values() for term in query_terms(words))
    if days:
        weighed |= _weigh_dates(weighed, date_terms, weights)
    synonyms = _weigh_synonyms(others, weighed)
    instead = _terms_instead(question, people) if earlier and contrasts(question) else []
    meant = f"{earlier} {question}" if follows else question
    return SearchQuery(
        text=question,
        terms=(*weighed, *synonyms),
        term_weights=(*weighed.values(), *synonyms.values()),
        vector=question_vector(meant, embedder, store.cache) if weights.meaning else b"",
        days=tuple(days),
        date_terms=date_terms,
        people=people,
        filters=filters,
        weights=weights,
        store=store,
        embedder=embedder,
        corrections={**others.corrections, **corrections},
        synonyms={one.term: one for one in others.synonyms if one.term in synonyms},
        contrast=tuple(_with_other_words(instead, others)),
        memories=tuple(_find_memories(question, store, embedder)) if weights.memories else (),
        answer_types=tuple(expected_types(question)),
    )


def _find_people(
    question: str, earlier: str, store: Store, names: Sequence[Sequence[str]]
) -> tuple[NamedPeople, NamedPeople]:
    """Return the people whom a question names, and those whom the questions before it name."""
    speakers, sources = store.index.speaker_names(), store.index.source_names()
    asked, before = (
        find_named_people(text, speakers, sources, names) if text else NamedPeople()
        for text in (question, earlier)
    )
    return asked, before


def _find_other_words(question: str, store: Store, weights: SignalWeights) -> OtherWords:
    factors = Factors(
        weights.synonyms, weights.absent, weights.narrower, weights.foreign, weights.related
    )
    return find_other_words(question, store, factors, mistyped=bool(weights.spelling))


def _weigh_synonyms(others: OtherWords, weighed: Mapping[str, float]) -> dict[str, float]:
    """Return how much each term for other words counts, by the terms that it stands for."""
    weights = {
        one.term: one.factor * max(weighed.get(term, 0.0) for term in one.meant)
        for one in others.synonyms
    }
    return {term: weight for term, weight in weights.items() if weight}


def _with_other_words(terms: Collection[str], others: OtherWords) -> list[str]:
    """Return terms, and those for other words of the same."""
    same = (one for one in others.synonyms if not one.is_near)
    return [*terms, *(one.term for one in same if not set(one.meant).isdisjoint(terms))]


def _terms_instead(question: str, people: NamedPeople) -> list[str]:
    """Return the terms of a question that it asks for instead of those before."""
    return [term for term in query_terms(question) if term not in people.terms]


def _find_memories(question: str, store: Store, embedder: Embedder) -> list[MemoryHit]:
    return search_memories(question, store, embedder, MemoryFilters(), depth=SESSION_DEPTH)


def _find_days(
    question: str, earlier: str, store: Store, now: datetime | None
) -> dict[DateSpan, str]:
    """Return the days that a question names, or else those that the questions before it name.

    Each has the words that name it.
    """
    today = (now or datetime.now(UTC)).date()
    years = store.index.session_years()
    days = find_date_expressions(question, today, years)
    return days or (find_date_expressions(earlier, today, years) if earlier else {})


def _weigh_dates(
    weighed: Mapping[str, float], date_terms: Collection[str], weights: SignalWeights
) -> dict[str, float]:
    """Return how much the terms count that name days, a year or a month."""
    of_date = (term for term in weighed if term in date_terms or _is_of_date(term))
    return {term: weights.date * weighed[term] for term in of_date}


def _is_of_date(term: str) -> bool:
    """Return whether a term is a year or the name of a month."""
    return is_year(term) or parse_month(term) is not None


def _weigh_terms(
    question: str,
    store: Store,
    embedder: Embedder,
    weights: SignalWeights,
    people: NamedPeople,
    others: OtherWords,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return how much each of the terms to look for counts, and the corrections in them.

    A term that is found in other words is none that was mistyped.
    """
    typed = [term for term in query_terms(question) if term not in others.across]
    if len(typed) > MOST_WEIGHED_TERMS:
        return dict.fromkeys(typed, 1.0), {}
    unnamed = [term for term in typed if term not in people.terms | others.everyday]
    corrections = store.index.nearest_spellings(unnamed) if weights.spelling else {}
    terms = list(dict.fromkeys(corrections.get(term, term) for term in typed))
    term_weights = [1.0] * len(terms)
    if weights.salience:
        saliences = term_salience(terms, embedder, store.cache)
        term_weights = [max(each, LEAST_SALIENCE) ** weights.salience for each in saliences]
    if set(terms) - people.terms:
        term_weights = [
            weight * (weights.name if term in people.terms else 1.0)
            for term, weight in zip(terms, term_weights, strict=True)
        ]
    mean = sum(term_weights) / max(len(term_weights), 1)
    factors = [weights.spelling if term in corrections.values() else 1.0 for term in terms]
    return {
        term: factor * weight / mean
        for term, factor, weight in zip(terms, factors, term_weights, strict=True)
    }, corrections
