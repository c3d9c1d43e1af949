"""The readers of CSV tables, of written times and of small HTML trees."""

import pytest
from helpers.parsing import document

from memcli.formats.parsing.csv_rows import LONGEST_RECORD, read_csv, read_records
from memcli.formats.parsing.html_elements import read_html_elements
from memcli.formats.parsing.json_stream import BrokenValue, scan_json
from memcli.formats.parsing.written_times import DateReader, parse_written_time


def records(text):
    return [record for _, record in read_records(document(text))]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n"x, ""y""",z\n', [["a", "b"], ['x, "y"', "z"]]),
        ('a;b\r\n"one\r\ntwo";z\r\n', [["a", "b"], ["one\ntwo", "z"]]),
        ('a,b\nx, "y, z"\n', [["a", "b"], ["x", "y, z"]]),
        ('a,b\n5" pipe,"x"y\n', [["a", "b"], ['5" pipe', "xy"]]),
        ("sep=;\na;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
        ("a,b\n\n , \nx,y", [["a", "b"], ["x", "y"]]),
    ],
)
def test_records_are_read_as_spreadsheets_write_them(text, rows):
    assert records(text) == rows


def test_columns_are_plain_and_rows_of_any_length_fit():
    rows = list(read_csv(document("\ufeff A  b ,C\n1\n1,2,3\n")))

    assert [(number, dict(row)) for number, row in rows] == [
        (2, {"a b": "1", "c": ""}),
        (3, {"a b": "1", "c": "2,3"}),
    ]
    assert rows[0][1]["no column"] == ""


def test_a_table_that_is_cut_keeps_the_beginning_of_its_last_field():
    assert records('a,b\nx,"one\ntwo') == [["a", "b"], ["x", "one\ntwo"]]


def test_many_quotes_without_an_end_take_bounded_time():
    line = "x," + "y" * 60 + "\n"
    text = "a,b\n" + ('q,"z\n' + line * (LONGEST_RECORD // 30)) * 2

    found = records(text)

    assert sum(isinstance(record, BrokenValue) for record in found) == 2
    assert len(found) == 3 + 2 * (LONGEST_RECORD // 30)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-10-23T11:44:00.0000000+02:00", "2025-10-23T11:44:00+02:00"),
        ("2025-10-23 11:45:00 UTC", "2025-10-23T11:45:00+00:00"),
        ("2025. 10. 23. 오전 12:44", "2025-10-23T00:44:00"),
        ("2025년 10월 10일 오후 3:06", "2025-10-10T15:06:00"),
        ("23/10/2025 11:44", "2025-10-23T11:44:00"),
        ("10/23/25, 2:05\u202fPM", "2025-10-23T14:05:00"),
        ("23-Oct-25 11:44 AM", "2025-10-23T11:44:00"),
        ("Thursday, 23 October 2025 11:44", "2025-10-23T11:44:00"),
        ("Oct 23, 2025 11:44:05 AM (Read by them)", "2025-10-23T11:44:05"),
        ("October 10, 2025 at 10:09 AM", "2025-10-10T10:09:00"),
        ("23 de octubre de 2025 11:44", "2025-10-23T11:44:00"),
        ("20.04.2019, 10:24", "2019-04-20T10:24:00"),
        ("1761219840", "2025-10-23T11:44:00+00:00"),
        ("1761219840000", "2025-10-23T11:44:00+00:00"),
        ("1761219840000000", "2025-10-23T11:44:00+00:00"),
        ("2025-10-23", "2025-10-23T00:00:00"),
    ],
)
def test_times_of_many_programs_are_read(text, time):
    assert parse_written_time(text).isoformat() == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "10:44",
        "23",
        "2025-13-40 10:00",
        "2025-10-23 11:44 +40:00",
        "2025-10-23 11:44 -24:00",
        "2025-10-23 11:44 hello",
        "1970-01-01",
        "9" * 400,
    ],
)
def test_other_texts_are_no_times(text):
    assert parse_written_time(text) is None


def test_the_order_of_day_and_month_is_that_of_the_file():
    american = DateReader(["3/4/2025 1:00 PM", "3/14/2025 1:00 PM"])
    half_days = DateReader(["3/4/2025 1:00 PM"])
    dotted = DateReader(["3.4.2025 13:00"])

    assert american.parse("3/4/2025 1:00 PM").isoformat() == "2025-03-04T13:00:00"
    assert (american.is_ambiguous, half_days.is_ambiguous, dotted.is_ambiguous) == (
        False,
        True,
        False,
    )
    assert dotted.parse("3.4.2025 13:00").isoformat() == "2025-04-03T13:00:00"


def test_dates_of_a_file_may_be_in_any_language():
    dates = DateReader(())

    assert dates.parse("jeudi 23 octobre 2025 11:44").isoformat() == "2025-10-23T11:44:00"
    assert dates.parse("4 Mart 2021 10:15").isoformat() == "2021-03-04T10:15:00"
    assert [dates.parse(f"the year 2021 had {at} words 10:15") for at in range(30)] == [None] * 30


def trees(html, **options):
    return list(read_html_elements(document(html), lambda tag: "m" in tag.classes, **options))


def test_trees_end_with_their_element_or_with_the_next_root():
    first, second = trees('<p class=m>one<br>two</p><p class=m>a<b>b<p class="m x">three')[::2]

    assert first.text() == "one\ntwo"
    assert second.text() == "three"


def test_roots_may_nest_where_they_are_said_to():
    [tree] = trees("<div class=m>a<i class=r><p class=m>b</p></i>c</div>", nested_in="r")

    assert tree.text("r") == "ac"
    assert tree.find("m").text() == "b"


def test_a_huge_tree_is_cut_and_says_so():
    [deep] = trees("<div class=m>" + "<div>" * 500 + "x")
    [wide] = trees("<div class=m>" + "<b>x</b>" * 30_000)
    [long] = trees("<div class=m>" + "x" * (2 << 20))

    assert (deep.is_cut, wide.is_cut, long.is_cut) == (True, True, True)


def test_a_star_in_a_wanted_path_stands_for_any_key():
    content = {"a": {"x": [1, {"k": 2}]}, "b": {"y": [3]}, "c": [{"z": [4]}], "*": 5}

    found = [(path, value) for path, value in scan_json(document(content), [("*", "*", "[]")])]

    assert [item for item in found if len(item[0]) == 3 and item[0][2] == "[]"] == [
        (("a", "x", "[]"), 1),
        (("a", "x", "[]"), {"k": 2}),
        (("b", "y", "[]"), 3),
    ]
