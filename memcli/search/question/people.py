"""The people and assistants that a question names.

A name selects sessions and turns. It says nothing about their subject, so its words count little
beside the others. A name in another script is compared by its transliteration: "Lin Xiao" names
the speaker 林晓.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memcli.domain import Role

_ROLES = frozenset(role.value for role in Role)  # that formats without names have as speakers
_WORDS = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"[A-Z][a-z]*|[a-z]+")  # the syllables that a transliteration joins
_ADDRESSED = re.compile(
    r"\b(?:(?:did|have|had|could|were) you|you (?:said|told|suggest\w*|recommend\w*|advise\w*"
    r"|mention\w*|list\w*|explain\w*|gave|wrote|call\w*|translat\w*|propos\w*|answer\w*)"
    r"|the assistant|hast du|du (?:gesagt|empfohlen|vorgeschlagen)|sagtest du)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """The people and assistants that a question names."""

    speakers: frozenset[str] = frozenset()  # names as the sessions have them
    sources: frozenset[str] = frozenset()  # formats whose assistants or chats are named
    terms: frozenset[str] = frozenset()  # the terms of the question that name them
    assistant: bool = False  # True if the question is about something that an assistant said

    def __bool__(self) -> bool:
        """Return whether anybody is named."""
        return bool(self.speakers or self.sources or self.assistant)


def find_named_people(
    question: str,
    speakers: Iterable[str],
    sources: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
) -> NamedPeople:
    """Find the speakers and sources that a question names.

    A name is recognized by all of its words, or by one that the question writes with a capital
    letter or, if it has no capital letters, in any way.

    Args:
        question: in the person's own words.
        speakers: the names of all speakers.
        sources: the names of all formats that sessions came from.
        aliases: other names of a speaker, by one of them.
    """
    words = [unicodedata.normalize("NFKC", word) for word in _WORDS.findall(question)]
    named = {_fold(word) for word in words if word[0].isupper()} or {_fold(word) for word in words}
    folded = [_fold(word) for word in words]
    known: dict[str, set[str]] = {}
    terms: set[str] = set()
    joined = "".join(_romanize(question))
    groups = [{main, *others} for main, others in aliases.items()]
    for speaker in speakers:
        if _fold(speaker) in _ROLES:
            continue
        names = {speaker}.union(*(group for group in groups if _is_among(speaker, group)))
        for name in names:
            found = _words_that_name(name, folded, named)
            if found or _is_written_in(name, question, joined):
                known.setdefault(speaker, set()).update(found)
                terms |= found
    formats = {source for source in sources if _fold(source) in folded}
    assistants = bool(formats & _ASSISTANTS) or bool(_ADDRESSED.search(question))
    return NamedPeople(frozenset(known), frozenset(formats), frozenset(terms | formats), assistants)


_ASSISTANTS = frozenset(
    {"chatgpt", "claude", "gemini", "grok", "copilot", "deepseek", "perplexity"}
)


def _is_among(name: str, group: Iterable[str]) -> bool:
    return _fold(name) in map(_fold, group)


def _words_that_name(name: str, folded: Sequence[str], capitals: Iterable[str]) -> set[str]:
    """Return the words of a question that name a person; empty if it does not."""
    parts = {_fold(word) for word in _WORDS.findall(name) if len(word) > 1}
    if not name.isascii():
        parts |= {word for word in _romanize(name) if len(word) > 1}
        if (joined := "".join(_romanize(name))) in folded and len(joined) > 2:
            return {joined}
    syllables = _romanize(name)
    if len(syllables) > 1 and set(syllables) <= set(folded):
        return set(syllables)
    if _is_romanized(name):
        return set()
    return parts & set(capitals)


def _is_romanized(name: str) -> bool:
    """Return whether a name is compared by its transliteration: of that, all syllables count."""
    return not any("LATIN" in unicodedata.name(letter, "") for letter in name if letter.isalpha())


def _is_written_in(name: str, question: str, joined: str) -> bool:
    """Return whether a question has a name in another script, or between unspaced characters."""
    if len(name) > 1 and not name.isascii() and name in question and _is_romanized(name):
        return True
    if question.isascii() or name.isascii() is False:
        return False
    romanized = "".join(_romanize(name))
    return len(romanized) > 4 and romanized in joined


def _romanize(text: str) -> list[str]:
    """Return the words of a text in Latin letters; each character of Chinese is one."""
    from anyascii import anyascii

    words = []
    for word in _WORDS.findall(text):
        if word.isascii():
            words.append(word.casefold())
        else:
            latin = anyascii(word)
            parts = _CAPITALS.findall(latin) if _is_romanized(word) else [latin]
            words += [part.casefold() for part in parts]
    return words


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
