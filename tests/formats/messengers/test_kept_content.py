"""Polls, contacts, calls, links and content of unknown kinds are kept, in every messenger.

What a person wrote, said, attached or asked yields a turn; a notice is nobody's words.
"""

import base64
import json

import pytest
from helpers.parsing import account, lines, parse_all
from helpers.small_exports import BEGIN

from memcli.domain import Conversation
from memcli.formats import load_format

TS = f"{int(BEGIN.timestamp())}.000100"
MS = int(BEGIN.timestamp()) * 1000


def slack(**fields):
    return [{"type": "message", "user": "U1", "ts": TS, "text": "", **fields}]


def sms(part):
    head = f'<mms date="{MS}" msg_box="1" address="+1555" sub="null"><parts>{part}</parts></mms>'
    return f"<smses>{head}</smses>"


def matrix(kind="m.room.message", event_id="$1", **content):
    event = {"type": kind, "sender": "@ann:x", "event_id": event_id, "origin_server_ts": MS}
    return {"room_name": "Club", "messages": [{**event, "content": content}]}


def google_chat(text="", **annotation):
    head = {"message_id": "g/t/t", "creator": {"name": "Ann", "email": "a@x"}}
    time = "Friday, May 29, 2026 at 3:00:29 AM UTC"
    return {"messages": [{**head, "created_date": time, "text": text, "annotations": [annotation]}]}


def twitter(**event):
    return "window.YTD.direct_messages.part0 = " + json.dumps(
        [{"dmConversation": {"conversationId": "1-2", "messages": [event]}}]
    )


def discord(**fields):
    head = {"id": "1", "timestamp": "2026-05-28T10:00:00+00:00", "content": ""}
    return {"channel": {"id": "7"}, "messages": [{**head, "author": {"id": "1"}, **fields}]}


def skype(kind, content):
    message = {"id": "1", "from": "8:bo", "originalarrivaltime": "2026-05-28T10:00:00Z"}
    row = {"id": "8:bo", "MessageList": [{**message, "messagetype": kind, "content": content}]}
    return {"userId": "8:me", "conversations": [row]}


def telegram(**fields):
    head = {"id": 1, "type": "message", "date": "2026-01-01T10:00:00", "from": "Ann", "text": ""}
    return {"name": "Club", "type": "private_group", "id": 7, "messages": [{**head, **fields}]}


def messenger(**fields):
    return {"messages": [{"sender_name": "Ann", "timestamp_ms": MS, **fields}], "title": "Ann"}


def snapchat(media):
    head = {"From": "bo", "Created": "2024-06-01 10:00:00 UTC", "IsSender": False}
    return {"bo": [{**head, "Media Type": media, "Content": ""}]}


def signal(**content):
    return lines(
        {"version": "1", "backupTimeMs": str(MS)},
        {"chatItem": {"chatId": "7", "authorId": "2", "dateSent": str(MS), **content}},
    )


def signal_markdown(text):
    return f"[2026-05-01 10:12:12] Frank: {text}\n"


def line(*rows):
    return "[LINE] Chat history with Ann\n\n2024.06.01 Saturday\n" + "".join(rows)


def chatlab(**message):
    head = {"sender": "w", "accountName": "Ann", "timestamp": MS // 1000}
    return {"chatlab": {}, "meta": {"name": "A"}, "messages": [{**head, **message}]}


def qq(*elements):
    message = {"messageId": "1", "timestamp": "2024-06-01T10:00:00.000Z"}
    sender = {"uid": "u_a", "uin": "7", "name": "Ann"}
    content = {"text": "", "elements": list(elements)}
    row = {**message, "sender": sender, "content": content}
    return {"metadata": {}, "chatInfo": {"name": "A"}, "messages": [row]}


def weflow(kind, content):
    head = {"createTime": MS // 1000, "isSend": 0, "senderUsername": "w"}
    row = {**head, "type": kind, "content": content}
    return {"weflow": {}, "session": {"wxid": "w"}, "messages": [row]}


def mail(headers="", body="", subject="Lunch at one?"):
    head = f"From: ann@x\nTo: bob@x\nSubject: {subject}\nDate: Sat, 1 Jun 2024 12:00:00 +0200\n"
    return f"{head}{headers}\n{body}"


def hangouts(*segments):
    message = {"message_content": {"segment": list(segments)}}
    event = {"event_id": "1", "timestamp": f"{MS}000", "chat_message": message}
    return {"conversations": [{"conversation": {}, "events": [event]}]}


CARD = base64.b64encode(b"BEGIN:VCARD\r\nFN:Ole Berg\r\nTEL:+49151\r\nEND:VCARD").decode()
SWIFT = base64.b64encode(
    json.dumps({"attachments": [{"content": {"text": "Ferry?", "buttons": [{"title": "Yes"}]}}]})
    .encode()
).decode()  # fmt: skip
POLL = {
    "question": {"org.matrix.msc1767.text": "Ferry or tunnel?"},
    "answers": [{"m.text": [{"body": "Ferry"}]}, {"org.matrix.msc1767.text": "Tunnel"}],
}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "1. Ferry"}}
RICH = {"type": "rich_text", "elements": [{"type": "link", "url": "https://a.b", "text": "plan"}]}
SHARED = {"is_share": True, "author_name": "Bo", "text": "gate 4471"}
CLIP = {"name": "clip.m4a", "transcription": {"preview": {"content": "gate 4471"}}}
MEETING = {"video_call_metadata": {"meeting_space": {"meeting_url": "https://meet.google.com/a"}}}
SEGMENT = {"type": "LINK", "text": "the plan", "link_data": {"link_target": "https://a.b/c"}}
INVITATION = "BEGIN:VCALENDAR\nSUMMARY:Lunch\nEND:VCALENDAR"

