"""Other words for what a question asks about, as terms of an index: see `thesaurus`."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from memcli.domain import fingerprint
from memcli.lazy_dataclasses import dataclass, replace
from memcli.search.question.thesaurus import (
    ENGLISH,
    LEAST_MARKERS,
    MARKERS,
    RelatedWords,
    find_related_words,
    thesaurus_version,
)
from memcli.store import Store, is_unspaced, query_terms, synonym_tokens, synonym_words

MOST_WEIGHED_TERMS = 40  # a question with more terms is a text, whose terms all weigh the same
PRESENT, ABSENT, NARROWER = 0.6, 1.2, 0.67  # factors; see `find_other_words`


@dataclass(frozen=True, slots=True)
class Synonym:
    """A term for other words of the same thing, or for words of narrower things."""

    meant: tuple[str, ...]  # the terms of the question that it stands for
    factor: float  # for their weight
    term: str = ""


@dataclass(frozen=True, slots=True)
class OtherWords:
    """Other words for what a question asks about."""

    synonyms: tuple[Synonym, ...] = ()
    across: frozenset[str] = frozenset()  # pairs of letters that belong to two words


def find_other_words(
    question: str,
    store: Store,
    *,
    present: float = PRESENT,
    absent: float = ABSENT,
    narrower: float = NARROWER,
    among: Literal["session", "memory"] = "session",
) -> OtherWords:
    """Return other words for what a question asks about, of those that the index has.

    Args:
        question: in the person's own words.
        store: the database.
        present: the factor for other words of a thing whose word the index has; 0 finds none.
        absent: the same for a thing whose word it has not.
        narrower: the share of these that words of something narrower count.
        among: the texts whose words count.
    """
    question = unicodedata.normalize("NFKC", question)
    typed = query_terms(question)
    has = dict(zip(typed, store.index.has_terms(typed, among), strict=True))
    if len(typed) > MOST_WEIGHED_TERMS or (all(has.values()) and not present):
        return OtherWords()
    groups, synonyms, across = [], [], set[str]()
    for related in _look_up(question, store):
        start, end = related.start, related.end
        meant = tuple(term for term in query_terms(question[start:end]) if term in has)
        factor = present if any(has[term] for term in meant) else absent
        if not (meant and factor):
            continue
        groups += [related.same, related.narrower]
        synonyms += [Synonym(meant, factor), Synonym(meant, factor * narrower)]
        ends = (question[max(at - 1, 0) : at + 1] for at in (start, end))
        across |= {pair for pair in ends if len(pair) == 2 and is_unspaced(pair)}
    terms = store.index.synonym_terms(groups, among)
    found = {
        term: replace(one, term=term) for term, one in zip(terms, synonyms, strict=True) if term
    }
    return OtherWords(tuple(found.values()), frozenset(across))


def covered_information(
    found: Collection[str],
    meant: Mapping[str, Sequence[str]],
    information: Mapping[str, float],
    synonym: float,
) -> float:
    """Return how much of a question's information a text has.

    Args:
        found: the terms that it has, those for other words among them.
        meant: the terms of the question that each term for other words stands for.
        information: of each term of the question.
        synonym: the share of a term's information that another word for it has.
    """
    shares = dict.fromkeys((term for one in found for term in meant.get(one, ())), synonym)
    shares |= dict.fromkeys(found, 1.0)
    return sum(information.get(term, 0.0) * share for term, share in shares.items())


def _look_up(question: str, store: Store) -> list[RelatedWords]:
    """Return the related words of a question as the index has them; the last ones are cached."""
    markers = [synonym_tokens(words.split()) for words in MARKERS.values()]
    languages = [
        code
        for code, found in zip(MARKERS, store.index.synonym_terms(markers), strict=True)
        if len(synonym_words(found)) >= LEAST_MARKERS
    ]
    key = fingerprint("related words", thesaurus_version(), *languages, question)
    try:
        return [RelatedWords(*one) for one in store.cache.get(key)]
    except TypeError:  # the cache has nothing, or nonsense
        found = [
            replace(
                one,
                same=tuple(synonym_tokens(one.same)),
                narrower=tuple(synonym_tokens(one.narrower)),
            )
            for one in find_related_words(question, [ENGLISH, *languages])
        ]
        store.cache.put({key: [[one.start, one.end, one.same, one.narrower] for one in found]})
        return found
