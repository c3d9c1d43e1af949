"""A thesaurus of everyday words in 14 languages: other words for what a question asks about.

Many questions name a thing in other words than the chats do, by a broader word, or in another
language: "Which jewellery did I leave there?" is answered by "your earring", or by 耳环. No model
is needed for that. `memcli/thesaurus` has a file of concepts, a line for each with the broader ones
and the related ones, those that an answer may name in its place, the closest first:

    cat < pet ~ vet, litter, feed

and a file for each language with the words of the concepts; `*` stands for any ending:

    cat | katze*, kater

A word that is more common with another meaning in another of the languages is left out: German
`gift`, French `chat`.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

import memcli
from memcli.lazy_dataclasses import dataclass
from memcli.store import LEAST_TYPED, is_unspaced, slips, word_spans
from memcli.text.function_words import ENGLISH as ENGLISH_FUNCTION_WORDS
from memcli.text.function_words import ENGLISH_ONLY, function_words

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
_FOLDER = Path(memcli.__file__).parent / "thesaurus"  # importlib.resources takes 10 ms
_KEY = 3  # first letters by which words are looked up
_BEYOND_LATIN = "\u0370"  # from here on, letters are of other scripts

Entry = tuple[str, str, bool]  # a word, its concept, and whether it is English


@dataclass(frozen=True, slots=True)
class RelatedWords:
    """Words that may stand in a text for some words of a question; `*` is any ending."""

    start: int  # of the words of the question, in characters
    end: int
    same: tuple[str, ...]  # words of the same concepts
    narrower: tuple[str, ...]  # words of concepts below
    foreign: tuple[str, ...]  # words of the same concepts in another script than the question's
    foreign_narrower: tuple[str, ...]
    related: tuple[tuple[str, ...], ...]  # words of what belongs to them, of each concept
    corrected: str = ""  # the word that a mistyped one was taken for


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question, or a letter of an unspaced script."""

    start: int
    end: int
    text: str  # in lower case
    term: str  # its base form


def find_related_words(
    question: str, languages: Collection[str], unknown: Collection[str] = ()
) -> list[RelatedWords]:
    """Return other words for what a question asks about, in the order of the question.

    Args:
        question: in the person's own words, in any language of the thesaurus.
        languages: the codes of the languages of the words that are wanted.
        unknown: words of the question, in small letters, that may be mistyped.
    """
    found = []
    for start, end, concepts, corrected in _find_concepts(question, languages, unknown):
        same = dict.fromkeys(word for one in concepts for word in _words(one, languages))
        below = (word for one in _narrower_concepts(concepts) for word in _words(one, languages))
        narrower = dict.fromkeys(word for word in below if word not in same)
        nearer = same | narrower
        same_here, foreign = _split_by_script(same, question[start])
        narrower_here, foreign_narrower = _split_by_script(narrower, question[start])
        related = (
            tuple(word for word in _words(one, languages) if word not in nearer)
            for one in _related_concepts(concepts)
        )
        found.append(
            RelatedWords(
                start,
                end,
                same_here,
                narrower_here,
                foreign,
                foreign_narrower,
                tuple(filter(None, related)),
                corrected,
            )
        )
    return found


