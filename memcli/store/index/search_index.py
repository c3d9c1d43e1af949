"""The index of sessions: words of sessions, passages and turns, and vectors of passages.

All of it can be rebuilt from the sessions.

A search runs some 50 statements, however large the archive is. Their time grows slower than that:
38, 77 and 119 ms of processor time with 1,000, 5,000 and 20,000 generated sessions (241,520
passages) on a busy machine, about as the power .38 of their number. From 400 matching sessions on,
only those are looked into for passages and turns. The nearest vectors take the largest part by now.
What still grows with the archive are the rows that each term matches, the scan of bits, and the
list of speakers. `full_text` says which tables of words there are and what each leaves out.
"""

import json
from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any, Literal

from memcli.domain import Passage, Session
from memcli.lazy_dataclasses import dataclass, replace
from memcli.protocols import Embedder, Vectors
from memcli.store.index import full_text, passage_vectors
from memcli.store.index.embedders import (
    active_embedder_number,
    embedder_numbers,
    require_active_embedder,
)
from memcli.store.index.phrases import sessions_with_phrase
from memcli.store.index.quantization import quantize_vectors
from memcli.store.index.synonyms import synonym_terms
from memcli.store.index.term_statistics import (
    MAX_TERMS,
    bm25_select,
    count_texts,
    lucene_weight,
    most_frequent_stems,
    nearest_stem,
)
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import NO_CONDITION, Filters
from memcli.store.sqlite.tokenize import fts_near_query, fts_token_query, phrase_tokens

Grain = Literal["session", "passage", "turn"]

# The columns that `_to_match` reads, the number of the session first, and where they come from.
_MATCH_COLUMNS: dict[Grain, str] = {
    "session": "place, terms, score, 0, 0, 0, null from summed",
    "passage": "session_id, terms, score, first, last, start, stop from summed join passages"
    " on passages.id = place",
    "turn": "session_id, terms, score * iif(role = 'assistant', ?, 1) as score, position, position,"
    " 0, null from summed join turns on turns.id = place",
}
_SESSION_OF: dict[Grain, str] = {"session": "place", "passage": "session_id", "turn": "session_id"}
_PLACES_OF_SESSIONS: dict[Grain, str] = {  # by the numbers of sessions
    "session": "select value from json_each(?)",
    "passage": "select id from passages where session_id in (select value from json_each(?))",
    "turn": "select id from turns where session_id in (select value from json_each(?))",
}
_NO_LIMIT = 1 << 40
_EPOCH, _DAY = date(1970, 1, 1).toordinal(), 86_400_000  # ms


@dataclass(frozen=True, slots=True)
class IndexMatch:
    """A match of a search: a session, or a passage or turn of it."""

    session: int  # the number of the session
    passage: Passage | None  # the passage or turn; None for the whole session
    score: float  # higher is better; each method defines its own scale
    terms: tuple[str, ...] = ()  # the terms of the question that it has


