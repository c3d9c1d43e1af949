import io
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from memcli.domain import Clock, Conversation, Doubt, Skipped
from memcli.formats.format import ParseOptions
from memcli.formats.messengers import whatsapp
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample

SHORT = datetime(2018, 6, 3, 13, 55, tzinfo=UTC)
LONG = datetime(2018, 6, 13, 21, 25, 15, tzinfo=UTC)


def parsed(*lines, **options):
    raw = "\n".join(lines).encode()
    chat = Document("Ann.txt", lambda: io.BytesIO(raw))
    return list(whatsapp.FORMAT.parse(chat, ParseOptions(**options)))


def turns(*lines, **options):
    return [
        turn
        for part in parsed(*lines, **options)
        if isinstance(part, Conversation)
        for turn in part.turns
    ]


def notes(*lines):
    return [part for part in parsed(*lines) if isinstance(part, Skipped | Doubt)]


def speakers_and_texts(*lines):
    return [(turn.speaker, turn.text) for turn in turns(*lines)]


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("3/6/18, 1:55\u202fPM - Ann: hi", SHORT),
        ("3/6/2018 1:55 p.\u00a0m. - Ann: hi", SHORT),
        ("03/06/2018, 13:55 - Ann: hi", SHORT),
        ("3.6.2018, 13:55 – Ann: hi", SHORT),
        ("03/06/18 à 13:55 - Ann: hi", SHORT),
        ("2018/06/03, 13:55 - Ann: hi", SHORT),
        ("2018-06-03, 13:55 - Ann: hi", SHORT),
        ("2018. 6. 3. 오후 1:55 - Ann: hi", SHORT),
        ("03/06/2018 01:55 下午 - Ann: hi", SHORT),
        ("[2018/06/03 오후 01:55] Ann: hi", SHORT),
        ("2018/6/3 午後1:55 - Ann: hi", SHORT),
        ("٣\u200f/٦\u200f/٢٠١٨، ١:٥٥ م - Ann: hi", SHORT),
        ("[13/06/18, 21:25:15] Ann: hi", LONG),
        ("\u200e[13/06/18, 9:25:15\u202fPM] Ann: hi", LONG),
        ("[13.06.18, 21:25:15] Ann: hi", LONG),
        ("[2018/06/13, 21:25:15] Ann: hi", LONG),
        ("[2018-06-13, 21:25:15] Ann: hi", LONG),
        ("[2018/6/13 21:25:15] Ann:hi", LONG),
        ("13.06.18 21.25.15: Ann: hi", LONG),
        ("13-06-18 21:25:15: Ann: hi", LONG),
        ("13.6.2018 klo 21.25.15 - Ann: hi", LONG),
        ("13. 6. 2018. 21:25:15 Ann: hi", LONG),
        ("06/13/18, 9:25:15 pm – Ann: hi", LONG),
    ],
)
def test_every_phone_s_header_is_understood(line, moment):
    assert whatsapp.FORMAT.recognises(Sample("Ann.txt", line.encode()))
    [turn] = turns(line)
    assert (turn.speaker, turn.text, turn.sent_at, turn.clock) == (
        *("Ann", "hi", moment),
        Clock.LOCAL,
    )


@pytest.mark.parametrize(
    ("clock", "hour"),
    [
        *[("12:05 AM", 0), ("12:05 PM", 12), ("1:05 am", 1), ("1:05 p.m.", 13), ("1:05 a. m.", 1)],
        *[("上午 12:05", 0), ("下午 12:05", 12), ("上午9:05", 9), ("下午9:05", 21)],
        *[("午前 11:05", 11), ("午後 11:05", 23), ("오전 12:05", 0), ("오후 12:05", 12)],
        *[("오후 3:05", 15), ("03:05 下午", 15), ("00:05 a. m.", 0), ("20:05 PM", 20)],
    ],
)
def test_before_and_after_noon_are_distinguished(clock, hour):
    [turn] = turns(f"2024/01/20 {clock} - Ann: hi")

    assert turn.sent_at == datetime(2024, 1, 20, hour, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["01/02/24", "13/02/24"], [(2, 1), (2, 13)]),  # 13 is no month
        (["01/02/24", "02/13/24"], [(1, 2), (2, 13)]),
        (["09/01/24", "10/01/24", "01/02/24"], [(1, 9), (1, 10), (2, 1)]),  # never backwards
        (["01/09/24", "01/10/24", "02/01/24"], [(1, 9), (1, 10), (2, 1)]),
        (["01/02/24", "02/02/24", "03/02/24"], [(2, 1), (2, 2), (2, 3)]),  # the day changes
        (["01/02/24", "01/03/24", "01/04/24"], [(1, 2), (1, 3), (1, 4)]),
    ],
)
def test_the_whole_file_distinguishes_days_from_months(dates, days):
    lines = [f"{date}, 10:00 - Ann: hi" for date in dates]

    assert [(turn.sent_at.month, turn.sent_at.day) for turn in turns(*lines)] == days
    assert notes(*lines) == []


def test_dates_that_can_be_read_both_ways_are_read_day_first_with_a_note():
    lines = ["1/3/24, 10:30 - Ann: hi", "1/3/24, 10:31 - Bob: hello"]

    assert [turn.sent_at.month for turn in turns(*lines)] == [3, 3]
    assert notes(*lines) == [
        Doubt("dates", "day and month cannot be told apart, read as day/month")
    ]


def test_dates_that_mean_the_same_both_ways_need_no_note():
    assert notes("4/4/24, 10:30 - Ann: hi", "4/4/24, 10:31 - Bob: hello") == []


def test_a_day_the_calendar_does_not_have_keeps_its_message():
    impossible = turns("13/06/18, 10:00 - Ann: hi", "33/06/18, 10:01 - Bob: oh")[1]

    assert (impossible.text, impossible.sent_at, impossible.clock) == (
        *("oh", datetime(2018, 6, 13, 10, tzinfo=UTC)),
        Clock.INHERITED,
    )


def test_a_header_written_in_another_way_was_pasted():
    pasted = "[1.2.2019, 00:00:00] John: It was pasted"

    assert speakers_and_texts(
        "13.06.18, 10:00 - Ann: look",
        pasted,
        pasted,
        "13.06.18, 10:01 - Bob: oh",
        "13.06.18, 10:02 - Ann: yes",
    ) == [("Ann", f"look\n{pasted}\n{pasted}"), ("Bob", "oh"), ("Ann", "yes")]


def test_exports_put_together_may_be_written_in_two_ways():
    old = [f"[13.06.18, 10:00:{second}] Ann: {second}" for second in range(10, 59)]
    new = [f"14/06/2018, 10:{minute} - Ann: {minute}" for minute in range(10, 32)]

    assert len(turns(*old, *new)) == len(old) + len(new)


def test_the_hour_that_comes_twice_keeps_its_order():
    night = [
        "28/10/2018, 01:59 - Ann: 1",
        "28/10/2018, 02:50 - Ann: 2",
        "28/10/2018, 02:10 - Ann: 3",
        "28/10/2018, 02:40 - Ann: 4",
        "28/10/2018, 03:00 - Ann: 5",
    ]

    found = turns(*night, timezone=ZoneInfo("Europe/Berlin"))

    assert [turn.text for turn in found] == ["1", "2", "3", "4", "5"]
    assert all(before.sent_at < after.sent_at for before, after in pairwise(found))
    assert [turn.sent_at.hour for turn in found] == [1, 2, 2, 2, 3]
