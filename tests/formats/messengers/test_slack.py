"""Slack exports."""

import json
import zipfile
from io import BytesIO

import pytest

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import slack
from memcli.formats.sources import find_sources

TS = "1700000000.000100"
LATER = "1700000060.000200"
USERS = [
    {"id": "U1", "name": "ann", "profile": {"display_name": "Ann", "email": "ann@example.org"}},
    {"id": "U2", "name": "bob", "real_name": "Bob B.", "profile": {"display_name": ""}},
]


def message(text="Hi", ts=TS, user="U1", **more):
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


def document(rows, files=None, name="export/general/2023-11-14.json"):
    raw = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    beside = {
        f"../{path}": Document(path, lambda content=content: BytesIO(json.dumps(content).encode()))
        for path, content in (files or {"users.json": USERS}).items()
    }
    return Document(name, lambda: BytesIO(raw), file_finder=beside.get)


def read(*rows, files=None, **options):
    return list(slack._parse(document(list(rows), files), ParseOptions(**options)))


def turns(*rows, **keywords):
    return [turn for part in read(*rows, **keywords) for turn in part.turns]


def test_a_day_is_recognised_by_a_message_with_slack_s_kind_of_time():
    assert recognise_format(document([message()])) is slack.FORMAT
    assert recognise_format(document([message(ts="1700000000")])) is not slack.FORMAT
    assert recognise_format(document(USERS)) is None


def test_a_message_becomes_a_turn_of_its_channel():
    [found] = read(
        message(), files={"users.json": USERS, "channels.json": [{"id": "C1", "name": "general"}]}
    )

    assert (found.source, found.key, found.title, found.endless) == ("slack", "C1", "general", True)
    [turn] = found.turns
    assert (turn.key, turn.role, turn.text, turn.speaker) == (TS, Role.PERSON, "Hi", "Ann")
    assert turn.sent_at.isoformat() == "2023-11-14T22:13:20.000100+00:00"


def test_without_the_lists_beside_it_folder_and_id_serve_as_names():
    [found] = read(message(), files={"none.json": []})

    assert (found.key, found.title, found.turns[0].speaker) == ("general", "general", "U1")


def test_a_chat_of_two_is_titled_with_their_names():
    name = "export/D7/2023-11-14.json"
    dms = {"users.json": USERS, "dms.json": [{"id": "D7", "members": ["U1", "U2"]}]}

    [found] = slack._parse(document([message()], dms, name), ParseOptions())

    assert (found.key, found.title) == ("D7", "Ann, Bob B.")


@pytest.mark.parametrize("me", ["Ann", "ann@example.org", "u1"])
def test_the_person_is_known_by_name_address_or_id(me):
    assert [turn.role for turn in turns(message(), message(ts=LATER, user="U2"), me=me)] == [
        Role.USER,
        Role.PERSON,
    ]


def test_a_thread_is_a_conversation_of_its_own_with_its_root():
    root = message("Lunch?", thread_ts=TS, reply_count=1)
    reply = message("Yes", LATER, "U2", thread_ts=TS, parent_user_id="U1")

    [thread, channel] = read(root, reply, message("Else", "1700000090.000300"))

    assert (thread.key, thread.title) == (f"general/{TS}", "general, thread of 2023-11-14")
    assert [(turn.text, turn.parent) for turn in thread.turns] == [("Lunch?", None), ("Yes", TS)]
    assert [turn.text for turn in channel.turns] == ["Else"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<@U2>: hi <@U9|cem>", "@Bob B.: hi @cem"),
        ("see <#C1|dev> <!here>", "see #dev @here"),
        ("<!subteam^S1|@team> <!date^1^{date}|soon>", "@team soon"),
        (
            "<https://a.b/?x=1&amp;y=2|page> <https://a.b>",
            "page (https://a.b/?x=1&y=2) https://a.b",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ],
)
def test_markup_is_put_into_words(written, text):
    assert [turn.text for turn in turns(message(written))] == [text]


