"""BERT's tokeniser. llama.cpp has one too, but not quite the one that models were taught with.

It keeps one part of what a letter decomposes into, so that a Korean syllable becomes its first
consonant; it drops the vowel signs of Indic scripts; and older versions make every vocabulary a
lower-case one.

Source: `tokenization.py` of https://github.com/google-research/bert.
"""

import string
import unicodedata
from collections.abc import Mapping

_LONGEST_WORD = 100  # letters; a longer one is unknown as a whole
_SPACES = "\t\n\r"
_INVISIBLE = {"Cc", "Cf", "Co", "Cs"}
_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPieces:
    """A vocabulary of words, and of pieces that go on with a word begun.

    Args:
        beginnings: tokens by the text that begins a word, or is one.
        endings: tokens by the text that goes on.
        unknown: the token of a word that cannot be put together.
        uncased: whether case and accents are nothing.
    """

    def __init__(
        self,
        beginnings: Mapping[str, int],
        endings: Mapping[str, int],
        *,
        unknown: int,
        uncased: bool,
    ) -> None:
        self._beginnings, self._endings = beginnings, endings
        self._unknown, self._uncased = unknown, uncased
        self._letters = _Letters(uncased=uncased)
        self._longest = max(map(len, (*beginnings, *endings)), default=0)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, none of them special but the unknown one."""
        return [token for word in self._words(text) for token in self._pieces(word)]

    def _words(self, text: str) -> list[str]:
        if not self._uncased:
            return text.translate(self._letters).split()
        spaced = unicodedata.normalize("NFD", text).translate(self._letters)
        # A capital sigma becomes the same letter everywhere: BERT looks at no neighbours.
        return spaced.replace("Σ", "σ").lower().split()

    def _pieces(self, word: str) -> list[int]:
        """Return the longest piece that begins the word, then the longest that goes on, ..."""
        tokens: list[int] = []
        pieces, start = self._beginnings, 0
        while start < len(word) <= _LONGEST_WORD:
            for end in range(min(len(word), start + self._longest), start, -1):
                token = pieces.get(word[start:end])
                if token is not None:
                    break
            else:
                return [self._unknown]
            tokens.append(token)
            pieces, start = self._endings, end
        return tokens or [self._unknown]


class _Letters(dict[int, str]):
    """What each letter becomes: itself, a word of its own, a space or nothing."""

    def __init__(self, *, uncased: bool) -> None:
        self._uncased = uncased

    def __missing__(self, code: int) -> str:
        self[code] = self._written(chr(code))
        return self[code]

    def _written(self, letter: str) -> str:
        kind = unicodedata.category(letter)
        if letter in _SPACES or kind[0] == "Z":
            return " "
        if kind in _INVISIBLE or letter == "\ufffd" or (self._uncased and kind == "Mn"):
            return ""
        alone = any(first <= ord(letter) <= last for first, last in _CJK)
        if alone or kind[0] == "P" or letter in string.punctuation:
            return f" {letter} "
        return letter
