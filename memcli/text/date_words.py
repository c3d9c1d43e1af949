"""The words for months, weekdays, numbers and spans of time, in every language that mem reads.

Questions and texts are read in English, German, and the common words of Chinese and Japanese.
The names of months are known in more languages, because exports write dates in the language of
the account. All words and patterns are for text in lower case (`str.casefold`, which writes ß as
ss).
"""

from collections.abc import Collection, Iterable, Mapping

# January to December; "|" stands between forms of one name, the full one first.
MONTH_NAMES: Mapping[str, tuple[str, ...]] = {
    language: tuple(names.split())
    for language, names in {
        "English": """january|jan february|feb march|mar april|apr may june|jun july|jul
            august|aug september|sept|sep october|oct november|nov december|dec""",
        "German": """januar|jan februar|feb märz|mär april|apr mai juni|jun juli|jul
            august|aug september|sept|sep oktober|okt november|nov dezember|dez""",
        "French": """janvier février mars avril mai juin juillet août septembre octobre
            novembre décembre""",
        "Spanish": """enero febrero marzo abril mayo junio julio agosto septiembre|setiembre
            octubre noviembre diciembre""",
        "Italian": """gennaio febbraio marzo aprile maggio giugno luglio agosto settembre
            ottobre novembre dicembre""",
        "Portuguese": """janeiro fevereiro março abril maio junho julho agosto setembro outubro
            novembro dezembro""",
        "Dutch": """januari februari maart|mrt april mei juni juli augustus september oktober
            november december""",
        "Polish": """stycznia lutego marca kwietnia maja czerwca lipca sierpnia września
            października listopada grudnia""",
        "Swedish": """januari februari mars april maj juni juli augusti september oktober
            november december""",
    }.items()
}
WEEKDAY_NAMES: Mapping[str, tuple[str, ...]] = {  # Monday to Sunday
    language: tuple(names.split())
    for language, names in {
        "English": "monday tuesday wednesday thursday friday saturday sunday",
        "German": "montag dienstag mittwoch donnerstag freitag samstag|sonnabend sonntag",
        "French": "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "Spanish": "lunes martes miércoles jueves viernes sábado domingo",
        "Italian": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "Dutch": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "Polish": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
        "Swedish": "måndag tisdag onsdag torsdag fredag lördag söndag",
        "Turkish": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
        "Russian": "понедельник вторник среда четверг пятница суббота воскресенье",
    }.items()
}
_READ = ("English", "German")  # the languages of questions and texts


def _number(lists: Iterable[Iterable[str]], *, first: int = 0) -> dict[str, int]:
    """Return the place of each form in its list, counted from `first`."""
    return {
        form: place
        for names in lists
        for place, forms in enumerate(names, start=first)
        for form in forms.split("|")
    }


MONTHS: Mapping[str, int] = _number((MONTH_NAMES[each] for each in _READ), first=1)
WEEKDAYS: Mapping[str, int] = _number(WEEKDAY_NAMES[each] for each in _READ)  # Monday is 0

# The first letters that tell months apart, over all languages: three, and four for June and July
# in French.
_MONTH_BEGINNINGS = {
    form[: 4 if form.startswith("jui") else 3]: month
    for form, month in _number(MONTH_NAMES.values(), first=1).items()
}


def parse_month(word: str) -> int | None:
    """Return the month, from 1, whose name in any language begins as the word does; else None."""
    word = word.casefold()
    return _MONTH_BEGINNINGS.get(word[:4]) or _MONTH_BEGINNINGS.get(word[:3])


CARDINALS: Mapping[str, int] = {
    **_number(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
            " fifteen sixteen seventeen eighteen nineteen twenty".split(),
            "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"
            " dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig".split(),
            "〇 一 二|两 三 四 五 六 七 八 九 十".split(),
        )
    ),
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "hundred": 100,
    "dreissig": 30,
    "vierzig": 40,
    "fünfzig": 50,
    "hundert": 100,
}
COUNTS: Mapping[str, int] = {  # as they stand before "days ago"
    **CARDINALS,
    **dict.fromkeys(("a", "an", "einem", "einer"), 1),
    **dict.fromkeys(("couple of", "a couple of"), 2),
}
VAGUE_COUNTS: Mapping[str, int] = dict.fromkeys(("few", "a few", "paar", "ein paar", "einigen"), 3)

