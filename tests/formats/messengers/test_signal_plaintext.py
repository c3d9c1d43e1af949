import io
import json

from memcli.domain import Conversation, Kind, Role, Skipped
from memcli.formats import recognise_format
from memcli.formats.format import ParseOptions
from memcli.formats.messengers import signal_plaintext
from memcli.formats.parsing.document import Document

HEAD = (
    {"version": "1", "backupTimeMs": "1790000000000"},
    {"account": {"givenName": "Ann", "familyName": "Lee"}},
    {"recipient": {"id": "1", "self": {}}},
    {"recipient": {"id": "2", "contact": {"aci": "bo-aci", "profileGivenName": "Bo"}}},
    {
        "recipient": {
            "id": "3",
            "group": {"masterKey": "key", "snapshot": {"title": {"title": "Choir"}}},
        }
    },
    {"chat": {"id": "7", "recipientId": "2"}},
    {"chat": {"id": "8", "recipientId": "3"}},
)


def item(chat="7", author="2", at=1_790_000_000_000, **content):
    return {"chatItem": {"chatId": chat, "authorId": author, "dateSent": str(at), **content}}


def words(text):
    return {"standardMessage": {"text": {"body": text}}}


def document(*rows):
    text = "\n".join(json.dumps(row) for row in (*HEAD, *rows))
    return Document("export/main.jsonl", lambda: io.BytesIO(text.encode()))


def parse(found):
    return list(signal_plaintext.FORMAT.parse(found, ParseOptions()))


def contents(found):
    return [(turn.kind, turn.text) for chat in parse(found) for turn in chat.turns]


def test_chats_are_kept_apart_with_their_people():
    found = document(
        item(author="1", outgoing={}, **words("code 12")),
        item(chat="8", incoming={}, **words("la la")),
        item(incoming={}, at=1_790_000_060_000, **words("thanks")),
    )

    chats = parse(found)

    assert recognise_format(found) is signal_plaintext.FORMAT
    assert {
        (chat.key, chat.title): [(t.speaker, t.text) for t in chat.turns] for chat in chats
    } == {
        ("bo-aci", "Bo"): [("Ann Lee", "code 12"), ("Bo", "thanks")],
        ("key", "Choir"): [("Bo", "la la")],
    }
    assert chats[0].turns[0].role is Role.USER
    assert found.counter.count_unexplained(3) == 0


def test_all_that_a_message_carries_is_kept():
    pointer = {"pointer": {"fileName": "plan.pdf"}}

    assert contents(
        document(
            item(standardMessage={"attachments": [pointer]}),
            item(standardMessage={"attachments": [{"flag": "VOICE_MESSAGE"}]}),
            item(standardMessage={"text": {"body": "see"}, "attachments": [pointer]}),
            item(standardMessage={"linkPreview": [{"url": "https://example.org"}]}),
            item(stickerMessage={"sticker": {"emoji": ":)"}}),
            item(contactMessage={"contact": {"name": {"givenName": "Cem"}}}),
            item(poll={"question": "When?", "options": [{"option": "May"}, {"option": "June"}]}),
            item(directStoryReplyMessage={"textReply": {"text": {"body": "nice"}}}),
            item(remoteDeletedMessage={}),
            item(updateMessage={"individualCall": {"type": "AUDIO_CALL", "state": "MISSED"}}),
            item(updateMessage={"groupChange": {"updates": [{"groupNameUpdate": {}}]}}),
            item(giftBadge={"state": "OPENED"}),
        )
    ) == [
        (Kind.MEDIA, "plan.pdf"),
        (Kind.MEDIA, "voice message"),
        (Kind.TEXT, "see\n[plan.pdf]"),
        (Kind.TEXT, "https://example.org"),
        (Kind.MEDIA, ":)"),
        (Kind.MEDIA, "Cem"),
        (Kind.MEDIA, "When?\n- May\n- June"),
        (Kind.TEXT, "nice"),
        (Kind.DELETED, ""),
        (Kind.CALL, "individualCall: audio call"),
        (Kind.SERVICE, "groupChange: groupNameUpdate"),
        (Kind.MEDIA, "[giftBadge]"),
    ]


def test_an_edited_message_has_the_key_and_the_time_of_its_first_form():
    first = item(**words("at eigth"))["chatItem"]
    edited = item(at=1_790_000_090_000, revisions=[first], **words("at eight"))

    [[turn]] = [chat.turns for chat in parse(document(edited))]

    assert (turn.key, turn.text) == ("bo-aci/1790000000000", "at eight")
    assert (turn.edited_at - turn.sent_at).total_seconds() == 90


def test_a_broken_line_is_said_and_the_rest_is_read():
    raw = b"".join((document(item(**words("one"))).open().read(), b"\n{brok\n"))
    raw += json.dumps(item(**words("two"))).encode()

    found = parse(Document("main.jsonl", lambda: io.BytesIO(raw)))

    assert [part.where for part in found if isinstance(part, Skipped)] == ["line 9"]
    assert [len(part.turns) for part in found if isinstance(part, Conversation)] == [2]