POLL_OF_SKYPE = "<poll><pollquestion>Ferry?</pollquestion><polloption>Yes</polloption></poll>"
TABLE = "date,sender,message,attachment\n2024-06-01 10:00:00,Ann,,media/boat.jpg\n"

KEPT = {
    "poll": [
        ("slack", slack(text="Poll", bot_id="B", blocks=[SECTION]), "text", "Poll\n1. Ferry"),
        (
            "matrix",
            matrix("m.poll.start", **{"m.poll.start": POLL}),
            *("text", "Ferry or tunnel?\n- Ferry\n- Tunnel"),
        ),
        (
            "matrix",
            matrix("org.matrix.msc3381.poll.start", **{"org.matrix.msc3381.poll.start": POLL}),
            *("text", "Ferry or tunnel?\n- Ferry\n- Tunnel"),
        ),
        (
            "discord",
            discord(poll={"question": {"text": "Ferry?"}, "answers": [{"text": "Yes"}]}),
            *("text", "Ferry?\n- Yes"),
        ),
        (
            "discord",
            discord(poll={"question": {}, "answers": [{"pollMedia": {"text": "No"}}]}),
            *("text", "- No"),
        ),
        ("skype", skype("RichText/Media_Card", f'<Swift b64="{SWIFT}"/>'), "media", "Ferry?\nYes"),
    ],
    "contact": [
        ("sms", sms(f'<part ct="text/x-vCard" data="{CARD}"/>'), "media", "contact: Ole Berg"),
        (
            "sms",
            sms(f'<part ct="text/plain" text="here"/><part ct="text/vcard" data="{CARD}"/>'),
            *("text", "here\n[contact: Ole Berg]"),
        ),
        ("chatlab", chatlab(type=27), "text", "[contact]"),
    ],
    "location": [
        (
            "matrix",
            matrix(msgtype="m.location", body="The boat", geo_uri="geo:53.1,8.2"),
            *("text", "The boat\ngeo:53.1,8.2"),
        ),
        ("qq", qq({"type": "location", "data": {"name": "Pier"}}), "text", "[location: Pier]"),
        ("wechat", weflow("位置消息", "<msg><location/></msg>"), "text", "[位置消息]"),
    ],
    "voice": [
        ("slack", slack(files=[CLIP]), "text", "gate 4471\n[clip.m4a]"),
        ("sms", sms('<part ct="audio/amr" cl="voice.amr"/>'), "media", "voice.amr"),
        ("line", line("10:00\tAnn\t[Mensaje de voz]\n"), "media", "[Mensaje de voz]"),
    ],
    "call": [
        ("google_chat", google_chat(**MEETING), "call", "[video call: https://meet.google.com/a]"),
        (
            "slack",
            slack(blocks=[{"type": "call", "call": {"v1": {"name": "Standup"}}}]),
            *("text", "[call: Standup]"),
        ),
        ("signal", signal_markdown("Missed video call"), "call", "Missed video call"),
        (
            "signal",
            signal_markdown("Incoming voice call (accepted, 2m 3s)"),
            *("call", "Incoming voice call (accepted, 2m 3s)"),
        ),
    ],
    "sticker": [
        ("signal", signal_markdown("\n(( 🥳 ))"), "media", "🥳"),
        ("slack", slack(blocks=[{"type": "image", "alt_text": "a cat"}]), "text", "a cat"),
    ],
    "link": [
        ("slack", slack(blocks=[RICH]), "text", "plan (https://a.b)"),
        (
            "matrix",
            matrix(msgtype="m.text", body="the plan", formatted_body='<a href="https://a.b">the</a>'),
            *("text", "the plan\nhttps://a.b"),
        ),
        ("google_chat", google_chat("the plan", url_metadata={"url": {"url": "https://a.b"}}),
         "text", "the plan\nhttps://a.b"),
        (
            "google_chat",
            google_chat("Plan", drive_metadata={"id": "1x", "title": "Plan"}),
            *("text", "Plan\nhttps://drive.google.com/open?id=1x"),
        ),
        ("hangouts", hangouts(SEGMENT), "text", "the plan (https://a.b/c)"),
        (
            "skype",
            skype("RichText", 'see <a href="https://a.b/c">the plan</a>'),
            *("text", "see the plan (https://a.b/c)"),
        ),
        (
            "email",
            mail("Content-Type: text/html\n", '<p>see <a href="https://a.b">the plan</a></p>'),
            *("text", "see the plan (https://a.b)"),
        ),
    ],
    "words": [
        ("skype", skype("RichText/Sms", "<sms><content>gate 4471</content></sms>"),
         "media", "gate 4471"),
        ("skype", skype("RichText", "Edited previous message: gate 4471<e_m a='1'></e_m>"),
         "text", "gate 4471"),
        ("email", mail(), "text", "Lunch at one?"),
        ("slack", slack(text="", attachments=[SHARED]), "text", "[shared from Bo]\ngate 4471"),
    ],
    "file": [
        ("email", mail('Content-Type: image/png; name="plan.png"\n', "AAAA"), "media", "plan.png"),
        (
            "email",
            mail("Content-Type: text/calendar\n", INVITATION),
            *("media", "[text/calendar]"),
        ),
    ],
    "unknown": [
        ("telegram", telegram(dice={"emoji": "🎲", "value": 4}), "media", "[dice]"),
        ("telegram", telegram(new_information={"title": "Budget"}), "media", "[new: Budget]"),
        ("telegram", telegram(new={"text": "gate 4471"}), "media", "gate 4471"),
        ("messenger", messenger(new={"text": "gate 4471"}), "text", "gate 4471"),
        ("messenger", messenger(poll={"question": "Ferry?"}), "media", "[poll: Ferry?]"),
        ("matrix", matrix("m.message", **{"m.text": [{"body": "gate 4471"}]}), "text", "gate 4471"),
        ("signal_plaintext", signal(giftBadge={}), "media", "[giftBadge]"),
        (
            "signal_plaintext",
            signal(newThing={"text": {"body": "gate 4471"}}),
            *("text", "gate 4471"),
        ),
        (
            "twitter_dm",
            twitter(welcomeMessageCreate={"id": "1", "senderId": "1", "text": "gate 4471"}),
            *("text", "gate 4471"),
        ),
        ("chatlab", chatlab(type=21), "text", "[transfer]"),
        ("qq", qq({"type": "music", "data": {}}), "text", "[music]"),
    ],
    "saved chats": [
        ("skype", skype("Poll", POLL_OF_SKYPE), "text", "Ferry?\nYes"),
        ("snapchat", snapchat("NOTE"), "media", "[voice message]"),
        ("snapchat", snapchat("LOCATION"), "media", "[location]"),
        ("snapchat", snapchat("STATUSERASEDMESSAGE"), "deleted", ""),
        ("generic_csv", TABLE, "media", "boat.jpg"),
    ],
    "deleted": [
        ("matrix", matrix("m.room.encrypted"), "deleted", ""),
        ("line", line("10:00\tAnn\tunsent a message.\n"), "deleted", "unsent a message."),
        (
            "line",
            line("10:00\t\tAnnがメッセージの送信を取り消しました\n"),
            *("service", "Annがメッセージの送信を取り消しました"),
        ),
    ],
    "notice": [
        (
            "matrix",
            matrix(msgtype="m.key.verification.request", body="Ann wants to verify"),
            *("service", "Ann wants to verify"),
        ),
        ("line", line("10:00\tAnn ha entrado en el grupo\n"), "service",
         "Ann ha entrado en el grupo"),
        ("discord", discord(type="46", embeds=[{"title": "Ferry won"}]), "service", "Ferry won"),
    ],
}  # fmt: skip
ROWS = [(kind, *row) for kind, rows in KEPT.items() for row in rows]


@pytest.mark.parametrize(
    ("known", "content", "turn_kind", "text"),
    [row[1:] for row in ROWS],
    ids=[f"{kind}-{known}-{at}" for at, (kind, known, *_) in enumerate(ROWS)],
)
def test_it_becomes_a_turn(known, content, turn_kind, text):
    name = {"email": "a.eml", "sms": "sms.xml", "signal": "Frank/chat.md"}.get(known, "x.json")

    found = [
        (turn.kind.value, turn.text)
        for each in parse_all(load_format(known), content, name)
        if isinstance(each, Conversation)
        for turn in each.turns
    ]

    assert found == [(turn_kind, text)]
    assert account(load_format(known), content, name)["turns"] == 1
