"""Messenger and Instagram downloads."""

import json
import tomllib
from datetime import datetime
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Clock, Kind, Role, Skipped
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import messenger
from memcli.formats.messengers.messenger_html import parse_thread_time
from memcli.formats.sources import find_sources

NOON = 1_717_236_000_000


def message(content="Hi", time=NOON, sender="Ann", **more):
    return {"sender_name": sender, "timestamp_ms": time, "content": content, **more}


def thread(*messages, **head):
    return {
        "participants": [{"name": "Ann"}, {"name": "Bob"}],
        "messages": list(messages),
        "title": "Ann",
        "thread_path": "inbox/ann_X1",
        **head,
    }


def document(content, name="messages/inbox/ann_X1/message_1.json", beside=()):
    raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    others = {path: Document(path, BytesIO) for path in beside}
    return Document(name, lambda: BytesIO(raw), file_finder=others.get)


def read(content, reading=None, **keywords):
    return list(messenger._parse(document(content, **keywords), reading or ParseOptions()))


def turns(*messages, **options):
    return [
        turn for part in read(thread(*messages), ParseOptions(**options)) for turn in part.turns
    ]


def test_a_thread_is_recognised_by_a_message():
    assert recognise_format(document(thread(message()))) is messenger.FORMAT
    assert recognise_format(document({"participants": [], "messages": [{"text": "Hi"}]})) is None


def test_pieces_of_a_thread_have_its_key_and_are_in_order_of_time():
    [found] = read(thread(message("Two", NOON + 1), message("One")))
    [more] = read(thread(message("Zero", NOON - 1)), name="else/ann_X1/message_2.json")

    assert (found.source, found.key, found.title, found.endless) == (
        *("messenger", "ann_x1", "Ann", True),
    )
    assert [turn.text for turn in found.turns] == ["One", "Two"]
    assert more.key == found.key


def test_a_thread_that_was_archived_is_the_same_thread():
    [before] = read(thread(message()))
    [after] = read(thread(message(sender="Facebook user"), thread_path="archived_threads/ann_X1"))

    assert (before.key, before.turns[0].key) == (after.key, after.turns[0].key)


def test_the_folder_distinguishes_instagram_from_messenger():
    name = "your_instagram_activity/messages/inbox/ann_X1/message_1.json"

    assert [part.source for part in read(thread(message()), name=name)] == ["instagram"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("caf\u00c3\u00a9", "café"),
        ("\u00f0\u009f\u0098\u008a", "😊"),
        ("café", "café"),
        ("\u201cquoted\u201d caf\u00c3\u00a9", "\u201cquoted\u201d caf\u00c3\u00a9"),
        (7, "7"),
        (None, ""),
    ],
)
def test_broken_texts_are_repaired(written, expected):
    assert messenger.fix_mojibake(written) == expected


def test_the_person_is_known_by_name():
    assert [turn.role for turn in turns(message(), message("Yo", NOON + 1, "Bob"), me="bob")] == [
        Role.PERSON,
        Role.USER,
    ]


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"content": None, "photos": [{"uri": "a/b/1.jpg"}]}, Kind.MEDIA, "1.jpg"),
        ({"content": None, "sticker": {"uri": "s/1.png"}}, Kind.MEDIA, ""),
        ({"files": [{"uri": "files/a.pdf"}]}, Kind.TEXT, "Hi\n[a.pdf]"),
        ({"type": "Call", "content": None, "missed": True}, Kind.CALL, "missed call"),
        ({"type": "Subscribe", "content": "Bob joined"}, Kind.SERVICE, "Bob joined"),
        ({"content": "Liked a message"}, Kind.SERVICE, "Liked a message"),
        ({"content": "Ann named the group Club."}, Kind.SERVICE, "Ann named the group Club."),
        ({"is_unsent": True, "content": None}, Kind.DELETED, ""),
        ({"share": {"link": "https://a.b", "share_text": "x"}}, Kind.TEXT, "Hi\nx\nhttps://a.b"),
        (
            {"content": "Ann sent a link.", "share": {"link": "https://a.b"}},
            *(Kind.TEXT, "https://a.b"),
        ),
    ],
)
def test_only_speech_is_text(fields, kind, text):
    assert [(turn.kind, turn.text) for turn in turns(message(**fields))] == [(kind, text)]


