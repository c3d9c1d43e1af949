"""What sessions are worth to a chat model that answers from them."""

from math import log2

import pytest

from memcli.evaluation.answer_quality import (
    exact_match,
    normalize_answer,
    reward,
    task_outcome,
    token_f1,
)


@pytest.mark.parametrize(
    ("answer", "known", "exact", "f1"),
    [
        ("Lisbon", "Lisbon", 1, 1),
        ("the  Lisbon.", "lisbon", 1, 1),
        ("In Lisbon, in May", "Lisbon", 0, 2 / 5),
        ("7 May 2023", "May 7, 2023", 0, 1),
        ("no no no", "no", 0, 1 / 2),
        ("Porto", "Lisbon", 0, 0),
        ("", "Lisbon", 0, 0),
        ("The", "a", 1, 1),
        ("theatre", "atre", 0, 0),
        ("猫", "猫", 1, 1),
    ],
)
def test_answers_are_compared_as_squad_does(answer, known, exact, f1):
    assert (exact_match(answer, known), token_f1(answer, known)) == (exact, pytest.approx(f1))


def test_articles_go_only_where_they_are_words():
    assert normalize_answer("An ant, a The-rapist!") == "ant therapist"


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({0: 0, 1: 1, 2: 1, 3: 1, 5: 1, 8: 1}, 1),  # the first session settles it
        ({0: 1, 1: 1, 2: 1, 3: 1, 5: 1, 8: 1}, 0),  # it was known before
        ({0: 1, 1: 0, 2: 0}, -1),  # the sessions mislead
        ({0: 0, 1: 0, 2: 1}, 1 / log2(3)),
        ({0: 0.25, 1: 0.5, 2: 1}, (1 - 1 / log2(3)) / 2 + 1 / log2(3) - 0.25),
        ({0: 0.3}, 0),
    ],
)
def test_the_reward_is_what_sessions_add_the_more_the_earlier(scores, expected):
    assert reward(scores) == pytest.approx(expected)


def test_a_model_is_asked_with_more_and_more_of_the_ranking():
    asked = []

    def answer(question, sessions):
        asked.append((question, list(sessions)))
        return "Lisbon" if "two" in sessions else "no idea"

    found = task_outcome("Where?", "Lisbon", ["one", "two", "three", "four"], answer)

    assert asked == [
        ("Where?", []),
        ("Where?", ["one"]),
        ("Where?", ["one", "two"]),
        ("Where?", ["one", "two", "three"]),
    ]
    assert found == pytest.approx(
        {
            "reward": 1 / log2(3),
            "f1@0": 0,
            "f1@1": 0,
            "f1@2": 1,
            "f1@3": 1,
            "exact_match@0": 0,
            "exact_match@1": 0,
            "exact_match@2": 1,
            "exact_match@3": 1,
            "utility@1": 0,
            "utility@2": 1,
            "utility@3": 0,
        }
    )


def test_without_a_session_there_is_nothing_to_gain():
    assert task_outcome("Where?", "Lisbon", [], lambda _question, _sessions: "Lisbon") == {
        "reward": 0, "f1@0": 1, "exact_match@0": 1,
    }  # fmt: skip
