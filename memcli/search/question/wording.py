"""The wording of a question: words for now and before, and of questions that go on."""

import re
from typing import Literal

from memcli.search.question.phrases import has_phrase, plain_words, split_phrases
from memcli.store import word_spans
from memcli.text.function_words import ENGLISH, function_words, is_german

Tense = Literal["now", "before"]

_NOW = split_phrases(
    "now, nowadays, current, currently, still, latest, newest, most recent, these days, at present",
    "at the moment, as it stands, today, anymore, jetzt, aktuell*, derzeit, zurzeit, heutzutage",
    "momentan, neueste*, maintenant, actuel, actuels, actuelle, actuelles, actuellement",
    "en ce moment, aujourd hui, ahora, actuales, actualmente, hoy, agora, atual, atuais",
    "atualmente, hoje, adesso, attual*, al momento, oggi, nu, momenteel, huidig, huidige",
    "tegenwoordig, vandaag, nog steeds, nuvarande, numera, fortfarande, idag, teraz, obecn*",
    "aktualn*, wciąż, dziś, dzisiaj, şimdi*, şu an*, güncel, hâlâ, bugün, сейчас, теперь, нынешн*",
    "текущ*, сегодня",
    "现在, 目前, 最新, 今の, 現在, 今は, 지금, 현재, 요즘, 최신",
)
_NOW_IN_SPANISH = ("actual",)  # in English it says something else
_BEFORE = split_phrases(
    "former, formerly, previous, previously, earlier, original, originally, initial, initially",
    "at first, first plan, first list, first idea, first version, first want*, used to, back then",
    "before it, before that, before i, before we, before he, before she, before they, früher*",
    "ursprünglich*, vorher, damals, zuerst, ancien, anciens, ancienne, anciennes, auparavant",
    "précédent*, à l origine, au début, anteriores, anteriormente, antiguo, antigua, antiguos",
    "antiguas, antiguamente, al principio, originalmente, inicialmente, antigo, antiga, antigos",
    "antigas, no início, precedente, precedenti, in precedenza, originari*, inizialmente",
    "all inizio, vroeger*, vorige, oorspronkelijk*, destijds, aanvankelijk, tidigare, förra",
    "ursprunglig*, från början, poprzedni*, wcześniej*, pierwotn*, początkowo, önceki, eskiden",
    "eski, раньше, прежн*, предыдущ*, первоначальн*, сначала",
    "以前, 原来, 最初, 元の, 예전, 이전, 원래, 처음에",
)
_BEFORE_IN_SPANISH = ("anterior",)  # in English of teeth
_PERIODS = split_phrases(  # of which a part stands for what held before
    "vorige week, vorige maand, vorige jaar, vorige keer, förra veckan, förra månaden, förra året",
    "förra gången",
)
# "the old password" is the one before, but "our old car" is an old one: only what is asked for.
_OLD = re.compile(
    r"\W*(?:(?:what|which|where|who|how much)\b[^.?!]*?(?:'s|’s|\b(?:is|was|are|were))\s+)?"
    r"(?:(?:the|my|our|his|her|their)\s+)?old\b",
    re.IGNORECASE,
)
# A comparison asks for both values: "more often than before", "from the earliest to the latest".
_COMPARES = re.compile(
    r"\b(?:than|compared|difference|from .+ to|verglichen|unterschied|statt|instead)\b|比",
    re.IGNORECASE,
)
# "What is our rent?" asks for the present one: nobody says "now" of what is one's own.
_ASKS = re.compile(r"\W*(?:and|so|or|but)?\s*\b(?:what|which|where|when|who|how)", re.IGNORECASE)
_OWN = re.compile(r"\b(?:my|mine|our|ours|i|we|me|us)\b", re.IGNORECASE)
_PRESENT = re.compile(r"\b(?:is|are|am|do|does|has|have to|can|should)\b|\w['’]s\b", re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:did|was|were|had|would|could|been|ago|last|\w+(?<!\bne)(?<!\bfe)ed)\b", re.IGNORECASE
)
_SENTENCES = re.compile(r"(?<=[.?!:,])\s+")
_GOES_ON = re.compile(
    r"\s*(?:and|or|but|what about|how about|und|oder|aber)\b|\s*(?:那|那么|それで|じゃあ)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs|that|this|those|these|there|then"
    r"|one|ones|same|es|er|sie|ihn|ihm|ihr|das|dort)\b",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:one|ones)\b", re.IGNORECASE)  # "and the new one?"
_NEW_SENTENCE = re.compile(r"(?:^|[.!?:])\W*$")


def find_names(question: str) -> set[str]:
    """Return the terms that a capital letter inside a sentence marks as names.

    In a German question, and where every word has one, a capital letter says nothing.
    """
    words = list(word_spans(question))
    capital = [one for one in words if question[one[0]].isupper()]
    if len(capital) == len(words) or is_german(term for *_, term in words):
        return set()
    return {
        term
        for start, end, term in capital
        if end - start > 1 and not _NEW_SENTENCE.search(question, 0, start)
    }


def find_tense(question: str) -> Tense | None:
    """Return whether a question asks for what holds now, or for what held before; None: neither.

    Words for before win over those for now: "the old code that is still on the list".
    """
    if _COMPARES.search(question):
        return None
    words = plain_words(question)
    in_english = function_words(words.split()) == ENGLISH
    for period in _PERIODS:
        words = words.replace(f" {period} ", " ")
    before = _BEFORE if in_english else _BEFORE + _BEFORE_IN_SPANISH
    if has_phrase(words, before) or _OLD.match(question):
        return "before"
    now = _NOW if in_english else _NOW + _NOW_IN_SPANISH
    if has_phrase(words, now) or any(map(_asks_for_own, _SENTENCES.split(question))):
        return "now"
    return None


def _asks_for_own(sentence: str) -> bool:
    """Return whether a sentence asks, in the present tense, for something of one's own."""
    if not _ASKS.match(sentence) or _PAST.search(sentence):
        return False
    return bool(_OWN.search(sentence) and _PRESENT.search(sentence))


def contrasts(question: str) -> bool:
    """Return whether a question asks the one before it for something else: "and in August?"."""
    return bool(_GOES_ON.match(question)) and not _POINTS_BACK.search(_ONE.sub("", question))


def goes_on(question: str) -> bool:
    """Return whether a question only makes sense after the one before it."""
    return bool(_GOES_ON.match(question) or _POINTS_BACK.search(question))
