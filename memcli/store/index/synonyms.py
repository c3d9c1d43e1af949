"""Terms that stand for several words: whichever of them a text has counts as one and the same."""

import json
from collections.abc import Sequence

from memcli.store.index.term_statistics import create_vocabulary, plain_letters
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import is_unspaced, phrase_tokens, synonym_term

MOST_ENDINGS = 8  # of a word whose ending is open, the most frequent ones
ANY_ENDING = "*"
_OPEN = "<"  # before a beginning whose endings are looked up


def synonym_tokens(words: Sequence[str]) -> list[str]:
    """Return the tokens of words for `synonym_terms`, without those that no index has.

    Args:
        words: any words; `*` at the end of one stands for any ending.
    """
    return list(dict.fromkeys(filter(None, map(_tokens, words))))


def _tokens(word: str) -> str:
    """Return the tokens of a word, with spaces between them, or a mark and its beginning."""
    whole = word.removesuffix(ANY_ENDING)
    if whole != word and not is_unspaced(whole):
        return _OPEN + plain_letters(whole)
    if len(whole) == 1 and is_unspaced(whole):
        return f"{whole}*"  # it begins a pair of letters
    stems, indexed = phrase_tokens(whole)
    return " ".join(indexed) if len(indexed) == len(stems) else ""  # "bring in" is not "bring"


def synonym_terms(
    database: Database, groups: Sequence[Sequence[str]], table: str = "session_words"
) -> list[str]:
    """Return a term for each group of words, of those words that any text has.

    Args:
        database: the database.
        groups: the words of each, as `synonym_tokens` returns them.
        table: the full-text table of the texts.

    Returns:
        Terms for `bm25_select`; empty where no text has a word of the group.
    """
    words = {word for group in groups for word in group}
    beginnings = sorted(word.removeprefix(_OPEN) for word in words if word.startswith(_OPEN))
    tokens = {token for word in words if not word.startswith(_OPEN) for token in word.split()}
    vocabulary = create_vocabulary(database, table)
    known = {
        token
        for (token,) in database.rows(
            f"select term from json_each(?) cross join {vocabulary} on term = value",
            json.dumps(sorted(tokens)),
        )
    }
    known.update(token for token in tokens if token.endswith("*"))
    endings: dict[str, list[str]] = {}
    for beginning, token, _ in database.rows(
        f"select value, term, doc from json_each(?) cross join {vocabulary}"
        " on term >= value and term < value || char(1114111) order by doc desc",
        json.dumps(beginnings),
    ):
        endings.setdefault(_OPEN + beginning, []).append(token)

    def ways(word: str) -> list[str]:
        if word.startswith(_OPEN):
            return endings.get(word, [])[:MOST_ENDINGS]
        return [word] if known.issuperset(word.split()) else []

    found = ([way for word in group for way in ways(word)] for group in groups)
    return [synonym_term(each) for each in found]
