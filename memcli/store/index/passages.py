"""What is searched: words at three grains, and vectors of passages.

Everything here can be rebuilt from the sessions.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from memcli.domain import Passage, Role, Session
from memcli.errors import StoreError
from memcli.protocols import Embedder, Vectors
from memcli.store.index import passage_vectors
from memcli.store.index.quantization import quantized
from memcli.store.index.spelling import LEAST_LETTERS, meant
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.filters import Filters
from memcli.store.sqlite.tokenize import indexed, is_dense, match, match_near

Grain = Literal["session", "passage", "turn"]

# Columns as `_found` reads them, and where they come from.
_PLACES: dict[Grain, str] = {
    "session": "score, 0, 0, 0, null from summed join sessions on sessions.id = place",
    "passage": "score, first, last, start, stop from summed join passages on passages.id = place"
    " join sessions on sessions.id = session_id",
    "turn": "score * iif(role = 'assistant', ?, 1) as score, position, position, 0, null"
    " from summed join turns on turns.id = place join sessions on sessions.id = session_id",
}
_AMONG: dict[Grain, str] = {  # the places of a grain in some sessions
    "session": "select value from json_each(?)",
    "passage": "select id from passages where session_id in (select value from json_each(?))",
    "turn": "select id from turns where session_id in (select value from json_each(?))",
}
_EPOCH, _DAY = date(1970, 1, 1).toordinal(), 86_400_000  # ms
MOST_TERMS = 64  # of a question, the rarest; SQLite takes up to 500


@dataclass(frozen=True, slots=True)
class Found:
    """A place that matches: a session, a passage or a turn of it."""

    session: int
    place: Passage | None  # None for the whole session
    score: float  # the larger, the better; what it means depends on who found it
    terms: tuple[str, ...] = ()  # of the question, that are there


class Index:
    """Full text and vectors over the stored sessions, by their numbers."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, number: int, session: Session, passages: Sequence[Passage]) -> list[int]:
        """Make a stored session findable by its words.

        Args:
            number: of the session.
            session: what it holds.
            passages: its windows.

        Returns:
            The number of each passage.
        """
        spoken = {
            position: indexed(f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text)
            for position, turn in enumerate(session.turns, start=1)
            if turn.searched
        }
        assistant = {at for at in spoken if session.turns[at - 1].role == Role.ASSISTANT}
        self._db.rows(
            "insert into session_words (rowid, title, speakers, dates, people, assistant)"
            " values (?, ?, ?, ?, ?, ?)",
            number,
            indexed(session.title),
            indexed(" ".join(session.participants)),
            _dates(session),
            "\n".join(text for at, text in spoken.items() if at not in assistant),
            "\n".join(text for at, text in spoken.items() if at in assistant),
        )
        turns = self._db.rows("select id, position from turns where session_id = ?", number)
        self._db.many(
            "insert into turn_words (rowid, text) values (?, ?)",
            [(turn, spoken[position]) for turn, position in turns if position in spoken],
        )
        return self._add_passages(number, session, passages, spoken)

    def _add_passages(
        self, number: int, session: Session, passages: Sequence[Passage], spoken: dict[int, str]
    ) -> list[int]:
        # Their numbers are given here: `returning` would make FTS5 write after every row.
        [(last,)] = self._db.rows("select coalesce(max(id), 0) from passages")
        numbers = list(range(last + 1, last + 1 + len(passages)))
        self._db.many(
            "insert into passages (id, session_id, first, last, start, stop)"
            " values (?, ?, ?, ?, ?, ?)",
            [
                (at, number, passage.first, passage.last, passage.start, passage.stop)
                for at, passage in zip(numbers, passages, strict=True)
            ],
        )
        texts = []
        for passage in passages:
            covered = range(passage.first, passage.last + 1)
            text = "\n".join(spoken[at] for at in covered if at in spoken)
            if passage.start or passage.stop is not None:
                text = indexed(session.turns[passage.first - 1].text[passage.start : passage.stop])
            texts.append(text)
        self._db.many(
            "insert into passage_words (rowid, text) values (?, ?)",
            list(zip(numbers, texts, strict=True)),
        )
        return numbers

    def remove(self, number: int) -> None:
        """Forget the words and vectors of a session; called before the session goes."""
        cut = "select id from passages where session_id = ?"
        for embedder, *_ in self._embedders():
            passage_vectors.remove(self._db, embedder, cut, number)
        self._db.rows(f"delete from passage_words where rowid in ({cut})", number)
        self._db.rows("delete from passages where session_id = ?", number)
        self._db.rows(
            "delete from turn_words where rowid in (select id from turns where session_id = ?)",
            number,
        )
        self._db.rows("delete from session_words where rowid = ?", number)

    def add_vectors(self, passages: Sequence[int], vectors: Vectors, embedder: Embedder) -> None:
        """Store the vectors of passages.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = self.embedder_number(embedder, make=True)
        assert number is not None, "it was just made"
        passage_vectors.put(self._db, number, passages, quantized(vectors))

    def with_words(
        self,
        grain: Grain,
        terms: Sequence[str],
        filters: Filters,
        limit: int,
        *,
        weights: Sequence[float] | None = None,
        assistant: float = 1.0,
    ) -> list[Found]:
        """Return the places of a grain that have any of the terms, best BM25 first.

        FTS5's own BM25 gives nothing for a term in half of all places or more, which in a small
        archive is most of a question. So each term is looked up alone, and its score is rescaled
        from FTS5's weight of the term, log((N - n + .5) / (n + .5)), to Lucene's,
        log(1 + (N - n + .5) / (n + .5)), for a term in n of N places.

        Args:
            grain: what to look at.
            terms: as `words.asked` gives them.
            filters: which sessions count. Terms weigh the same whatever the filters.
            limit: most places to return.
            weights: of the terms, 1 by default.
            assistant: what an assistant's turn counts, where turns are looked at.

        Source:
            Kamphuis, de Vries, Boytsov and Lin, Which BM25 do you mean?, ECIR 2020.
        """
        among = filters.among is not None
        scored, values = self.scored(f"{grain}_words", terms, weights, likely=among)
        if not scored:
            return []
        likely = f" likely as materialized ({_AMONG[grain]})," if among else ""
        if among:
            values.insert(0, json.dumps(filters.among))
        if grain == "turn":
            values.append(assistant)
        where, filtered = filters.where()
        rows = self._db.rows(
            f"with{likely} scored as ({scored}), summed as (select place,"
            " sum(score) as score, group_concat(term) as terms from scored group by place)"
            f" select sessions.id, terms, {_PLACES[grain]} where {where}"
            " order by score desc, place limit ?",
            *(*values, *filtered, limit),
        )
        return [
            _found((session, *row), tuple(terms[at] for at in sorted(map(int, had.split(",")))))
            for session, had, *row in rows
        ]

    def scored(
        self,
        table: str,
        terms: Sequence[str],
        weights: Sequence[float] | None = None,
        *,
        likely: bool = False,
    ) -> tuple[str, list[object]]:
        """Return how to select (place, index of the term, score) from a table, and its values.

        The statement is empty where no term is found. A term counts by its weight, 1 by default.
        What is not in a table `likely` is passed over before its score is computed, if so wished.
        """
        places, having = self._having(table, terms)
        rarest = sorted((at for at in having if having[at]), key=lambda at: having[at])[:MOST_TERMS]
        values: list[object] = []
        for at in rarest:
            weight = weights[at] if weights else 1.0
            values += [weight * _rescaling(places, having[at]), match(terms[at])]
        passing = " and +rowid in likely" if likely else ""  # plus: not one search for each
        selects = (
            f"select rowid as place, {at} as term, -rank * ? as score from {table}"
            f" where {table} match ?{passing}"
            for at in rarest
        )
        return " union all ".join(selects), values

    def meant(self, terms: Sequence[str]) -> dict[str, str]:
        """Return for terms that stand nowhere what they were probably mistyped for."""
        _, having = self._having("session_words", terms)
        strange = [term for at, term in enumerate(terms) if not having[at]]
        return {term: near for term in strange if (near := self._nearest_stem(term))}

    def _nearest_stem(self, term: str) -> str | None:
        stem = self._db.stem(term)
        if len(stem) < LEAST_LETTERS or not stem.isalpha() or is_dense(term):
            return None
        self._db.rows(
            "create virtual table if not exists temp.vocabulary"
            " using fts5vocab(main, session_words, row)"
        )
        stems = self._db.rows(
            "select term, doc from temp.vocabulary where term >= ? and term < ?",
            *(stem[0], chr(ord(stem[0]) + 1)),
        )
        return meant(stem, stems)

    def together(self, pairs: Sequence[tuple[str, str]], filters: Filters) -> list[Found]:
        """Return the turns in which two terms stand side by side, at most one word between them.

        Returns:
            One place for each pair a turn has, `terms` naming the pair; its score is Lucene's
            weight of the pair among sessions, whatever the filters.
        """
        [(places,)] = self._db.rows("select count(*) from session_words_docsize")
        where, filtered = filters.where()
        found = []
        for one, other in pairs:
            rows = self._db.rows(
                f"select session_id, position, {where} from turns"
                " join sessions on sessions.id = session_id"
                " where turns.id in (select rowid from turn_words where turn_words match ?)"
                " order by turns.id",
                *(*filtered, match_near(one, other)),
            )
            having = len({session for session, *_ in rows})
            weight = math.log1p((places - having + 0.5) / (having + 0.5))
            found += [
                Found(session, Passage(position, position), weight, (f"{one} {other}",))
                for session, position, passes in rows
                if passes
            ]
        return found

    def times(self, filters: Filters) -> dict[int, tuple[date, date]]:
        """Return the days on which the sessions that pass began and ended, UTC."""
        where, values = filters.where()
        rows = self._db.rows(
            "select id, started_at, ended_at from sessions where started_at is not null"
            f" and ended_at is not null and {where}",
            *values,
        )
        return {number: (_day(began), _day(ended)) for number, began, ended in rows}

    def years(self) -> range:
        """Return the years that there are sessions from."""
        [(first, last)] = self._db.rows(
            "select strftime('%Y', min(started_at) / 1000, 'unixepoch'),"
            " strftime('%Y', max(started_at) / 1000, 'unixepoch') from sessions"
        )
        return range(int(first), int(last) + 1) if first else range(0)

    def weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how much each term tells: Lucene's weight among sessions, in none of them too."""
        places, having = self._having("session_words", terms)
        return {
            term: math.log1p((places - having[at] + 0.5) / (having[at] + 0.5))
            for at, term in enumerate(terms)
        }

    def nearest(
        self, vector: bytes, embedder: Embedder, filters: Filters, limit: int
    ) -> list[Found]:
        """Return the passages nearest to a vector of float32 numbers, by cosine in [-1, 1].

        A vector of zeros is near nothing.

        Raises:
            StoreError: the database has vectors of another embedder.
        """
        number = self.embedder_number(embedder, make=False)
        if number is None:
            return []
        rows = passage_vectors.nearest(self._db, number, vector, filters, limit)
        return [_found(row) for row in rows if row[1] is not None]

    def _having(self, table: str, terms: Sequence[str]) -> tuple[int, dict[int, int]]:
        """Return how many places there are, and how many have each term, by its index."""
        [(places,)] = self._db.rows(f"select count(*) from {table}_docsize")
        having: dict[int, int] = {}
        for at, term in enumerate(terms):
            count = f"select count(*) from {table} where {table} match ?"
            [(having[at],)] = self._db.rows(count, match(term))
        return places, having

    def _embedders(self) -> list[Any]:  # rows of (id, fingerprint, name, serving)
        return self._db.rows("select id, fingerprint, name, serving from embedders")

    def embedder_number(self, embedder: Embedder, *, make: bool) -> int | None:
        """Return what the tables of an embedder's vectors are numbered with.

        Raises:
            StoreError: another embedder serves.
        """
        for number, fingerprint, name, serving in self._embedders():
            if serving and fingerprint == embedder.fingerprint:
                return int(number)
            if serving:
                raise StoreError(
                    f"{self._db.path} has vectors of {name}, not of {embedder.name}",
                    hint=f"`mem index --embedder {embedder.name}` embeds everything again",
                )
        return make_vectors(self._db, embedder, serving=True) if make else None