def test_equal_messages_are_all_kept():
    assert len({turn.key for turn in turns(message(), message())}) == 2


def test_encrypted_chats_have_fields_of_their_own():
    content = {
        "participants": ["Ann", "Bob"],
        "threadName": "Ann",
        "messages": [{"senderName": "Ann", "timestamp": NOON, "text": "Hi", "isUnsent": False}],
    }

    [found] = read(content, name="messages/Ann_1.json")

    assert (found.key, found.title, found.turns[0].text) == ("ann_1", "Ann", "Hi")


PAGE = """<!DOCTYPE html><html><head><title>Ann</title><style>.a {}</style></head><body>
<div>Participants: Ann and Bob</div>
<div class="_a6-g"><div>Bob</div><div><div><div></div><div>Two<br>lines</div></div>
<ul><li>❤Ann</li></ul></div><div><a href="x"><div>Jun 1, 2024, 12:01 PM</div></a></div></div>
<div class="_a6-g"><div>Ann</div>
<div><img src="p/1.jpg"></div><div>Jun 1, 2024, 12:00 PM</div></div>
</body></html>"""


def test_a_page_is_read_by_the_order_of_its_lines():
    page = document(PAGE, "inbox/ann_X1/message_1.html")
    reading = ParseOptions(timezone=ZoneInfo("Europe/Berlin"), me="Bob")

    [found] = messenger._parse(page, reading)

    assert recognise_format(page) is messenger.FORMAT
    assert (found.key, found.title) == ("ann_x1", "Ann")
    assert [(turn.role, turn.kind, turn.text) for turn in found.turns] == [
        (Role.PERSON, Kind.MEDIA, "1.jpg"),
        (Role.USER, Kind.TEXT, "Two\nlines"),
    ]
    assert found.turns[0].sent_at.isoformat() == "2024-06-01T12:00:00+02:00"
    assert found.turns[0].clock is Clock.LOCAL


def test_a_page_beside_the_same_thread_as_json_is_left_out():
    name = "inbox/ann_X1/message_1.html"

    [skipped] = read(PAGE, name=name, beside=["message_1.json"])

    assert isinstance(skipped, Skipped)
    assert not skipped.lost


@pytest.mark.parametrize(
    "written",
    [
        "Oct 19, 2019, 2:37 PM",
        "Oct 19, 2019 at 2:37\u202fPM",
        "19 Oct 2019, 14:37",
        "October 19, 2019 2:37 pm",
    ],
)
def test_times_are_read_as_pages_write_them(written):
    assert parse_thread_time(written) == datetime(2019, 10, 19, 14, 37)


@pytest.mark.parametrize("written", ["Oct 32, 2019, 2:37 PM", "Oct 19, 2019, 14:37 PM", "Hi"])
def test_a_text_that_is_no_time_gives_none(written):
    assert parse_thread_time(written) is None


# Rows of INDEX.tsv that count otherwise: it takes a medium for no message, or counts calls.
COUNTED = {"group_2.json": 2, "sam_NONTXT/message_1.json": 3, "instagram_thread/message_1.json": 2}


