"""The words of sessions and passages by how often a text has them, and BM25 computed from that.

Each text is up to eight rows of a full-text table, one for each level of frequency, and each of its
words is in one of them. The number of a row is the number of the text and the level, so that FTS5
has to store neither positions nor frequencies: a row of results says how often the text has the
word, to within rounding. The length of a text stands in a table of its own kind. FTS5's own `rank`
would have to be called for each row, and takes twice as long.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from memcli.lazy_dataclasses import dataclass
from memcli.store.sqlite.tokenize import GAP

K1, B = 1.2, 0.75  # of BM25, as FTS5 has them


@dataclass(frozen=True, slots=True)
class LeveledTable:
    """A full-text table whose rows are levels of texts."""

    name: str
    texts: str  # the table of the texts, with their lengths in words in the column `tokens`
    bits: int  # of a row's number, for the level
    units: int  # by which words are counted: 2 counts halves
    bounds: tuple[int, ...]  # least number of units in each level
    frequencies: tuple[float, ...]  # the frequency that stands for each level
    texts_with_phrase: str  # a select of the texts that match a query in `turn_words`

    @property
    def place(self) -> str:
        """The SQL of a text's number."""
        return f"rowid >> {self.bits}"

    @property
    def level(self) -> str:
        """The SQL of a word's level in a text."""
        return f"rowid & {(1 << self.bits) - 1}"


SESSIONS = LeveledTable(
    "session_words",
    texts="sessions",
    bits=4,
    units=2,
    bounds=(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 32, 44, 64),
    frequencies=(0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4.2, 5.2, 6.6, 8.3, 10.5, 13.5, 18, 26, 44),
    texts_with_phrase="with asked (query) as (values (?))"
    " select session_id as place from turns where turns.id in"
    " (select rowid from turn_words where turn_words match (select query from asked))"
    " union all select rowid from title_words where title_words match (select query from asked)",
)
PASSAGES = LeveledTable(
    "passage_words",
    texts="passages",
    bits=3,
    units=1,
    bounds=(1, 2, 3, 4, 5, 6, 8, 11),
    frequencies=(1, 2, 3, 4, 5, 6.4, 9, 14),
    texts_with_phrase="select passages.id as place from turns join passages using (session_id)"
    " where turns.id in (select rowid from turn_words where turn_words match ?)"
    " and position between first and last",
)
LEVELED = {table.name: table for table in (SESSIONS, PASSAGES)}


def level_rows(table: LeveledTable, text: int, words: Iterable[str]) -> list[tuple[int, str]]:
    """Return the rows of a text, by rising number.

    Args:
        table: the full-text table.
        text: the number of the text.
        words: its words, each as many times as it counts units.
    """
    first, counts = text << table.bits, Counter(words)
    counts.pop(GAP, None)
    levels: list[list[str]] = [[] for _ in table.bounds]
    level_of = _LEVEL_OF[table.name]
    most = len(level_of) - 1
    for word, count in counts.items():
        levels[level_of[count if count < most else most]].append(word)
    return [(first + level, " ".join(words)) for level, words in enumerate(levels) if words]


def places_select(table: LeveledTable, ways: Sequence[Sequence[str]]) -> tuple[str, list[str]]:
    """Return a select of (place, level) of the texts that have a term, and its values.

    Args:
        table: the full-text table.
        ways: in which a text can have the term, as `token_queries` returns them.
    """
    selects, values = [], list[str]()
    tokens = [way[0] for way in ways if len(way) == 1]
    if tokens:
        selects.append(
            f"select {table.place} as place, {table.level} as level from {table.name}"
            f" where {table.name} match ?"
        )
        values.append(" OR ".join(tokens))
    # Tokens in a row are known to the tables with positions. Each of the texts has them once.
    rows = [" + ".join(way) for way in ways if len(way) > 1]
    if rows:
        once = table.bounds.index(table.units)
        selects.append(f"select place, {once} as level from ({table.texts_with_phrase})")
        values.append(" OR ".join(rows))
    if len(ways) == 1 and tokens and not tokens[0].endswith("*"):
        return selects[0], values
    joined = " union all ".join(selects)
    return f"select place, max(level) as level from ({joined}) group by place", values


def score_sql(table: LeveledTable, average: float) -> str:
    """Return the SQL of a word's BM25 without its weight, from `level` and the text's `tokens`.

    Args:
        table: the full-text table.
        average: the average length of the texts.
    """
    cases = " ".join(f"when {at} then {tf}" for at, tf in enumerate(table.frequencies))
    tf, share = f"case level {cases} end", K1 * B / max(average, 1)
    return f"{K1 + 1} / (1 + ({K1 * (1 - B)} + {share!r} * tokens) / ({tf}))"


def _levels_by_count(table: LeveledTable) -> list[int]:
    return [
        sum(bound <= count for bound in table.bounds) - 1 for count in range(table.bounds[-1] + 1)
    ]


_LEVEL_OF = {table.name: _levels_by_count(table) for table in LEVELED.values()}
