"""Tests of the details of a memory that its source does not support."""

from datetime import UTC, datetime

import pytest
from helpers.builders import turn
from hypothesis import example, given
from hypothesis import strategies as st

from memcli.domain import Fact, MemoryType
from memcli.memories.grounding import unsupported_details

FRIDAY = datetime(2024, 3, 1, 12, tzinfo=UTC)


def lacks(value, line, at=FRIDAY, speakers=()):
    return unsupported_details(
        Fact("key", MemoryType.LONG_TERM, value), turn(line, at=at), speakers
    )


@pytest.mark.parametrize(
    ("value", "line", "missing"),
    [
        ("The user lives in Lisbon", "me: I moved to Lisbon's old town", ()),
        ("The user lives in Porto with Ann", "me: I live in Lisbon", ("Porto", "Ann")),
        ("Lives in Porto", "me: I live in porto", ()),
        ("Uses an iPhone", "me: my phone broke", ("iPhone",)),
        ("NASA hired the user", "me: I got hired", ("NASA",)),
        ("Kaito recommended a place", "me: a place", ()),  # a sentence's first word: who knows
        ("Likes the Café Zürich", "me: cafe zurich is nice", ()),
        ("Said that I'm tired", "me: tired", ()),
    ],
)
def test_names_of_no_source_are_missing(value, line, missing):
    assert lacks(value, line) == missing


@pytest.mark.parametrize(
    ("value", "line", "missing"),
    [
        ("Has 2 cats", "me: two cats", ()),
        ("Has 3 cats", "me: two cats", ("3",)),
        ("Earns 1,000 a day", "me: I earn 1000 a day", ()),
        ("Earns 1.000,50", "me: I earn 1.000,50", ()),
        ("Paid 2000 for it", "me: it was 2,000", ()),
        ("Runs 3.50 km", "me: I run 3,5 km", ()),
        ("Rises at 07:30", "me: I rise at 7:30", ()),
        ("Code 3826", "me: the code is 3862", ("3826",)),
        ("有3只猫", "me: 我有三只猫", ()),
        ("has " + "9" * 5000, "me: " + "8" * 5000, ("9" * 5000,)),
    ],
)
def test_numbers_of_no_source_are_missing(value, line, missing):
    assert lacks(value, line) == missing


@pytest.mark.parametrize(
    ("value", "line", "missing"),
    [
        ("Flew on 29 February 2024", "me: we flew yesterday", ()),
        ("Flew on 28 February 2024", "me: we flew yesterday", ("28 February 2024",)),
        ("Flew in March 2024", "me: we flew this morning", ()),
        ("Flew in January 2024", "me: we flew two months ago", ()),
        ("Married in 2021", "me: we married three years ago", ()),
        ("Married in 2022", "me: we married three years ago", ("2022",)),
        ("Moves on 2024-05-03", "me: I move on May 3rd", ()),
        ("Moves on 2024-05-03", "me: I move on 2024-05-04", ("2024-05-03",)),
        ("Moves on 3 May", "me: I move on 3 May 2025", ()),
        ("Moves on 3 May 2025", "me: I move in May 2025", ("3 May 2025",)),
        ("Sees Ann on Monday", "me: I see Ann on Monday", ()),
        ("Sees Ann on Friday", "me: I see Ann today", ()),
        ("Saw Ann on 2024-02-27", "me: I saw Ann on Tuesday", ()),
        ("Saw Ann last May", "me: I saw Ann", ("May",)),
        ("2024年2月29日去了里斯本", "me: 昨天去了里斯本", ()),
        ("2024年2月28日去了里斯本", "me: 昨天去了里斯本", ("2024年2月28日",)),
        ("Met in 2024-13", "me: met", ("13",)),
    ],
)
def test_dates_may_follow_from_the_day_of_the_turn(value, line, missing):
    assert lacks(value, line) == missing


def test_without_a_time_relative_days_tell_nothing():
    assert lacks("Flew on 29 February 2024", "me: yesterday", at=None) == ("29 February 2024",)


def test_speakers_are_known_by_name_wherever_they_stand():
    assert lacks("Ann likes tea", "Bob: I like tea", speakers=("Ann", "Bob")) == ("Ann",)
    assert lacks("Bob likes tea", "Bob: I like tea", speakers=("Ann", "Bob")) == ()
    assert lacks("王伟喜欢茶", "李娜: 我喜欢茶", speakers=("王伟", "李娜")) == ("王伟",)


def test_in_scripts_without_capitals_latin_words_and_katakana_are_names():
    assert lacks("Googleで働いている", "me: 働いている") == ("Google",)
    assert lacks("リスボンに住んでいる", "me: リスボンに住んでいます") == ()
    assert lacks("リスボンに住んでいる", "me: ポルトに住んでいます") == ("リスボン",)


PIECES = st.sampled_from(
    "2024 May 3rd 1,000 07:30 Ann's Lisbon-based iPhone リスボン 三 年 月 12月 3日 yesterday"
    " 2024-13-99 Monday . , : ' \n 99.10 Straße İstanbul".split(" ")
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=3))).map(" ".join))
@example("07:30 May")
@example("May ¼")
@example("0001-01-01 99 years ago next year")
def test_whatever_a_turn_says_word_for_word_is_supported(text):
    assert lacks(text, f"me: {text}", at=datetime.min.replace(tzinfo=UTC)) == ()
    assert lacks(text, f"me: {text}", at=None) == ()
