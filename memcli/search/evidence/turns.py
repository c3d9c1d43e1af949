"""The turns that are shown with a session: those that answer, replies included.

A turn is scored by its own words, by those of the turn before it, which it may reply to, by those
of an assistant's reply, which repeats what it was told, by the passages that it is in, by its
speaker, if the question names one, and by something of the type of the answer. The reply shows the
answering turn of two more of 43 questions of LongMemEval whose session is first, and of two more of
269 own ones; the type that of two more of 393 of LoCoMo. The turns that are nearest in
meaning are shown, too, if they have no word of the question: their window as a score of its own
loses .02 of 89 own questions.
"""

from collections.abc import Iterable, Mapping, Sequence

from memcli.domain import Role, Session, Turn
from memcli.lazy_dataclasses import dataclass
from memcli.protocols import SentenceEmbedder
from memcli.search.query import SearchQuery
from memcli.search.question.answer_type import has_type
from memcli.store import IndexMatch
from memcli.text.chunking import split_windows

MOST_EVIDENCE = 3  # turns of a session
BEFORE = 0.25
REPLY = 0.3  # of an assistant
TYPE = 0.2
PASSAGE = 0.3
SPEAKER = 0.5
MEMORY = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn that earned its session's score."""

    position: int  # from 1
    score: float  # BM25 of its words; 0 if it was found by meaning


def choose_evidence(
    query: SearchQuery,
    sessions: Mapping[int, Session],
    matches: Mapping[str, Iterable[IndexMatch]],
    turns: Iterable[IndexMatch],
) -> dict[int, list[Evidence]]:
    """Choose the turns that speak for each session, best first, at least one each."""
    words: dict[int, dict[int, float]] = {number: {} for number in sessions}
    for turn in turns:
        if turn.session in words and turn.passage:
            words[turn.session].setdefault(turn.passage.first, turn.score)
    greatest = max((s for scores in words.values() for s in scores.values()), default=1.0) or 1.0
    parts: dict[int, dict[int, float]] = {number: {} for number in sessions}
    for name, weight in (("passage", PASSAGE), ("meaning", PASSAGE), ("memories", MEMORY)):
        top = max((one.score for one in matches[name]), default=0.0)
        best: dict[tuple[int, int], float] = {}
        for one in matches[name]:
            if one.session in parts and one.passage and top > 0:
                for at in range(one.passage.first, one.passage.last + 1):
                    key = (one.session, at)
                    best[key] = max(best.get(key, 0.0), weight * max(one.score, 0.0) / top)
        for (number, at), score in best.items():
            parts[number][at] = parts[number].get(at, 0.0) + score
    nearest = _nearest_windows(query, sessions)
    return {
        number: _choose(
            query, session, words[number], parts[number], nearest.get(number, ()), greatest
        )
        for number, session in sessions.items()
    }


def _nearest_windows(
    query: SearchQuery, sessions: Mapping[int, Session]
) -> dict[int, Sequence[int]]:
    """Return the turns of each session's window that is nearest to the question in meaning.

    Only the vectors of an embedder that reads sentences stand for windows.
    """
    if not query.vector or not isinstance(query.embedder, SentenceEmbedder):
        return {}
    index = query.store.index
    found = index.window_cosines(query.vector, query.embedder, sessions)
    size = index.window_turns(query.embedder) if found else 0
    nearest = {one[0]: one for one in sorted(found, key=lambda one: one[-1])}
    windows: dict[int, Sequence[int]] = {}
    for number, passage, window, _ in nearest.values():
        split = split_windows(sessions[number], passage, size)
        windows[number] = split[min(window, len(split) - 1)]
    return windows


def _choose(
    query: SearchQuery,
    session: Session,
    words: Mapping[int, float],
    others: Mapping[int, float],
    nearest: Sequence[int],
    greatest: float,
) -> list[Evidence]:
    searched = [at for at, turn in enumerate(session.turns, start=1) if turn.is_searchable]
    if not searched:
        return [Evidence(1, 0.0)]
    before = dict(zip(searched[1:], searched, strict=False))
    after = {earlier: later for later, earlier in before.items()}
    scores = {}
    for at in searched:
        turn = session.turns[at - 1]
        by_words = words.get(at, 0.0) + BEFORE * words.get(before.get(at, 0), 0.0)
        if is_repeated(session.turns, at):
            by_words += REPLY * words.get(at + 1, 0.0)
        score = by_words / greatest + others.get(at, 0.0)
        if any(has_type(turn.text, one) for one in query.answer_types):
            score += TYPE
        if turn.speaker in query.people.speakers:
            score += SPEAKER
        if query.people.assistant and turn.role == Role.ASSISTANT:
            score += SPEAKER
        scores[at] = score
    ranked = sorted(searched, key=lambda at: (-scores[at], at))
    best = ranked[0]
    chosen = [best]
    if _asks(session.turns[best - 1].text) and best in after:
        chosen.append(after[best])
    chosen += [at for at in ranked[1:] if at not in chosen and (words.get(at) or at in nearest)]
    return [Evidence(at, words.get(at, 0.0)) for at in chosen[:MOST_EVIDENCE]]


def is_repeated(turns: Sequence[Turn], position: int) -> bool:
    """Return whether an assistant's turn, which often repeats what it was told, follows a turn."""
    after = turns[position].role if position < len(turns) else None
    return after == Role.ASSISTANT != turns[position - 1].role


def _asks(text: str) -> bool:
    return any(mark in text for mark in "?？؟")
