"""The words for days and spans of days: English, German, and the common ones of Chinese, Japanese.

Patterns are for questions in lower case.
"""

import re
from collections.abc import Iterable, Mapping


def _numbered(names: str, first: int) -> dict[str, int]:
    """Number the names, and give those that stand for one another, as in "may|mai", one number."""
    return {
        name: at for at, same in enumerate(names.split(), start=first) for name in same.split("|")
    }


def any_of(words: Iterable[str]) -> str:
    """Return a pattern for any of the words; those with spaces round them match whole."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    latin = "|".join(word for word in longest_first if word < "\u3000")
    dense = "|".join(word for word in longest_first if word >= "\u3000")
    return "|".join(each for each in (rf"\b(?:{latin})\b" if latin else "", dense) if each)


MONTHS: Mapping[str, int] = _numbered(
    """
    january|januar|jan february|februar|feb march|märz|mar april|apr may|mai june|juni|jun
    july|juli|jul august|aug september|sept|sep october|oktober|oct|okt november|nov
    december|dezember|dec|dez
    """,
    1,
)
AMBIGUOUS = {"may", "march", "mar", "jan", "spring", "fall"}  # dates only after one of these:
BEFORE_DATES = re.compile(
    r"\b(?:in|since|until|till|of|during|last|this|early|mid|late|by|before|after|from)"
    r"(?:\s+the)?\s+$"
)
SEASONS: Mapping[str, int] = {  # the month in which they begin, on the northern half
    **dict.fromkeys(("spring", "frühling", "frühjahr", "春天", "春"), 3),
    **dict.fromkeys(("summer", "sommer", "夏天", "夏"), 6),
    **dict.fromkeys(("autumn", "fall", "herbst", "秋天", "秋"), 9),
    **dict.fromkeys(("winter", "冬天", "冬"), 12),
}
FEASTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("christmas", "weihnachten", "圣诞节", "圣诞", "クリスマス"), (12, 25)),
    **dict.fromkeys(("halloween",), (10, 31)),
    **dict.fromkeys(("valentine's day", "valentinstag", "情人节"), (2, 14)),
    **dict.fromkeys(("new year's eve", "silvester"), (12, 31)),
}
WEEKDAYS: Mapping[str, int] = _numbered(
    """
    monday|montag tuesday|dienstag wednesday|mittwoch thursday|donnerstag friday|freitag
    saturday|samstag|weekend|wochenende sunday|sonntag
    """,
    0,
)
DAYS_AGO: Mapping[str, int] = {
    **dict.fromkeys(("today", "tonight", "heute", "今天", "今日"), 0),
    **dict.fromkeys(("yesterday", "last night", "gestern", "昨天", "昨日"), 1),
    **dict.fromkeys(("vorgestern", "前天", "一昨日"), 2),
}
NUMBERS: Mapping[str, int] = {
    **dict.fromkeys(("a", "an", "one", "einem", "einer", "一"), 1),
    **dict.fromkeys(("two", "couple of", "a couple of", "zwei", "两", "二"), 2),
    **dict.fromkeys(("three", "few", "a few", "drei", "paar", "ein paar", "einigen", "三"), 3),
    **dict.fromkeys(("four", "vier", "四"), 4),
    **dict.fromkeys(("five", "fünf", "五"), 5),
    **dict.fromkeys(("six", "sechs", "六"), 6),
}
UNITS: Mapping[str, int] = {  # days
    **dict.fromkeys(("day", "days", "tag", "tage", "tagen", "天", "日"), 1),
    **dict.fromkeys(("week", "weeks", "woche", "wochen", "周", "星期", "週間"), 7),
    **dict.fromkeys(("month", "months", "monat", "monate", "monaten", "个月", "か月", "ヶ月"), 30),
    **dict.fromkeys(("year", "years", "jahr", "jahre", "jahren", "年"), 365),
}
LAST_UNITS: Mapping[str, int] = {  # days; in one word
    **dict.fromkeys(("上周", "上星期", "先週"), 7),
    **dict.fromkeys(("上个月", "先月"), 30),
    **dict.fromkeys(("去年", "昨年"), 365),
}
LAST = r"\b(?:last|past|previous|letzte[mnrs]?|vorige[mnrs]?|vergangene[mnrs]?)\s+"
YEAR = r"(?P<year>(?:19|20)\d\d)"
