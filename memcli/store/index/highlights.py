"""The places of a question's words in a text, as the full-text index would match them."""

from collections.abc import Sequence

from memcli.store.sqlite.tokenize import stem_tokens, word_spans

Span = tuple[int, int]  # characters, the end not included


def highlight_spans(text: str, terms: Sequence[str]) -> list[Span]:
    """Return the spans of a text that match any of the terms, in order; touching spans are joined.

    Words are compared as the index compares them, in base form, stemmed, and in lower case: "went
    to the Cafés" has the terms "go" and "cafe".

    Args:
        text: any text.
        terms: the terms of a question, as `query_terms` returns them.
    """
    wanted = {stem_tokens(term) for term in terms}
    found = sorted(
        (start, end) for start, end, term in word_spans(text) if stem_tokens(term) in wanted
    )
    joined: list[Span] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
