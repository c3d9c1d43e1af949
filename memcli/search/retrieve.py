"""The first stage: ranks sessions by words and by meaning, without a language model.

Several signals score a session (`memcli.search.signals`). Each signal's scores are scaled to the
range 0 to 1 and added by weight. The weights were fitted to LoCoMo, to LongMemEval with a haystack
for each question, and to LongMemEval with all haystacks in one archive, and then rounded; all
figures are flat around them. They were not learned by heart: weights chosen by nine conversations
of LoCoMo and measured on the tenth, for each in turn, give an MRR of .861 and an R@5 of .913.
Weights fitted to LoCoMo alone give LongMemEval an MRR of .972, and of .659 in one archive.

This table shows what each signal or setting is worth: the figures without it. LoCoMo has 1,982
questions. The part of LongMemEval has 44, of which one question is .02, so it only has a veto.

                LoCoMo              LongMemEval           in one archive
                MRR   R@5   all@5   MRR   R@5   all@5     MRR   R@5
    all         .863  .915  .875   1.000  .973  .909      .656  .682
    session     .847  .909  .868   1.000  .972  .932      .649  .667
    passage     .854  .910  .870   1.000  .972  .932      .627  .653
    turn        .856  .910  .869   1.000  .966  .909      .630  .614
    meaning     .861  .908  .866    .989  .958  .886      .665  .627
    together    .854  .914  .874    .989  .966  .909      .623  .686
    dates       .849  .907  .867    .985  .973  .909      .650  .652
    tense       .864  .915  .874   1.000  .973  .909      .656  .682
    answer      .862  .914  .874   1.000  .973  .909      .663  .682
    salience    .860  .911  .869    .989  .964  .909      .645  .646
    other words .860  .912  .872    .977  .979  .932      .656  .682
    related     .863  .916  .877   1.000  .973  .909      .656  .682
    spelling    .863  .915  .874   1.000  .973  .909      .656  .682
    assistant   .863  .915  .875   1.000  .962  .886      .651  .652
    date        .863  .916  .877    .985  .966  .886      .648  .663

A person's own questions are others: 89 on the archive of `mem demo`, and 269 harder ones by four
others (`tests/search/*demo_questions.jsonl`). This is the share that has the right session first,
and that is told that nothing is relevant, in each set without one thing:

                      89             269
                  first  nothing  first  nothing
    all           .85    .04      .69    .08
    people        .83    .04      .60    .12
    title         .84    .07      .69    .10
    tense         .80    .04      .64    .07
    answer        .83    .04      .68    .09
    contrast      .85    .04      .68    .08
    spelling      .84    .09      .66    .13
    meaning       .78    .04      .63    .05
    other words   .71    .26      .46    .52
    foreign       .83    .04      .65    .09    (the weight of `synonyms` instead)
    related       .83    .07      .64    .12
    narrower      .81    .09      .65    .14

The name of a speaker counts nothing as a word (`name`); 0, .1 and 1 are alike on LoCoMo, where
everybody takes part in every session. A comparison ("more than before") has no tense, and "old"
only stands for what held before where just that is asked for: with it for every "old", LoCoMo loses
.001 of MRR. A question in the present tense without a word for now is one for the newest if it asks
for something of one's own ("What is our rent?"): for every question in the present tense, LoCoMo's
MRR would fall to .836.

A session gains by something of the type of the answer (`question.answer_type`): an amount of money,
a time of day, a day, a duration. The best turns and the one after each are looked at, of the ten
best sessions. People, places, numbers and colours as types gain nothing.

Other words for what a question asks about (`question.thesaurus`) are worth the most. Most of that
comes from words that no session has (`absent`): of such a word, what belongs to the thing counts,
too (`related`), as one term for each concept; all of them as one term gain a third of that, and for
words that a session has they cost LoCoMo .005 of MRR. On LoCoMo the other words only help with the
word itself among them, so that a session is found by the concept and, once more, by the word:
without it the MRR is .857. The larger the archive, the less they are needed: in 2,299 sessions, a
weight of .25 lowers the MRR by .016 and one of .1 leaves it, so that they fade out by 1,000, where
a question costs least. A smaller weight for verbs and adjectives, or for the words inside "how
old", gains nothing. An English word is known in its regular forms and not by its stem, which
"finally" shares with "finals". A word in another script counts as much as the word itself
(`foreign`): no other word is spelt like it. In another language of the same script many are ("last"
is "läst", too): with this weight for these as well, .84 of the 89 and .68 of the 269 are right, and
twice as many unrelated questions are "found". Among 2,400 sessions, the demo's and LongMemEval's,
.64 of the 89 and .43 of the 269 are right, without `foreign` .60 and .38; it does not fade.

The larger the archive, the more words count and the less meaning does (`weights_for_size`): 2,299
sessions of LongMemEval in one archive had an MRR of .660 and an R@5 of .671, with the weights of a
small one .647 and .652, before there was a thesaurus. The 44 questions are few: one is .02.

The words that name days ("in the past two weeks") count .3 (`date`), since `dates` looks for the
days themselves: two more of the 44 questions have all their sessions among the first five. In full
or not at all they are worse. Pairs of them side by side still count: without these, LoCoMo loses
.0013 of R@5.

An embedder that reads sentences bridges some of what is left, if a vector stands for two turns and
not for a whole passage, and if meaning counts the more the less the words of a question are found
(`weigh_meaning`). multilingual-e5-small, with 4 bits a weight, has .84 of the 89 first, and .70 of
the 269. Before there was a thesaurus, it had these shares of the 89 first, with a weight of .5, and
with three times that divided by the confidence of the ranking by words:

                                   .5     1.5 / confidence
    a vector for each passage      .70    .73
    for windows of two turns       .72    .74

On 755 questions of four conversations of LoCoMo, the MRR was .876 and R@5 .922, with the built-in
embedder .854 and .913. Windows of three turns without overlap have .71. Nothing of this helps the
built-in embedder, which adds the vectors of words: its share falls to .67. Cosines less the mean of
the passages in the same language gain nothing, and neither does another weight of the best cosine
in the confidence. A table of e5's vectors for single tokens has .64 to .66 beside words.

On the 91 questions of LoCoMo with a word that stands nowhere, `spelling` raises the MRR from .747
to .758 and R@5 from .784 to .812. Such a word counted in full lowers the MRR to .710.

`memories` is worth as much as what was remembered. With the 2,541 observations that LoCoMo has of
its sessions, the MRR rises from .861 to .869 and R@5 stays at .914 (`mem bench locomo10.json
--stages retrieve,memories`). Weights of .1 and .2 raise the MRR to .864 and .867, and .45 raises it
to .871; with larger weights it falls again. The weight stays at .3, because a person's own reader
may note less well.

These ideas were tried and dropped, each against the first version, which had an MRR of .845 on
LoCoMo and of .941 to .956 on LongMemEval:

- k1 from .9 to 2 and b from .3 to .9: BM25 of sessions ranges from .815 to .823; titles counted
  twice, or speakers not at all: 0.
- An index of what people said apart from what assistants said: one of 44 LongMemEval questions is
  lost from the first five, and every database would need that index.
- Windows of two, three or five turns: -.003 to 0. The sum of the three best turns or passages:
  -.007 to -.003. Rarity counted over turns: -.006.
- A vector for each turn beside those of passages: one more question of LongMemEval, LoCoMo -.002,
  and a database grows by a quarter. The question's vector without stop words: +.003, but -.005 on
  LongMemEval.
- Words of like meaning, found by their vectors and added to the question: -.004 to 0.
- Relevance feedback: by words of the best turns -.004 to -.001, by the mean of the three best
  passages +.002, but -.005 on LongMemEval, and it needs a second pass over all vectors.
- Lists of words that say little in questions ("mentioned", "kind"): -.004 to +.001.
- Two words anywhere in one turn: +.004, but -.007 on LongMemEval.
- Turns by the person whom the question names: -.003 for sessions. For turns it is the best signal.
- Ranks in place of scores (reciprocal rank fusion) are worse than words alone.

These ideas were tried and dropped since. Each was added as one more signal, with all weights fitted
anew to nine conversations of LoCoMo and measured on the tenth. The signals above have an MRR of
.862, an R@5 of .912 and an all@5 of .871 in that comparison:

- Words of like meaning beside each term, counted by cosine, in BM25 of all passages: R@5 +.004,
  MRR +.002, at four times the time of everything else. The word most like each term in a turn and
  the turn before it (late interaction): MRR +.003, R@5 0.
- Token vectors weighted by rarity, less their first component (SIF): R@5 and all@5 +.004, MRR 0,
  and every vector would have to be made anew.
- The share of the question that one turn has: MRR +.002, but -.016 and -.019 in one archive.
- Turns that name a day, if the question asks when: MRR +.002, R@5 +.001, all@5 +.002. Turns with a
  number, if the question asks how many: 0.
- The best turn as `turn_search` ranks it, a turn with the turn before it, sessions just before and
  after a likely one, length, place in the archive: 0.
- Separate weights for questions that ask when, that ask how many, or that name a day: 0. For longer
  questions: MRR +.002, R@5 -.001, and -.008 on LongMemEval.
- Another fading of days after the named ones than before them, squares, roots and products of
  scores, and sessions with terms that the sessions above them lack, moved up: -.001 to 0.
- A dictionary of things in several languages, made of the names and keywords that Unicode's CLDR
  has of emoji: .00 to .01 of the 89 own questions, since few of the words that miss are things.
- 33 signals at once, these among them: MRR +.002, R@5 +.001, all@5 +.003.

And these, each against the right sessions first of the 89 and the 269 own questions:

- The word most like each term by the vectors of words, in each session (late interaction), for all
  terms or those that nobody has: -.03 to 0. The information that the best turns or the session
  have of the question: -.03 to 0 (for the 89 up to +.03).
- Rarity in general language, as wordfreq has it: -.02 to 0. More weight for names with
  a capital letter, less for "piece of", more for the noun after "which": -.01 to +.003.
- Less weight for clauses that only say why one asks ("I'm filling in a form and ..."): -.01 to 0.
- The newest session for a search of a few words: -.01 to 0 for those.
- The newest of all sessions that have as much of the question as the best one: -.01 to +.01.
- 2,287 frequent words that are no thing, with what belongs to them ("predecessor": quit): 0.
- A question without "these days" and the like: 0. People who never speak, as a signal: less.
- More weight for words in the sessions of the person who is named: +.005, and -.01 of others.
- All weights fitted anew to these questions: 0 where they were left out.

Of the 44 questions in one archive of 2,299 sessions, 19 miss a session among the first five: about
11 because other people's chats there have the same words and say the same kind of thing, 6 because
a part of the answer has none of the words ("physician" for "doctors"), and 5 by words of time and
of the form of a question (some are counted twice). Tried against these, and dropped:

- The best single sentence, any, of people, or that asks nothing, beside the best turn: in one
  archive the MRR gains .004 to .02 and R@5 loses .002 to .06; LoCoMo -.002 to +.003 and -.006 to 0.
- Words of the best turns of the first five sessions, three or five, weighing .15 or .3: in one
  archive MRR +.007 to +.013 and R@5 -.019, LongMemEval R@5 -.006, LoCoMo MRR -.003 to -.008.
- A turn with all of one part of a question that has several ("the gala or the sale"): -.001 to
  +.001. Rarity raised to a higher or lower power: R@5 -.002 to -.019.
- Less weight for an assistant's words in the words of a session: 0. Another factor for an
  assistant's turns: .3 and .45 lose .034 of R@5 in one archive, .8 loses .030.
- Less weight for the unit in "how many days", "how long": LoCoMo R@5 -.002, else +.001 to +.008.
  For words that name the kind of the answer ("event", "activity", "happened"): LoCoMo MRR +.001 if
  they are chosen by all of its questions, and +.0002 if they are chosen by the other half.
- Other weights in one archive, chosen on half of the questions and measured on the other half, a
  thousand times: MRR +.022, R@5 -.009. Twice the weight of turns is behind the gain, but the same
  lowers R@5 by .004 on all of LoCoMo in one archive of 272 sessions, which has an MRR of .843 and
  an R@5 of .901 and is flat around its weights (-.002 to +.003).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from memcli.domain import Memory, Passage
from memcli.errors import NotFoundError
from memcli.lazy_dataclasses import dataclass, field, replace
from memcli.protocols import Embedder, SentenceEmbedder
from memcli.search.evidence.candidates import (
    ON_TOPIC,
    Candidate,
    build_candidates,
    first_searched,
)
from memcli.search.evidence.confidence import measure_confidence
from memcli.search.evidence.turns import MOST_EVIDENCE, Evidence
from memcli.search.fusion import weighted_sum
from memcli.search.memory_search import find_answering_memories
from memcli.search.query import SearchQuery, SignalWeights, prepare_query, weights_for_size
from memcli.search.question.answer_type import has_type
from memcli.search.question.exact import Reference, find_quoted_phrases, parse_reference
from memcli.search.question.wording import find_tense
from memcli.search.signals import (
    Matches,
    SignalScores,
    find_matches,
    score_signals,
)
from memcli.store import Filters, Store, stem_tokens, word_spans

LEAST_COSINE = 0.45  # of a passage that shares no word with the question, to be shown at all
EXACT_TITLE = 0.9  # score of a title that the question has, or nearly
LEAST_CLOSENESS = 0.5  # of a session to a named day, if it shares no word with the question
SENTENCE_MEANING = 3.0  # factor for the weight of meaning, if the embedder reads sentences
ANSWERING = 10  # sessions, the best ones, that are read for what may be the answer
LEAST_SURE = 0.05  # confidence of a question none of whose words says anything


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The findings of the first stage for a question."""

    candidates: list[Candidate]  # best first
    corrections: Mapping[str, str] = field(default_factory=dict)  # words searched for, by the typed
    missing_phrases: tuple[str, ...] = ()  # quoted phrases that no session has together
    memories: tuple[Memory, ...] = ()  # that answer: current ones, then those they replaced


