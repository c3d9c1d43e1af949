"""Sessions found while a person types: the last word may be unfinished, and every key counts.

Only words of whole sessions are looked up, the rarest few of them. On an archive of 20,000 sessions
that takes 20 to 60 ms of processor time, where the whole first stage takes 170 to 440 ms.
"""

import re

from memcli.lazy_dataclasses import dataclass
from memcli.store import Filters, IndexMatch, Store, is_stop_word, query_terms, stem_tokens

LEAST_LETTERS = 2  # of an unfinished word that is completed
LEAST_GUESSED = 4  # of an unfinished word whose likeliest end is searched for by meaning, too
MOST_COMPLETIONS = 3  # of an unfinished word
COMPLETION = 0.7  # factor of a completion, where a word as it was typed counts 1
MOST_TERMS = 5  # that are looked up: the rarest
ENDINGS = ("", "e", "y", "ing")  # that the stemmer cuts off
_SEEN = 1000  # stems among which the typed word itself is looked for
_LAST_WORD = re.compile(r"[^\W\d_]+$")


@dataclass(frozen=True, slots=True)
class UnfinishedQuestion:
    """A question whose last word may lack its end."""

    text: str  # with the likeliest end of the last word, or beside it the whole word
    terms: tuple[str, ...]  # of the question as it was typed
    completions: tuple[str, ...] = ()  # words that begin with the last one, most frequent first


def complete_question(typed: str, store: Store) -> UnfinishedQuestion:
    """Complete the last word of a question, unless it ends with a space or another mark.

    Args:
        typed: the question as far as it was typed.
        store: the database whose words count.
    """
    terms = tuple(query_terms(typed))
    last = _LAST_WORD.search(typed)
    if not last or len(last[0]) < LEAST_LETTERS or is_stop_word(last[0].casefold()):
        return UnfinishedQuestion(typed, terms)
    stems = store.index.frequent_stems(last[0], _SEEN)
    own = "".join(stem_tokens(last[0]))
    longer = [stem for stem in stems if stem != own][:MOST_COMPLETIONS]
    completions = tuple(word for stem in longer if (word := _word_with_stem(stem)))
    text = typed
    if len(last[0]) < LEAST_GUESSED and len(terms) > 1:  # the other words say more than a guess
        return UnfinishedQuestion(text, terms, completions)
    if completions and own not in stems:
        text = typed[: last.start()] + completions[0]
    elif completions and longer[0] == stems[0]:  # it is more frequent than the word as it stands
        text = f"{typed} {completions[0]}"
    return UnfinishedQuestion(text, terms, completions)


def match_while_typing(
    question: UnfinishedQuestion, store: Store, filters: Filters, limit: int
) -> list[IndexMatch]:
    """Return the sessions with words of the question, best first.

    Args:
        question: the question.
        store: the database with the sessions.
        filters: the sessions that count.
        limit: most sessions to return.
    """
    factors = dict.fromkeys(question.completions, COMPLETION) | dict.fromkeys(question.terms, 1.0)
    rarity = store.index.term_weights(tuple(factors))
    rarest = sorted(factors, key=lambda term: -rarity[term])[:MOST_TERMS]
    return store.index.match_terms(
        "session", rarest, filters, limit, weights=[factors[term] for term in rarest]
    )


def _word_with_stem(stem: str) -> str:
    """Return a word whose stem is this one: of `univers`, `universe`, as its own is `univer`."""
    words = (f"{stem}{ending}" for ending in ENDINGS)
    return next((word for word in words if stem_tokens(word) == (stem,)), "")
