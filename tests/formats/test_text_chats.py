"""Chats written as text: LINE, signal-export, imessage-exporter."""

from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Conversation, Doubt, Kind, Role, Skipped
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import imessage_text, line, signal
from memcli.formats.sources import find_sources

LINE = """[LINE] Chat history with Bob
Saved on: 2024/06/02 09:00

2024.06.01 Saturday
09:59\tBob\t"one ""two""
three"
10:00PM\tAnn\t[Photo]
10:01PM\t\tBob joined the group

2024/6/2週日
上午12:30\tAnn\tlate
"""
SIGNAL = """[2024-06-01, 10:00] Me: Hello
there (- Bob: 👍 -)
[2024-06-01, 10:01] Bob: ![cat.jpg](./media/cat.jpg)
"""
CHAT = "[LINE] Chat history with Bob\n\n{day}\n10:00 Bob Smith said hi\n"
IMESSAGE = """Jun 01, 2024  5:29:42 PM (Read by you after 1 hour)
Bob
Lunch?
Tapbacks:
Loved by Me

    Jun 01, 2024  5:31:00 PM
    Me
    Yes!

Jun 01, 2024  5:30:00 PM Bob named the conversation Food

Jun 01, 2024  5:31:00 PM
Me
Yes!
This message responded to an earlier message.

Jun 01, 2024 10:31:00 PM
Bob
Two

lines

Jun 01, 2024 10:32:00 PM
Me
/Users/me/Library/Messages/Attachments/ab/IMG 1.heic

Jun 01, 2024 10:33:00 PM
Me
You unsent this message part 5 seconds after sending!
"""


def document(text, name="chat.txt"):
    return Document(name, lambda: BytesIO(text.encode()))


def parse_one(parser, text, name="chat.txt", **reading):
    [found] = parser.FORMAT.parse(document(text, name), ParseOptions(**reading))
    return found


def turn_summaries(conversation):
    return [(turn.speaker, turn.kind.value, turn.text) for turn in conversation.turns]


@pytest.mark.parametrize(
    ("parser", "text"), [(line, LINE), (signal, SIGNAL), (imessage_text, IMESSAGE)]
)
def test_each_is_recognised_by_its_own_first_lines(parser, text):
    assert recognise_format(document(text)) is parser.FORMAT
    assert recognise_format(document(text.replace("\n", "\r\n"))) is parser.FORMAT
    assert recognise_format(document("# notes\n" + text)) is not parser.FORMAT


def test_a_line_chat_has_days_quoted_texts_and_notices():
    found = parse_one(line, LINE, timezone=ZoneInfo("Asia/Tokyo"), me="ann")

    assert (found.source, found.key, found.title, found.endless) == ("line", "bob", "Bob", True)
    assert turn_summaries(found) == [
        ("Bob", "text", 'one "two"\nthree'),
        ("Ann", "media", ""),
        (None, "service", "Bob joined the group"),
        ("Ann", "text", "late"),
    ]
    assert [turn.role for turn in found.turns[:2]] == [Role.PERSON, Role.USER]
    assert [turn.sent_at.isoformat() for turn in found.turns[1:]] == [
        "2024-06-01T22:00:00+09:00",
        "2024-06-01T22:01:00+09:00",
        "2024-06-02T00:30:00+09:00",
    ]
    assert found.turns[0].clock is Clock.LOCAL


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("[LINE] Chat history in Our Team", "Our Team"),
        ("[LINE] ボブとのトーク履歴", "ボブ"),
        ("[LINE] 與小明的聊天記錄", "小明"),
        ("[LINE] Bob.txt", "Bob"),
    ],
)
def test_a_line_chat_is_titled_in_any_language(head, title):
    assert parse_one(line, LINE.replace("[LINE] Chat history with Bob", head)).title == title


