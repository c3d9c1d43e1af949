"""Damaged exports of chats among people, beyond the real ones: see test_damage."""

import json

import pytest
from helpers.parsing import document
from test_damage import check

LINES = [f"line {at} of {'é' * at}" for at in range(12)]
AT = 1_717_236_000


def slack(at, line):
    return {"type": "message", "user": "U1", "ts": f"{AT + at}.000100", "text": line}


def facebook(at, line):
    return {"sender_name": "Ann", "timestamp_ms": (AT + at) * 1000, "content": line}


def discord(at, line):
    time = f"2024-06-01T12:{at:02}:00+00:00"
    return {"id": str(at), "timestamp": time, "content": line, "author": {"id": "1", "name": "A"}}


def google(at, line):
    time = f"Friday, May 29, 2026 at 3:{at:02}:29 AM UTC"
    creator = {"name": "Ann", "email": "ann@example.org"}
    return {"message_id": f"g/{at}/{at}", "created_date": time, "creator": creator, "text": line}


def matrix(at, line):
    content = {"msgtype": "m.text", "body": line}
    head = {"type": "m.room.message", "sender": "@ann:x", "event_id": f"${at}"}
    return {**head, "origin_server_ts": (AT + at) * 1000, "content": content}


def twitter(at, line):
    fields = {"id": str(at), "text": line, "senderId": "1", "createdAt": "2024-06-01T10:00:00Z"}
    return {
        "dmConversation": {"conversationId": f"1-{at}", "messages": [{"messageCreate": fields}]}
    }


def rows(row):
    return [row(at, line) for at, line in enumerate(LINES)]


def written(head, line):
    return head + "".join(line.format(at=at, text=text) for at, text in enumerate(LINES))


OWN = {
    "slack.json": json.dumps(rows(slack)),
    "message_1.json": json.dumps({"messages": rows(facebook), "title": "Ann"}),
    "discord.json": json.dumps({"channel": {"id": "7"}, "messages": rows(discord)}),
    "google.json": json.dumps({"messages": rows(google)}),
    "export.json": json.dumps({"room_name": "Club", "messages": rows(matrix)}),
    "direct-messages.js": "window.YTD.direct_messages.part0 = " + json.dumps(rows(twitter)),
    "messages.csv": written(
        "ID,Timestamp,Contents,Attachments\n", "{at},2024-06-01 10:{at:02}:00,{text},\n"
    ),
    "[LINE] Ann.txt": written(
        "[LINE] Chat history with Ann\n\n2024.06.01 Saturday\n", "10:{at:02}\tAnn\t{text}\n"
    ),
    "chat.md": written("", "[2024-06-01, 10:{at:02}] Ann: {text}\n"),
    "Ann.txt": written("", "Jun 01, 2024 10:{at:02}:00 PM\nAnn\n{text}\n\n"),
    "sms.xml": written(
        "<smses>", '<sms address="+1" date="17172360{at:02}000" type="1" body="{text}" />\n'
    ),
    "messages.html": written(
        '<div class="page_wrap">',
        '<div class="message default" id="message{at}"><div class="text">{text}</div></div>\n',
    ),
    "message_1.html": written(
        "<html><body><div>Participants: Ann and Bob</div>",
        "<div>Ann</div><div>{text}</div><div>Jun 1, 2024, 10:{at:02} PM</div>\n",
    ),
    "all.mbox": written(
        "",
        "From a@x Sat Jun  1 12:00:00 2024\nFrom: a@x\nTo: b@x\nMessage-ID: <{at}@x>\n"
        "Date: Sat, 1 Jun 2024 12:{at:02}:00 +0200\n\n{text}\n\n",
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_what_lay_before_the_damage_is_read(name):
    raw = OWN[name].encode()

    assert len(check(document(raw, name), raw)) == len(LINES)
