"""The words of texts and questions, cut the same way for the index and for a search.

Chinese, Japanese and Thai write no spaces, so a run of their characters is cut into overlapping
pairs, and its last character is also kept alone: a search finds any character, and any two
characters in a row. Full and half width count as equal, and so do upper and lower case.

An emoji is a word of its own: the index has a character for private use in its place, since its
tokenizer drops symbols. A number has one form: 36,500 and 36 500 in a question are 36500, which
also finds its groups of three digits side by side.

Irregular English forms ("went", "bought", "children") are replaced by their base forms, which no
stemmer does: "When did Ann go" has to find "I went". On LoCoMo that is worth .004 of MRR and
.004 of R@5.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

import apsw

from memcli.text.function_words import ENGLISH, function_words, is_function_pair
from memcli.text.scripts import INDEXED_AS_PAIRS

# These three are texts, because compiling them takes 7 ms, which only what needs them should pay
# for: a question in Latin letters does not.
_UNSPACED_RUN = f"[{INDEXED_AS_PAIRS}]+"
# Symbols and pictures; not the modifiers of skin, which only change how one looks.
_EMOJI = (
    "\u231a-\u23ff\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f1ff"
    "\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
)
_EMOJI_CHARACTER = f"[{_EMOJI}]"
_PRIVATE_USE = 0xF0000  # first of the characters that stand for emoji in the index
# 36,500 and 36 500, with one separator throughout.
_GROUPED_NUMBER = re.compile(r"(?<![\d.,])\d{1,3}([.,'’ ])\d{3}(?:\1\d{3})*(?![.,]?\d)")
_LEAST_GROUPED = 4  # digits of a number that may be written in groups
_WORD = (
    f"[{INDEXED_AS_PAIRS}]+|[{_EMOJI}]"
    f"|[^\\W_{INDEXED_AS_PAIRS}]+(?:['’][^\\W\\d_{INDEXED_AS_PAIRS}]+)*"
)
_PLAIN_WORD = r"[^\W_]+(?:['’][^\W\d_]+)*"  # the same in a text without those letters and emoji
_FIRST_SPECIAL = "\u0e00"  # the first of those letters
_SAME_SENTENCE = re.compile(r"(?:.*[,;:])?\s+", re.DOTALL)  # space between words of one

# Stop words that stand in most texts and are no name. The index leaves them out, and only keeps the
# places that they stand at. A phrase is compared with the stored text.
UNINDEXED = frozenset(
    """
    a about and are as at be because been being but by for from had has have having he his how i if
    in into is its ll me my of on or our she than that the their then there these they this those to
    ve was we were what when where which while with would you your
    """.split()
)

_BASE_FORMS = {
    form: base
    for base, *forms in (
        line.split()
        for line in """
        become became;begin began begun;break broke broken;bring brought;build built;buy bought
        catch caught;choose chose chosen;come came;deal dealt;draw drew drawn;drink drank drunk
        drive drove driven;eat ate eaten;fall fell fallen;feed fed;feel felt;fight fought;find found
        fly flew flown;forget forgot forgotten;get got gotten;give gave given;go went gone
        grow grew grown;hang hung;hear heard;hide hid hidden;hold held;keep kept;know knew known
        lead led;leave left;lie lay lain;lose lost;make made;mean meant;meet met;pay paid
        ride rode ridden;ring rang rung;rise rose risen;run ran;say said;see saw seen;sell sold
        send sent;shoot shot;sing sang sung;sit sat;sleep slept;speak spoke spoken;spend spent
        stand stood;steal stole stolen;stick stuck;swim swam swum;take took taken;teach taught
        tear tore torn;tell told;think thought;throw threw thrown;understand understood
        wake woke woken;wear wore worn;win won;write wrote written
        bad worse worst;child children;foot feet;good better best;kid kids;knife knives
        man men;mouse mice;person people;tooth teeth;wife wives;woman women
        """.replace("\n", ";").split(";")
        if line.strip()
    )
    for form in forms
}


def _whole_word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for whole words; grouped by first letter, it is 14 times faster."""
    rests: dict[str, list[str]] = {}
    for word in sorted(words, reverse=True):  # longer words come first
        rests.setdefault(word[0], []).append(word[1:])
    groups = (f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())
    return re.compile(rf"\b(?:{'|'.join(groups)})\b")


@lru_cache(maxsize=1)
def _irregular_form() -> re.Pattern[str]:
    return _whole_word_pattern(_BASE_FORMS)


def normalize_for_index(text: str) -> str:
    """Return a text in the form that is given to the full-text index."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _irregular_form().sub(lambda word: _BASE_FORMS[word[0]], text)
    if text.isascii():
        return text
    text = _encode_emoji(text)
    return re.sub(_UNSPACED_RUN, lambda run: f" {' '.join(_pairs(run[0], last=True))} ", text)


def count_words(text: str) -> int:
    """Return the number of words; each character of an unspaced script counts as one."""
    if text.isascii():
        return len(text.split())
    unspaced = sum(len(run) for run in re.findall(_UNSPACED_RUN, text))
    return unspaced + len(re.sub(_UNSPACED_RUN, " ", text).split())


def normalized_key(text: str) -> str:
    """Return a key that ignores case, spaces, width and a full stop at the end of a text."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" .。")


