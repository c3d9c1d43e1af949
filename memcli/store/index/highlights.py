"""The places of a question's words in a text, as the full-text index would match them."""

from collections.abc import Iterable, Sequence

from memcli.store.sqlite.tokenize import (
    index_tokens,
    is_unspaced,
    stem_tokens,
    synonym_words,
    word_spans,
)

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


def spell_out(term: str, texts: Iterable[str], besides: Iterable[str]) -> list[str]:
    """Return the words of texts for which a term of several words stands there.

    Args:
        term: as `synonym_terms` of the index returns it.
        texts: any texts.
        besides: terms whose words are left out.

    Returns:
        The words as they are written, several that are one thing together, or the pairs of a word
        in an unspaced script.
    """
    ways = [way.split() for way in synonym_words(term)]
    left_out = {" ".join(stem_tokens(each)) for each in besides}
    written: dict[str, None] = {}
    for text in texts:
        tokens = f" {' '.join(index_tokens(text))} "
        here = [way for way in ways if _has(tokens, way)]
        pairs = {
            pair.removesuffix("*")
            for way in here
            if is_unspaced(way[0].removesuffix("*"))
            for pair in way
        }
        words = list(word_spans(text)) if here else []
        stems = [" ".join(stem_tokens(word)) for _, _, word in words]
        for at, (start, end, _) in enumerate(words):
            if stems[at] in pairs - left_out:
                written.setdefault(text[start:end].casefold())
            for way in here:
                phrase = stems[at : at + len(way)]
                if phrase == way and not left_out.issuperset(way) and stems[at] not in pairs:
                    _, end, _ = words[at + len(way) - 1]
                    written.setdefault(" ".join(text[start:end].casefold().split()))
    return list(written)


def _has(tokens: str, way: Sequence[str]) -> bool:
    """Return whether tokens in a row, with spaces around them, have those of a way in a row."""
    wanted = f" {' '.join(way)} "
    return (wanted.replace("* ", "") if wanted.endswith("* ") else wanted) in tokens
