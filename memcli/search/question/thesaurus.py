"""A thesaurus of everyday words in 14 languages: other words for what a question asks about.

Many questions name a thing in other words than the chats do, by a broader word, or in another
language: "Which jewellery did I leave there?" is answered by "your earring", or by 耳环. No model
is needed for that. Each line of `memcli/thesaurus/*.txt` is a concept:

    cat < pet | en cat, kitten, kitty | de katze*, kater | zh 猫

It has its name, the broader concepts, and its words in each language; `*` stands for any ending. A
word that is more common with another meaning in another of the languages is left out: German
`gift`, French `chat`.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

import memcli
from memcli.lazy_dataclasses import dataclass
from memcli.store import is_unspaced, word_spans
from memcli.text.function_words import ENGLISH as ENGLISH_FUNCTION_WORDS
from memcli.text.function_words import function_words

ENGLISH = "en"
# Frequent words of each language that is not English: of a chat of some length, many.
MARKERS = {
    "de": "und nicht ist ich auch wir noch",
    "fr": "les est pas pour une dans avec",
    "es": "los está pero también muy cuando para",
    "pt": "não está também muito você quando para",
    "it": "che non sono anche della però perché",
    "nl": "het niet een ook maar naar zijn",
    "sv": "och inte att jag också är från",
    "pl": "nie się jest jak ale tylko jestem",
    "tr": "bir için çok ama değil var bugün",
    "ru": "что это как для только если нет",
    "zh": "我们 我們 什么 什麼 可以 没有 知道 现在",
    "ja": "です ます した から ない って こと",
    "ko": "니다 어요 는데 에서 하고 우리 네요",
}
LEAST_MARKERS = 2  # of a language that chats are in
MOST_LEVELS = 3  # below a concept, whose words are narrower than its own
_CODE = 2  # letters of the code of a language
_KEY = 3  # first letters by which words are looked up

Entry = tuple[str, int, bool]  # a word, where the line of its concept begins, whether it is English


@dataclass(frozen=True, slots=True)
class RelatedWords:
    """Words that may stand in a text for some words of a question; `*` is any ending."""

    start: int  # of the words of the question, in characters
    end: int
    same: tuple[str, ...]  # words of the same concepts
    narrower: tuple[str, ...]  # words of concepts below


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question, or a letter of an unspaced script."""

    start: int
    end: int
    text: str  # in lower case
    term: str  # its base form


def find_related_words(question: str, languages: Collection[str]) -> list[RelatedWords]:
    """Return other words for what a question asks about, in the order of the question.

    Args:
        question: in the person's own words, in any language of the thesaurus.
        languages: the codes of the languages of the words that are wanted.
    """
    found = []
    for start, end, concepts in _find_concepts(question):
        same = dict.fromkeys(word for at in concepts for word in _words(at, languages))
        below = (word for at in _narrower_concepts(concepts) for word in _words(at, languages))
        narrower = tuple(word for word in dict.fromkeys(below) if word not in same)
        found.append(RelatedWords(start, end, tuple(same), narrower))
    return found


def thesaurus_version() -> str:
    """Return a text that changes with the thesaurus: the sizes of its files."""
    return " ".join(str(part.stat().st_size) for part in _parts())


def _find_concepts(question: str) -> list[tuple[int, int, list[int]]]:
    """Return (start, end, concepts) of the words of a question that the thesaurus has.

    Of several entries the longest counts. A word that is English and of another language, too, is
    taken for English in an English question only.
    """
    words = [
        _Word(start, end, question[start:end].lower(), term)
        for start, end, term in word_spans(question)
        if end - start == 1 or not is_unspaced(term)
    ]
    silent = function_words(word.text for word in words)
    in_english = silent == ENGLISH_FUNCTION_WORDS
    found = []
    taken = 0  # the end of the words that were found before
    for at, word in enumerate(words):
        if word.start < taken or word.text in silent:
            continue
        longest, likely, others = 0, dict[int, None](), dict[int, None]()
        for entry, concept, english in _entries_like(word):
            length = _match(entry, words[at:], question, english=english)
            if length > longest:
                longest, likely, others = length, {}, {}
            if length and length == longest:
                (likely if english == in_english else others)[concept] = None
        if longest:
            taken = word.start + longest
            found.append((word.start, taken, list(likely or others)))
    return found