def retrieve(  # noqa: PLR0913  # one entry for every caller of the first stage
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    limit: int,
    now: datetime | None = None,
    weights: SignalWeights | None = None,
    earlier: str = "",
    names: Sequence[Sequence[str]] = (),
) -> Retrieval:
    """Find the sessions likeliest to answer, best first.

    Nothing is found if no session has a word of the question, none comes near in meaning,
    no memory leads to one and none is from a day that the question names. A phrase in quotation
    marks is required; if no session has it, those without it are found with a score of 0. The id of
    a session finds that session.

    Args:
        question: in the person's own words.
        store: the database with the sessions.
        embedder: the model that made their vectors.
        filters: the sessions that count.
        limit: most sessions to return.
        now: the moment that "yesterday" counts from; None is the present.
        weights: of the signals; by default those for the size of the archive.
        earlier: the questions before, if this one may go on from there.
        names: the names of each person who has several.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    reference = parse_reference(question)
    named = _open_reference(reference, store, filters) if reference else None
    if named:
        return Retrieval([named])
    phrases = find_quoted_phrases(question)
    with_phrases = store.index.sessions_with_phrases(phrases, filters) if phrases else set[int]()
    searched = filters
    if with_phrases:
        searched = replace(filters, among=tuple(sorted(with_phrases)))
    query = prepare_query(
        question,
        store,
        embedder,
        searched,
        now=now,
        weights=weights or weights_for_size(store.index.count_sessions()),
        earlier=earlier,
        names=names,
    )
    found = _run_signals(query, limit, missing_phrases=() if with_phrases else phrases)
    memories = find_answering_memories(query.memories, store, filters)
    return replace(found, memories=tuple(memories))


def _run_signals(query: SearchQuery, limit: int, *, missing_phrases: tuple[str, ...]) -> Retrieval:
    """Run the signals, and rank what they find; nothing is likely if a quoted phrase is missing."""
    matches = find_matches(query)
    signals = score_signals(query, matches)
    scores = score_sessions(signals)
    if isinstance(query.embedder, SentenceEmbedder):
        signals = weigh_meaning(query, signals, scores, matches)
        scores = score_sessions(signals)
    for score_more in (score_tense, score_answers):
        if more := score_more(query, signals, scores, matches):
            signals.append(more)
            scores = score_sessions(signals)
    ranked = sorted(
        scores.keys() & _presentable(matches), key=lambda number: (-scores[number], number)
    )
    if not ranked:
        return Retrieval([], missing_phrases=missing_phrases)
    # The best session's score says how sure the ranking is, the others' are their share of that.
    sure = 0.0 if missing_phrases else measure_confidence(ranked[0], query, matches).confidence
    scale = sure / (scores[ranked[0]] or 1.0)
    candidates = build_candidates(ranked[:limit], scale, signals, query, matches)
    corrections = _words_of_stems(query.corrections, candidates)
    return Retrieval(candidates, corrections, missing_phrases)


def score_sessions(signals: Iterable[SignalScores]) -> dict[int, float]:
    """Weigh and add what the signals give each session; return scores in [0, 1] by its number."""
    return weighted_sum([(signal.weight, signal.scores) for signal in signals])


def weigh_meaning(
    query: SearchQuery,
    signals: Sequence[SignalScores],
    scores: Mapping[int, float],
    matches: Matches,
) -> list[SignalScores]:
    """Give meaning the weight that it has by an embedder that reads sentences.

    The less the best session has of the question, the less its words say, and the more meaning
    does.
    """
    best = max(scores, key=lambda number: (scores[number], -number), default=None)
    if best is None:
        return list(signals)
    sure = measure_confidence(best, query, matches).confidence
    factor = SENTENCE_MEANING / max(sure, LEAST_SURE)
    return [
        replace(signal, weight=factor * signal.weight) if signal.name == "meaning" else signal
        for signal in signals
    ]


def score_tense(
    query: SearchQuery,
    signals: Sequence[SignalScores],
    scores: Mapping[int, float],
    matches: Matches,
) -> SignalScores | None:
    """Score the sessions on the topic by their age, if the question asks for now or for before.

    The newest scores 1, or the oldest if the question asks for before. A session is on the topic if
    its score is near the best one. A title that stands in the question has such words for itself.
    """
    tense = find_tense(query.text)
    exact = any(place.score >= EXACT_TITLE for place in matches["title"])
    if not tense or exact or not scores or not query.weights.tense:
        return None
    best = max(scores.values())
    among = tuple(number for number, score in scores.items() if score >= ON_TOPIC * best)
    days = query.store.index.session_days(replace(query.filters, among=among))
    order = sorted(days, key=lambda number: days[number], reverse=tense == "before")
    if len(order) < 2:
        return None
    weight = query.weights.tense * best * sum(signal.weight for signal in signals)
    last = len(order) - 1
    ages = {number: at / last for at, number in enumerate(order)}
    return SignalScores("tense", weight, ages)


def score_answers(
    query: SearchQuery,
    signals: Sequence[SignalScores],
    scores: Mapping[int, float],
    matches: Matches,
) -> SignalScores | None:
    """Score the best sessions by whether they have something of the type of the answer.

    It stands in the turns that have most of the question's words, or in those after them. A session
    scores the share of the expected types that it has; 1 if there is one.
    """
    types = query.answer_types
    best = max(scores.values(), default=0.0)
    if not types or not best or not query.weights.answer:
        return None
    likeliest = sorted(scores, key=lambda number: (-scores[number], number))[:ANSWERING]
    found: dict[int, list[int]] = {number: [] for number in likeliest}
    for place in matches["turn"]:
        positions = found.get(place.session)
        if place.passage and positions is not None and len(positions) < MOST_EVIDENCE:
            positions.append(place.passage.first)
    answering = {}
    for number, session in query.store.sessions.by_numbers(likeliest).items():
        at = {position for first in found[number] for position in (first - 1, first)}
        text = "\n".join(
            session.turns[each].text for each in sorted(at) if each < len(session.turns)
        )
        answering[number] = sum(has_type(text, one) for one in types) / len(types)
    weight = query.weights.answer * best * sum(signal.weight for signal in signals)
    return SignalScores("answer", weight, answering)


def _presentable(matches: Matches) -> set[int]:
    """Return the sessions that share a word, meaning, day, person, title or memory with it."""
    by_words = {place.session for name in ("session", "passage", "turn") for place in matches[name]}
    by_meaning = {place.session for place in matches["meaning"] if place.score >= LEAST_COSINE}
    by_day = {place.session for place in matches["dates"] if place.score >= LEAST_CLOSENESS}
    by_person = {place.session for place in matches["people"] if place.score == 1}
    others = {place.session for name in ("memories", "title") for place in matches[name]}
    return by_words | by_meaning | by_day | by_person | others


def _open_reference(reference: Reference, store: Store, filters: Filters) -> Candidate | None:
    """Return the session that an id names; None if there is none, or the filters exclude it."""
    try:
        session = store.sessions.get(reference.session)
    except NotFoundError:
        return None
    number = store.sessions.numbers_of([session.id], filters).get(session.id)
    if number is None:
        return None
    at = reference.position or 0
    if not 1 <= at <= len(session.turns):
        at = first_searched(session)
    return Candidate(
        number=number,
        session=session,
        score=1.0,
        parts={"id": 1.0},
        terms=(),
        passages=(Passage(at, at),),
        evidence=(Evidence(at, 0.0),),
        reasons=("its id",),
    )


def _words_of_stems(
    corrections: Mapping[str, str], candidates: Sequence[Candidate]
) -> dict[str, str]:
    """Return each corrected word as the best session that has it writes it."""
    written: dict[str, str] = {}
    for candidate in candidates if corrections else ():
        for turn in candidate.session.turns:
            for _, _, word in word_spans(turn.text):
                written.setdefault(" ".join(stem_tokens(word)), word)
    return {typed: written.get(stem, stem) for typed, stem in corrections.items()}
