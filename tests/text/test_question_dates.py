from datetime import date

import pytest

from memcli.text.question_dates import (
    DateSpan,
    find_date_expressions,
    parse_question_dates,
)

TODAY = date(2024, 3, 15)  # a Friday


def named(question):
    return [
        (str(each.first), str(each.last))
        for each in parse_question_dates(question, TODAY, [2023, 2024])
    ]


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What did Evan do in May 2023?", "2023-05-01", "2023-05-31"),
        ("What happened on 5 July, 2023?", "2023-07-05", "2023-07-05"),
        ("before July 24th, 2023", "2023-07-24", "2023-07-24"),
        ("on 2023-07-24", "2023-07-24", "2023-07-24"),
        ("am 7.5.2023", "2023-05-07", "2023-05-07"),
        ("im Mai 2023", "2023-05-01", "2023-05-31"),
        ("letzten Mai", "2023-05-01", "2023-05-31"),
        ("last summer", "2023-06-01", "2023-08-31"),
        ("letzten Sommer", "2023-06-01", "2023-08-31"),
        ("winter of 2022", "2022-12-01", "2023-02-28"),
        ("last winter", "2023-12-01", "2024-02-29"),
        ("yesterday", "2024-03-14", "2024-03-14"),
        ("gestern", "2024-03-14", "2024-03-14"),
        ("last Friday", "2024-03-08", "2024-03-08"),
        ("two days ago", "2024-03-13", "2024-03-13"),
        ("vor zwei Wochen", "2024-02-27", "2024-03-04"),
        ("vor einem Tag", "2024-03-14", "2024-03-14"),
        ("vor dreißig Tagen", "2024-02-14", "2024-02-14"),
        ("last week", "2024-03-04", "2024-03-10"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("the past two weeks", "2024-03-02", "2024-03-15"),
        ("last Christmas", "2023-12-25", "2023-12-25"),
        ("2023年5月7日", "2023-05-07", "2023-05-07"),
        ("去年の6月", "2023-06-01", "2023-06-30"),
        ("去年5月3日", "2023-05-03", "2023-05-03"),
        ("去年夏天", "2023-06-01", "2023-08-31"),
        ("昨日", "2024-03-14", "2024-03-14"),
        ("三天前", "2024-03-12", "2024-03-12"),
        ("999 years ago", "1025-05-15", "1026-05-14"),
    ],
)
def test_a_question_names_a_span_of_days(question, first, last):
    assert named(question) == [(first, last)]


def test_a_date_without_a_year_may_be_in_any():
    assert named("in January") == [("2023-01-01", "2023-01-31"), ("2024-01-01", "2024-01-31")]


@pytest.mark.parametrize(
    "question",
    ["", "May I go?", "Will Ann march?", "did I fall?", "one day", "a day at the spa", "13月",
     "31 February 2023", "April 99", "2023-13-01", "9" * 500, "3" * 400 + " days ago", "\ud800"],
)  # fmt: skip
def test_a_question_without_a_day_names_none(question):
    assert [each for each in named(question) if each[0] > "2000"] in ([], named("April"))


def test_a_session_is_the_closer_the_fewer_days_are_between():
    span = DateSpan(date(2023, 5, 1), date(2023, 5, 31))

    inside, after, before, long_after = (
        span.closeness(day, day)
        for day in map(date.fromisoformat, ("2023-05-31", "2023-06-14", "2023-04-17", "2023-09-01"))
    )

    assert inside == 1
    assert after == before == pytest.approx(0.3679, abs=1e-4)
    assert long_after < 0.01


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Which two books did I finish three weeks ago?", {"three weeks ago"}),
        ("What did I bake in the past two weeks?", {"past two weeks"}),
        ("Was it May or last Friday that Ann came?", {"last friday"}),
        ("am 7.5.2023 und gestern", {"7.5.2023", "gestern"}),
        ("what Ann may know", set()),
    ],
)
def test_a_span_has_the_words_that_name_it(question, words):
    assert set(find_date_expressions(question, TODAY, [2023]).values()) == words
