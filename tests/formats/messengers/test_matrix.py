"""Rooms of Matrix, as Element exports them."""

import json
from io import BytesIO

import pytest

from memcli.domain import Kind, Role, Skipped
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import matrix


def event(body="Hi", number="$1", kind="m.room.message", **content):
    return {
        "type": kind,
        "sender": "@ann:example.org",
        "event_id": number,
        "room_id": "!r:example.org",
        "origin_server_ts": 1_717_236_000_000,
        "content": {"msgtype": "m.text", "body": body, **content},
    }


def document(*events, **head):
    content = {"room_name": "Club", "exported_by": "@ann:example.org", **head}
    raw = json.dumps({**content, "messages": list(events)}).encode()
    return Document("export.json", lambda: BytesIO(raw))


def read(*events, **options):
    return list(matrix._parse(document(*events), ParseOptions(**options)))


def turns(*events, **options):
    return [turn for part in read(*events, **options) for turn in part.turns]


def test_a_room_is_recognised_by_an_event():
    assert recognise_format(document(event())) is matrix.FORMAT
    assert recognise_format(document({"type": "m.room.message", "body": "Hi"})) is None


def test_an_event_becomes_a_turn_of_its_room():
    [found] = read(event(), me="@ann:example.org")

    assert (found.source, found.key, found.title) == ("matrix", "!r:example.org", "Club")
    [turn] = found.turns
    assert (turn.key, turn.role, turn.speaker) == ("$1", Role.USER, "@ann:example.org")
    assert turn.sent_at.isoformat() == "2024-06-01T10:00:00+00:00"


def test_a_reply_names_the_message_it_answers_and_does_not_repeat_it():
    relation = {"m.in_reply_to": {"event_id": "$1"}}

    [turn] = turns(event("> <@bob:x> Hi\n> there\n\nYo", **{"m.relates_to": relation}))

    assert (turn.text, turn.parent) == ("Yo", "$1")


def test_a_thread_is_a_conversation_of_its_own():
    relation = {"rel_type": "m.thread", "event_id": "$1"}

    [found] = read(event(number="$2", **{"m.relates_to": relation}))

    assert (found.key, found.turns[0].parent) == ("!r:example.org/$1", "$1")


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        (event("cat.jpg", msgtype="m.image"), Kind.MEDIA, "cat.jpg"),
        (event("my cat", msgtype="m.image", filename="c.jpg"), Kind.MEDIA, "my cat\n[c.jpg]"),
        (event(kind="m.room.name", name="New"), Kind.SERVICE, "New"),
        (event(kind="m.call.invite"), Kind.CALL, ""),
        ({**event(), "content": {}}, Kind.DELETED, ""),
    ],
)
def test_only_speech_is_text(row, kind, text):
    assert [(turn.kind, turn.text) for turn in turns(row)] == [(kind, text)]


def test_edits_are_dated_and_the_events_that_made_them_left_out():
    newest = {"m.relations": {"m.replace": {"origin_server_ts": 1_717_236_060_000}}}
    edit = event("* Ho", "$2", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}})

    [turn] = turns({**event("Ho"), "unsigned": newest}, edit)

    assert (turn.text, turn.edited_at.isoformat()) == ("Ho", "2024-06-01T10:01:00+00:00")


def test_a_message_that_could_not_be_decrypted_is_reported():
    assert read(event(kind="m.room.encrypted")) == [Skipped("message 1 of Club", "is encrypted")]
