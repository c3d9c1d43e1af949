"""Counts of the texts that have a term, and BM25 computed from them.

FTS5's own BM25 gives nothing for a term in half of all texts or more, which in a small archive is
most of a question. So each term is looked up alone, and its score is rescaled from FTS5's weight of
the term, log((N - n + .5) / (n + .5)), to Lucene's, log(1 + (N - n + .5) / (n + .5)), for a term in
n of N texts.

Source:
    Kamphuis, de Vries, Boytsov and Lin, Which BM25 do you mean?, ECIR 2020.
"""

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence

from memcli.errors import StoreError
from memcli.store.index.spelling import (
    LEAST_TYPED,
    MAX_EDITS,
    MIN_LETTERS,
    nearest_spelling,
    same_beginning,
    slips,
)
from memcli.store.index.word_levels import LEVELED, LeveledTable, places_select, score_sql
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import (
    SYNONYMS,
    fts_query,
    fts_token_query,
    is_unspaced,
    stem_tokens,
    token_queries,
)

LEAST_STEM = 3  # letters of a stem that a short word may have been mistyped for
LONGEST_ENDING = 4  # letters of an unfinished word that the stemmer would cut off
MAX_TERMS = 64  # the rarest terms of a question; SQLite takes up to 500


def bm25_select(
    database: Database,
    table: str,
    terms: Sequence[str],
    weights: Sequence[float] | None = None,
    *,
    among: bool = False,
) -> tuple[str, list[object]]:
    """Return a select of (place, index of the term, score), and its values.

    Args:
        database: the database.
        table: the full-text table; a place is a row of it.
        terms: the terms, as `query_terms` returns them.
        weights: factors of the terms' scores, 1 by default.
        among: True if a common table expression `among` lists the only rows to score.

    Returns:
        An empty statement if no text has any of the terms.
    """
    texts, counts = count_texts(database, table, terms)
    known = (at for at in counts if counts[at] and _can_be_found(table, terms[at]))
    rarest = sorted(known, key=lambda at: counts[at])[:MAX_TERMS]
    factors = {at: (weights[at] if weights else 1.0) for at in rarest}
    if table in LEVELED:
        factors = {at: factors[at] * lucene_weight(texts, counts[at]) for at in rarest}
        return _select_levels(database, LEVELED[table], terms, factors, among=among)
    values: list[object] = []
    for at, factor in factors.items():
        weigh = lucene_weight if SYNONYMS in terms[at] else _rescaling
        values += [factor * weigh(texts, counts[at]), _query(table, terms[at])]
    # The plus keeps SQLite from searching the full text once for each row.
    condition = " and +rowid in among" if among else ""
    selects = (
        f"select rowid as place, {at} as term,"
        f" {'1' if SYNONYMS in terms[at] else '-rank'} * ? as score from {table}"
        f" where {table} match ?{condition}"
        for at in rarest
    )
    return " union all ".join(selects), values


def count_texts(database: Database, table: str, terms: Sequence[str]) -> tuple[int, dict[int, int]]:
    """Return the number of texts in a table, and of those with each term, by its index.

    A word that the index leaves out counts as in every text.
    """
    known = database.number_cache()
    if (table,) not in known:
        select = f"select count(*) from {table}_docsize"
        if table in LEVELED:
            select = f"select texts from text_totals where name = '{table}'"
        [(known[(table,)],)] = database.rows(select)
    texts = known[(table,)]
    for term in terms:
        if (table, term) not in known:
            known[(table, term)] = _count(database, table, term, texts)
    counts = {at: known[(table, term)] for at, term in enumerate(terms)}
    if max(counts.values(), default=0) > texts:
        raise StoreError(
            f"the index of {database.path} is damaged", hint="`mem doctor --fix` makes it again"
        )
    return texts, counts


def _count(database: Database, table: str, term: str, texts: int) -> int:
    """Return the number of texts that have a term."""
    if not _can_be_found(table, term):
        return texts
    select, values = f"{table} where {table} match ?", [_query(table, term)]
    ways = token_queries(term)
    if table in LEVELED and not (len(ways) == len(ways[0]) == 1):
        select, values = places_select(LEVELED[table], ways)
        select = f"({select})"
    [(count,)] = database.rows(f"select count(*) from {select}", *values)
    return int(count)