class SearchIndex:
    """Full text and vectors of the stored sessions, by their numbers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        number: int,
        session: Session,
        passages: Sequence[Passage],
        later: full_text.TextRows | None = None,
    ) -> list[int]:
        """Index the words of a stored session.

        Args:
            number: the number of the session.
            session: the session.
            passages: its passages.
            later: takes the words instead, for `add_words`.

        Returns:
            The numbers of the passages.
        """
        # Numbers are assigned here, because `returning` would make FTS5 write after every row.
        [(last,)] = self._db.rows("select coalesce(max(id), 0) from passages")
        by_number = dict(enumerate(passages, start=last + 1))
        words = full_text.word_rows(self._db, number, session, by_number)
        self._db.many(
            "insert into passages (id, session_id, first, last, start, stop, tokens)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(at, number, passage.first, passage.last, passage.start, passage.stop),
                    words.passage_lengths[at],
                )
                for at, passage in by_number.items()
            ],
        )
        if later is None:
            full_text.add_words(self._db, words.rows)
        else:
            for table, added in words.rows.items():
                later.setdefault(table, []).extend(added)
        return list(by_number)

    def add_words(self, rows: full_text.TextRows) -> None:
        """Write words that `add` was told to leave for later; another thread may do so."""
        full_text.add_words(self._db, rows)

    def remove(self, number: int) -> None:
        """Delete the words and vectors of a session; call it before the session is deleted."""
        passages = "select id from passages where session_id = ?"
        for embedder in embedder_numbers(self._db):
            passage_vectors.remove_rows(self._db, embedder, passages, number)
        full_text.remove_words(self._db, number)
        self._db.rows("delete from passages where session_id = ?", number)

    def window_turns(self, embedder: Embedder) -> int:
        """Return how many turns a vector stands for; 0 is a whole passage.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = require_active_embedder(self._db, embedder)
        return passage_vectors.window_turns(self._db, number)

    def add_vectors(
        self, places: Sequence[tuple[int, int]], vectors: Vectors, embedder: Embedder
    ) -> None:
        """Store the vectors of passages.

        Args:
            places: the number of each vector's passage, and which of its windows it is, from 0.
            vectors: the vectors.
            embedder: the embedder that made them.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = require_active_embedder(self._db, embedder)
        passage_vectors.add_rows(self._db, number, places, quantize_vectors(vectors))

    def match_terms(
        self,
        grain: Grain,
        terms: Sequence[str],
        filters: Filters,
        limit: int,
        *,
        weights: Sequence[float] | None = None,
        assistant: float = 1.0,
    ) -> list[IndexMatch]:
        """Return the sessions, passages or turns with any of the terms, best BM25 first.

        Args:
            grain: which of the three.
            terms: the terms, as `query_terms` returns them.
            filters: which sessions count. The weights of terms do not depend on the filters.
            limit: the most matches to return.
            weights: factors of the terms' scores, 1 by default.
            assistant: the factor of an assistant's turn, if the grain is turns.
        """
        among = filters.among is not None
        select, values = bm25_select(self._db, f"{grain}_words", terms, weights, among=among)
        if not select:
            return []
        rows_among = f" among as ({_PLACES_OF_SESSIONS[grain]})," if among else ""
        if among:
            values.insert(0, json.dumps(filters.among))
        if grain == "turn":
            values.append(assistant)
        # Only places in the sessions that `among` names are scored, and sessions are read for other
        # filters only.
        where, filtered = replace(filters, among=None).where()
        sessions = ""
        if where != NO_CONDITION:
            sessions = f" join sessions on sessions.id = {_SESSION_OF[grain]} where {where}"
        rows = self._db.rows(
            f"with{rows_among} scored as ({select}), summed as (select place,"
            " sum(score) as score, group_concat(term) as terms from scored group by place)"
            f" select {_MATCH_COLUMNS[grain]}{sessions} order by score desc, place limit ?",
            *(*values, *filtered, limit),
        )

        @cache  # of a thousand rows, most have the same few terms
        def terms_at(indexes: str) -> tuple[str, ...]:
            return tuple(terms[at] for at in sorted(map(int, indexes.split(","))))

        return [_to_match((session, *row), terms_at(indexes)) for session, indexes, *row in rows]

    def sessions_with_all(self, terms: Sequence[str], filters: Filters) -> tuple[int, ...]:
        """Return the sessions that have every one of the terms.

        Args:
            terms: the terms, as `query_terms` returns them.
            filters: which sessions count.
        """
        matches = self.match_terms("session", terms, filters, _NO_LIMIT)
        return tuple(match.session for match in matches if len(match.terms) == len(set(terms)))

    def sessions_with_phrases(self, phrases: Sequence[str], filters: Filters) -> set[int]:
        """Return the sessions that have every phrase, each in a turn or in the title.

        Args:
            phrases: texts whose words have to stand in a row.
            filters: which sessions count.
        """
        found: set[int] | None = None
        for phrase in phrases:
            words, indexed = phrase_tokens(phrase)
            if not words:
                continue
            having = sessions_with_phrase(self._db, words, indexed, filters)
            found = having if found is None else found & having
        return found or set()

    def has_terms(
        self, terms: Sequence[str], among: Literal["session", "memory"] = "session"
    ) -> list[bool]:
        """Return for each term whether any of the texts has it."""
        _, counts = count_texts(self._db, f"{among}_words", terms)
        return [counts[at] > 0 for at in range(len(terms))]

    def state(self) -> str:
        """Return a text that changes with every change of the words of sessions and memories."""
        return " ".join(
            structure.hex()
            for table in ("session_words", "memory_words")
            # FTS5 has the list of an index's segments there, and how many pages it wrote.
            for (structure,) in self._db.rows(f"select block from {table}_data where id = 10")
        )

    def nearest_spellings(self, terms: Sequence[str]) -> dict[str, str]:
        """Return the stems that terms which no session has were probably mistyped for."""
        _, counts = count_texts(self._db, "session_words", terms)
        unknown = [term for at, term in enumerate(terms) if not counts[at]]
        return {term: stem for term in unknown if (stem := nearest_stem(self._db, term))}

    def synonym_terms(
        self,
        groups: Sequence[Sequence[str]],
        among: Literal["session", "memory"] = "session",
    ) -> list[str]:
        """Return a term for each group of words, of those words that the texts have; or empty.

        Args:
            groups: the words of each, as `synonym_tokens` returns them.
            among: the texts whose words count.
        """
        return synonym_terms(self._db, groups, f"{among}_words")

    def frequent_stems(self, beginning: str, limit: int) -> list[str]:
        """Return the stems that begin with some letters, those that most sessions have first."""
        return most_frequent_stems(self._db, beginning, limit)

    def match_pairs(self, pairs: Sequence[tuple[str, str]], filters: Filters) -> list[IndexMatch]:
        """Return the turns in which two terms stand side by side, with at most one word between.

        Returns:
            One match for each pair that a turn has, whose `terms` is the pair in one text. The
            score is Lucene's weight of the pair among all sessions, whatever the filters are.
        """
        sessions = self.count_sessions()
        where, filtered = filters.where()
        matches = []
        for first, second in pairs:
            if not (query := fts_near_query(first, second)):
                continue
            rows = self._db.rows(
                f"select session_id, position, {where} from turns"
                " join sessions on sessions.id = session_id"
                " where turns.id in (select rowid from turn_words where turn_words match ?)"
                " order by turns.id",
                *(*filtered, query),
            )
            weight = lucene_weight(sessions, len({session for session, *_ in rows}))
            matches += [
                IndexMatch(session, Passage(position, position), weight, (f"{first} {second}",))
                for session, position, passes in rows
                if passes
            ]
        return matches

    def count_sessions(self) -> int:
        """Return the number of sessions in the full text."""
        sessions, _ = count_texts(self._db, "session_words", ())
        return int(sessions)

    def session_days(self, filters: Filters) -> dict[int, tuple[date, date]]:
        """Return the first and last day, UTC, of each session that passes the filters."""
        where, values = filters.where()
        rows = self._db.rows(
            "select id, started_at, ended_at from sessions where started_at is not null"
            f" and ended_at is not null and {where}",
            *values,
        )
        return {number: (_day(start), _day(end)) for number, start, end in rows}

    def session_years(self) -> range:
        """Return the years from the first session to the last."""
        [(first, last)] = self._db.rows(
            "select strftime('%Y', min(started_at) / 1000, 'unixepoch'),"
            " strftime('%Y', max(started_at) / 1000, 'unixepoch') from sessions"
        )
        return range(int(first), int(last) + 1) if first else range(0)

    def speaker_names(self) -> set[str]:
        """Return the names of all participants of sessions."""
        rows = self._db.rows(
            "select distinct value from (select distinct participants from sessions),"
            " json_each(participants)"
        )
        return {name for (name,) in rows}

    def source_names(self) -> set[str]:
        """Return the names of the formats that sessions came from."""
        return {name for (name,) in self._db.rows("select distinct source from conversations")}

    def match_titles(self, terms: Sequence[str], filters: Filters, limit: int) -> dict[int, str]:
        """Return the titles that have any of the terms, by number of the session, best first."""
        wanted = " OR ".join(filter(None, map(fts_token_query, terms[:MAX_TERMS])))
        if not wanted:
            return {}
        where, filtered = filters.where()
        rows = self._db.rows(
            "select sessions.id, sessions.title from title_words join sessions"
            f" on sessions.id = title_words.rowid where title_words match ? and {where}"
            " order by rank limit ?",
            *(wanted, *filtered, limit),
        )
        return dict(rows)

    def term_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return Lucene's weight of each term among sessions, even of a term that none has."""
        sessions, counts = count_texts(self._db, "session_words", terms)
        return {term: lucene_weight(sessions, counts[at]) for at, term in enumerate(terms)}

    def cosine_background(self, vector: bytes, embedder: Embedder) -> tuple[float, float, int]:
        """Return the mean and deviation of a vector's cosines with all passages, by a sample.

        Returns:
            Mean, standard deviation, and the number of passages; (0, 0, 0) without vectors.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = active_embedder_number(self._db, embedder)
        return passage_vectors.background(self._db, number, vector) if number else (0.0, 0.0, 0)

    def window_cosines(
        self, vector: bytes, embedder: Embedder, sessions: Collection[int]
    ) -> list[tuple[int, Passage, int, float]]:
        """Return how near each window of some sessions is to a vector of float32 numbers.

        Vectors of whole passages have no windows.

        Returns:
            The session, the passage, which of its windows it is, and the cosine in [-1, 1].

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = active_embedder_number(self._db, embedder)
        if number is None or not passage_vectors.window_turns(self._db, number):
            return []
        rows = passage_vectors.window_cosines(self._db, number, vector, sessions)
        return [(session, Passage(*place), at, near) for session, at, near, *place in rows if near]

    def nearest_passages(
        self, vector: bytes, embedder: Embedder, filters: Filters, limit: int
    ) -> list[IndexMatch]:
        """Return the passages nearest to a vector of float32 numbers, with cosines in [-1, 1].

        Nothing is near a vector of zeros.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = active_embedder_number(self._db, embedder)
        if number is None:
            return []
        rows = passage_vectors.nearest_rows(self._db, number, vector, filters, limit)
        return [_to_match(row) for row in rows if row[1] is not None]


def _to_match(row: Sequence[Any], terms: tuple[str, ...] = ()) -> IndexMatch:
    session, score, first, *rest = row
    return IndexMatch(session, Passage(first, *rest) if first else None, score, terms)


def _day(time: int) -> date:
    """Return the day, UTC, of ms since 1970. SQLite's own function takes five times as long."""
    return date.fromordinal(_EPOCH + time // _DAY)
