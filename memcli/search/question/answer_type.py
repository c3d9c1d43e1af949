"""The type of the answer that a question expects: an amount of money, a time, a day, a duration.

Of two sessions that are equally on the topic, the one with an amount of money is likelier to answer
"how much did it cost?". A number is no such type: nearly every session has one.
"""

import re

from memcli.lazy_dataclasses import dataclass
from memcli.search.question.phrases import (
    has_phrase,
    is_east_asian,
    plain_words,
    split_phrases,
)
from memcli.text.date_words import MONTH_NAMES, RELATIVE_DAYS, WEEKDAY_NAMES


@dataclass(frozen=True, slots=True)
class AnswerType:
    """A type of answers. Words and patterns are for text in lower case."""

    name: str  # with its article
    asked: tuple[str, ...]  # words of questions that expect it; `*` stands for any ending
    words: frozenset[str]  # words of texts that have one
    pattern: str  # the same, of what is no word


def _names(*lists: str) -> frozenset[str]:
    return frozenset(name for names in lists for name in names.replace("|", " ").split())


_CLOCK = r"\d\d?[:.h]\d\d(?!\d)|\d\s?(?:(?:am|pm|a\.m\.|p\.m\.|uhr|o'clock)\b|[点點時时시])"
_NUMBERS = r"one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|forty|sixty"

MONEY = AnswerType(
    name="an amount of money",
    asked=split_phrases(
        "cost, costs, price*, pay, pays, paid, paying, earn*, salary, wage*, rent, fee, budget",
        "fees, deposit, charge*, spend, spent, owe*, expensive, refund*, how much money",
        "kostet*, gekostet, preis*, bezahl*, gehalt, miete, verdien*, kaution, teuer",
        "coût*, prix, paye*, payé*, salaire, loyer, cuesta*, costó, precio*, paga*, pagó, pagué",
        "sueldo, alquiler, presupuesto, custa*, custou, preço*, salário, renda, aluguel",
        "orçamento, ganh*, prezzo, stipendio, affitto, guadagn*, kostte*, prijs, betaal*",
        "salaris, huur, kosta*, betala*, lön, hyra, tjäna*, kosztuje, kosztował*, zapłaci*",
        "czynsz, fiyat*, maaş*, kiram*, kirası, ödedi*, стоит, стоил*, цена, плат*, зарплат*",
        "多少钱, 价格, 工资, 薪水, 房租, 租金, 预算, 押金, いくら, 値段, 価格, 給料",
        "家賃, 予算, 敷金, 얼마예, 얼마였, 얼마야, 얼마인, 얼마를, 얼마에, 얼마죠, 얼마입",
        "가격, 월급, 연봉, 월세, 예산, 보증금",
    ),
    words=frozenset(),
    pattern=r"[€$£¥₽₺₩₹]\s?\d|\d\s?(?:[€$£¥₽₺₩₹元块塊円원만万]|(?:euros?|dollars?|pounds?|quid|bucks"
    r"|cents|kron\w+|kr|sek|nok|dkk|eur|usd|gbp|chf|jpy|cny|rmb|francs?|franken|zł\w*|pln|lira|tl"
    r"|yen|yuan|won|rupees?|reais|руб\w*|евро|доллар\w*)\b)",
)
TIME = AnswerType(
    name="a time of day",
    asked=split_phrases(
        "what time, which time, what hour, which hour, um wie viel uhr, um wieviel uhr, wie spät",
        "quelle heure, qué hora, que horas, che ora, hoe laat, vilken tid, hur dags",
        "której godzinie, saat kaç*, во сколько, 几点, 何時, 몇 시",
    ),
    words=frozenset(("noon", "midnight")),
    pattern=rf"{_CLOCK}|\b(?:half past|quarter (?:to|past))\b",
)
DAY = AnswerType(
    name="a day",
    asked=split_phrases(
        "when is, when s, whens, when are, when do, when does, when can, when should, when will",
        "when must, until when, what day, which day, what date, which date, which week",
        "what weekday, which weekday, what month, which month, wann, quand, cuándo, quando",
        "wanneer, när, kiedy, ne zaman, когда, 什么时候, 哪天, 几号, いつ, 何日, 何曜, 언제, 며칠",
    ),
    words=_names(
        *(name for names in (*MONTH_NAMES.values(), *WEEKDAY_NAMES.values()) for name in names),
        "yesterday today tonight tomorrow gestern heute",
    )
    - {"may", "mar", "march", "mars", "pazar"},  # verbs, and a market
    pattern=r"\d\s?[月日号號일]|[月火水木金土日]曜|星期|周[一二三四五六日]|\d(?:st|nd|rd|th)?\s(?:may|march)\b"
    rf"|\b(?:may|march)\s\d|{'|'.join(filter(is_east_asian, RELATIVE_DAYS))}|{_CLOCK}",
)
DURATION = AnswerType(
    name="a duration",
    asked=split_phrases(
        "how long, how fast, how many minutes, how many hours, how many days, how many weeks",
        "how many months, how many years, wie lange, wie schnell, combien de temps",
        "cuánto tiempo, cuánto dura, quanto tempo, quanto dura, hoe lang, hur länge, hur snabbt",
        "jak długo, ne kadar sür*, как долго, сколько времени, 多久, 多长时间, どのくらい",
        "どれくらい, 얼마나 오래, 몇 분, 몇 시간",
    ),
    words=frozenset(),
    pattern=rf"(?:\d\s?|\b(?:{_NUMBERS}|half an|an?|a few|several)\s)(?:s|sec\w*|min\w*|h|hours?"
    r"|days?|weeks?|months?|years?|stunden?|tage?n?|wochen?|monaten?|jahren?"
    r"|heures?|jours?|semaines?|mois|ans|années?|horas?|d[ií]as?|semanas?|mes|meses|mês|años?|anos?"
    r"|or[ae]|giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|uur|dag(?:en)?|we(?:ek|ken)|maand(?:en)?|jaar"
    r"|timm(?:e|ar)|dagar|veck(?:a|or)|månad(?:er)?|år|godzin\w*|dni|dzień|tygodni\w*|tydzień"
    r"|miesi\w+|lat|dakika\w*|saat|gün|hafta|ay|yıl|минут\w*|час\w*|дн\w{1,2}|день|недел\w*"
    r"|месяц\w*|лет|год\w?)\b"
    r"|\d\s?(?:分|時間|小时|小時|天|周|週|个月|個月|年|日間|か月|ヶ月|분|시간|일|주|개월)",
)


def expected_types(question: str) -> list[AnswerType]:
    """Return the types of answers that a question expects; mostly none."""
    words = plain_words(question)
    return [one for one in (MONEY, TIME, DAY, DURATION) if has_phrase(words, one.asked)]


def has_type(text: str, kind: AnswerType) -> bool:
    """Return whether a text has something of a type."""
    text = text.lower()
    if kind.words and not kind.words.isdisjoint(plain_words(text).split()):
        return True
    return bool(re.search(kind.pattern, text))
