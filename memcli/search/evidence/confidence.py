"""The confidence of the first stage that its best session has to do with the question at all.

The confidence is a probability, by logistic regression over a few facts that say the same of short
and long questions, small and large archives, and any embedder: how much of the question's
information the best turns have, how far the best cosine stands out of the archive's usual ones, and
whether the named days and people are there. Words for people carry no information: a name selects,
and it counts as far as the session has something else that the question asks about. A name that no
session has speaks against it.

The weights were fitted to LoCoMo and the part of LongMemEval, each put to its own archive and to
the next one, to questions on the archive of `mem demo`, and to each of these on the archives of the
others. The weight of an unknown name and the share from which a name counts in full were set by
hand, because weights fitted anew to the same questions are worse. "Swapped" are questions of LoCoMo
put to the next conversation but two, with the names of its people: plausible, and never said. These
shares are told "found", from `stages.LEAST_SCORE`, .5, on:

                 LoCoMo                     LongMemEval       demo
                 own   stranger's  swapped  own   stranger's  own   never said  unrelated
    questions    1982  1986        500      44    50          89    29          22
    found        .992  .067        .88      .977  .66         .955  .55         .05

LongMemEval's haystacks share topics. Another word for a term has .8 of its information, and a word
of what belongs to it .3 (`other_words`): of an answerable question and an unrelated one on the
archive of the demo, the answerable one has the higher confidence in .99 of pairs, without other
words in .95, and with a never said one in .89 instead of .82. Of 269 harder questions on the demo,
.08 are told "nothing", but of 47 that are plausible and were never said, .83 are "found": what they
ask about is there, only not the answer. No fact here tells these apart (.55 of pairs); the models
have to.

The more passages there are, the more of a question some turn has by chance. The largest of many
chance values grows with the root of the logarithm of their number, and so does the bar. It was the
logarithm itself: then .68 of the questions whose right session came first in a large archive were
told "nothing", and .34 of LongMemEval's with all haystacks in one archive, which are .07 now. These
are the 358 answerable questions on the demo, put to it with more and more chats of LongMemEval
beside it. "Nothing" is the share of those whose right session is first; "stranger's" is the share
that is "found" among the other chats alone:

    sessions               44    63    91   276  2,400
    right first           260   247   224   201    173
    nothing               .02   .09   .13   .18    .42
    nothing, before       .02   .13   .24   .51    .68
    stranger's             -    .14   .27   .25    .15
    stranger's, before     -    .13   .14   .09    .06

With a bar that rises less yet, a third of a stranger's questions are "found". Weights fitted anew
to these as well, and products of them with the size, are no better where they were left out.

The order carries over to questions that were left out of a fit, the threshold does not. Before
there were other words, a pair was in the right order as often as this:

                         LoCoMo               LongMemEval   demo
                         stranger's  swapped  stranger's    never said  unrelated
    these weights        .993        .894     .930          .833        .943
    left out             .993        .898     .941          .761        .887
    "found" if left out: own .98, stranger's .01; own .55, stranger's .04; own .52, .03 and 0

Weights fitted anew to the same questions with other words are worse again.

A search for one or two words is answered by a place that has them, or the rarer of them.

These facts were tried, too, and add nothing: the session's share of the information, the lead over
the second session, the best turn of other sessions, the rarest word, pairs of words side by side,
the nearest passage of all and its lead, the rank of the session by meaning, and the likeness of
each term to the most similar word in the best turns.
"""

import math
from collections.abc import Collection, Mapping, Sequence

from memcli.lazy_dataclasses import dataclass
from memcli.search.query import SearchQuery
from memcli.search.question.other_words import covered_information
from memcli.search.question.wording import find_names
from memcli.store import IndexMatch, is_stop_word

FEWEST_PASSAGES, MOST_PASSAGES = 30, 50_000  # archives beyond these were not fitted
CONSTANT = 2.92
COMPLETE = 0.79  # share of the information from which on nothing is missing, even in other words
KEYWORDS = 2  # words that are a search for exactly them, not a question
WITH_A_SUBJECT = 0.25  # share of the information in the session with which a name counts in full
PARTIAL = 0.35  # share of the information of so few words that is enough


@dataclass(frozen=True, slots=True)
class ConfidenceFeatures:
    """The facts that the confidence is computed from."""

    turn: float  # share of the question's information in the best turn and those beside it
    terms: float  # logarithm of the number of informative terms
    unknown: float  # share of the question's information in terms that no session has
    unknown_name: bool  # True if one of these terms is a name: it has a capital letter
    standing: float  # of the best cosine above the usual ones, in standard deviations
    chances: float  # square root of the logarithm of the number of passages
    day: float  # closeness to the day that is named, less a half; 0 if none is named
    person: float  # score of the people who are named, in [0, 1], as far as a subject is found
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
            - 0.6 * self.unknown_name
            + 0.12 * self.standing
            - 2.8 * self.chances
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
    others = (query.synonyms[each] for each in known if each in query.synonyms)
    known |= {term for one in others if not one.is_near for term in one.meant}
    unknown = information.keys() - known
    in_session = {
        term for place in matches["session"] if place.session == best for term in place.terms
    }
    subject = _information_of(in_session, information, query) / total
    person = max(2 * _best_score(matches["people"], best) - 1, 0.0)
    cosine = _best_score(matches["meaning"], best)
    mean, deviation, passages = (
        query.store.index.cosine_background(query.vector, query.embedder)
        if query.vector
        else (0.0, 0.0, 0)
    )
    return ConfidenceFeatures(
        turn=_best_window(best, information, query, matches["turn"]) / total,
        terms=math.log(max(len(information), 1)),
        unknown=sum(information[term] for term in unknown) / total if information else 1.0,
        unknown_name=bool(unknown & find_names(query.text) - query.date_terms),
        standing=(cosine - mean) / deviation if deviation > 0 else 0.0,
        chances=math.sqrt(math.log(min(max(passages, FEWEST_PASSAGES), MOST_PASSAGES))),
        day=_best_score(matches["dates"], best) - 0.5 if query.days else 0.0,
        person=person * min(subject / WITH_A_SUBJECT, 1.0),
        title=_best_score(matches["title"], best),
        words=len(query.text.split()),
    )


def _information(query: SearchQuery) -> dict[str, float]:
    """Return how much each term says: its rarity times its weight, without the words for people."""
    rarity = query.store.index.term_weights(query.own_terms)
    all_terms = {
        term: rarity[term] * weight
        for term, weight in zip(query.terms, query.term_weights, strict=True)
        if term in rarity
    }
    named = query.people.terms
    subject = {term: each for term, each in all_terms.items() if term not in named} or all_terms
    return {term: each for term, each in subject.items() if not is_stop_word(term)}


def _information_of(
    terms: Collection[str], information: Mapping[str, float], query: SearchQuery
) -> float:
    """Return how much of the question's information some terms have."""
    return covered_information(terms, query.synonyms, information)


def _best_window(
    best: int, information: Mapping[str, float], query: SearchQuery, turns: Sequence[IndexMatch]
) -> float:
    """Return the most information that a turn of a session has, with the turns beside it."""
    terms = {
        turn.passage.first: set(turn.terms)
        for turn in turns
        if turn.session == best and turn.passage
    }
    windows = (
        terms[at] | terms.get(at - 1, set[str]()) | terms.get(at + 1, set[str]()) for at in terms
    )
    return max((_information_of(each, information, query) for each in windows), default=0.0)


def _best_score(places: Sequence[IndexMatch], session: int) -> float:
    return max((place.score for place in places if place.session == session), default=0.0)
