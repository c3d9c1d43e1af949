"""BERT's tokenizer, as models were trained with it; llama.cpp's own one differs.

llama.cpp keeps one part of each letter that decomposes, so that a Korean syllable becomes its
first consonant; it drops the vowel signs of Indic scripts; and its older versions treat every
vocabulary as a lower-case one. The library is the one that models were trained with; its tables
of letters are those of an older Unicode version.
"""

from collections.abc import Mapping
from typing import Any

_CONTINUING = "\0"  # prefix of pieces inside a word: the normalizer lets no text contain it
_UNKNOWN = "\0\0"
_MAX_WORD_CHARACTERS = 100  # a longer word is unknown as a whole


class WordPieceTokenizer:
    """A vocabulary of words, and of pieces that continue a word.

    Args:
        beginnings: tokens by the text that begins a word, or is one.
        endings: tokens by the text that continues a word.
        unknown: the token of a word that cannot be put together.
        uncased: whether case and accents are ignored.
    """

    def __init__(
        self,
        beginnings: Mapping[str, int],
        endings: Mapping[str, int],
        *,
        unknown: int,
        uncased: bool,
    ) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        vocabulary = {_CONTINUING + piece: token for piece, token in endings.items()}
        tokenizer = Tokenizer(
            models.WordPiece(
                {**vocabulary, **beginnings, _UNKNOWN: unknown},
                unk_token=_UNKNOWN,
                continuing_subword_prefix=_CONTINUING,
                max_input_chars_per_word=_MAX_WORD_CHARACTERS,
            )
        )
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=uncased, strip_accents=uncased)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self._tokenizer: Any = tokenizer  # Any: tokenizers comes without types

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, none of them special but the unknown one."""
        sound = text.encode("utf-8", "ignore").decode()  # lone surrogates are refused
        return list(self._tokenizer.encode(sound, add_special_tokens=False).ids)
