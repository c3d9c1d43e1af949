"""Questions in four languages find their session among others that are similar."""

from datetime import UTC, datetime

import pytest
from helpers.builders import talk

from memcli.backends.static_embedder import WordLlamaEmbedder
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.search.query import SignalWeights
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store

NOW = datetime(2024, 11, 20, 9, 0, tzinfo=UTC)


def on(year, month, day):
    return datetime(year, month, day, 18, 0, tzinfo=UTC)


ARCHIVE = (
    talk(
        "zh-cat-vet",
        "me: 我的猫最近不吃东西，我带它去了和平路的宠物医院。",
        "ai: 医生怎么说？",
        "me: 医生说它的牙龈发炎了，开了七天的药。",
        at=on(2024, 3, 2),
    ),
    talk(
        "zh-cat-food",
        "me: 我想给我的猫换一种猫粮，现在这种太贵了。",
        "ai: 可以先混着喂一个星期。",
        at=on(2024, 4, 9),
    ),
    talk(
        "zh-dog-vet",
        "me: 邻居的狗昨天去宠物医院打了疫苗。",
        "ai: 小狗还好吗？",
        at=on(2024, 3, 20),
    ),
    talk(
        "zh-move",
        "me: 我们下个月搬家，新房子在杭州西湖区，房租每月六千。",
        "ai: 需要搬家清单吗？",
        at=on(2023, 8, 5),
    ),
    talk(
        "zh-hangzhou-trip",
        "me: 周末去杭州玩，西湖边的酒店一晚八百。",
        "ai: 可以早点预订。",
        at=on(2023, 10, 1),
    ),
    talk(
        "ja-ryokan",
        "me: 箱根の旅館を予約した。露天風呂つきで一泊三万円。",
        "ai: 何泊しますか。",
        "me: 二泊。母の還暦のお祝いなんだ。",
        at=on(2024, 5, 11),
    ),
    talk(
        "ja-onsen-day",
        "me: 日帰り温泉に行きたい。箱根は混んでいるかな。",
        "ai: 平日なら空いています。",
        at=on(2024, 1, 14),
    ),
    talk(
        "ja-mother",
        "me: 母の誕生日に花を送った。カーネーションとバラ。",
        "ai: きっと喜ばれますね。",
        at=on(2024, 2, 3),
    ),
    talk(
        "ja-job",
        "me: 転職することにした。来月から名古屋の会社で働く。",
        "ai: おめでとうございます。",
        at=on(2023, 6, 21),
    ),
    talk(
        "ja-nagoya-food",
        "me: 名古屋で味噌カツを食べた。とてもおいしかった。",
        "ai: ひつまぶしもおすすめです。",
        at=on(2024, 9, 8),
    ),
    talk(
        "de-landlord",
        "me: Die Vermieterin hat die Kaltmiete zum ersten April auf 940 Euro erhöht.",
        "ai: Dagegen kannst du innerhalb von zwei Monaten Widerspruch einlegen.",
        at=on(2024, 1, 30),
    ),
    talk(
        "de-heating",
        "me: Die Vermieterin schickt am Montag jemanden wegen der Heizung.",
        "ai: Notiere dir am besten die Uhrzeit.",
        at=on(2024, 2, 12),
    ),
    talk(
        "de-bike",
        "me: Mein Fahrrad wurde vor der Bibliothek gestohlen, Rahmennummer WTK 8813.",
        "ai: Hast du es schon der Polizei gemeldet?",
        at=on(2023, 9, 4),
    ),
    talk(
        "de-bike-tour",
        "me: Wir planen eine Fahrradtour an der Elbe, drei Tage mit Zelt.",
        "ai: Von Dresden nach Magdeburg ist die Strecke flach.",
        at=on(2024, 4, 27),
    ),
    talk(
        "de-hike",
        "Ottilie: Auf der Wanderung im Karwendel habe ich mir den Knöchel verstaucht.",
        "me: Oje, warst du beim Arzt?",
        at=on(2024, 7, 19),
    ),
    talk(
        "en-allergy",
        "me: The doctor says I am allergic to penicillin, so it has to be doxycycline.",
        "ai: Noted. Tell every pharmacist as well.",
        at=on(2023, 11, 8),
    ),
    talk(
        "en-flu",
        "me: The doctor says it is only the flu, no antibiotics.",
        "ai: Rest, and drink a lot.",
        at=on(2024, 1, 25),
    ),
    talk(
        "en-summer-boat",
        "me: We rented a small sailing boat on the lake and went swimming every morning.",
        "ai: That sounds like a good holiday.",
        at=on(2024, 7, 28),
    ),
    talk(
        "en-old-summer-boat",
        "me: We rented a small sailing boat on the lake and it rained all week.",
        "ai: What a pity.",
        at=on(2022, 8, 3),
    ),
    talk(
        "en-winter-boat",
        "me: Should we rent a small sailing boat on the lake again?",
        "ai: Book early, it fills up.",
        at=on(2024, 1, 6),
    ),
    talk(
        "en-brother",
        "Bartholomew: I passed my exam to become an electrician.",
        "me: Congratulations, brother!",
        at=on(2024, 6, 13),
    ),
    talk(
        "en-colleague",
        "Bernadette: I passed the theory exam for the driving licence.",
        "me: Well done!",
        at=on(2024, 6, 20),
    ),
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    embedder = WordLlamaEmbedder()
    with Store(tmp_path_factory.mktemp("archive") / "mem.db") as store:
        ConversationImporter(store, embedder).import_batch(ARCHIVE, ImportTally())

        def asked(question, **options):
            found = retrieve(question, store, embedder, Filters(), limit=5, now=NOW, **options)
            return [candidate.session.title for candidate in found.candidates]

        yield asked


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("我的猫去了哪家宠物医院？", "zh-cat-vet"),
        ("医生给猫开了几天的药？", "zh-cat-vet"),
        ("猫粮为什么要换？", "zh-cat-food"),
        ("新房子的房租是多少？", "zh-move"),
        ("西湖边的酒店多少钱一晚？", "zh-hangzhou-trip"),
        ("母の還暦祝いはどこに泊まる？", "ja-ryokan"),
        ("旅館は一泊いくら？", "ja-ryokan"),
        ("母の誕生日に何を送った？", "ja-mother"),
        ("いつから名古屋の会社で働く？", "ja-job"),
        ("名古屋で何を食べた？", "ja-nagoya-food"),
        ("Wie hoch ist meine Kaltmiete?", "de-landlord"),
        ("Wann kommt jemand wegen der Heizung?", "de-heating"),
        ("Welche Rahmennummer hat mein gestohlenes Fahrrad?", "de-bike"),
        ("Wie viele Tage dauert die Fahrradtour an der Elbe?", "de-bike-tour"),
        ("Wer hat sich beim Wandern den Knöchel verstaucht?", "de-hike"),
        ("Which medicine am I allergic to?", "en-allergy"),
        ("What did the doctor say about the flu?", "en-flu"),
        ("Who became an electrician?", "en-brother"),
    ],
)
def test_a_question_finds_its_session_among_similar_ones(ask, question, title):
    assert ask(question)[0] == title


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Which exam did Bartolomew pass?", "en-brother"),
        ("Which exam did Bernadete pass?", "en-colleague"),
        ("Was hat Otilie im Karwendel gemacht?", "de-hike"),
        ("Where was my bycicle, I mean Fahrad, gestohlen?", "de-bike"),
    ],
)
def test_a_misspelt_name_is_understood(ask, question, title):
    assert ask(question)[0] == title


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Where did we rent a sailing boat last summer?", "en-summer-boat"),
        ("How was the sailing boat in August 2022?", "en-old-summer-boat"),
        ("What did I ask about the sailing boat last winter?", "en-winter-boat"),
        ("Wer war letzten Sommer wandern?", "de-hike"),
        ("去年夏天我们要搬到哪里？", "zh-move"),
        ("去年の6月に何を決めた？", "ja-job"),
    ],
)
def test_the_days_a_question_names_decide_between_sessions_about_the_same(ask, question, title):
    assert ask(question)[0] == title


def test_without_dates_the_seasons_are_not_told_apart(ask):
    question = "Where did we rent a sailing boat last summer?"

    assert set(ask(question, weights=SignalWeights(dates=0.0))[:3]) >= {
        "en-summer-boat",
        "en-winter-boat",
    }
