"""Telegram's HTML export."""

from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from memcli.domain import Clock, Kind, Role
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import telegram_html
from memcli.formats.sources import find_sources

HEAD = '<div class="page_wrap"><div class="page_header"><div class="text bold">Club</div></div>'
FROM = '<div class="from_name">Ann</div>'


def message(inner="", number=7, *, words="Hi", more="", zone=" UTC+02:00", sender=FROM):
    time = f'<div class="pull_right date details" title="01.06.2024 12:00:00{zone}">12:00</div>'
    said = f'<div class="text">\n{words}\n</div>' if words else ""
    head = f'<div class="message default clearfix{more}" id="message{number}">'
    return f'{head}<div class="body">{time}{sender}{inner}{said}</div></div>\n'


def document(*messages):
    raw = f"<!DOCTYPE html><html><body>{HEAD}{''.join(messages)}</div></body></html>".encode()
    return Document("messages.html", lambda: BytesIO(raw))


def turns(*messages, **options):
    parsed = telegram_html._parse(document(*messages), ParseOptions(**options))
    return [turn for part in parsed for turn in part.turns]


def test_a_page_is_recognised_by_a_message():
    assert recognise_format(document(message())) is telegram_html.FORMAT
    assert recognise_format(document("<div class='message'>Hi</div>")) is None


def test_a_message_becomes_a_turn_of_its_chat():
    [found] = telegram_html._parse(document(message()), ParseOptions(me="ann"))

    assert (found.key, found.title, found.endless) == ("club", "Club", True)
    [turn] = found.turns
    assert (turn.key, turn.role, turn.speaker, turn.text) == ("7", Role.USER, "Ann", "Hi")
    assert (turn.sent_at.isoformat(), turn.clock) == ("2024-06-01T12:00:00+02:00", Clock.EXACT)


def test_times_of_older_exports_are_wall_clocks():
    [turn] = turns(message(zone=""), timezone=ZoneInfo("Asia/Tokyo"))

    assert (turn.sent_at.isoformat(), turn.clock) == ("2024-06-01T12:00:00+09:00", Clock.LOCAL)


def test_a_message_that_follows_has_the_sender_of_the_one_before():
    found = turns(message(), message(number=8, more=" joined", sender=""))

    assert [turn.speaker for turn in found] == ["Ann", "Ann"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("a <strong>b</strong> <a href='x'>c</a>!", "a b c!"),
        ("a<br>b &amp; c", "a\nb & c"),
        ("<pre>x = 1\n  y</pre>", "x = 1\ny"),
        ("2 &lt; 3", "2 < 3"),
    ],
)
def test_texts_are_without_their_markup(words, text):
    assert [turn.text for turn in turns(message(words=words))] == [text]


FILE = (
    '<div class="media_wrap"><a class="media" href="files/a.pdf"><div class="body">'
    '<div class="title bold">a.pdf</div><div class="status details">1 KB</div></div></a></div>'
)
PHOTO = '<div class="media_wrap"><a class="photo_wrap" href="photos/p.jpg"><img src="x"></a></div>'
POLL = (
    '<div class="media_wrap"><div class="media_poll"><div class="question bold">Tea?</div>'
    '<div class="answer">- Yes <span class="details">2 votes</span></div></div></div>'
)
FORWARDED = (
    '<div class="forwarded body"><div class="from_name">Cem'
    '<span class="date details" title="01.01.2020 00:00:00 UTC"> then</span></div></div>'
)


@pytest.mark.parametrize(
    ("inner", "words", "kind", "text"),
    [
        (FILE, "", Kind.MEDIA, "a.pdf"),
        (FILE, "it", Kind.TEXT, "it\n[a.pdf]"),
        (PHOTO, "", Kind.MEDIA, "p.jpg"),
        (PHOTO, "cat", Kind.TEXT, "cat"),
        (POLL, "", Kind.MEDIA, "Tea?\n- Yes"),
        (FORWARDED, "Hi", Kind.TEXT, "[forwarded from Cem] Hi"),
    ],
)
def test_files_polls_and_forwards_have_a_text(inner, words, kind, text):
    [turn] = turns(message(inner, words=words))

    assert (turn.kind, turn.text, turn.speaker) == (kind, text, "Ann")
    assert turn.sent_at.year == 2024


def test_a_reply_names_the_message_it_answers():
    reply = '<div class="reply_to details">To <a href="#go_to_message5">this</a></div>'

    assert [(turn.parent, turn.text) for turn in turns(message(reply))] == [("5", "Hi")]


def test_notices_become_turns_and_days_are_left_out():
    notice = '<div class="message service" id="message{}"><div class="body details">{}</div></div>'

    found = turns(notice.format("-1", "1 June 2024"), message(), notice.format(8, "Ann left"))

    assert [(turn.kind, turn.text) for turn in found] == [
        (Kind.TEXT, "Hi"),
        (Kind.SERVICE, "Ann left"),
    ]
    assert found[1].clock is Clock.INHERITED


def test_both_pages_of_the_sample_are_found_and_counted(samples):
    """INDEX.tsv counts neither the file nor the poll, which have names."""
    pages = sorted(samples.glob("telegram_html/*/tests/fixtures/basic_export/chat_001/*.html"))
    found = [
        document for page in pages for place in find_sources(page) for document in place.documents()
    ]

    pieces = [piece for page in found for piece in telegram_html._parse(page, ParseOptions())]

    assert all(recognise_format(page) is telegram_html.FORMAT for page in found)
    assert {piece.key for piece in pieces} == {"family chat"}
    assert [[turn.text for turn in piece.turns if turn.kind.is_message] for piece in pieces] == [
        [
            "Hello family link (https://example.com)",
            "Second line",
            "[forwarded from Carol] secret",
            "report.pdf",
        ],
        ["Lunch?\n- Pizza\n- Sushi"],
    ]