DAYS_IN_UNIT: Mapping[str, int] = {"day": 1, "week": 7, "month": 30, "year": 365}
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("day", "days", "tag", "tage", "tagen", "天", "日"), "day"),
    **dict.fromkeys(("week", "weeks", "woche", "wochen", "周", "星期", "週間"), "week"),
    **dict.fromkeys(("month", "months", "monat", "monate", "monaten"), "month"),
    **dict.fromkeys(("个月", "か月", "ヶ月"), "month"),
    **dict.fromkeys(("year", "years", "jahr", "jahre", "jahren", "年"), "year"),
}
RELATIVE_DAYS: Mapping[str, int] = {  # days from the day on which the word is used
    **dict.fromkeys(("day before yesterday", "vorgestern", "前天", "一昨日"), -2),
    **dict.fromkeys(("yesterday", "last night", "gestern", "昨天", "昨日"), -1),
    **dict.fromkeys(("today", "tonight", "this morning", "heute", "今天", "今日"), 0),
    **dict.fromkeys(("tomorrow", "明天", "明日"), 1),  # "morgen" is the morning, too
    **dict.fromkeys(("day after tomorrow", "übermorgen", "后天", "明後日"), 2),
}
RELATIVE_UNITS: Mapping[str, tuple[str, int]] = {  # the unit, and how many from the present one
    **dict.fromkeys(("上周", "上星期", "先週"), ("week", -1)),
    **dict.fromkeys(("上个月", "先月"), ("month", -1)),
    **dict.fromkeys(("去年", "昨年"), ("year", -1)),
    "今年": ("year", 0),
    **dict.fromkeys(("明年", "来年"), ("year", 1)),
}
SEASONS: Mapping[str, int] = {  # the month in which they begin, on the northern half
    **dict.fromkeys(("spring", "frühling", "frühjahr", "春天", "春"), 3),
    **dict.fromkeys(("summer", "sommer", "夏天", "夏"), 6),
    **dict.fromkeys(("autumn", "fall", "herbst", "秋天", "秋"), 9),
    **dict.fromkeys(("winter", "冬天", "冬"), 12),
}
FEASTS: Mapping[str, tuple[int, int]] = {  # month and day
    **dict.fromkeys(("christmas", "weihnachten", "圣诞节", "圣诞", "クリスマス"), (12, 25)),
    **dict.fromkeys(("halloween",), (10, 31)),
    **dict.fromkeys(("valentine's day", "valentinstag", "情人节"), (2, 14)),
    **dict.fromkeys(("new year's eve", "silvester"), (12, 31)),
}


def any_word_pattern(words: Collection[str]) -> str:
    """Return a pattern for any of the words, the longer of two first; Latin ones match whole."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    latin = "|".join(word for word in longest_first if word < "\u3000")
    unspaced = "|".join(word for word in longest_first if word >= "\u3000")
    return "|".join(each for each in (rf"\b(?:{latin})\b" if latin else "", unspaced) if each)


LAST = r"\b(?:last|past|previous|letzte[mnrs]?|vorige[mnrs]?|vergangene[mnrs]?)\s+"
THIS = r"\b(?:this|diese[mnrs]?)\s+"
NEXT = r"\b(?:next|nächste[mnrs]?|kommende[mnrs]?)\s+"
YEAR = r"(?P<year>(?:19|20)\d\d)"
COUNT = (  # not the end of a longer number, in digits or in characters: 二十
    rf"(?P<count>(?<![\d〇一二两三四五六七八九十])"
    rf"(?:\d{{1,3}}|{any_word_pattern({**COUNTS, **VAGUE_COUNTS})}))"
)
UNIT = rf"(?P<unit>{any_word_pattern(UNITS)})"
DAY_MONTH_YEAR = rf"(?<![\d.])(?P<day>\d\d?)\.\s?(?P<month>\d\d?)\.\s?{YEAR}(?!\d)"  # as in German
AGO = rf"(?P<before>\bvor\s+)?{COUNT}\s*{UNIT}(?(before)|\s*(?:ago\b|earlier\b|前))"


def parse_count(word: str | None) -> int:
    """Return the number that stands before a unit, in digits or words; 1 where there is none."""
    if not word:
        return 1
    return int(word) if word.isdigit() else {**VAGUE_COUNTS, **COUNTS}[word]
