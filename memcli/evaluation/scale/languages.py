"""Generated languages, whose words are as frequent as in real ones.

A language has a few common words of its own, and then generated ones. The n-th word is about 1/n
as frequent as the first (Zipf's law), which is what full text and a tokenizer cost depends on.
"""

from collections.abc import Sequence
from itertools import accumulate
from random import Random

from memcli.lazy_dataclasses import dataclass

_COMMON_WORDS = {
    "en": "the of to and a in is it you that he was for on are with as I his they be at one have"
    " this from or had by hot but some what there we can out other were all your when up use word"
    " how said an each she which do their time if will way about many then them would write like"
    " so these her long make thing see him two has look more day could go come did my sound no"
    " most number who over know water than call first people may down side been now find any new"
    " work part take get place made live where after back little only round man year came show"
    " every good me give our under name very through just form much great think say help low line"
    " before turn cause same mean differ move right boy old too does tell sentence set three want"
    " air well also play small end put home read hand port large spell add even land here must",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch"
    " es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so"
    " zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn können ich heute"
    " morgen gestern Woche Arbeit Haus schon immer wieder gut kommen gehen machen sagen",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más o pero"
    " sus le ha me si sin sobre este ya entre cuando todo esta ser son dos también fue había era"
    " muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así nos ni parte",
    "ru": "и в не на я быть он с что а по это она этот к но они мы весь который из у то за свой"
    " ещё от так о год кто бы когда же один вы сказать такой только себя другой как говорить"
    " человек знать стать если время мочь большой самый рука день жизнь наш два дом",
    "zh": "的 一 是 不 了 在 人 有 我 他 这 个 们 中 来 上 大 为 和 国 地 到 以 说 时 要 就 出"
    " 会 可 也 你 对 生 能 而 子 那 得 于 着 下 自 之 年 过 发 后 作 里 今天 明天 我们 工作 时间",
}
_SYLLABLES = {
    "en": "ter con re in pro ly ment ing de com an tion per est al der pre ma ex is un sub ar",
    "de": "ge ver be ung heit en lich ab auf stell fahr bau werk schaft hin mein kel ber zei",
    "es": "ción re con mente des tra ca lo mi res ta do ra es pan nue ver sol mar tie cor",
    "ru": "по при раз ство ный ка ло ми рен та де во ник пере ход вод нов сил зна каз",
    "zh": "天 地 水 火 山 石 田 心 手 目 口 日 月 木 金 土 車 馬 電 話 書 学 校 店 路 友",
}
LANGUAGES = tuple(_COMMON_WORDS)
WORDS = 30_000  # of each language
_WORDS_PER_SENTENCE = 12


@dataclass(frozen=True, slots=True)
class ZipfLanguage:
    """A language: its words, the most frequent first, and the sums of their frequencies."""

    words: Sequence[str]
    frequencies: Sequence[float]
    separator: str = " "

    @classmethod
    def of(cls, name: str) -> "ZipfLanguage":
        """Return one of LANGUAGES: the same words every time."""
        random, syllables = Random(name), _SYLLABLES[name].split()
        common = _COMMON_WORDS[name].split()
        rare = [
            "".join(random.choices(syllables, k=1 + random.choice((1, 1, 2, 2, 3))))
            for _ in range(WORDS - len(common))
        ]
        frequencies = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
        return cls([*common, *rare], frequencies, "" if name == "zh" else " ")

    def text(self, random: Random, mean: float) -> str:
        """Return sentences with `mean` words on average: many are shorter, a few much longer."""
        count = 1 + int(random.expovariate(1 / mean))
        words = random.choices(self.words, cum_weights=self.frequencies, k=count)
        for end in range(_WORDS_PER_SENTENCE - 1, count, _WORDS_PER_SENTENCE):
            words[end] += "。" if not self.separator else "."
        return self.separator.join(words)
