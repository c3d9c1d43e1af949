"""The people and assistants that a question names.

A name selects sessions and turns. It says nothing about their subject, so its words count little
beside the others. A name in another script is compared by its transliteration: "Lin Xiao" names
the speaker 林晓. Who has several names in the settings is named by each of them, and everybody by
a nickname: the beginning of a name, written with a capital letter. Of a transliterated name the
given name is enough, and a name may end in a genitive's "s".
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from memcli.domain import Role
from memcli.lazy_dataclasses import dataclass
from memcli.search.question.thesaurus import is_everyday_word
from memcli.store import is_stop_word

_ROLES = frozenset(role.value for role in Role)  # that formats without names have as speakers
_ASSISTANTS = frozenset(
    {"chatgpt", "claude", "gemini", "grok", "copilot", "deepseek", "perplexity"}
)  # formats whose other side is an assistant
LEAST_ROMANIZED = 5  # letters of a name that is looked for inside unspaced characters
LEAST_NICKNAME = 3  # letters of the beginning of a name
LEAST_NAME = 4  # letters of a part of a transliterated name, and of a name with a genitive's "s"
_WORDS = re.compile(r"[^\W\d_]+")
_SYLLABLES = re.compile(r"[A-Z][a-z]*|[a-z]+")  # the syllables that a transliteration joins
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
    names: Sequence[Sequence[str]] = (),
) -> NamedPeople:
    """Find the speakers and sources that a question names.

    A name is recognized by all of its words, or by one that the question writes with a capital
    letter or, if it has no capital letters, in any way.

    Args:
        question: in the person's own words.
        speakers: the names of all speakers.
        sources: the names of all formats that sessions came from.
        names: the names of each person who has several.
    """
    words = [unicodedata.normalize("NFKC", word) for word in _WORDS.findall(question)]
    written = _forms(words)
    capitals = _forms([word for word in words if word[0].isupper()])
    told_apart = bool(capitals)  # a word is known for a name by its capital letter
    capitals = capitals or written
    romanized = "".join(_romanize(question))
    known: set[str] = set()
    terms: set[str] = set()
    everybody = [speaker for speaker in speakers if _fold(speaker) not in _ROLES]
    for speaker in everybody:
        for name in _names_of(speaker, names):
            found = _words_that_name(name, written, capitals, told_apart=told_apart)
            if found or _is_written_in(name, question, romanized):
                known.add(speaker)
                terms |= found
    for nickname in _possible_nicknames(words) - terms:
        called = {one for one in everybody if _given_name(one).startswith(nickname)}
        known |= called
        terms |= {nickname} if called else set()
    formats = {source for source in sources if _fold(source) in written}
    return NamedPeople(
        speakers=frozenset(known),
        sources=frozenset(formats),
        terms=frozenset(terms | {_fold(source) for source in formats}),
        assistant=bool(formats & _ASSISTANTS) or bool(_ADDRESSED.search(question)),
    )


def _names_of(speaker: str, names: Sequence[Sequence[str]]) -> set[str]:
    """Return all names of a speaker; nobody is named by a word for a role."""
    same = (several for several in names if _fold(speaker) in map(_fold, several))
    return {speaker, *(name for several in same for name in several)}


def _forms(words: Iterable[str]) -> dict[str, str]:
    """Return words in small letters, and without the "s" of a genitive, by what they may name."""
    folded = [_fold(word) for word in words]
    genitives = {word[:-1]: word for word in folded if len(word) > LEAST_NAME and word[-1] == "s"}
    return genitives | {word: word for word in folded}


def _words_that_name(
    name: str, written: Mapping[str, str], capitals: Mapping[str, str], *, told_apart: bool
) -> set[str]:
    """Return the words of a question that name a person; empty if it does not.

    Of a transliterated name the syllables are needed, together or apart, or the given name: what
    follows the first syllable, also doubled, or a long syllable that is no everyday word.
    """
    latin = _romanize(name)
    if _has_latin_letters(name):
        parts = {_fold(word) for word in _WORDS.findall(name)} | set(latin)
        return {capitals[part] for part in parts & capitals.keys() if len(part) > 1}
    if len(latin) > 1 and set(latin) <= written.keys():
        return {written[part] for part in latin}
    whole, given = "".join(latin), "".join(latin[1:])
    if len(whole) > 2 and whole in written:
        return {written[whole]}
    called = {part for part in (given, given + given, *latin) if len(part) >= LEAST_NAME}
    return {
        capitals[part]
        for part in called & capitals.keys()
        if told_apart or not is_everyday_word(part)
    }


def _given_name(name: str) -> str:
    """Return the first word of a name; empty if it has none."""
    words = _WORDS.findall(name)
    return _fold(words[0]) if words else ""


def _possible_nicknames(words: Sequence[str]) -> set[str]:
    """Return the words that may be the beginning of a name, such as Alex of Alexandra.

    The first word of a question has a capital letter in any case, so it does not count.
    """
    capitals = {_fold(word) for word in words[1:] if word[0].isupper()}
    return {word for word in capitals if len(word) >= LEAST_NICKNAME and not is_stop_word(word)}


def _is_written_in(name: str, question: str, romanized: str) -> bool:
    """Return whether a question has a name of another script than Latin, or in such a script."""
    if not _has_latin_letters(name):
        return len(name) > 1 and name in question
    latin = "".join(_romanize(name))
    return not question.isascii() and len(latin) >= LEAST_ROMANIZED and latin in romanized


def _romanize(text: str) -> list[str]:
    """Return the words of a text in Latin letters; each character of Chinese is one."""
    words = []
    for word in _WORDS.findall(text):
        if word.isascii():
            words.append(word.casefold())
            continue
        from anyascii import anyascii

        latin = anyascii(word)
        parts = [latin] if _has_latin_letters(word) else _SYLLABLES.findall(latin)
        words += [part.casefold() for part in parts]
    return words


def _has_latin_letters(text: str) -> bool:
    return any("LATIN" in unicodedata.name(letter, "") for letter in text)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
