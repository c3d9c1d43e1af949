"""The confidence of the first stage that its best session has to do with the question at all.

The confidence is a probability, by logistic regression over a few facts that say the same of short
and long questions, small and large archives, and any embedder: how much of the question's
information the best turns have, how far the best cosine stands out of the archive's usual ones, and
whether the named days and people are there. Words for people carry no information: a name selects.

The weights were fitted to LoCoMo and the part of LongMemEval, each put to its own archive and to
the next one, to questions on the archive of `mem demo`, half of them about what is not there, and
to each of these on the archives of the others. In ten parts, each judged by the other nine, "found"
(a confidence of .5 or more) are:

    answerable: LoCoMo .984, LongMemEval .977, pooled .841, demo .795
    not there: LoCoMo .058, LongMemEval .220 (its haystacks share topics), demo, plausible but never
    said .50, unrelated .06, of other data sets .047 to .163

The verdict takes `stages.LEAST_SCORE`, .42, for which these were not computed again.

A search for one or two words is answered by a place that has them, or the rarer of them.

The demo questions that are missed have no word in common with the answer, most of them because they
are in another language. The session's share of the information, the lead over the second session
and the rarest word that was found were tried, too, and add nothing.
"""

import math
from collections.abc import Mapping, Sequence

from memcli.lazy_dataclasses import dataclass
from memcli.search.query import SearchQuery
from memcli.store import IndexMatch, is_stop_word

FEWEST_PASSAGES, MOST_PASSAGES = 30, 10_000  # archives beyond these were not fitted
CONSTANT = 1.29
COMPLETE = 0.99  # share of the information from which on nothing is missing
KEYWORDS = 2  # words that are a search for exactly them, not a question
PARTIAL = 0.35  # share of the information of so few words that is enough


@dataclass(frozen=True, slots=True)
class ConfidenceFeatures:
    """The facts that the confidence is computed from."""

    turn: float  # share of the question's information in the best turn and those beside it
    terms: float  # logarithm of the number of informative terms
    unknown: float  # share of the question's information in terms that no session has
    standing: float  # of the best cosine above the usual ones, in standard deviations
    passages: float  # logarithm of the number of passages
    day: float  # closeness to the day that is named, less a half; 0 if none is named
    person: float  # score of the people who are named, in [0, 1]; 0 if nobody is
    title: float  # score of the title, in [0, 1]
    words: int  # number of words that were typed

    @property
    def confidence(self) -> float:
        """The probability that the session has to do with the question, in [0, 1]."""
        evidence = (
            CONSTANT
            + (1.27 + 3.36 * self.terms) * self.turn
            + 0.75 * self.terms
            - 1.93 * self.unknown
            + 0.12 * self.standing
            - 0.94 * self.passages
            + 3.51 * self.day
            + 3.09 * self.person
            + 8.15 * self.title
        )
        probability = 1 / (1 + math.exp(-evidence))
        complete = self.turn >= COMPLETE and self.terms <= math.log(KEYWORDS)
        if complete or (self.words <= KEYWORDS and self.turn >= PARTIAL):
            return max(probability, 0.5 + self.turn / 4)
        return probability


def measure_confidence(
    best: int, query: SearchQuery, matches: Mapping[str, Sequence[IndexMatch]]
) -> ConfidenceFeatures:
    """Measure what speaks for the best session.

    Args:
        best: number of the session.
        query: the question.
        matches: of the signals.
    """
    information = _information(query)
    total = sum(information.values()) or 1.0
    known = {term for place in matches["session"] for term in place.terms}
    cosine = _best_score(matches["meaning"], best)
    mean, deviation, passages = (
        query.store.index.cosine_background(query.vector, query.embedder)
        if query.vector
        else (0.0, 0.0, 0)
    )
    return ConfidenceFeatures(
        turn=_best_window(best, information, matches["turn"]) / total,
        terms=math.log(max(len(information), 1)),
        unknown=sum(each for term, each in information.items() if term not in known) / total
        if information
        else 1.0,
        standing=(cosine - mean) / deviation if deviation > 0 else 0.0,
        passages=math.log(min(max(passages, FEWEST_PASSAGES), MOST_PASSAGES)),
        day=_best_score(matches["dates"], best) - 0.5 if query.days else 0.0,
        person=max(2 * _best_score(matches["people"], best) - 1, 0.0),
        title=_best_score(matches["title"], best),
        words=len(query.text.split()),
    )


def _information(query: SearchQuery) -> dict[str, float]:
    """Return how much each term says: its rarity times its weight, without the words for people."""
    rarity = query.store.index.term_weights(query.terms)
    all_terms = {
        term: rarity[term] * weight
        for term, weight in zip(query.terms, query.term_weights, strict=True)
    }
    named = query.people.terms
    subject = {term: each for term, each in all_terms.items() if term not in named} or all_terms
    return {term: each for term, each in subject.items() if not is_stop_word(term)}


def _best_window(best: int, information: Mapping[str, float], turns: Sequence[IndexMatch]) -> float:
    """Return the most information that a turn of a session has, with the turns beside it."""
    terms = {
        turn.passage.first: set(turn.terms)
        for turn in turns
        if turn.session == best and turn.passage
    }
    windows = (
        terms[at] | terms.get(at - 1, set[str]()) | terms.get(at + 1, set[str]()) for at in terms
    )
    return max((sum(information.get(term, 0.0) for term in each) for each in windows), default=0.0)


def _best_score(places: Sequence[IndexMatch], session: int) -> float:
    return max((place.score for place in places if place.session == session), default=0.0)
