"""A guess at the language of a text: by its script, and for Latin letters by its small words.

A guess is enough to say that question and chats share no language. It knows the languages below and
says nothing about others.
"""

import re
from collections import Counter
from collections.abc import Iterable

LEAST_WORDS = 2  # small words of a language that a text in Latin letters has
_SCRIPTS = (  # the first one that a text has two letters of
    ("Japanese", "\u3040-\u30ff"),
    ("Korean", "\uac00-\ud7af"),
    ("Chinese", "\u3400-\u4dbf\u4e00-\u9fff"),
    ("Russian or Ukrainian", "\u0400-\u04ff"),
    ("Greek", "\u0370-\u03ff"),
    ("Arabic or Persian", "\u0600-\u06ff"),
    ("Hebrew", "\u0590-\u05ff"),
    ("Hindi or Marathi", "\u0900-\u097f"),
    ("Thai", "\u0e00-\u0e7f"),
)
_SMALL_WORDS = {
    "English": "the and is are was what which did do does how i you my of to in it that for with",
    "German": "der die das und ist nicht ich du wir was wie mit ein eine den dem auf für sind war",
    "French": "le la les et est je tu nous que qui pas un une des du dans pour avec sur ce c'est",
    "Spanish": "el la los las y es yo que no un una de en por para con se lo mi qué cómo del",
    "Portuguese": "o a os as e é eu que não um uma de em por para com se meu qual como do da",
    "Italian": "il la lo gli e è io che non un una di in per con si mi del della sono come",
    "Dutch": "de het een en is niet ik je we wat hoe met van op dat voor zijn was mijn",
    "Swedish": "och det är inte jag du vi vad hur med en ett på som för av den var min",
    "Polish": "i w nie na się to jest że jak do z co ja ty my był moja dla od",
    "Turkish": "ve bir bu ne ben sen biz için ile de da mi değil var çok nasıl benim",
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def guess_language(text: str) -> str | None:
    """Return the English name of the language that a text is probably in; None if unknown."""
    for language, letters in () if text.isascii() else _SCRIPTS:
        if len(re.findall(f"[{letters}]", text)) > 1:
            return language
    counts = Counter(_WORD.findall(text.casefold()))
    known = {
        language: sum(counts[word] for word in words.split())
        for language, words in _SMALL_WORDS.items()
    }
    best = max(known, key=lambda language: known[language])
    tied = sum(count == known[best] for count in known.values()) > 1
    return None if tied or known[best] < LEAST_WORDS else best


def language_shares(texts: Iterable[str]) -> dict[str, float]:
    """Return the share of each language among the texts whose language can be told."""
    counts = Counter(filter(None, map(guess_language, texts)))
    total = counts.total()
    return {language: count / total for language, count in counts.most_common()}
