from datetime import UTC, datetime

import pytest
from helpers.builders import turn

from memcli.text.written_dates import PartialDate, find_written_dates, mentioned_dates

FRIDAY = datetime(2024, 3, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 5 July, 2023", PartialDate(2023, 7, 5)),
        ("July 5th", PartialDate(None, 7, 5)),
        ("2023/07/05", PartialDate(2023, 7, 5)),
        ("am 3. Mai 2023", PartialDate(2023, 5, 3)),
        ("im MÄRZ 2023", PartialDate(2023, 3)),
        ("am 7.5.2023", PartialDate(2023, 5, 7)),
        ("am Mittwoch", PartialDate(weekday=2)),
        ("2023年5月7日", PartialDate(2023, 5, 7)),
    ],
)
def test_a_day_is_read_as_it_is_written(text, day):
    assert [found for _, _, found in find_written_dates(text)] == [day]


@pytest.mark.parametrize("text", ["", "I may march", "aprİl", "frİday", "32 May!", "13月"])
def test_no_day_is_read_where_none_is_written(text):
    assert [found for _, _, found in find_written_dates(text) if found.day or found.weekday] == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("two weeks ago", PartialDate(2024, 3, 1, 4)),
        ("vor zwei Wochen", PartialDate(2024, 3, 1, 4)),
        ("vor einem Monat", PartialDate(2024, 2)),
        ("letztes Jahr", PartialDate(2023)),
        ("next month", PartialDate(2024, 4)),
        ("vorgestern", PartialDate(2024, 3, 13, 2)),
        ("三天前", PartialDate(2024, 3, 12, 1)),
        ("上个月", PartialDate(2024, 2)),
    ],
)
def test_a_turn_refers_to_days_that_count_from_its_own(text, day):
    assert day in mentioned_dates(turn(f"me: {text}", at=FRIDAY))


def test_a_vague_number_of_days_names_no_day():
    assert mentioned_dates(turn("me: a few days ago", at=FRIDAY)) == {PartialDate(2024, 3, 15, 4)}
