"""The phrases around prompts in My Activity."""

import pytest

from memcli.formats.assistants.gemini_phrases import PromptPhrases


def prompts(*rows):
    """Return the prompt of each row; a row is a title, with "=" before it if it has an answer."""
    pairs = [(title.removeprefix("="), title.startswith("=")) for title in rows]
    phrases = PromptPhrases(pairs)
    return [phrases.prompt(title, answered=answered) for title, answered in pairs]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["=Prompted How many?", "Prompted How long?"], ["How many?", "How long?"]),
        (["=Pregunta: ¿Cómo?", "Pregunta: ¿Cuándo?"], ["¿Cómo?", "¿Cuándo?"]),
        (["=Demande\u00a0: Quoi ?", "Demande\u202f: Où ?"], ["Quoi ?", "Où ?"]),
        (["=提示：怎么", "提示：多少"], ["怎么", "多少"]),
        (
            ["=Vraag Hoe laat?", "=Vraag Waar?", "Vraag Wie?", "Beoordeling gegeven"],
            ["Hoe laat?", "Waar?", "Wie?", None],
        ),
        (
            ["=Запрос: Где?", "Запрос: Кто?", "=Prompted Who?", "Prompted Why?"],
            ["Где?", "Кто?", "Who?", "Why?"],
        ),
        (["=Запрос: список: молоко", "Запрос: список: хлеб"], ["список: молоко", "список: хлеб"]),
        (["=What is this: a knot?"], ["What is this: a knot?"]),
        (["=Oars", "=Sails", "Masts"], ["Oars", "Sails", None]),
        (["Запрос: Где?", "Запрос: Кто?", "Отзыв"], ["Где?", "Кто?", None]),
        (["=Gave feedback: Good response", "=Prompted x"], [None, "x"]),
        (["=Prompted"], [""]),
    ],
)
def test_a_phrase_is_what_titles_have_in_common(rows, expected):
    assert prompts(*rows) == expected