def test_a_bot_s_attachments_are_its_text():
    attachment = {"pretext": "1 commit:", "text": "<https://x|ed1>: fix", "fallback": "no"}
    row = {"subtype": "bot_message", "bot_id": "B1", "username": "github", "text": ""}

    [turn] = turns({**message(), **row, "user": None, "attachments": [attachment]})

    assert (turn.role, turn.speaker) == (Role.ASSISTANT, "github")
    assert turn.text == "1 commit:\ned1 (https://x): fix"


def test_the_preview_of_a_linked_page_is_left_out():
    preview = {"from_url": "https://a.b", "title": "A page"}
    quote = {"from_url": "https://s", "is_msg_unfurl": True, "text": "as Bob said"}

    assert [turn.text for turn in turns(message("look", attachments=[preview, quote]))] == [
        "look\nas Bob said"
    ]


def test_a_message_of_blocks_alone_has_their_text():
    section = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "Hi "}, {"type": "user", "user_id": "U2"}],
    }

    [turn] = turns(message("", blocks=[{"type": "rich_text", "elements": [section]}]))

    assert turn.text == "Hi @Bob B."


def test_files_are_named_and_pasted_ones_are_read():
    photo = {"id": "F1", "name": "cat.png"}
    pasted = {"mode": "snippet", "title": "run.sh", "preview": "set -e"}

    found = turns(message("", files=[photo]), message("it", LATER, files=[pasted]))

    assert [(turn.kind, turn.text) for turn in found] == [
        (Kind.MEDIA, "cat.png"),
        (Kind.TEXT, "it\nset -e\n[run.sh]"),
    ]


@pytest.mark.parametrize(
    ("subtype", "kind"),
    [
        ("channel_join", Kind.SERVICE),
        ("pinned_item", Kind.SERVICE),
        ("huddle_thread", Kind.CALL),
        ("tombstone", Kind.DELETED),
        ("me_message", Kind.TEXT),
        ("thread_broadcast", Kind.TEXT),
    ],
)
def test_events_are_not_speech(subtype, kind):
    assert [turn.kind for turn in turns(message(subtype=subtype))] == [kind]


def test_an_edited_message_says_when():
    [turn] = turns(message(edited={"user": "U1", "ts": LATER}))

    assert turn.edited_at.isoformat() == "2023-11-14T22:14:20.000200+00:00"


def test_a_broken_message_is_reported_and_the_next_one_read():
    raw = json.dumps([message(), message("BROKEN", LATER)]).replace('"BROKEN"', "BROKEN")

    parsed = list(slack._parse(document(raw.encode()), ParseOptions()))

    assert [part.where for part in parsed if isinstance(part, Skipped)] == ["message 2 of general"]
    assert [len(part.turns) for part in parsed if isinstance(part, Conversation)] == [1]


def test_empty_and_senseless_blocks_take_no_time():
    blocks = {"type": "x"}
    for _ in range(60):
        blocks = {"type": "x", "elements": [blocks], "fields": [None, [], {}]}

    assert turns(message("Hi", blocks=blocks))[0].text == "Hi"


def test_the_sample_has_every_message_in_folder_and_zip_alike(samples, tmp_path):
    [archive] = samples.glob("slack/*/tests/testarchive.zip")
    zipfile.ZipFile(archive).extractall(tmp_path)

    zipped, unzipped = (list(conversations(path)) for path in (archive, tmp_path))

    spoken = [turn for each in zipped for turn in each.turns if turn.kind.is_message]
    assert (len({each.key for each in zipped}), len(spoken)) == (2, 147)
    assert all(turn.text for turn in spoken)
    assert sorted(zipped, key=str) == sorted(unzipped, key=str)


def conversations(path):
    for place in find_sources(path):
        for found in place.documents():
            if recognise_format(found) is slack.FORMAT:
                yield from slack._parse(found, ParseOptions())