def query_terms(question: str) -> list[str]:
    """Return the terms of a question, in order, without repeats or stop words.

    A stop word with a capital letter inside a sentence is a name and stays: May, US, Will. A
    question of nothing but stop words keeps them all.
    """
    question = unicodedata.normalize("NFKC", question)
    question = _GROUPED_NUMBER.sub(lambda number: re.sub(r"\D", "", number[0]), question)
    stop_words = function_words(_words_in(question))
    terms: dict[str, bool] = {}  # each term, and whether it is more than a stop word
    end = 0  # the end of the word before
    for found in re.finditer(_word_pattern(question), question):
        word = found[0]
        inside = end and _SAME_SENTENCE.fullmatch(question, end, found.start())
        name = bool(inside) and len(word) > 1 and word[0].isupper()
        end = found.end()
        unspaced = is_unspaced(word)
        parts = _pairs(word, last=False) if unspaced else re.split("['’]", word.casefold())
        for at, part in enumerate(parts):
            term = _BASE_FORMS.get(part, part)
            silent = is_function_pair(term) if unspaced else term in stop_words
            informative = (name and at == 0) or not silent  # of "Will's" only "will"
            terms[term] = terms.get(term, False) or informative
    return [term for term, informative in terms.items() if informative] or list(terms)


def is_stop_word(term: str) -> bool:
    """Return whether a term is an English word that says nothing about a subject."""
    return term in ENGLISH


def is_year(term: str) -> bool:
    """Return whether a term is a year of the last century or this one, in figures."""
    return len(term) == 4 and term[:2] in ("19", "20") and term[2:].isdecimal()


