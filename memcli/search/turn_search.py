"""Ranks single turns: for quotations, for sources of memories, and for tests of turns.

Each turn is scored by its own words and by those around it: its passage, its session, and the turn
before it, which in a dialogue is the question that it answers. A person whom the question
names is taken for the speaker of the answer.

All turns of a conversation were ranked for LoCoMo, categories 1 to 4, 1,536 questions. These are
the figures without each signal:

                  R@5   MRR                      R@5   MRR
    all           .726  .636      together       .722  .631
    without turn  .687  .577      dates          .711  .619
    passage       .727  .635      speaker        .669  .549
    session       .727  .634      before         .718  .631
    meaning       .728  .634      answer         .724  .633
    BM25 of turns, no other signal .542 .476

In chats with an assistant the turn before is often the very statement that is looked for, and the
assistant only repeats it, so there the turn before counts for people's turns alone, and the words
of the assistant's reply for the turn that it repeats. On the part of LongMemEval with a haystack
for each question R@5 is .839 and the MRR .744, without `reply` .760 and .736, without `answer` .839
and .732; BM25 of turns has .655 and .642, vectors of passages .577 and .584.
Before there were these two, more weight for a turn's own words raised the MRR there by .015, and on
LoCoMo by .012, but the question of a dialogue then came before its answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from memcli.domain import Role, Session, SessionId
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import Embedder
from memcli.search.evidence.turns import is_repeated
from memcli.search.fusion import scale_by_maximum, scale_by_range, weighted_sum
from memcli.search.query import SearchQuery, prepare_query, weights_for_size
from memcli.search.question.answer_type import has_type
from memcli.search.retrieve import score_sessions
from memcli.search.signals import Matches, SignalScores, find_matches, score_signals
from memcli.store import Filters, IndexMatch, Store, query_terms

LIKELIEST_SESSIONS = 50  # only the turns of these are ranked

TurnPlace = tuple[int, int]  # number of the session, position of the turn


@dataclass(frozen=True, slots=True)
class TurnWeights:
    """The weights of the signals of a turn."""

    turn: float = 0.5  # BM25 of its words
    passage: float = 0.5  # BM25 of the best passage that it is in
    session: float = 0.45  # BM25 of its session
    meaning: float = 0.45  # cosine of the best passage that it is in
    together: float = 0.2  # words that stand side by side in the question, and in the turn
    dates: float = 1.0  # closeness of its session to the days that the question names
    speaker: float = 0.6  # 1 if its speaker is the one participant that the question names
    before: float = 0.25  # BM25 of the turn before; an assistant repeats rather than answers
    reply: float = 0.25  # BM25 of an assistant's reply, which repeats
    answer: float = 0.2  # 1 if it has something of the type of the answer


@dataclass(frozen=True, slots=True)
class RankedTurn:
    """A turn that may answer."""

    session: SessionId
    position: int  # from 1
    score: float  # in [0, 1]; comparable among the turns of one question


def retrieve_turns(
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    limit: int,
    now: datetime | None = None,
    weights: TurnWeights | None = None,
) -> list[RankedTurn]:
    """Return the turns likeliest to answer, best first, from the likeliest sessions.

    Args:
        question: in the person's own words.
        store: the database with the sessions.
        embedder: the model that made their vectors.
        filters: the sessions that count.
        limit: most turns to return.
        now: the moment that "yesterday" counts from; None is the present.
        weights: of the signals of a turn.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    query = prepare_query(
        question,
        store,
        embedder,
        filters,
        now=now,
        weights=weights_for_size(store.index.count_sessions()),
    )
    matches = find_matches(query)
    signals = score_signals(query, matches)
    likeliest = score_sessions(signals)
    numbers = sorted(likeliest, key=lambda number: (-likeliest[number], number))
    sessions = {number: store.sessions.by_number(number) for number in numbers[:LIKELIEST_SESSIONS]}
    scores = _score_turns(query, matches, signals, sessions, weights or TurnWeights())
    ranked = sorted(scores, key=lambda place: (-scores[place], place))[:limit]
    return [RankedTurn(sessions[number].id, at, scores[number, at]) for number, at in ranked]


def _score_turns(
    query: SearchQuery,
    matches: Matches,
    signals: Iterable[SignalScores],
    sessions: Mapping[int, Session],
    weights: TurnWeights,
) -> dict[TurnPlace, float]:
    """Weigh and add the scores that the signals give each searched turn of some sessions."""
    places = [
        (number, at)
        for number, session in sessions.items()
        for at, turn in enumerate(session.turns, start=1)
        if turn.is_searchable
    ]
    by_session = {signal.name: signal.scores for signal in signals}
    turns = scale_by_maximum(_best_by_turn(matches["turn"]))
    pairs: dict[TurnPlace, float] = {}
    for each in matches["together"]:
        for place in _covered_turns(each):
            pairs[place] = pairs.get(place, 0.0) + each.score
    parts: dict[str, Mapping[TurnPlace, float]] = {
        "turn": turns,
        "passage": scale_by_maximum(_best_by_turn(matches["passage"])),
        "meaning": scale_by_range(_best_by_turn(matches["meaning"])),
        "together": scale_by_maximum(pairs),
        "speaker": dict.fromkeys(_turns_of_named_speaker(query.terms, sessions), 1.0),
        "before": {
            (number, at): turns.get((number, at - 1), 0.0)
            for number, at in places
            if query.people.assistant or sessions[number].turns[at - 1].role != Role.ASSISTANT
        },
    }
    parts["reply"] = {
        (number, at): turns.get((number, at + 1), 0.0)
        for number, at in places
        if is_repeated(sessions[number].turns, at)
    }
    parts["answer"] = {
        (number, at): 1.0
        for number, at in places
        if any(has_type(sessions[number].turns[at - 1].text, one) for one in query.answer_types)
    }
    for name in ("session", "dates"):
        scores = by_session.get(name, {})
        parts[name] = {place: scores.get(place[0], 0.0) for place in places}
    total = weighted_sum([(getattr(weights, name), part) for name, part in parts.items()])
    return {place: total[place] for place in places}


def _best_by_turn(found: Iterable[IndexMatch]) -> dict[TurnPlace, float]:
    """Return for each turn the best score of the turns and passages that cover it."""
    scores: dict[TurnPlace, float] = {}
    for each in found:
        for place in _covered_turns(each):
            scores[place] = max(each.score, scores.get(place, each.score))
    return scores


def _covered_turns(found: IndexMatch) -> list[TurnPlace]:
    """Return the turns that a place covers: itself, or those of a passage."""
    if found.passage is None:
        return []
    return [(found.session, at) for at in range(found.passage.first, found.passage.last + 1)]


def _turns_of_named_speaker(
    terms: Sequence[str], sessions: Mapping[int, Session]
) -> Iterator[TurnPlace]:
    """Yield the turns of the one participant that the question names, if it names only one."""
    for number, session in sessions.items():
        speakers = [name for name in session.participants if set(query_terms(name)) & set(terms)]
        if len(speakers) == 1:
            for at, turn in enumerate(session.turns, start=1):
                if turn.speaker == speakers[0]:
                    yield number, at
