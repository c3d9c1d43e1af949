"""The phrases around prompts in My Activity: "Prompted ", "Has enviado la petición: ".

Rows have no type, and a phrase is in the person's language. A phrase that is not known is found by
what titles have in common: the words up to a colon that several titles begin with, or the words
that all titles of rows with an answer begin with.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

_KNOWN = ("Prompted ", "Eingegebener Prompt: ", "送信したメッセージ: ")
_OTHER_ROWS = ("Gave feedback", "Selected preferred draft", "Created Gemini Canvas titled")
_COLON = re.compile(r"[^:：]{1,60}(?:：\s*|:\s+)")
_MIN_SHARE = 0.2  # of all titles, that begin with one phrase


class PromptPhrases:
    """The phrases of one file."""

    def __init__(self, titles: Iterable[tuple[str, bool]]) -> None:
        """Find the phrases.

        Args:
            titles: of rows, and whether the row has an answer.
        """
        rest = {(_clean(title), answered) for title, answered in titles}
        rest = {row for row in rest if not row[0].startswith((*_KNOWN, *_OTHER_ROWS))}
        found = _find_phrases(rest)
        phrases = sorted((*_KNOWN, *found), key=len, reverse=True)
        self._phrases = [(phrase, phrase.rstrip()) for phrase in phrases]

    def prompt(self, title: str, *, answered: bool) -> str | None:
        """Return the prompt in a title, which may be ""; None if the row is not a prompt.

        A row with an answer is a prompt even if its phrase is unknown.
        """
        title = _clean(title)
        for phrase, whole in self._phrases:
            if title.startswith(phrase) or title == whole:
                return title[len(phrase) :].strip()
        return title.strip() if answered and not is_other_row(title) else None


def key_text(title: str, prompt: str) -> str:
    """Return the text that a turn's key is made of: the prompt, or the title of other languages.

    Keys of prompts after a phrase that was once unknown stay as they were.
    """
    title = _clean(title)
    return " ".join((prompt if title.startswith(_KNOWN) else title.strip()).split())


def is_other_row(title: str) -> bool:
    """Return whether a row is known to be no prompt."""
    return _clean(title).startswith(_OTHER_ROWS)


def _clean(title: str) -> str:
    return title.replace("\u00a0", " ").replace("\u202f", " ")


def _find_phrases(rows: set[tuple[str, bool]]) -> set[str]:
    """Return the phrases of titles.

    A phrase needs two titles, of which one has an answer if any title has one.
    """
    titles = {title for title, _ in rows}
    with_answer = {title for title, answered in rows if answered}
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for title in titles:
        if match := _COLON.match(title):
            groups[match[0]].add(title)
    phrases = {
        phrase
        for phrase, group in groups.items()
        if len(group) > max(1, _MIN_SHARE * len(titles))
        and (group & with_answer or not with_answer)
    }
    rest = {title for title in with_answer or titles if not title.startswith(tuple(phrases))}
    shared = _shared_words(rest) if len(rest) > 1 else ""
    if not phrases and len(rest) == 1:  # one answer, and other rows beside it
        others = (_shared_words(rest | {other}) for other in titles - rest)
        shared = max(others, default="", key=len)
    return phrases | ({shared} if shared else set())


def _shared_words(titles: set[str]) -> str:
    """Return the whole words that all titles begin with, and the space after them."""
    first, last = min(titles), max(titles)
    length = next(
        (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        len(first),
    )
    words = re.match(r"(?:\S+\s+)+", first[:length])
    return words[0] if words else ""