@pytest.mark.parametrize(
    ("day", "time"),
    [
        ("Tue, 1/2/2024", "2024-01-02"),
        ("2024/01/02(火)", "2024-01-02"),
        ("Sat, 13/1/2024", "2024-01-13"),
        ("Fri, 2/1/2024", "2024-02-01"),  # was a Thursday, and the other a Tuesday
        ("Tue, 2/1/2024", "2024-01-02"),
        ("Fri, 2/2/2024", "2024-02-02"),
    ],
)
def test_a_line_day_is_read_in_any_order(day, time):
    found, *doubts = line.FORMAT.parse(document(CHAT.format(day=day)), ParseOptions())

    assert found.turns[0].sent_at.date().isoformat() == time
    assert (found.turns[0].speaker, found.turns[0].text) == ("Bob", "Smith said hi")
    assert bool(doubts) == (day == "Fri, 2/1/2024")


SPACED = """[LINE] Chat history in Our Team

2024.06.01 Saturday
10:00 Bob Smith Jr is it open?
10:01 Ann Lee the gate is 8812
10:02 Bob Smith Jr thanks
10:03 Ann Lee no worries
10:04 Bob Smith Jr see you there
10:05 Ann Kim [Photo]
10:06 Ann Kim lovely, isn't it?
10:07 Bob Smith Jr yes it is
10:08 Cy ok then
10:09 Cy ok
10:10 Cy ok now
10:11 Cy ok fine
10:12 Bob Smith Jr unsent a message.
10:13 Ann Lee joined the group
10:13 Ann Lee ☎ Missed call
"""


def test_names_of_several_words_end_where_the_messages_of_a_line_chat_tell():
    found = parse_one(line, SPACED)

    assert turn_summaries(found) == [
        ("Bob Smith Jr", "text", "is it open?"),
        ("Ann Lee", "text", "the gate is 8812"),
        ("Bob Smith Jr", "text", "thanks"),
        ("Ann Lee", "text", "no worries"),
        ("Bob Smith Jr", "text", "see you there"),
        ("Ann Kim", "media", ""),
        ("Ann Kim", "text", "lovely, isn't it?"),
        ("Bob Smith Jr", "text", "yes it is"),
        ("Cy", "text", "ok then"),
        ("Cy", "text", "ok"),
        ("Cy", "text", "ok now"),
        ("Cy", "text", "ok fine"),
        ("Bob Smith Jr", "deleted", "unsent a message."),
        (None, "service", "Ann Lee joined the group"),
        ("Ann Lee", "call", "☎ Missed call"),
    ]


def test_messages_of_the_person_in_the_title_may_all_begin_alike():
    rows = "".join(
        f"10:0{at} Ann no, {word}\n" for at, word in enumerate(("a", "b", "c", "d", "e"))
    )

    found = parse_one(line, f"[LINE] Chat history with Ann\n\n2024.06.01 Saturday\n{rows}")

    assert {turn.speaker for turn in found.turns} == {"Ann"}


def test_the_owners_own_name_of_several_words_begins_the_owners_messages():
    day = "[LINE] Chat history with Bob\n\n2024.06.01 Saturday\n10:00 Ann Lee the gate\n"

    [turn] = parse_one(line, day, me="Ann Lee").turns

    assert (turn.role, turn.speaker, turn.text) == (Role.USER, "Ann Lee", "the gate")


@pytest.mark.parametrize("weekday", ["Fri", "mar"])
def test_a_line_day_that_its_weekday_does_not_decide_is_a_doubt(weekday):
    found = line.FORMAT.parse(document(CHAT.format(day=f"{weekday}, 2/1/2024")), ParseOptions())

    assert list(found)[1:] == [
        Doubt("dates", "day and month cannot be told apart, read as month/day")
    ]


def test_a_signal_chat_is_named_after_its_folder():
    found = parse_one(signal, SIGNAL, "export/Bob/chat.md")

    assert (found.source, found.key, found.title, found.endless) == ("signal", "bob", "Bob", True)
    assert turn_summaries(found) == [("Me", "text", "Hello\nthere"), ("Bob", "media", "cat.jpg")]
    assert found.turns[0].role is Role.USER


