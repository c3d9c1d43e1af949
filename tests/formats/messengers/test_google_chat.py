"""Google Chat."""

import json
from io import BytesIO

import pytest

from memcli.domain import Clock, Kind, Role
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import google_chat
from memcli.formats.messengers.google_chat import parse_takeout_time
from memcli.formats.sources import find_sources

ANN = {"name": "Ann", "email": "ann@example.org", "user_type": "Human"}
AT = "Friday, May 29, 2026 at 3:00:29\u202fAM UTC"


def message(text="Hi", number="G/t/t", creator=ANN, **more):
    return {"message_id": number, "created_date": AT, "creator": creator, "text": text, **more}


def document(*messages, info=None):
    raw = json.dumps({"messages": list(messages)}).encode()
    side = Document("group_info.json", lambda: BytesIO(json.dumps(info).encode()))
    find = {"group_info.json": side}.get if info else lambda _path: None
    return Document("Groups/DM G/messages.json", lambda: BytesIO(raw), file_finder=find)


def read(*messages, info=None, **options):
    return list(google_chat._parse(document(*messages, info=info), ParseOptions(**options)))


def turns(*messages, **options):
    return [turn for part in read(*messages, **options) for turn in part.turns]


def test_a_group_is_recognised_by_a_message():
    assert recognise_format(document(message())) is google_chat.FORMAT
    assert recognise_format(document({"message_id": 1, "text": "Hi"})) is None


def test_a_group_is_titled_with_its_name_or_the_others_in_it():
    bob = {"name": "Bob", "email": "bob@example.org"}

    [direct] = read(message(), info={"members": [ANN, bob]}, me="bob@example.org")
    [space] = read(message(), info={"name": "Project", "members": [ANN, bob]})

    assert (direct.key, direct.title, direct.endless) == ("DM G", "Ann", True)
    assert space.title == "Project"


def test_a_message_becomes_a_turn():
    [turn] = turns(message(updated_date="Friday, May 29, 2026 at 3:05:00 AM UTC"), me="Ann")

    assert (turn.key, turn.role, turn.speaker, turn.text) == ("G/t/t", Role.USER, "Ann", "Hi")
    assert (turn.sent_at.isoformat(), turn.clock) == ("2026-05-29T03:00:29+00:00", Clock.EXACT)
    assert turn.edited_at.isoformat() == "2026-05-29T03:05:00+00:00"


def test_a_message_in_a_topic_answers_the_one_that_opened_it():
    assert [turn.parent for turn in turns(message(), message("Yes", "G/t/u"))] == [None, "G/t/t"]


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"text": None, "attached_files": [{"original_name": "a.jpg"}]}, Kind.MEDIA, "a.jpg"),
        ({"attached_files": [{"export_name": "File-a.pdf"}]}, Kind.TEXT, "Hi\n[File-a.pdf]"),
        ({"text": None, "message_state": "DELETED"}, Kind.DELETED, ""),
    ],
)
def test_files_are_named_and_deleted_messages_are_marked(fields, kind, text):
    assert [(turn.kind, turn.text) for turn in turns(message(**fields))] == [(kind, text)]


def test_a_bot_is_no_person():
    assert turns(message(creator={"name": "Bot", "user_type": "Bot"}))[0].role is Role.ASSISTANT


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Friday, May 29, 2026 at 3:00:29 AM UTC", "2026-05-29T03:00:29"),
        ("Monday, June 1, 2026 at 12:00:29 AM UTC", "2026-06-01T00:00:29"),
        ("Saturday, March 7, 2026 at 12:00:29 PM UTC", "2026-03-07T12:00:29"),
        ("2026年5月29日星期五 UTC 03:00:29", "2026-05-29T03:00:29"),
        ("2026年5月29日星期五 UTC 下午3:00:29", "2026-05-29T15:00:29"),
        ("Freitag, 29. Mai 2026 um 03:00:29 UTC", "2026-05-29T03:00:29"),
        ("mardi 10 août 2021 à 03:00:29 UTC", "2021-08-10T03:00:29"),
        ("martedì 10 agosto 2021 03:00:29 UTC", "2021-08-10T03:00:29"),
        ("viernes, 29 de mayo de 2026, 3:00:29 UTC", "2026-05-29T03:00:29"),
    ],
)
def test_times_are_read_in_the_language_of_the_account(written, expected):
    assert parse_takeout_time(written).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "written", ["not a time", "", None, "Friday at 3:00:29 AM", "May 99, 2026 3:00:00"]
)
def test_a_text_that_is_no_time_gives_none(written):
    assert parse_takeout_time(written) is None


def test_the_sample_is_found_and_counted(samples):
    """INDEX.tsv counts the message of a file alone as none."""
    [archive] = samples.glob("google_chat/*/takeout.zip")
    [place] = find_sources(archive)
    known = [found for found in place.documents() if recognise_format(found)]
    [conversation] = google_chat._parse(known[0], ParseOptions())

    assert len(known) == 1
    assert conversation.title == "Owner, Other User"
    assert [turn.text for turn in conversation.turns] == ["Hello", "photo.jpg"]
