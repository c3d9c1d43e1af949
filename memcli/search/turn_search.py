"""The turns likeliest to answer: what a quotation, a memory's source or a turn-level test needs.

Each turn is ranked by its own words and by what it stands in: its passage, its session, and the
turn before, which in a dialogue is the question it answers. Who is asked about is who said it.

LoCoMo, categories 1 to 4, 1,536 questions, all turns of the conversation ranked; what is lost
without each measure:

                  R@5   MRR                      R@5   MRR
    all           .720  .624      together       .715  .620
    without turn  .690  .565      dates          .708  .613
    passage       .712  .619      speaker        .665  .539
    session       .714  .617      before         .708  .609
    meaning       .717  .620      BM25 of turns  .542  .476   (nothing else)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from memcli.domain import Session, SessionId
from memcli.protocols import Embedder
from memcli.search.fusion import by_maximum, by_range, weighted
from memcli.search.signals import Levers, Measures, measure
from memcli.store import Filters, Found, Store, asked

SESSIONS = 50  # the likeliest, whose turns are ranked

Place = tuple[int, int]  # number of the session, position of the turn


@dataclass(frozen=True, slots=True)
class TurnLevers:
    """How much each measure counts for a turn. What is 0 is not done."""

    turn: float = 0.5  # BM25 of its words
    passage: float = 0.5  # BM25 of the best passage it is in
    session: float = 0.45  # BM25 of its session
    meaning: float = 0.45  # cosine of the best passage it is in
    together: float = 0.2  # words that stand side by side in the question, and in it
    dates: float = 1.0  # how near its session is to the days the question names
    speaker: float = 0.6  # whether the one participant that the question names says it
    before: float = 0.25  # BM25 of the turn before


@dataclass(frozen=True, slots=True)
class RankedTurn:
    """A turn that may answer."""

    session: SessionId
    position: int  # from 1
    score: float  # in [0, 1]; among those of one question


def retrieve_turns(
    question: str,
    store: Store,
    embedder: Embedder,
    filters: Filters,
    *,
    limit: int,
    now: datetime | None = None,
    levers: TurnLevers | None = None,
) -> list[RankedTurn]:
    """Return the turns likeliest to answer, best first, of the likeliest sessions.

    Args:
        question: in the person's own words.
        store: where the sessions are.
        embedder: the one their vectors are of.
        filters: which sessions count.
        limit: most turns to return.
        now: what "yesterday" counts from; the present by default.
        levers: how much each measure counts.
    """
    found = measure(question, store, embedder, filters, now=now)
    likeliest = found.scores(Levers())
    numbers = sorted(likeliest, key=lambda number: (-likeliest[number], number))[:SESSIONS]
    sessions = {number: store.sessions.by_number(number) for number in numbers}
    scores = _scores(found, sessions, levers or TurnLevers())
    ranked = sorted(scores, key=lambda place: (-scores[place], place))[:limit]
    return [RankedTurn(sessions[number].id, at, scores[number, at]) for number, at in ranked]


def _scores(
    found: Measures, sessions: Mapping[int, Session], levers: TurnLevers
) -> dict[Place, float]:
    """Add what each measure gives each searched turn of some sessions."""
    places = [
        (number, at)
        for number, session in sessions.items()
        for at, turn in enumerate(session.turns, start=1)
        if turn.searched
    ]
    by_session = found.by_session()
    turns = by_maximum(_best(found.turns))
    pairs: dict[Place, float] = {}
    for each in found.together:
        for place in _covered(each):
            pairs[place] = pairs.get(place, 0.0) + each.score
    parts: dict[str, Mapping[Place, float]] = {
        "turn": turns,
        "passage": by_maximum(_best(found.passages)),
        "meaning": by_range(_best(found.near)),
        "together": by_maximum(pairs),
        "speaker": dict.fromkeys(_said_by_the_named(found.terms, sessions), 1.0),
        "before": {(number, at): turns.get((number, at - 1), 0.0) for number, at in places},
    }
    for name in ("session", "dates"):
        of_session = by_session.get(name, {})
        parts[name] = {place: of_session.get(place[0], 0.0) for place in places}
    scores = weighted([(getattr(levers, name), part) for name, part in parts.items()])
    return {place: scores[place] for place in places}


def _best(found: Iterable[Found]) -> dict[Place, float]:
    """Return the best score of what each turn is in."""
    scores: dict[Place, float] = {}
    for each in found:
        for place in _covered(each):
            scores[place] = max(each.score, scores.get(place, each.score))
    return scores


def _covered(found: Found) -> list[Place]:
    """Return the turns of a turn, or of a passage."""
    if found.place is None:
        return []
    return [(found.session, at) for at in range(found.place.first, found.place.last + 1)]


def _said_by_the_named(terms: Sequence[str], sessions: Mapping[int, Session]) -> Iterator[Place]:
    """Yield the turns of the one participant that the question names, where it names one."""
    for number, session in sessions.items():
        named = [name for name in session.participants if set(asked(name)) & set(terms)]
        if len(named) == 1:
            for at, turn in enumerate(session.turns, start=1):
                if turn.speaker == named[0]:
                    yield number, at