def test_signal_with_seconds_is_told_from_whatsapp_by_the_kind_of_file():
    text = SIGNAL.replace("]", ":30]")

    assert recognise_format(document(text, "chat.md")) is signal.FORMAT
    assert recognise_format(document(text, "_chat.txt")) is not signal.FORMAT


def test_an_imessage_reply_counts_once_and_names_what_it_answers():
    found = parse_one(imessage_text, IMESSAGE, "Bob.txt")

    assert (found.key, found.title, found.endless) == ("bob", "Bob", True)
    assert turn_summaries(found) == [
        ("Bob", "text", "Lunch?"),
        (None, "service", "Bob named the conversation Food"),
        ("Me", "text", "Yes!"),
        ("Bob", "text", "Two\n\nlines"),
        ("Me", "media", "IMG 1.heic"),
        ("Me", "deleted", ""),
    ]
    assert found.turns[2].parent == found.turns[0].key
    assert found.turns[0].sent_at.isoformat() == "2024-06-01T17:29:42+00:00"


def test_an_imessage_reply_whose_own_place_is_missing_is_kept():
    found = parse_one(imessage_text, IMESSAGE.partition("Jun 01, 2024  5:30")[0], "Bob.txt")

    assert [turn.text for turn in found.turns] == ["Lunch?", "Yes!"]
    assert found.turns[1].parent == found.turns[0].key


@pytest.mark.parametrize(
    ("parser", "text"), [(line, LINE), (signal, SIGNAL), (imessage_text, IMESSAGE)]
)
def test_equal_messages_are_all_kept_and_a_line_without_end_costs_only_itself(parser, text):
    found = list(
        parser.FORMAT.parse(document(text + "x" * 3_000_000 + "\n" + text), ParseOptions())
    )

    [skipped] = [part for part in found if isinstance(part, Skipped)]
    [chat] = [part for part in found if isinstance(part, Conversation)]
    assert "characters" in skipped.why
    assert len({turn.key for turn in chat.turns}) == len(chat.turns)
    assert len(chat.turns) == 2 * len(parse_one(parser, text).turns)


# INDEX.tsv does not count messages that are files.
@pytest.mark.parametrize("row", sample_rows("line", "signal"), ids=lambda row: row["path"][-30:])
def test_a_sample_is_found_and_counted(row):
    [place] = find_sources(SHARED / "samples" / row["path"])
    [found] = place.documents()
    known = recognise_format(found)
    [conversation] = known.parse(found, ParseOptions())
    said = [turn for turn in conversation.turns if turn.kind in (Kind.TEXT, Kind.MEDIA)]

    assert known.name == row["format"]
    assert len(said) == int(row["messages"])


def test_the_current_form_of_signal_export_has_no_comma_and_names_deletions():
    text = (
        "[2026-02-03 08:09:10] Me: the oars are in the shed  \n\n"
        "[2026-02-03 08:10:00] Bob: > the oars are in the shed\n\nfine  \n(- Me: x -)  \n\n"
        "[2026-02-03 08:11:00] Bob: ![a.jpg](./media/a.jpg)  \n\n"
        "[2026-02-03 08:12:00] Bob: (This message was deleted)\n"
    )

    assert recognise_format(document(text, "Bob/chat.md")) is signal.FORMAT
    found = parse_one(signal, text, "Bob/chat.md")

    assert turn_summaries(found) == [
        ("Me", "text", "the oars are in the shed"),
        ("Bob", "text", "> the oars are in the shed\n\nfine"),
        ("Bob", "media", "a.jpg"),
        ("Bob", "deleted", ""),
    ]
    assert found.turns[0].sent_at.isoformat() == "2026-02-03T08:09:10+00:00"


@pytest.mark.parametrize("word", ["Photo", "写真", "照片", "사진", "รูป", "Foto", "음성메시지"])
def test_line_names_what_it_left_out_in_the_language_of_the_phone(word):
    text = "[LINE] Bob\n2024/01/02(火)\n03:04\tBob\t[{}]\n03:05\tBob\tthe [{}] is here\n"
    found = parse_one(line, text.format(word, word))

    assert [turn.kind.value for turn in found.turns] == ["media", "text"]