def _split_by_script(
    words: Collection[str], letter: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words in the script of a letter, which is Latin or any other, and the rest."""
    latin = [word for word in words if word < _BEYOND_LATIN]
    others = [word for word in words if word >= _BEYOND_LATIN]
    here, there = (latin, others) if letter < _BEYOND_LATIN else (others, latin)
    return tuple(here), tuple(there)


def is_everyday_word(word: str) -> bool:
    """Return whether the thesaurus has an English word, in small letters, or a form of it."""
    entries = _entries_like(_Word(0, len(word), word, word), [ENGLISH])
    return any(entry == word or word in _inflections(entry) for entry, *_ in entries)


def thesaurus_version() -> str:
    """Return a text that changes with the thesaurus: the sizes of its files."""
    return " ".join(str(part.stat().st_size) for part in sorted(_FOLDER.iterdir()))


def _find_concepts(
    question: str, languages: Collection[str], unknown: Collection[str] = ()
) -> list[tuple[int, int, list[str], str]]:
    """Return (start, end, concepts, correction) of the words of a question that the thesaurus has.

    Of several entries the longest counts. A word that is English and of another language, too, is
    taken for English in an English question only. If small words show that a question is English,
    its words in Latin script are looked up in no other languages than the given ones, and a word
    that is unknown there is taken for the English one that it is a slip of the keys away from.
    Where nothing shows that, a word that is unknown in all languages is.
    """
    words = [
        _Word(start, end, question[start:end].lower(), term)
        for start, end, term in word_spans(question)
        if end - start == 1 or not is_unspaced(term)
    ]
    silent = function_words(word.text for word in words)
    in_english = silent == ENGLISH_FUNCTION_WORDS
    surely = in_english and any(word.text in ENGLISH_ONLY for word in words)
    found = list[tuple[int, int, list[str], str]]()
    taken = 0  # the end of the words that were found before
    for at, word in enumerate(words):
        if word.start < taken or word.text in silent:
            continue
        longest, likely, others = 0, dict[str, None](), dict[str, None]()
        asked = {ENGLISH, *(languages if surely and word.text.isascii() else MARKERS)}
        for entry, concept, english in _entries_like(word, asked):
            length = _match(entry, words[at:], question, english=english)
            if length > longest:
                longest, likely, others = length, {}, {}
            if length and length == longest:
                (likely if english == in_english else others)[concept] = None
        nowhere = not likely and (surely or (in_english and not longest))
        mistyped = nowhere and word.text in unknown
        if mistyped and (near := _words_near(word.text)):
            meant = [concept for one in near for concept in _english_words()[_singular(one)]]
            found.append((word.start, word.end, list(dict.fromkeys(meant)), near[0]))
        elif longest:
            taken = word.start + longest
            found.append((word.start, taken, list(likely or others), ""))
    return found


def _words_near(word: str) -> list[str]:
    """Return the English words that an unknown one may have been mistyped for."""
    if len(word) < LEAST_TYPED or not (word.isascii() and word.isalpha()):
        return []
    words = _english_words()
    return [one for one in sorted(slips(word)) if _singular(one) in words]


def _singular(word: str) -> str:
    """Return an English word as the thesaurus has it: a plural without its "s"."""
    return word.removesuffix("s") if word.removesuffix("s") in _english_words() else word


@lru_cache(maxsize=1)
def _english_words() -> dict[str, list[str]]:
    """Return the concepts of each English word of one part."""
    words = dict[str, list[str]]()
    for concept, entries in _lines(ENGLISH).items():
        for word in entries.decode().split(", "):
            if word.isalpha():
                words.setdefault(word, []).append(concept.decode())
    return words


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


def _entries_like(word: _Word, languages: Collection[str]) -> Iterator[Entry]:
    """Yield the entries that begin with the same letters as a word or its base form."""
    for language in sorted(languages):
        text = _text(language)
        for letters in dict.fromkeys((word.text[:_KEY], word.term[:_KEY])):
            key = f" {letters}".encode()
            at = text.find(key)
            while at >= 0:
                if text[at - 1] in b",|":  # not inside an entry of several words
                    line, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
                    concept = text[line : text.find(b" ", line)].decode()
                    entry = text[at + 1 : end].partition(b",")[0].decode()
                    yield entry, concept, language == ENGLISH
                at = text.find(key, at + 1)


def _words(concept: str, languages: Collection[str]) -> Iterator[str]:
    """Yield the words of a concept in some languages."""
    for language in languages:
        if words := _lines(language).get(concept.encode()):
            yield from words.decode().split(", ")


def _narrower_concepts(concepts: Collection[str]) -> Iterator[str]:
    """Yield the concepts below some others, without these."""
    below = _concepts_below()
    seen = set(concepts)
    level = list(concepts)
    for _ in range(MOST_LEVELS):
        level = [name for one in level for name in below.get(one, ()) if name not in seen]
        seen.update(level)
        yield from level


def _related_concepts(concepts: Collection[str]) -> Iterator[str]:
    """Yield the concepts that some others name as related."""
    for concept in concepts:
        names = _concepts()[concept][1]
        yield from names.split(", ") if names else ()


@lru_cache(maxsize=1)
def _concepts_below() -> dict[str, list[str]]:
    """Return the concepts right below each one, by its name."""
    below = dict[str, list[str]]()
    for concept, (broader, _) in _concepts().items():
        for name in broader.split(", ") if broader else ():
            below.setdefault(name, []).append(concept)
    return below


@lru_cache(maxsize=1)
def _concepts() -> dict[str, tuple[str, str]]:
    """Return the names of the broader and of the related concepts of each one, by its name."""
    concepts = dict[str, tuple[str, str]]()
    for line in _text("concepts").decode().split("\n")[1:-1]:
        head, _, related = line.partition(" ~ ")
        name, _, broader = head.partition(" < ")
        concepts[name] = broader, related
    return concepts


@lru_cache
def _lines(language: str) -> dict[bytes, bytes]:
    """Return the words of each concept in a language, by its name, in UTF-8."""
    return dict(line.split(b" | ", 1) for line in _text(language).split(b"\n")[1:-1])


@lru_cache
def _text(name: str) -> bytes:
    """Return a file of the thesaurus: to decode all of it takes longer than to read it."""
    return b"\n" + (_FOLDER / f"{name}.txt").read_bytes()