def word_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, term) of each word, in characters; the term is not yet stemmed."""
    for found in re.finditer(_word_pattern(text), text):
        word, start = found[0], found.start()
        if is_unspaced(word):
            for size in (1, 2):
                for at in range(len(word) + 1 - size):
                    yield start + at, start + at + size, _fold(word[at : at + size])
            continue
        for part in re.finditer("[^'’]+", word):
            term = _fold(part[0])
            yield start + part.start(), start + part.end(), _BASE_FORMS.get(term, term)


@lru_cache(maxsize=10_000)
def stem_tokens(term: str) -> tuple[str, ...]:
    """Return the tokens of a term, even of one that the index leaves out."""
    return tuple(_tokenize(_encode_emoji(term), "porter"))


class _TokenCache(dict[str, tuple[str, ...]]):
    """The tokens of pieces of text without a space, each computed when it is first looked up.

    A text has few words that no text before it had. That makes this faster than FTS5's tokenizer.
    """

    def __init__(self, left_out: frozenset[str]) -> None:
        self._left_out = left_out

    def __missing__(self, piece: str) -> tuple[str, ...]:
        words = [piece.lower()]
        if not (piece.isascii() and piece.isalnum()):
            words = _tokenize(normalize_for_index(piece), "unicode61")
        tokens = tuple(_stem(word, self._left_out) for word in words)
        if len(piece) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[piece] = tokens
        return tokens


SYNONYMS = "|"  # before each of the words that one term stands for, as tokens
GAP = "\ue000"  # stands for a word that the index leaves out
_LONGEST_KEPT, _MOST_KEPT = 40, 200_000  # characters of a piece; pieces, in some 40 MB
_INDEX_TOKENS, _ALL_TOKENS = _TokenCache(UNINDEXED), _TokenCache(frozenset())
_ASCII_WORDS = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}


def index_tokens(text: str) -> list[str]:
    """Return the tokens by which a text is found, in order: stems, or GAP for one of UNINDEXED."""
    return _tokens(text, _INDEX_TOKENS)


def all_tokens(text: str) -> list[str]:
    """Return the stems of all words of a text, in order."""
    return _tokens(text, _ALL_TOKENS)


def phrase_tokens(phrase: str) -> tuple[list[str], list[str]]:
    """Return the tokens that a text with a phrase has in a row: stems, and as the index has them.

    The latter begin and end with a word that is in the index; there are none if no word is.
    """
    text = _encode_emoji(unicodedata.normalize("NFKC", phrase).casefold())
    if not text.isascii():
        text = re.sub(_UNSPACED_RUN, lambda run: f" {' '.join(_pairs(run[0], last=False))} ", text)
    words = _tokenize(text, "unicode61")
    indexed = " ".join(_stem(word, UNINDEXED) for word in words).strip(f"{GAP} ")
    return [_stem(word, frozenset()) for word in words], indexed.split()


def _tokens(text: str, cache: _TokenCache) -> list[str]:
    if text.isascii():
        text = text.translate(_ASCII_WORDS)
    return list(chain.from_iterable(map(cache.__getitem__, text.split())))


def _stem(word: str, left_out: frozenset[str]) -> str:
    """Return the stem of the base form of a word. The stemmer knows endings in ASCII only."""
    if word in left_out:
        return GAP
    word = _BASE_FORMS.get(word, word)
    return _tokenize(word, "porter")[0] if word[-1].isascii() else word


def _tokenize(text: str, tokenizer: str) -> list[str]:
    tokens = _tokenizer(tokenizer)(
        text.encode("utf-8", "replace"),
        *(apsw.FTS5_TOKENIZE_DOCUMENT, None),
        include_offsets=False,
        include_colocated=False,
    )
    return [str(token) for token in tokens]


@lru_cache(maxsize=2)
def _tokenizer(name: str) -> apsw.FTS5Tokenizer:
    """Return a tokenizer: `porter`, which stems, or `unicode61`; its database is in memory."""
    settings = ["remove_diacritics", "2"]
    parts = ["unicode61", *settings] if name == "porter" else settings
    return apsw.Connection(":memory:").fts5_tokenizer(name, parts)


def _words_in(question: str) -> list[str]:
    """Return the words of a question in lower case, as parts between apostrophes."""
    words = re.findall(_word_pattern(question), question.casefold())
    return [part for word in words for part in re.split("['’]", word)]


def fts_query(term: str) -> str:
    """Return an FTS5 query for a table that cuts and stems words itself; see `token_queries`."""
    if len(term) == 1 and is_unspaced(term):
        return f'"{term}"*'
    phrases = [f'"{_encode_emoji(each)}"' for each in _spellings(term)]
    return f"({' OR '.join(phrases)})" if len(phrases) > 1 else phrases[0]


def token_queries(term: str) -> list[list[str]]:
    """Return the ways in which a text can have a term: each is a list of tokens as FTS5 queries.

    A lone character of an unspaced script also finds the pairs it begins, and a long number its
    groups of three digits; a year has none. A word that the index leaves out has no way. A term of
    several words has the tokens of each, see `index.synonyms`.
    """
    if SYNONYMS in term:
        return [[_quote(token) for token in way.split()] for way in synonym_words(term)]
    if term in UNINDEXED:
        return []
    if len(term) == 1 and is_unspaced(term):
        return [[f'"{term}"*']]
    ways = [[f'"{token}"' for token in stem_tokens(each)] for each in _spellings(term)]
    return [way for way in ways if way]


def synonym_words(term: str) -> list[str]:
    """Return the words that a term stands for, as tokens; none if it stands for itself."""
    return term.split(SYNONYMS)[1:]


def synonym_term(words: Iterable[str]) -> str:
    """Return the term that stands for words, as tokens; empty if there are none."""
    return "".join(SYNONYMS + word for word in dict.fromkeys(words))


def _quote(token: str) -> str:
    return f'"{token[:-1]}"*' if token.endswith("*") else f'"{token}"'


def fts_token_query(term: str) -> str:
    """Return an FTS5 query for texts that have a term; empty for a word that is left out."""
    phrases = [" + ".join(way) for way in token_queries(term)]
    return f"({' OR '.join(phrases)})" if phrases else ""


def _spellings(term: str) -> list[str]:
    if len(term) < _LEAST_GROUPED or not term.isdecimal() or is_year(term):
        return [term]
    first = len(term) % 3
    groups = [term[:first], *(term[at : at + 3] for at in range(first, len(term), 3))]
    return [term, " ".join(filter(None, groups))]


def _encode_emoji(text: str) -> str:
    """Replace each emoji by a word of one character for private use."""
    if text.isascii():
        return text
    return re.sub(
        _EMOJI_CHARACTER, lambda one: f" {chr(_PRIVATE_USE + (ord(one[0]) & 0xFFFF))} ", text
    )


def _word_pattern(text: str) -> str:
    """Return the pattern of words in a text: a simple one, if that finds the same."""
    return _PLAIN_WORD if max(text, default="") < _FIRST_SPECIAL else _WORD


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def is_unspaced(term: str) -> bool:
    """Return whether a term is of a script without spaces, whose words are cut into pairs."""
    return term >= _FIRST_SPECIAL and re.fullmatch(_UNSPACED_RUN, term) is not None


def fts_near_query(first: str, second: str) -> str:
    """Return an FTS5 query for two terms side by side, with at most one word between them.

    It is empty if the index leaves out one of them.
    """
    phrases = [" + ".join(way) for term in (first, second) for way in token_queries(term)[:1]]
    return f"NEAR({' '.join(phrases)}, 1)" if len(phrases) == 2 else ""


def _pairs(run: str, *, last: bool) -> list[str]:
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    return [*pairs, run[-1]] if last or not pairs else pairs
