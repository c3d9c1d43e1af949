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