def _select_levels(
    database: Database,
    table: LeveledTable,
    terms: Sequence[str],
    factors: Mapping[int, float],
    *,
    among: bool,
) -> tuple[str, list[object]]:
    """Return a select of (place, index of the term, score) from a table of levels."""
    values: list[object] = []
    selects = []
    for at, factor in factors.items():
        select, tokens = places_select(table, token_queries(terms[at]))
        values += [factor, *tokens]
        selects.append(f"select place, {at} as term, ? as factor, level from ({select})")
    if not selects:
        return "", []
    [(average,)] = database.rows(
        "select tokens * 1.0 / max(texts, 1) from text_totals where name = ?", table.name
    )
    condition = " where place in among" if among else ""
    return (
        f"select place, term, factor * {score_sql(table, average)} as score from"
        f" ({' union all '.join(selects)}) cross join {table.texts} on id = place{condition}",
        values,
    )


def _query(table: str, term: str) -> str:
    """Return an FTS5 query for a term; the tables of memories stem words themselves."""
    own = table == "memory_words" and SYNONYMS not in term
    return fts_query(term) if own else fts_token_query(term)


def _can_be_found(table: str, term: str) -> bool:
    return table == "memory_words" or bool(token_queries(term))


def lucene_weight(texts: int, count: int) -> float:
    """Return Lucene's weight of a term that `count` of the texts have; above 0."""
    return math.log1p((texts - count + 0.5) / (count + 0.5))


def nearest_stem(database: Database, term: str) -> str | None:
    """Return the stem that a term that no session has was probably mistyped for, if any."""
    stem = " ".join(stem_tokens(term))
    if len(term) < LEAST_TYPED or not stem.isalpha() or is_unspaced(term):
        return None
    vocabulary = create_vocabulary(database)
    if len(stem) < MIN_LETTERS:
        likely = {" ".join(stem_tokens(word)) for word in slips(term)}
        counts = database.rows(
            f"select doc, term from {vocabulary} where term in (select value from json_each(?))",
            json.dumps([one for one in likely if len(one) >= LEAST_STEM]),
        )
        return max(counts)[1] if counts else None
    # All that `nearest_spelling` takes into account: an archive has 100,000 stems.
    stems = database.rows(
        f"select term, doc from {vocabulary} where term >= ? and term < ?"
        " and (length(term) between ? and ? or term glob ? || '*')",  # a stem has letters only
        *(stem[0], chr(ord(stem[0]) + 1), len(stem) - MAX_EDITS, len(stem) + MAX_EDITS),
        same_beginning(stem),
    )
    return nearest_spelling(stem, stems)


def most_frequent_stems(database: Database, beginning: str, limit: int) -> list[str]:
    """Return the stems that begin with some letters, those that most sessions have first.

    If none does, the longest stem counts that the letters begin with, without an ending:
    `universit` finds `univers`.
    """
    vocabulary = create_vocabulary(database)
    letters = plain_letters(beginning)
    rows = letters and database.rows(
        f"select term from {vocabulary} where term >= ? and term < ?"
        " order by doc desc, term limit ?",
        *(letters, f"{letters}{chr(0x10FFFF)}", limit),
    )
    cuts = [letters[:-cut] for cut in range(1, LONGEST_ENDING + 1)]
    stems = [*map(str, stem_tokens(beginning)), *(one for one in cuts if len(one) >= MIN_LETTERS)]
    rows = rows or database.rows(
        f"select term from {vocabulary} where term in (select value from json_each(?))"
        " order by length(term) desc limit 1",
        json.dumps(stems),
    )
    return [stem for (stem,) in rows]


def plain_letters(word: str) -> str:
    """Return the beginning of a stem as the index has it: in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def create_vocabulary(database: Database, table: str = "session_words") -> str:
    """Create the table of all stems of a table, and return its name.

    It is not stored: a read-only database has it, too.
    """
    name = f"temp.stems_of_{table}"
    database.rows(f"create virtual table if not exists {name} using fts5vocab(main, {table}, row)")
    return name


def _rescaling(texts: int, count: int) -> float:
    """Return the factor from FTS5's weight of a term to Lucene's."""
    odds = (texts - count + 0.5) / (count + 0.5)
    return math.log1p(odds) / max(math.log(odds), 1e-6)  # FTS5 gives at least 1e-6
