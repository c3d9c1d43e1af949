import pytest

from memcli.text.function_words import ENGLISH, function_words, is_function_pair, is_german


@pytest.mark.parametrize(
    ("question", "silent", "said"),
    [
        ("wie viel hat die wohnung gekostet", {"wie", "hat", "die"}, {"wohnung", "gekostet"}),
        ("quel est le nom de notre chat", {"quel", "le", "de", "notre"}, {"nom", "chat"}),
        ("¿cuánto cuesta el piso de los abuelos", {"el", "de", "los"}, {"piso", "abuelos"}),
        ("onde é que nós ficamos no casamento", {"onde", "que", "no"}, {"casamento"}),
        ("quanto costa il nostro appartamento", {"il", "nostro"}, {"appartamento"}),
        ("wat kost het huis van mijn ouders", {"wat", "het", "van"}, {"huis", "ouders"}),
        ("vilken lägenhet hyr vi och vad kostar den", {"vi", "och", "den"}, {"lägenhet"}),
        ("jak się nazywa mój lekarz", {"jak", "się", "mój"}, {"lekarz"}),
        ("bizim için bir doktor var mı", {"bizim", "için", "bir"}, {"doktor"}),
        ("какой у нас врач", {"у", "нас", "какой"}, {"врач"}),
    ],
)
def test_a_question_loses_the_small_words_of_its_language(question, silent, said):
    words = function_words(question.split())

    assert silent <= words
    assert not said & words


def test_words_of_another_language_keep_their_meaning_in_english():
    words = function_words("when did the war end and who wore the hat".split())

    assert words == ENGLISH
    assert not words & {"war", "hat"}


def test_one_word_of_a_language_is_no_question_in_it():
    assert function_words(["das", "boot"]) == ENGLISH


def test_german_is_told():
    assert is_german("wann war die hochzeit".split())
    assert not is_german("when was the wedding".split())


@pytest.mark.parametrize(
    ("pair", "silent"),
    [
        ("我们", True),
        ("什么", True),
        ("です", True),
        ("猫的", False),
        ("婚礼", False),
        ("ねこ", False),
    ],
)
def test_pairs_of_letters(pair, silent):
    assert is_function_pair(pair) == silent
