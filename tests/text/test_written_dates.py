from datetime import UTC, datetime

import pytest
from helpers.builders import turn

from memcli.text.written_dates import Day, spoken_of, written

FRIDAY = datetime(2024, 3, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on 5 July, 2023", Day(2023, 7, 5)),
        ("July 5th", Day(None, 7, 5)),
        ("2023/07/05", Day(2023, 7, 5)),
        ("am 3. Mai 2023", Day(2023, 5, 3)),
        ("im MÄRZ 2023", Day(2023, 3)),
        ("am 7.5.2023", Day(2023, 5, 7)),
        ("am Mittwoch", Day(weekday=2)),
        ("2023年5月7日", Day(2023, 5, 7)),
    ],
)
def test_a_day_is_read_as_it_is_written(text, day):
    assert [found for _, _, found in written(text)] == [day]


@pytest.mark.parametrize("text", ["", "I may march", "aprİl", "frİday", "32 May!", "13月"])
def test_no_day_is_read_where_none_is_written(text):
    assert [found for _, _, found in written(text) if found.day or found.weekday] == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("two weeks ago", Day(2024, 3, 1, 4)),
        ("vor zwei Wochen", Day(2024, 3, 1, 4)),
        ("vor einem Monat", Day(2024, 2)),
        ("letztes Jahr", Day(2023)),
        ("next month", Day(2024, 4)),
        ("vorgestern", Day(2024, 3, 13, 2)),
        ("三天前", Day(2024, 3, 12, 1)),
        ("上个月", Day(2024, 2)),
    ],
)
def test_a_turn_refers_to_days_that_count_from_its_own(text, day):
    assert day in spoken_of(turn(f"me: {text}", at=FRIDAY))


def test_a_vague_number_of_days_names_no_day():
    assert spoken_of(turn("me: a few days ago", at=FRIDAY)) == {Day(2024, 3, 15, 4)}
