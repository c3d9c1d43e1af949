"""The first stage: sessions by words and by meaning, without a language model.

Several measures look at a session (`measures`); what each gives is brought to the range 0 to 1 and
added by weight. The weights were fitted to LoCoMo and to LongMemEval with a haystack a question
and all haystacks in one, and rounded; around them all figures are flat. That is not learning by
heart: chosen by nine conversations of LoCoMo and measured on the tenth, for each in turn, MRR is
.861 and R@5 .913; fitted to LoCoMo alone, LongMemEval's MRR is .972, and .659 in one archive.

What each lever is worth: figures without it. LoCoMo has 1,982 questions; the LongMemEval part 44,
of which .02 is one question, so it only has a veto.

                LoCoMo              LongMemEval           in one archive
                MRR   R@5   all@5   MRR   R@5   all@5     MRR   R@5
    all         .861  .914  .873    .972  .966  .886      .655  .663
    session     .848  .907  .866    .983  .966  .909      .646  .663
    passage     .850  .909  .868    .983  .966  .909      .623  .663
    turn        .856  .909  .868    .972  .966  .909      .632  .640
    meaning     .857  .903  .862    .972  .945  .864      .685  .602
    together    .854  .911  .870    .968  .966  .886      .642  .661
    dates       .848  .906  .865    .972  .966  .909      .664  .636
    telling     .860  .910  .868    .968  .951  .864      .647  .655
    assistant   .861  .914  .873    .968  .966  .886      .652  .652

On the 91 questions of LoCoMo with a word that stands nowhere, `spelling` brought MRR from .747 to
.758 and R@5 from .784 to .812; counted in full, such a word brought MRR down to .710.

`memories` is worth what was remembered: with the 2,541 observations that LoCoMo has of its
sessions, MRR goes from .861 to .869 and R@5 stays .914 (`mem bench locomo10.json --stages
retrieve,memories`). Counted .1 or .2, they bring MRR to .864 and .867; .45, to .871; more, to less
again. It stays at .3: one's own reader may note less well.

Tried and dropped, each against the first version (MRR on LoCoMo .845, LongMemEval .941 to .956):

- k1 from .9 to 2 and b from .3 to .9: BM25 of sessions goes from .815 to .823, and 1.2 and .75,
  which SQLite has built in, are as good as any. Title twice, speakers not at all: 0.
- What people said indexed apart from what assistants said: .629 to .705 in one archive, but a
  LongMemEval question in 44 is lost from the first five, and every database would need it.
- Windows of two, three or five turns: -.003 to 0. The sum of the three best turns or passages,
  beside the best: -.003, -.007. Rarity counted over turns: -.006.
- A vector a turn, beside those of passages: one question more of LongMemEval, -.002 on LoCoMo, and
  a database a quarter bigger. Vectors less their mean: alone .547 for .600. The question's vector
  without stop words: +.003, but -.005 on LongMemEval.
- Words of like meaning added to the question, by their vectors: -.004 to 0.
- Relevance feedback: words of the best turns -.004 to -.001; the mean of the three best passages
  +.002, but -.005 on LongMemEval, and a second look at all vectors.
- Lists of words that say little in questions ("mentioned", "kind"): -.004 to +.001; what a word
  tells, by the embedder, needs no list.
- Two words anywhere in one turn: +.004, but -.007 on LongMemEval; side by side is better on both.
- Turns by whom the question names: -.003 for sessions. For turns it is the best there is.
- Ranks in place of scores (reciprocal rank fusion), before all this: below words alone.

Tried and dropped since, each as one more measure with all weights fitted anew to nine conversations
of LoCoMo and measured on the tenth, against MRR .862, R@5 .912 and all@5 .871 of those above:

- Words of like meaning beside each term, counted by cosine, in BM25 of all passages: R@5 +.004,
  all@5 +.006, MRR +.002. In three passages of each of the 20 likeliest sessions, R@5 +.002 to .004,
  that takes four times as long as all else; in two of 15, R@5 +.001 to .002, three times. The word
  most like each term in a turn and the one before it (late interaction): MRR +.003, R@5 0.
- Token vectors weighted by rarity, less their first component (SIF): R@5 and all@5 +.004, MRR 0,
  and every vector would be made anew.
- How much of the question one turn has: MRR +.002, R@5 0, but -.016 and -.019 in one archive.
- Turns that name a day, where the question asks when: MRR +.002, R@5 +.001, all@5 +.002. Turns
  with a number, where it asks how many: 0.
- The best turn as `turns` ranks it, a turn with the one before it, turns by whom the question
  names, sessions just before and after a likely one, length, place in the archive: 0.
- Weights of their own for questions that ask when, that ask how many, or that name a day: 0; for
  longer questions: MRR +.002, R@5 -.001, and -.008 on LongMemEval.
- Another fading of days after them than before: 0. Squares, roots and products: -.001 to 0.
- Sessions with terms that those above lack, put up among the first twelve: 0.
- 33 measures at once, these among them: MRR +.002, R@5 +.001, all@5 +.003.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from memcli.domain import Passage, Session
from memcli.protocols import Embedder
from memcli.search.signals import TURNS, Levers, Measures, measure
from memcli.store import Filters, Found, Store

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
    score: float  # in [0, 1]: of the best how much it has of the question, else its share of that
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
) -> list[Candidate]:
    """Return the sessions likeliest to answer, best first.

    Nothing is returned where no session has a word of the question, none comes near in meaning,
    no memory leads to one and none is from a day it names.

    Args:
        question: in the person's own words.
        store: where the sessions are.
        embedder: the one their vectors are of.
        filters: which sessions count.
        limit: most sessions to return.
        now: what "yesterday" counts from; the present by default.
        levers: how much each measure counts.
    """
    levers = levers or Levers()
    found = measure(question, store, embedder, filters, now=now, levers=levers)
    scores = found.scores(levers)
    ranked = sorted(scores.keys() & _showable(found), key=lambda number: (-scores[number], number))
    if not ranked:
        return []
    # The best session's score tells how sure it is, the others' are their share of that.
    sure = certainty(ranked[0], found, store) / (scores[ranked[0]] or 1.0)
    return _candidates(ranked[:limit], sure, found, levers, store, filters)


def _candidates(
    chosen: Sequence[int],
    sure: float,
    found: Measures,
    levers: Levers,
    store: Store,
    filters: Filters,
) -> list[Candidate]:
    """Return the sessions chosen with all that speaks for them, scores times `sure`."""
    parts = found.by_session()
    weights = {name: getattr(levers, name) for name in parts}
    shares = {name: sure * weight / sum(weights.values()) for name, weight in weights.items()}
    added = {
        number: {name: parts[name].get(number, 0.0) * share for name, share in shares.items()}
        for number in chosen
    }
    sessions = {number: store.sessions.by_number(number) for number in chosen}
    firsts = {number: _first_searched(session) for number, session in sessions.items()}
    passages = _passages(firsts, found, levers)
    evidence = _evidence(firsts, _turns(chosen, found, store, filters), [*found.keys, *found.near])
    terms = {place.session: place.terms for place in found.sessions}
    return [
        Candidate(
            number,
            sessions[number],
            sum(added[number].values()),
            added[number],
            terms.get(number, ()),
            tuple(passages[number]),
            tuple(evidence[number]),
        )
        for number in chosen
    ]


def certainty(best: int, found: Measures, store: Store) -> float:
    """Return how much the best session has to do with the question at all, in [0, 1].

    The mean of two measures that do not depend on what else was found: the share of the question
    that the session has, its terms by weight and by what they tell and the day it names as one
    more of them, and its best passage's cosine.

    Taking this or more for "found", of 500 questions of LoCoMo, each put to its own archive and to
    a stranger's, and of LongMemEval's, put to their own haystack and to three others, which share
    its topics:

                LoCoMo  stranger's  precision    LongMemEval  other haystacks
        .20     .992    .370        .728         1.000        .887
        .25     .990    .186        .842         1.000        .780
        .30     .974    .096        .910          .977        .620
        .40     .908    .020        .978          .932        .340
        .50     .776    .000       1.000          .795        .167

    `mem bench --strangers` tells the row of the threshold that is used. LongMemEval's own questions
    without an answer score .35 to .50: their haystacks have all of the question but the answer, and
    only a reader can tell.
    """
    rarity = store.index.weights(found.terms)
    told = {
        term: rarity[term] * share for term, share in zip(found.terms, found.weights, strict=True)
    }
    has = {term for place in found.sessions if place.session == best for term in place.terms}
    covered, total = sum(told[term] for term in has), sum(told.values())
    if found.names_days:
        day = total / len(told) if told else 1.0
        covered, total = covered + day * found.dated.get(best, 0.0), total + day
    cosine = max((place.score for place in found.near if place.session == best), default=0.0)
    return (covered / (total or 1.0) + max(cosine, 0.0)) / 2


def _showable(found: Measures) -> set[int]:
    """Return the sessions that have a word of the question, or its meaning, or its day."""
    worded = {place.session for place in (*found.sessions, *found.passages, *found.turns)}
    meant = {place.session for place in found.near if place.score >= LEAST_COSINE}
    dated = {number for number, near in found.dated.items() if near >= LEAST_CLOSENESS}
    return worded | meant | dated | {turn.session for turn in found.keys}


def _turns(chosen: Sequence[int], found: Measures, store: Store, filters: Filters) -> list[Found]:
    """Return the turns of some sessions that have words of the question, best first."""
    missing = tuple(set(chosen) - {place.session for place in found.turns})
    if not missing:
        return found.turns
    among = replace(filters, among=missing)
    return [*found.turns, *store.index.with_words("turn", found.terms, among, TURNS)]


def _first_searched(session: Session) -> int:
    """Return the position to show of a session of which nothing but its title or day was found."""
    return next((at for at, turn in enumerate(session.turns, start=1) if turn.searched), 1)


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
        if turn.session in chosen and turn.place and len(chosen[turn.session]) < MOST_EVIDENCE:
            chosen[turn.session].append(Evidence(turn.place.first, turn.score))
    for passage in near:
        if passage.place and passage.session in chosen and not chosen[passage.session]:
            chosen[passage.session].append(Evidence(passage.place.first, 0.0))
    return {
        number: evidence or [Evidence(firsts[number], 0.0)] for number, evidence in chosen.items()
    }