def _match(entry: str, words: list[_Word], question: str, *, english: bool) -> int:
    """Return the number of characters that an entry matches at the first of some words, or 0."""
    first = words[0]
    if is_unspaced(first.text):
        whole = entry.removesuffix("*")
        return len(whole) if question.lower().startswith(whole, first.start) else 0
    parts = entry.split()
    if len(parts) > len(words):
        return 0
    for part, word in zip(parts, words, strict=False):
        forms = _inflections(part) if english else ()
        open_ended = part.endswith("*") and word.text.startswith(part[:-1])
        if not open_ended and part not in (word.text, word.term) and word.text not in forms:
            return 0
    return words[len(parts) - 1].end - first.start


def _inflections(word: str) -> set[str]:
    """Return the regular forms of an English word."""
    forms = {word + ending for ending in ("s", "es", "ed", "d", "ing")}
    if word.endswith("e"):
        forms.add(f"{word[:-1]}ing")
    elif word.endswith("y"):
        forms |= {f"{word[:-1]}ies", f"{word[:-1]}ied"}
    return forms | {f"{word}{word[-1]}ed", f"{word}{word[-1]}ing"}


def _entries_like(word: _Word) -> Iterator[Entry]:
    """Yield the entries that begin with the same letters as a word or its base form."""
    text = _thesaurus()
    for letters in {word.text[:_KEY], word.term[:_KEY]}:
        key = f" {letters}".encode()
        at = text.find(key)
        while at >= 0:
            # Before it is a comma, or the code of a language behind a bar.
            if text[at - 1 : at] == b"," or text[at - _CODE - 2 : at - _CODE] == b"| ":
                line, field = text.rfind(b"\n", 0, at) + 1, text.rfind(b"| ", 0, at) + 2
                ends = (text.find(mark, at + 1) for mark in (b",", b" |", b"\n"))
                entry = text[at + 1 : min(end for end in ends if end >= 0)]
                if field > line:
                    yield entry.decode(), line, text.startswith(ENGLISH.encode(), field)
            at = text.find(key, at + 1)


def _words(concept: int, languages: Collection[str]) -> Iterator[str]:
    """Yield the words of a concept in some languages."""
    text = _thesaurus()
    for field in text[concept : text.find(b"\n", concept)].decode().split(" | ")[1:]:
        if field[:_CODE] in languages:
            yield from field[_CODE + 1 :].split(", ")


def _narrower_concepts(concepts: Collection[int]) -> Iterator[int]:
    """Yield the concepts below some others, without these."""
    text, below = _thesaurus(), _concepts_below()
    seen = set(concepts)
    level = list(concepts)
    for _ in range(MOST_LEVELS):
        names = [text[at : text.find(b" ", at)] for at in level]
        level = [at for name in names for at in below.get(name, ()) if at not in seen]
        seen.update(level)
        yield from level


@lru_cache(maxsize=1)
def _concepts_below() -> dict[bytes, list[int]]:
    """Return the concepts right below each one, by its name."""
    text, below = _thesaurus(), dict[bytes, list[int]]()
    at = text.find(b" < ")
    while at >= 0:
        concept = text.rfind(b"\n", 0, at) + 1
        for name in text[at + 3 : text.find(b" |", at)].split(b", "):
            below.setdefault(name, []).append(concept)
        at = text.find(b" < ", at + 3)
    return below


@lru_cache(maxsize=1)
def _thesaurus() -> bytes:
    """Return the thesaurus in UTF-8, one concept a line: decoding takes longer than reading."""
    return b"\n" + b"".join(part.read_bytes() for part in _parts())


def _parts() -> list[Path]:
    folder = Path(memcli.__file__).parent / "thesaurus"  # importlib.resources takes 10 ms
    return sorted(folder.iterdir())
