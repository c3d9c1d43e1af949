"""Discord: what DiscordChatExporter writes, and Discord's own package."""

import json
from io import BytesIO

import pytest
from helpers.shared import SHARED, sample_rows

from memcli.domain import Kind, Role, Skipped
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.messengers import discord, discord_package
from memcli.formats.sources import find_sources

ANN = {"id": "11", "name": "ann", "nickname": "Ann", "isBot": False}


def message(content="Hi", number="100", author=ANN, **more):
    return {
        "id": number,
        "type": "Default",
        "timestamp": "2024-06-01T12:00:00+02:00",
        "timestampEdited": None,
        "content": content,
        "author": author,
        **more,
    }


def export(*messages, **head):
    return {
        "guild": {"id": "5", "name": "Club"},
        "channel": {"id": "7", "type": "GuildTextChat", "name": "general"},
        "messages": list(messages),
        **head,
    }


def document(content, name="x.json", beside=None):
    raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    others = {
        path: Document(path, lambda other=other: BytesIO(json.dumps(other).encode()))
        for path, other in (beside or {}).items()
    }
    return Document(name, lambda: BytesIO(raw), file_finder=others.get)


def read(content, **options):
    return list(discord._parse(document(content), ParseOptions(**options)))


def turns(*messages, **options):
    return [turn for part in read(export(*messages), **options) for turn in part.turns]


def test_a_channel_is_recognised_by_a_message():
    assert recognise_format(document(export(message()))) is discord.FORMAT
    assert recognise_format(document(export({"id": "1", "text": "Hi"}))) is None


def test_a_message_becomes_a_turn_of_its_channel():
    [found] = read(export(message(timestampEdited="2024-06-01T12:05:00+02:00")))

    assert (found.source, found.key, found.title, found.endless) == (
        *("discord", "7", "general (Club)", True),
    )
    [turn] = found.turns
    assert (turn.key, turn.role, turn.text, turn.speaker) == ("100", Role.PERSON, "Hi", "Ann")
    assert turn.sent_at.isoformat() == "2024-06-01T12:00:00+02:00"
    assert turn.edited_at.isoformat() == "2024-06-01T12:05:00+02:00"


def test_a_direct_message_is_titled_with_its_name_alone():
    [found] = read(export(message(), guild={"id": "0", "name": "Direct Messages"}))

    assert found.title == "general"


def test_the_order_of_the_heads_does_not_matter():
    late = dict(reversed(export(message()).items()))

    assert read(late) == read(export(message()))


@pytest.mark.parametrize("me", ["ann", "Ann", "11"])
def test_the_person_is_known_by_name_nickname_or_id(me):
    bot = {**ANN, "id": "12", "nickname": "Bot", "name": "bot", "isBot": True}

    found = turns(message(), message(number="101", author=bot), me=me)

    assert [turn.role for turn in found] == [Role.USER, Role.ASSISTANT]


EMBED = {"title": "T", "description": "D", "fields": [{"name": "n", "value": "v"}]}


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"type": "Call"}, Kind.CALL, "Hi"),
        ({"type": "GuildMemberJoin"}, Kind.SERVICE, "Hi"),
        ({"type": 46}, Kind.SERVICE, "Hi"),
        ({"type": "20"}, Kind.TEXT, "Hi"),
        ({"content": "", "attachments": [{"fileName": "a.png"}]}, Kind.MEDIA, "a.png"),
        ({"attachments": [{"fileName": "a.pdf"}]}, Kind.TEXT, "Hi\n[a.pdf]"),
        ({"content": "", "stickers": [{"name": "wave"}]}, Kind.MEDIA, "wave"),
        ({"content": "", "embeds": [EMBED]}, Kind.TEXT, "T\nD\nn: v"),
        ({"embeds": [EMBED]}, Kind.TEXT, "Hi"),
        ({"content": "", "forwardedMessage": {"content": "x"}}, Kind.TEXT, "[forwarded] x"),
    ],
)
def test_only_speech_is_text(fields, kind, text):
    assert [(turn.kind, turn.text) for turn in turns(message(**fields))] == [(kind, text)]


def test_a_reply_names_the_message_it_answers_and_a_forward_does_not():
    reply = message(type="Reply", reference={"messageId": "99"})
    forward = message(number="101", reference={"messageId": "99", "type": "Forward"})

    assert [turn.parent for turn in turns(reply, forward)] == ["99", None]


def test_a_broken_message_is_reported_and_the_next_one_read():
    raw = json.dumps(export(message("BROKEN"), message(number="101")))

    skipped, found = read(raw.replace('"BROKEN"', "BROKEN"))

    assert (skipped.where, skipped.lost) == ("message 1 of general (Club)", True)
    assert [turn.key for turn in found.turns] == ["101"]


ROWS = [{"ID": 100, "Timestamp": "2024-06-01 10:00:00", "Contents": "Hi", "Attachments": ""}]
CSV = 'ID,Timestamp,Contents,Attachments\r\n100,2024-06-01 10:00:00,"Hi\nthere",\r\n'


def unpacked(content, **beside):
    files = {"channel.json": {"id": "7", "name": "general", "guild": {"name": "Club"}}}
    return list(
        discord_package._parse(document(content, "messages/c7/messages.csv", files), ParseOptions())
    )


def test_a_package_is_recognised_in_both_its_forms():
    assert recognise_format(document(ROWS)) is discord_package.FORMAT
    assert recognise_format(document("\ufeff" + CSV)) is discord_package.FORMAT
    assert (
        recognise_format(document("ID,Timestamp,Contents\n1,2,3\n")) is not discord_package.FORMAT
    )


@pytest.mark.parametrize(("content", "text"), [(ROWS, "Hi"), (CSV, "Hi\nthere")])
def test_a_package_holds_the_person_s_own_messages(content, text):
    [found] = unpacked(content)

    assert (found.source, found.key, found.title) == ("discord", "7", "general (Club)")
    [turn] = found.turns
    assert (turn.key, turn.role, turn.text) == ("100", Role.USER, text)
    assert turn.sent_at.isoformat() == "2024-06-01T10:00:00+00:00"


def test_without_the_files_beside_it_a_package_s_channel_is_its_folder():
    found = discord_package._parse(document(CSV, "Messages/c7/messages.csv"), ParseOptions())

    assert [(part.key, part.title) for part in found] == [("7", "Discord channel 7")]


def test_a_message_of_a_link_to_a_file_is_named_after_it():
    row = {**ROWS[0], "Contents": "", "Attachments": "https://cdn/x/a.png?ex=1"}

    [found] = unpacked([row])

    assert [(turn.kind, turn.text) for turn in found.turns] == [(Kind.MEDIA, "a.png")]


def test_a_field_without_end_costs_only_itself():
    long = CSV + '101,2024-06-01 10:01:00,"no end,\n102,2024-06-01 10:02:00,Yo,\n'

    skipped, found = unpacked(long)

    assert isinstance(skipped, Skipped)
    assert [turn.key for turn in found.turns] == ["100", "102"]


@pytest.mark.parametrize(
    "row", sample_rows("discord", "discord_package"), ids=lambda row: row["path"][-30:]
)
def test_a_sample_is_found_and_counted(row):
    [place] = find_sources(SHARED / "samples" / row["path"])
    [found] = place.documents()
    known = recognise_format(found)
    if not row["messages"]:
        assert known is None
        return
    [conversation] = known.parse(found, ParseOptions())
    assert known.name == row["format"]
    assert len(conversation.turns) == int(row["messages"])
