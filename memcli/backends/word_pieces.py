"""The tokens of words in the vocabulary of the built-in embedder, without its library.

The vocabulary is SentencePiece's byte-pair encoding: of two pieces side by side whose union is a
piece, the union with the lowest id comes first, and a character that is no piece becomes its bytes.
No piece goes on after a space, so that a text's tokens are those of its words, and a word has to be
cut only once. The library takes 70 ms to read 61,000 rules, which follow from the pieces.

Source:
    Kudo and Richardson, SentencePiece, EMNLP 2018.
"""

import json
import re
from array import array
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPACE = "\u2581"  # stands for a space in pieces
_SPECIAL = ("<s>", "</s>", "<unk>")  # are one token each, wherever they stand
_LONGEST_WORD = 40  # characters of a word that is cut here, and of one that is remembered
_MANY_WORDS = 400  # new words from which on it pays to load the library
_WORDS = re.compile(r" +[^ \n]*|\n[^ \n]*")
_WORDS_AT_ONCE = 500
_MOST_REMEMBERED = 1 << 18  # words
_TOKEN = "I"  # the type of tokens in arrays

Tokens: TypeAlias = "array[int]"


class WordPieces:
    """The vocabulary of one tokenizer file, and the tokens of the words met so far."""

    def __init__(self, path: Path, *, most: int) -> None:
        """Read the pieces of a tokenizer file.

        Args:
            path: the file, JSON of the library `tokenizers`.
            most: the number of vectors that there are: a token beyond them counts as the last.

        Raises:
            ValueError: it is another kind of file.
        """
        self._last = most - 1
        self._path = path
        content = path.read_bytes()
        start = content.index(b"{", content.index(b'"vocab"'))
        end = content.rindex(b"}", start, content.index(b'"merges"', start))
        self._ids: dict[str, int] = json.loads(content[start : end + 1])
        self._known: dict[str, bytes] = {}  # the tokens of each word, as an array's bytes
        self._library: Tokenizer | None = None

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text."""
        if len(self._known) > _MOST_REMEMBERED:
            self._known.clear()
        tokens_of = self._known.__getitem__
        result: list[Tokens] = []
        unfinished: list[tuple[int, list[str]]] = []  # texts with words not met before
        unknown: set[str] = set()
        for text in texts:
            words = _divide(text)
            if words is None:
                result.append(self._encode_by_library([text])[0])
                continue
            try:
                result.append(array(_TOKEN, b"".join(map(tokens_of, words))))
            except KeyError:
                unknown.update(word for word in words if word not in self._known)
                unfinished.append((len(result), words))
                result.append(array(_TOKEN))
        self._learn(unknown)
        for at, words in unfinished:
            result[at].frombytes(b"".join(map(tokens_of, words)))
        return result

    def _learn(self, words: Collection[str]) -> None:
        """Find the tokens of words that were not met before."""
        few = self._library is None and len(words) < _MANY_WORDS
        lone, together = [], []
        for word in words:
            tokens = self._cut(word) if few or not word else None
            if tokens is not None:
                self._known[word] = array(_TOKEN, tokens).tobytes()
            elif word[:1] == " " or _SPACE in word:
                lone.append(word)
            else:
                together.append(word)
        self._remember(lone, self._encode_by_library(lone) if lone else [])
        together.sort(reverse=True)  # the words that begin with line breaks are the last
        for first in range(0, len(together), _WORDS_AT_ONCE):
            some = together[first : first + _WORDS_AT_ONCE]
            self._remember(some, self._encode_together(some))

    def _remember(self, words: Sequence[str], tokens: Sequence[Tokens]) -> None:
        self._known.update(zip(words, (each.tobytes() for each in tokens), strict=True))

    def _encode_together(self, words: Sequence[str]) -> list[Tokens]:
        """Return the tokens of words, as those of one text: alone, they take 8 times as long."""
        text = "".join(word if word[0] == "\n" else f" {word}" for word in words)
        [tokens] = self._encode_by_library([text.removeprefix(" ")])
        if text[0] == "\n":
            del tokens[0]  # the library begins every text with a space
        starts = [at for at, token in enumerate(tokens) if token in self._starts]
        return [tokens[start:stop] for start, stop in pairwise([*starts, len(tokens)])]

    @cached_property
    def _starts(self) -> frozenset[int]:
        """The tokens that a word begins with: a space or a line break."""
        starts = {number for piece, number in self._ids.items() if piece[0] == _SPACE}
        return frozenset({*starts, self._ids["<0x0A>"]})

    def _cut(self, word: str) -> list[int] | None:
        """Return the tokens of a word; None if that is doubtful, or takes long."""
        if len(word) > _LONGEST_WORD or word.startswith(" "):
            return None
        ids, none = self._ids, len(self._ids)
        pieces: list[str] = []
        for character in word if word[:1] == "\n" else f"{_SPACE}{word}":
            if character in ids:
                pieces.append(character)
            else:
                pieces += [f"<0x{byte:02X}>" for byte in character.encode()]
        while True:
            unions = [ids.get(first + second, none) for first, second in pairwise(pieces)]
            best = min(unions, default=none)
            if best == none:
                return [min(ids[piece], self._last) for piece in pieces]
            at = unions.index(best)
            if unions[at + 1 : at + 2] == [best] and pieces[at] != pieces[at + 1]:
                return None  # only the library's rules say which of the two is first
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]

    def _encode_by_library(self, texts: list[str]) -> list[Tokens]:
        if self._library is None:
            from tokenizers import Tokenizer

            self._library = Tokenizer.from_file(str(self._path))
            self._library.no_padding()
            self._library.no_truncation()
        found = self._library.encode_batch_fast(texts, add_special_tokens=False)
        return [
            array(_TOKEN, [min(token, self._last) for token in encoding.ids]) for encoding in found
        ]


def _divide(text: str) -> list[str] | None:
    """Divide a text into words; None if its tokens are not those of its words.

    A word stands for itself and the space before it, or begins with a line break. Of several
    spaces, all but the first belong to the word that follows.
    """
    if "<" in text and any(special in text for special in _SPECIAL):
        return None
    if not text:
        return []
    if "  " in text or text[0] == " ":
        return [word.removeprefix(" ") for word in _WORDS.findall(f" {text}")]
    return text.replace("\n", " \n").split(" ")
