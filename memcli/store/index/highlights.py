"""Where the words of a question are in a text, as the index sees them."""

from collections.abc import Sequence
from functools import lru_cache

import apsw

from memcli.store.sqlite.tokenize import spans

Span = tuple[int, int]  # characters, the end not included


def marks(text: str, terms: Sequence[str]) -> list[Span]:
    """Return where a text has any of the terms, in order, those that touch as one.

    A word counts as the index has it, in its base form and stemmed, whatever its case: "went to
    the Cafés" has the terms "go" and "cafe".

    Args:
        text: anything.
        terms: as `asked` gives them.
    """
    wanted = {stemmed(term) for term in terms}
    found = sorted((start, end) for start, end, term in spans(text) if stemmed(term) in wanted)
    joined: list[Span] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


@lru_cache(maxsize=10_000)
def stemmed(term: str) -> tuple[str, ...]:
    """Return the tokens that SQLite's full text makes of a term."""
    encoded = term.encode("utf-8", "replace")
    tokens = _tokenizer()(
        encoded, apsw.FTS5_TOKENIZE_QUERY, None, include_offsets=False, include_colocated=False
    )
    return tuple(map(str, tokens))


@lru_cache(maxsize=1)
def _tokenizer() -> apsw.FTS5Tokenizer:
    """Return the tokenizer of the index; it lives in a database of its own, in memory."""
    parts = ["unicode61", "remove_diacritics", "2"]
    return apsw.Connection(":memory:").fts5_tokenizer("porter", parts)