def make_vectors(database: Database, embedder: Embedder, *, serving: bool) -> int:
    """Make room for the vectors of an embedder; return its number.

    Args:
        database: where.
        embedder: whose vectors.
        serving: whether questions are put to it from now on.
    """
    [(number,)] = database.rows(
        "insert into embedders (fingerprint, name, dimensions, serving) values (?, ?, ?, ?)"
        " returning id",
        *(embedder.fingerprint, embedder.name, embedder.dimensions, serving),
    )
    passage_vectors.make(database, number, embedder.dimensions)
    return int(number)


def _found(row: Sequence[Any], terms: tuple[str, ...] = ()) -> Found:
    session, score, first, *rest = row
    return Found(session, Passage(first, *rest) if first else None, score, terms)


def _dates(session: Session) -> str:
    """Return the days of a session in the words people use for them."""
    days = {turn.sent_at.date(): None for turn in session.turns if turn.sent_at}
    return " ".join(f"{day:%A} {day.day} {day:%B %Y %Y-%m-%d}" for day in days)


def _day(moment: int) -> date:
    """Return the day of a moment in ms since 1970, UTC. SQLite's own takes five times as long."""
    return date.fromordinal(_EPOCH + moment // _DAY)


def _rescaling(places: int, having: int) -> float:
    """Return what makes FTS5's weight of a term Lucene's, for a term in `having` of `places`."""
    odds = (places - having + 0.5) / (having + 0.5)
    return math.log1p(odds) / max(math.log(odds), 1e-6)  # FTS5 gives at least 1e-6
