"""Terms that stand for several words: whichever of them a text has counts as one and the same."""

import json
from collections.abc import Sequence

from memcli.store.index.term_statistics import create_vocabulary, plain_letters
from memcli.store.sqlite.connection import Database
from memcli.store.sqlite.tokenize import SYNONYMS, is_unspaced, phrase_tokens

MOST_ENDINGS = 8  # of a word whose ending is open, the most frequent ones
ANY_ENDING = "*"


def synonym_terms(database: Database, groups: Sequence[Sequence[str]]) -> list[str]:
    """Return a term for each group of words, of those words that any session has.

    Args:
        database: the database.
        groups: the words of each; `*` at the end of one stands for any ending.

    Returns:
        Terms for `bm25_select`; empty where no session has a word of the group.
    """
    whole: dict[str, list[str]] = {}
    open_ended: dict[str, str] = {}
    for word in {word for group in groups for word in group}:
        tokens = phrase_tokens(word.removesuffix(ANY_ENDING))[1]
        if word.endswith(ANY_ENDING) and not is_unspaced(word):
            open_ended[word] = plain_letters(word.removesuffix(ANY_ENDING))
        elif tokens:
            whole[word] = tokens
    create_vocabulary(database)
    ways: dict[str, list[str]] = {}
    known = {
        token
        for (token,) in database.rows(
            "select term from json_each(?) cross join temp.vocabulary on term = value",
            json.dumps(sorted({token for tokens in whole.values() for token in tokens})),
        )
    }
    for word, tokens in whole.items():
        if len(word) == 1 and is_unspaced(word):
            ways[word] = [f"{word}*"]
        elif known.issuperset(tokens):
            ways[word] = [" ".join(tokens)]
    rows = database.rows(
        "select value, term, doc from json_each(?) cross join temp.vocabulary"
        " on term >= value and term < value || char(1114111) order by doc desc",
        json.dumps(sorted(set(open_ended.values()))),
    )
    endings: dict[str, list[str]] = {}
    for beginning, term, _ in rows:
        endings.setdefault(beginning, []).append(term)
    for word, beginning in open_ended.items():
        ways[word] = endings.get(beginning, [])[:MOST_ENDINGS]
    terms = []
    for group in groups:
        unique = dict.fromkeys(way for word in group for way in ways.get(word, ()))
        terms.append("".join(SYNONYMS + way for way in unique))
    return terms
