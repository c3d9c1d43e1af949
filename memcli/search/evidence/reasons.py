"""The reasons for a session, in words: only what really counted for its score."""

from collections.abc import Mapping, Sequence

from memcli.domain import Session
from memcli.lazy_dataclasses import dataclass
from memcli.search.query import SearchQuery
from memcli.search.question.wording import find_tense

MOST_WORDS = 6  # that are named
LEAST_SHARE = 0.04  # of a session's score that a signal has to give to be a reason


@dataclass(frozen=True, slots=True)
class FoundWords:
    """Words that a session has in place of terms of the question."""

    words: tuple[str, ...]
    meant: tuple[str, ...]  # these terms
    is_near: bool  # True if they only belong to what is meant


def describe_reasons(
    query: SearchQuery,
    session: Session,
    terms: Sequence[str],
    parts: Mapping[str, float],
    *,
    other_words: Sequence[FoundWords],
    newest_of: int = 0,
) -> tuple[str, ...]:
    """Return the reasons for a session, the words first.

    Args:
        query: the question.
        session: the session.
        terms: the terms of the question that it has.
        parts: the part of its score that each signal adds.
        other_words: the words that it has in place of terms of the question.
        newest_of: number of sessions on the topic of which it is the newest; 0 if it is not.
    """
    least = LEAST_SHARE * sum(parts.values())
    counts = {name for name, part in parts.items() if part > max(least, 0.0)}
    by_words = counts & {"session", "passage", "turn"}
    reasons = _name_words(terms, other_words) if by_words else []
    if "together" in counts:
        reasons.append("words side by side")
    if "title" in counts:
        reasons.append("its title")
    if "people" in counts:
        reasons.append(_name_people(query, session))
    if "dates" in counts:
        reasons.append("the day that is named")
    if "memories" in counts:
        reasons.append("a memory that came from it")
    if newest_of > 1:
        reasons.append(f"the newest of {newest_of} on this")
    elif "tense" in counts:
        newest = find_tense(query.text) == "now"
        reasons.append("newer than others on this" if newest else "older than others on this")
    if "answer" in counts:
        reasons.append(f"names {' or '.join(one.name for one in query.answer_types)}")
    from_words = sum(parts.get(name, 0.0) for name in ("session", "passage", "turn"))
    if "meaning" in counts and (not reasons or parts["meaning"] > from_words / 2):
        reasons.append("near in meaning")
    return tuple(reasons)


def _name_words(terms: Sequence[str], other_words: Sequence[FoundWords]) -> list[str]:
    """Return the words that a session has, and those that it has in their place."""
    corrected = [one for one in other_words if one.words == one.meant]  # a mistyped word
    terms = [*terms, *(word for one in corrected for word in one.words)]
    others = []
    for one in other_words:
        if one in corrected:
            continue
        words, meant = _list_words(one.words), " ".join(join_pairs(one.meant))
        others.append(f"related to {meant}: {words}" if one.is_near else f"{words} for {meant}")
    return [f"words {_list_words(terms)}", *others] if terms else others


def _list_words(terms: Sequence[str]) -> str:
    words = join_pairs(terms)
    more = len(words) - MOST_WORDS
    return ", ".join(words[:MOST_WORDS]) + (f" and {more} more" if more > 0 else "")


def join_pairs(terms: Sequence[str]) -> list[str]:
    """Return terms in which the overlapping pairs of letters of unspaced scripts are joined again.

    The index has 大阪 and 阪で for 大阪で, which is what a person reads.
    """
    words: list[str] = []
    for term in terms:
        is_pair = len(term) == 2 and not term.isascii()
        if words and is_pair and not words[-1].isascii() and words[-1][-1] == term[0]:
            words[-1] += term[1]
        else:
            words.append(term)
    return words


def _name_people(query: SearchQuery, session: Session) -> str:
    """Return who of the named people takes part, or that they are mentioned."""
    present = [name for name in session.participants if name in query.people.speakers]
    if session.source in query.people.sources:
        present.append(session.source)
    return f"a chat with {' and '.join(present)}" if present else "mentions the person"