@pytest.mark.parametrize(
    "row", sample_rows("messenger", "instagram"), ids=lambda row: row["path"][-50:]
)
def test_a_sample_is_found_and_counted(row):
    [place] = find_sources(SHARED / "samples" / row["path"])
    [found] = place.documents()
    known = recognise_format(found)
    if row["messages"] == "0":
        assert known is None
        return
    parsed = list(messenger._parse(found, ParseOptions()))
    spoken = [turn for part in parsed if not isinstance(part, Skipped) for turn in part.turns]
    counted = sum(turn.kind in (Kind.TEXT, Kind.MEDIA) for turn in spoken)
    expected = next((n for end, n in COUNTED.items() if row["path"].endswith(end)), None)
    assert known is messenger.FORMAT
    if "eve_MIX/message_1.html" in row["path"]:
        assert counted == 0
    else:
        assert counted == (expected or int(row["messages"] or counted))


NOTICES = tomllib.loads(
    files("memcli.formats.messengers").joinpath("messenger_notices.toml").read_bytes().decode()
)


def notices(key):
    return [
        pytest.param(phrase.replace("{emoji}", "🎉"), id=f"{language}-{number}")
        for language, table in NOTICES.items()
        for number, phrase in enumerate(table.get(key, ()))
    ]


@pytest.mark.parametrize("phrase", notices("liked") + notices("reacted"))
def test_likes_and_reactions_are_nobodys_words_in_every_language(phrase):
    [notice, words] = turns(message(phrase), message(f"{phrase} she said", NOON + 1))

    assert (notice.kind, notice.role, words.kind) == (Kind.SERVICE, Role.SYSTEM, Kind.TEXT)


@pytest.mark.parametrize("phrase", notices("sent"))
def test_the_sentence_about_a_link_is_nobodys_words_in_every_language(phrase):
    [turn] = turns(message(f"{phrase}.", share={"link": "https://example.org/a"}))

    assert (turn.kind, turn.text) == (Kind.TEXT, "https://example.org/a")


@pytest.mark.parametrize(
    ("content", "more", "kind", "text"),
    [
        ("Xyzzy 🎉 plugh ", {}, Kind.SERVICE, "Xyzzy 🎉 plugh "),
        ("see you 🎉 on Friday", {}, Kind.TEXT, "see you 🎉 on Friday"),
        ("Ann Lee xyzzy plugh.", {"sender": "Ann Lee"}, Kind.SERVICE, "Ann Lee xyzzy plugh."),
        ("Ann here.", {}, Kind.TEXT, "Ann here."),
        ("Ann xyzzy.", {"share": {"link": "https://a.b/c"}}, Kind.TEXT, "https://a.b/c"),
        ("Ann xyzzy.", {"share": {}}, Kind.MEDIA, ""),
        ("so good", {"share": {"link": "https://a.b/c"}}, Kind.TEXT, "so good\nhttps://a.b/c"),
        ("Ann at the lake.", {"photos": [{"uri": "x/a.jpg"}]}, Kind.TEXT, "Ann at the lake."),
    ],
)
def test_notices_are_known_by_their_form_and_words_are_kept(content, more, kind, text):
    [turn] = turns(message(content, **more))

    assert (turn.kind, turn.text) == (kind, text)


@pytest.mark.parametrize(
    "time",
    [
        "Oct 19, 2019, 2:37 PM",
        "19 oct 2019 14:37",
        "19 okt. 2019 14:37:05",
        "2019年10月19日 14:37",
        "19 Eki 2019 14:37",
        "19 Ekim 2019 14:37",
        "19 de out de 2019 14:37",
    ],
)
def test_pages_are_read_with_times_in_every_language(time):
    block = '<div class="_a6-g"><h2>Ann</h2><div>we sail at 18:30</div><div>{}</div></div>'
    page = f"<html><body>{block.format(time)}</body></html>"
    found = document(page, "messages/inbox/ann_X1/message_1.html")

    assert recognise_format(found) is messenger.FORMAT
    [[turn]] = [part.turns for part in messenger._parse(found, ParseOptions())]

    assert (turn.speaker, turn.text) == ("Ann", "we sail at 18:30")
    assert turn.sent_at.isoformat().startswith("2019-10-19T14:37")
