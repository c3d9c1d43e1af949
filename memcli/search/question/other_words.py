"""Other words for what a question asks about, as terms of an index: see `thesaurus`."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from memcli.domain import fingerprint
from memcli.lazy_dataclasses import dataclass, field, replace
from memcli.search.question.thesaurus import (
    ENGLISH,
    LEAST_MARKERS,
    MARKERS,
    RelatedWords,
    find_related_words,
    thesaurus_version,
)
from memcli.store import (
    Store,
    is_unspaced,
    query_terms,
    synonym_term,
    synonym_tokens,
    synonym_words,
)

MOST_WEIGHED_TERMS = 40  # a question with more terms is a text, whose terms all weigh the same
SAME, NEAR = 0.8, 0.3  # shares of a term's information that another and a related word for it have


@dataclass(frozen=True, slots=True)
class Factors:
    """The weights of other words, as factors of the weight of the word of the question."""

    present: float = 0.6  # for a thing whose word the index has, and narrower foreign ones
    absent: float = 1.2  # for a thing whose word it has not
    narrower: float = 0.67  # share of these that words of something narrower count
    foreign: float = 1.0  # for its words in another script, which no other word is spelt like
    related: float = 0.3  # share of `absent` that words of what belongs to such a thing count


FACTORS = Factors()


@dataclass(frozen=True, slots=True)
class Synonym:
    """A term for other words of the same thing, for narrower ones, or for what belongs to it."""

    meant: tuple[str, ...]  # the terms of the question that it stands for
    factor: float  # for their weight
    information: float  # share of their information that it has
    term: str = ""

    @property
    def is_near(self) -> bool:
        """True if it is for words of what only belongs to the thing."""
        return self.information < SAME


@dataclass(frozen=True, slots=True)
class OtherWords:
    """Other words for what a question asks about."""

    synonyms: tuple[Synonym, ...] = ()
    across: frozenset[str] = frozenset()  # pairs of letters that belong to two words
    everyday: frozenset[str] = frozenset()  # terms of the question that are no mistyped words
    corrections: Mapping[str, str] = field(default_factory=dict)  # words, by the mistyped terms


def find_other_words(
    question: str,
    store: Store,
    factors: Factors = FACTORS,
    *,
    mistyped: bool = True,
    among: Literal["session", "memory"] = "session",
) -> OtherWords:
    """Return other words for what a question asks about, of those that the index has.

    Args:
        question: in the person's own words.
        store: the database.
        factors: how much the other words count.
        mistyped: whether a word that nobody knows is looked up as one that is a slip away.
        among: the texts whose words count.
    """
    question = unicodedata.normalize("NFKC", question)
    typed = query_terms(question)
    has = dict(zip(typed, store.index.has_terms(typed, among), strict=True))
    if len(typed) > MOST_WEIGHED_TERMS:
        return OtherWords()
    groups, across = list[tuple[tuple[str, ...], Synonym]](), set[str]()
    everyday, corrections = set[str](), dict[str, str]()
    unknown = [term for term in typed if mistyped and not has[term]]
    only_foreign = all(has.values()) and not factors.present
    for found in _look_up(question, store, unknown, among, only_foreign=only_foreign):
        meant = tuple(
            term for term in query_terms(question[found.start : found.end]) if term in has
        )
        everyday.update(meant)
        if found.corrected:
            corrections |= dict.fromkeys(meant, found.corrected)
        if meant:
            groups += _group_words(found, meant, factors, known=any(has[term] for term in meant))
            ends = (question[max(at - 1, 0) : at + 1] for at in (found.start, found.end))
            across |= {pair for pair in ends if len(pair) == 2 and is_unspaced(pair)}
    by_term = dict[str, Synonym]()
    for words, one in groups:
        term = synonym_term(words)
        if term and (term not in by_term or one.factor > by_term[term].factor):
            by_term[term] = replace(one, term=term)
    searched = {term for one in by_term.values() for term in one.meant}
    return OtherWords(
        tuple(by_term.values()),
        frozenset(across),
        frozenset(everyday - (corrections.keys() - searched)),
        {term: word for term, word in corrections.items() if term in searched},
    )


def _group_words(
    found: RelatedWords, meant: tuple[str, ...], factors: Factors, *, known: bool
) -> list[tuple[tuple[str, ...], Synonym]]:
    """Return the words that count as one term each, and what that term is worth."""
    if known:
        groups = [
            (found.same, factors.present, SAME),
            (found.narrower, factors.present * factors.narrower, SAME),
            (found.foreign, factors.foreign, SAME),
            (found.foreign_narrower, factors.present, SAME),
        ]
    else:
        narrower = found.narrower + found.foreign_narrower
        groups = [
            (found.same + found.foreign, factors.absent, SAME),
            (narrower, factors.absent * factors.narrower, SAME),
            *((words, factors.absent * factors.related, NEAR) for words in found.related),
        ]
    return [
        (words, Synonym(meant, factor, information))
        for words, factor, information in groups
        if factor
    ]


def covered_information(
    found: Collection[str],
    synonyms: Mapping[str, Synonym],
    information: Mapping[str, float],
) -> float:
    """Return how much of a question's information a text has.

    Args:
        found: the terms that it has, those for other words among them.
        synonyms: the other words, by their terms.
        information: of each term of the question.
    """
    shares: dict[str, float] = {}
    for one in (synonyms[term] for term in found if term in synonyms):
        for term in one.meant:
            shares[term] = max(one.information, shares.get(term, 0.0))
    shares |= dict.fromkeys(found, 1.0)
    return sum(information.get(term, 0.0) * share for term, share in shares.items())


def _find_languages(store: Store) -> list[str]:
    """Return the languages of the chats, of those of the thesaurus, without English."""
    markers = [synonym_tokens(words.split()) for words in MARKERS.values()]
    return [
        code
        for code, found in zip(MARKERS, store.index.synonym_terms(markers), strict=True)
        if len(synonym_words(found)) >= LEAST_MARKERS
    ]


def _look_up(
    question: str,
    store: Store,
    unknown: Sequence[str],
    among: Literal["session", "memory"],
    *,
    only_foreign: bool,
) -> list[RelatedWords]:
    """Return the related words of a question that the index has; the last ones are cached.

    If only foreign ones count, there are none where all chats are in English.
    """
    state = (thesaurus_version(), store.index.state(), among, str(only_foreign))
    key = fingerprint("known words", *state, *unknown, question)
    try:
        return [RelatedWords(*one) for one in store.cache.get(key)]
    except TypeError:  # the cache has nothing, or nonsense
        languages = _find_languages(store)
        if only_foreign and not languages:
            related = []
        else:
            related = find_related_words(question, [ENGLISH, *languages], unknown)
        found = _known_words(related, store, among)
        store.cache.put(
            {key: [[getattr(one, name) for name in RelatedWords.__slots__] for one in found]}
        )
        return found


def _known_words(
    found: Sequence[RelatedWords], store: Store, among: Literal["session", "memory"]
) -> list[RelatedWords]:
    """Return related words without those that no text has; these are thousands."""
    groups = [
        synonym_tokens(words)
        for one in found
        for words in (one.same, one.narrower, one.foreign, one.foreign_narrower, *one.related)
    ]
    known = iter([tuple(synonym_words(term)) for term in store.index.synonym_terms(groups, among)])
    return [
        replace(
            one,
            same=next(known),
            narrower=next(known),
            foreign=next(known),
            foreign_narrower=next(known),
            related=tuple(filter(None, [next(known) for _ in one.related])),
        )
        for one in found
    ]
