"""The scripts that put no spaces between words, as ranges for a regular expression's `[...]`.

The blocks are stated once, and each set of them once, under the name of its purpose: the sets
differ because a passage's length is an estimate, while a full-text index must never change what it
has stored. Nothing is compiled here: a class of this width takes 2 to 4 ms.
"""

_THAI_AND_LAO = "\u0e00-\u0eff"
_KHMER = "\u1780-\u17ff"
_IDEOGRAPHIC_MARKS = "\u3005-\u3007"  # 々, 〆 and 〇
_KANA = "\u3040-\u30ff"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_HEXAGRAMS = "\u4dc0-\u4dff"  # symbols in between the two blocks of Han
_HANGUL = "\uac00-\ud7af"  # is written with spaces, but its words carry their endings
_COMPATIBLE_HAN = "\uf900-\ufaff"
_HAN_BEYOND_16_BITS = "\U00020000-\U0003ffff"

# A letter of these holds about as much as three Latin ones, and none is a capital.
EAST_ASIAN = _KANA + _HAN + _HEXAGRAMS + _HANGUL

# The full-text index cuts runs of these into pairs. Stored indexes depend on the exact extent.
INDEXED_AS_PAIRS = (
    _THAI_AND_LAO
    + _KHMER
    + _IDEOGRAPHIC_MARKS
    + _KANA
    + _HAN
    + _HANGUL
    + _COMPATIBLE_HAN
    + _HAN_BEYOND_16_BITS
)

# A line may break before and after each of these: all wide characters, punctuation included.
BREAKABLE_ANYWHERE = "\u2e80-\uffef" + _HAN_BEYOND_16_BITS

# Names from abroad are written in these: the letters without the middle dot, and the long vowel.
KATAKANA = "\u30a1-\u30fa\u30fc"
