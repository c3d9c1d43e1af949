"""The type of the answer that a question expects, and texts that have one."""

import pytest

from memcli.search.question.answer_type import DAY, DURATION, MONEY, TIME, expected_types, has_type


@pytest.mark.parametrize(
    ("question", "types"),
    [
        ("How much did the saddle cost?", [MONEY]),
        ("what do I earn at Maré", [MONEY]),
        ("Was kostet die Miete?", [MONEY]),
        ("房租多少钱？", [MONEY]),
        ("家賃はいくら？", [MONEY]),
        ("¿Cuánto cuesta el alquiler?", [MONEY]),
        ("At what time does the bus leave?", [TIME]),
        ("Um wie viel Uhr fährt der Bus?", [TIME]),
        ("火车几点开？", [TIME]),
        ("When's the wedding?", [DAY]),
        ("which day is it closed", [DAY]),
        ("结婚是哪天？", [DAY]),
        ("How long does the battery last?", [DURATION]),
        ("要多久？", [DURATION]),
        ("what does it cost, and how long does it take?", [MONEY, DURATION]),
        ("When did she move?", []),  # on the day of the chat
        ("How many people are in the team?", []),  # every chat has some number
        ("Which cost centre is it? No, which costume?", [MONEY]),
        ("Who painted the costume?", []),
        ("", []),
    ],
)
def test_a_question_expects_answers_of_a_type(question, types):
    expected = [one.name for one in expected_types(question)]
    assert expected == [one.name for one in types]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("for 36,500 kronor", MONEY),
        ("€1,380 a month", MONEY),
        ("一共146块。", MONEY),
        ("1,050円", MONEY),
        ("it begins at 18:30", TIME),
        ("around 7 pm", TIME),
        ("18時開店", TIME),
        ("at noon", TIME),
        ("on 5 September", DAY),
        ("next Thursday", DAY),
        ("am 3. Mai oder am Dienstag", DAY),
        ("on May 3rd", DAY),
        ("水曜は休み", DAY),
        ("9月3号", DAY),
        ("it took 2 h 10 min", DURATION),
        ("half an hour", DURATION),
        ("醒四十分钟，40分", DURATION),
    ],
)
def test_a_text_has_an_answer_of_a_type(text, kind):
    assert has_type(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("we have 3 cats and 12 chairs", MONEY),
        ("we have 3 cats and 12 chairs", TIME),
        ("it may be that we march on", DAY),
        ("we have 3 cats and 12 chairs", DURATION),
        ("", DAY),
    ],
)
def test_a_number_alone_is_no_answer_of_a_type(text, kind):
    assert not has_type(text, kind)


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("Was kostet das?", "80 Euro", MONEY),
        ("Wie lange dauert es?", "3 Wochen", DURATION),
        ("Wann ist die Prüfung?", "am Dienstag", DAY),
        ("Quel est le loyer ?", "900 €", MONEY),
        ("Combien de temps faut-il ?", "2 heures", DURATION),
        ("Quand part-elle ?", "mardi", DAY),
        ("¿Cuánto cuesta?", "30 euros", MONEY),
        ("¿Cuánto dura?", "5 días", DURATION),
        ("¿Cuándo es la boda?", "el sábado", DAY),
        ("Quanto custa?", "15 reais", MONEY),
        ("Quanto tempo leva?", "2 semanas", DURATION),
        ("Quando è l'esame?", "mercoledì", DAY),
        ("Quanto dura il viaggio?", "3 ore", DURATION),
        ("Hoe lang duurt het?", "4 dagen", DURATION),
        ("Wat is de prijs?", "20 euro", MONEY),
        ("Hur länge tar det?", "3 veckor", DURATION),
        ("Vad kostar hyran?", "9000 kr", MONEY),
        ("Ile kosztuje?", "50 zł", MONEY),
        ("Jak długo to trwa?", "3 tygodnie", DURATION),
        ("Bu ne kadar sürer?", "2 saat", DURATION),
        ("Fiyatı ne?", "300 lira", MONEY),
        ("Сколько времени это займёт?", "3 недели", DURATION),
        ("Сколько стоит?", "500 рублей", MONEY),
        ("要多长时间？", "3个月", DURATION),
        ("どのくらいかかりますか？", "3時間", DURATION),
        ("얼마예요?", "50만원", MONEY),
        ("얼마나 오래 걸려요?", "3시간", DURATION),
    ],
)
def test_questions_and_answers_in_each_language(question, answer, kind):
    assert [one.name for one in expected_types(question)] == [kind.name]
    assert has_type(answer, kind)
    assert not has_type("", kind)
