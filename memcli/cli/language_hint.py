"""A hint for questions in a language that the chats are not in."""

from memcli.cli.output.console import remark
from memcli.search.results import Ranking
from memcli.store import Store

SAMPLE = 300  # turns whose language is guessed
LEAST_SHARE = 0.2  # of the chats in another language, to be worth a hint


def note_other_language(ranking: Ranking, store: Store) -> None:
    """Say what to type if nothing was found, and much of the chats is in another language.

    Call it if the embedder does not connect languages: then only everyday words do.
    """
    if ranking.verdict == "found" and any(result.terms for result in ranking.results[:1]):
        return
    from memcli.text.languages import guess_language, language_shares

    asked = guess_language(ranking.question)
    if asked is None:
        return
    shares = language_shares(store.statistics.sample_texts(SAMPLE))
    others = [name for name, share in shares.items() if name != asked and share >= LEAST_SHARE]
    if others:
        remark(
            f"the question is in {asked}, and many chats are in {' and '.join(others)}; the"
            " built-in embedder connects only everyday words of them: `mem models pull bge-m3`,"
            " then `mem index --embedder bge-m3`"
        )
