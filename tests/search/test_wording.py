"""The wording of a question: now or before, and something else than before."""

import pytest

from memcli.search.question.wording import contrasts, find_tense


@pytest.mark.parametrize(
    ("question", "tense"),
    [
        ("what is the wifi password now", "now"),
        ("which code is still valid?", "now"),
        ("what was the old door code?", "before"),
        ("old door code", "before"),
        ("where was our old flat?", "before"),
        ("what did we first want to do, originally?", "before"),
        ("what did it cost", None),
        ("what is our rent?", "now"),
        ("I'm filling in a form. Where do I work?", "now"),
        ("what is the order of the games I watched?", None),
        ("what do I need?", "now"),
        ("where was our flat?", None),
        ("what is her rent?", None),
        ("any tips for keeping my kitchen clean", None),
    ],
)
def test_a_question_asks_for_what_holds_now_or_held_before(question, tense):
    assert find_tense(question) == tense


@pytest.mark.parametrize(
    "question",
    [
        "how old is the cat",
        "the name of her one-year-old child",
        "who bought our old car?",
        "what did he find in old notebooks?",
        "when was the old area of John flooded?",
    ],
)
def test_old_is_not_what_held_before_unless_that_is_asked_for(question):
    assert find_tense(question) is None


@pytest.mark.parametrize(
    "question",
    [
        "how much more than my initial goal did I raise?",
        "do I run more often now than last year?",
        "what is the difference between the old and the new code?",
        "the order of the trips, from the earliest to the latest",
    ],
)
def test_a_comparison_asks_for_both(question):
    assert find_tense(question) is None


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("and in August?", True),
        ("what about the new one?", True),
        ("und im August?", True),
        ("and who feeds him then?", False),
        ("and how long is it from there?", False),
        ("in August?", False),
    ],
)
def test_a_follow_up_contrasts_unless_it_points_back(question, expected):
    assert contrasts(question) is expected


@pytest.mark.parametrize(
    ("question", "tense"),
    [
        ("Wie ist das aktuelle Passwort?", "now"),
        ("Wie war das frühere Passwort?", "before"),
        ("Quel est le mot de passe actuel ?", "now"),
        ("Quel était l'ancien mot de passe ?", "before"),
        ("¿Cuál es la contraseña actual?", "now"),
        ("¿Cuál era la contraseña anterior?", "before"),
        ("Qual é a senha agora?", "now"),
        ("Qual era a senha antiga?", "before"),
        ("Qual è la password adesso?", "now"),
        ("Qual era la password precedente?", "before"),
        ("Wat is het wachtwoord nu?", "now"),
        ("Wat was het vorige wachtwoord?", "before"),
        ("Wat deden we vorige week?", None),
        ("Vad är lösenordet nu?", "now"),
        ("Vad var det tidigare lösenordet?", "before"),
        ("Vad gjorde vi förra veckan?", None),
        ("Jakie jest teraz hasło?", "now"),
        ("Jakie było poprzednie hasło?", "before"),
        ("Şimdi şifre ne?", "now"),
        ("Eski şifre neydi?", "before"),
        ("Какой сейчас пароль?", "now"),
        ("Какой был прежний пароль?", "before"),
        ("现在的密码是什么？", "now"),
        ("原来的密码是什么？", "before"),
        ("今のパスワードは？", "now"),
        ("以前のパスワードは？", "before"),
        ("지금 비밀번호가 뭐야?", "now"),
        ("예전 비밀번호가 뭐였지?", "before"),
        ("What is the actual price of dawn?", None),
    ],
)
def test_now_and_before_are_words_of_every_language(question, tense):
    assert find_tense(question) == tense
