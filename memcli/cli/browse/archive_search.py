"""Searches and lists for `mem browse`, given an open database."""

from datetime import datetime

from memcli.cli.output.console import join_lines, one_line
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.session_view import session_heading
from memcli.domain import Session
from memcli.lazy_dataclasses import dataclass, replace
from memcli.search.question.type_ahead import complete_question, match_while_typing
from memcli.search.results import RankedSession
from memcli.search.stages import RankingModels, rank_sessions
from memcli.store import Filters, SessionSummary, Store, highlight_spans

FIRST_PAGE = 200  # sessions that are listed at first; further ones as a person moves down
PAGE_FACTOR = 8  # by which the list grows then
MOST_BY_WORDS = 200  # sessions found by words while a person types
SNIPPET = 100  # letters of a turn beside the title of its session
BEFORE_WORD = 12  # letters of it before the first of the words, about
MOST_SEARCHED = 5_000  # letters of a turn that a snippet may be from
MOST_RANKED = 50  # sessions ranked by the whole first stage


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session in the list, and what is known of its place there."""

    id: str
    heading: str
    started_at: datetime | None
    source: str
    turns: int
    score: float | None = None  # None if it was only found by words, or listed
    snippet: str = ""  # of the turn that is the best evidence
    why: str = ""  # the reasons for its place, in words
    terms: tuple[str, ...] = ()  # the words to mark in it
    evidence: tuple[int, ...] = ()  # the positions of the turns that speak for it, best first
    session: Session | None = None  # with its turns, if they were loaded


@dataclass(frozen=True, slots=True)
class SearchResults:
    """Sessions to show, best first, or latest first if nothing was searched for."""

    sessions: tuple[FoundSession, ...]
    summary: str  # what was found, in words
    more: bool = False  # whether a longer list can be asked for


def is_searchable(typed: str) -> bool:
    """Return whether a text is enough to search for: more than a lone letter from A to Z."""
    typed = typed.strip()
    return len(typed) > 1 or not typed.isascii()


def list_sessions(store: Store, filters: Filters, limit: int) -> SearchResults:
    """List sessions, the latest first."""
    found = [_from_summary(one) for one in store.sessions.summaries(filters, limit)]
    more = len(found) == limit
    count = len(store.sessions.numbers(filters)) if more else len(found)
    summary = pluralize(count, "session") if count else "no sessions"
    if filters.since or filters.until:
        undated = store.statistics.count_undated(replace(filters, since=None, until=None))
        summary += f"; {undated:,} without a date left out" if undated else ""
    return SearchResults(tuple(found), summary, more)


def search_by_words(store: Store, typed: str, filters: Filters) -> SearchResults:
    """Find sessions by their words alone; the last word may be unfinished."""
    question = complete_question(typed, store)
    matches = match_while_typing(question, store, filters, MOST_BY_WORDS)
    numbers = tuple(match.session for match in matches)
    ids = store.sessions.public_ids(numbers)
    summaries = {one.id: one for one in store.sessions.summaries(Filters(among=numbers))}
    terms = (*question.terms, *question.completions)
    found = [
        replace(_from_summary(summaries[ids[match.session]]), terms=terms)
        for match in matches
        if ids.get(match.session) in summaries
    ]
    many = "the likeliest " if len(found) == MOST_BY_WORDS else ""
    summary = f"{many}{pluralize(len(found), 'session')} by words" if found else "no such words"
    return SearchResults(tuple(found), f"{summary} …")


def search_fully(
    store: Store, models: RankingModels, typed: str, filters: Filters
) -> SearchResults:
    """Rank sessions by words, meaning, dates and people, as `mem search` does.

    Raises:
        BackendError: the embedder failed.
        StoreError: the database has vectors of another embedder.
    """
    question = complete_question(typed, store)
    ranking = rank_sessions(question.text, store, models, filters, limit=MOST_RANKED)
    found = tuple(_from_ranked(one, question.completions) for one in ranking.results)
    if not found:
        return SearchResults((), "nothing found")
    summary = f"{pluralize(len(found), 'session')} by words and meaning"
    if ranking.verdict == "nothing":
        summary = f"nothing relevant; {pluralize(len(found), 'session')} nearest, but unlikely"
    return SearchResults(found, summary)


def load_session(store: Store, found: FoundSession) -> FoundSession:
    """Return a found session with its turns and its evidence.

    If the evidence is not known, it is the turn with the most of the words to mark.
    """
    session = found.session or store.sessions.get(found.id)
    evidence = found.evidence
    if not evidence and found.terms:
        best = max(
            range(1, len(session.turns) + 1),
            key=lambda at: (_count_terms(session.turns[at - 1].text, found.terms), -at),
        )
        evidence = (best,)
    return replace(found, session=session, evidence=evidence)


def known_filter_values(store: Store) -> tuple[list[str], list[str]]:
    """Return the sources and the speakers that filters can name."""
    return sorted(store.index.source_names()), sorted(store.index.speaker_names())


def _count_terms(text: str, terms: tuple[str, ...]) -> int:
    """Return how many of the terms a text has."""
    return sum(bool(highlight_spans(text, [term])) for term in terms)


def _from_summary(one: SessionSummary) -> FoundSession:
    return FoundSession(
        id=one.id,
        heading=_heading(one),
        started_at=one.started_at,
        source=one.source,
        turns=one.turns,
    )


def _from_ranked(one: RankedSession, completions: tuple[str, ...]) -> FoundSession:
    session = one.session
    return FoundSession(
        id=session.id,
        heading=_heading(session),
        started_at=session.started_at,
        source=session.source,
        turns=sum(turn.active for turn in session.turns),
        score=one.retrieve,
        snippet=_snippet(one),
        why=one.why,
        terms=(*one.terms, *completions),
        evidence=tuple(quote.position for quote in one.evidence),
        session=session,
    )


def _snippet(one: RankedSession) -> str:
    """Return the words of the best evidence around what was searched for, on one line."""
    if not one.evidence:
        return ""
    text = join_lines(one.evidence[0].turn.text[:MOST_SEARCHED])
    spans = highlight_spans(text, one.terms)
    start = text.rfind(" ", 0, max(spans[0][0] - BEFORE_WORD, 0)) + 1 if spans else 0
    return f"{'…' if start else ''}{text[start : start + SNIPPET]}"


def _heading(session: Session | SessionSummary) -> str:
    return " ".join(one_line(session_heading(session)).split())
