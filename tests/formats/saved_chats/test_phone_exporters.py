"""imessage-exporter's HTML, iMazing's CSV and WhatsApp-Chat-Exporter's JSON."""

from helpers.parsing import document, parse_one, show_turns

from memcli.formats import load_format, recognise_format

IMESSAGE, IMAZING = load_format("imessage_html"), load_format("imazing")
WHATSAPP = load_format("whatsapp_exporter")


def message(second, *parts, sender="Bo Lind", rest=""):
    sent = "sent iMessage" if sender == "Me" else "received"
    body = "".join(f'<hr><div class="message_part">{part}</div>' for part in parts)
    return (
        f'<div class="message"><div class="{sent}"><p><span class="timestamp"><a title="Reveal"'
        f' href="sms://x">Oct 17, 2021 10:31:{second} PM</a> (Read by you after 5 seconds)</span>'
        f'<span class="sender">{sender}</span></p>{body}{rest}</div></div>'
    )


def bubble(text):
    return f'<span class="bubble">{text}</span>'


def turns(*messages):
    content = f"<!doctype html><html><body>{''.join(messages)}</body></html>"
    assert recognise_format(document(content, "Bo Lind.html")) is IMESSAGE
    return [turn[2:] for turn in show_turns(IMESSAGE, content, "Bo Lind.html")]


def test_a_reply_is_read_once_and_reactions_not_at_all():
    tapbacks = '<div class="tapbacks"><p>Tapbacks:</p><b>Loved</b> by Bo</div>'
    reply = message("40", bubble("thanks"), sender="Me", rest=tapbacks)
    replies = f'<div class="replies"><div class="reply" id="r-1">{reply}</div></div>'
    question = message("30", bubble("the gate &amp;\ncode"), rest=replies)
    note = '<span class="reply_context">This message responded to an earlier message.</span>'
    own_place = message("40", bubble("thanks"), sender="Me", rest=note)

    found = parse_one(IMESSAGE, f"<html><body>{question}{own_place}</body></html>", "Bo.html").turns

    assert turns(question, own_place) == [
        ("Bo Lind", "text", "the gate &\ncode"),
        ("owner", "text", "thanks"),
    ]
    assert found[1].parent == found[0].key


def test_a_reply_without_its_own_place_is_kept():
    reply = message("40", bubble("thanks"), sender="Me")
    replies = f'<div class="replies"><div class="reply">{reply}</div></div>'

    assert turns(message("30", bubble("the gate"), rest=replies)) == [
        ("Bo Lind", "text", "the gate"),
        ("owner", "text", "thanks"),
    ]


def test_files_apps_edits_and_notices():
    edited = (
        '<div class="edited"><table><tr><td><span class="timestamp"></span></td><td>Tusday</td>'
        "</tr>"
        '<tfoot><tr><td><span class="timestamp">Edited 5 seconds later</span></td><td>Tuesday</td>'
        "</tr></tfoot></table></div>"
    )
    notice = (
        '<div class="announcement"><p><span class="timestamp">Oct 17, 2021 10:31:20 PM</span>'
        " You renamed the conversation to <b>Crew</b></p></div>"
    )

    assert turns(
        notice,
        message("30", '<img src="attachments/1/IMG_1.jpeg">', bubble("look")),
        message("31", '<div class="app"><a href="https://x.org"><div>Tides</div></a></div>'),
        message("32", '<span class="unsent">Bo Lind unsent this message part!</span>'),
        message("33", edited),
    ) == [
        (None, "service", "You renamed the conversation to Crew"),
        ("Bo Lind", "text", "look\n[IMG_1.jpeg]"),
        ("Bo Lind", "text", "Tides"),
        ("Bo Lind", "deleted", ""),
        ("Bo Lind", "text", "Tuesday"),
    ]


def test_imazing_has_directions_files_and_notices():
    content = (
        "Chat Session,Message Date,Delivered Date,Read Date,Edited Date,Service,Type,Sender ID,"
        "Sender Name,Status,Replying to,Subject,Text,Attachment,Attachment type\n"
        'Bo,2025-07-01 10:00:00,,,,iMessage,Incoming,+1321,Bo Lind,Read,,,"Hello\ntwo",,\n'
        "Bo,2025-07-01 10:01:00,,,,iMessage,Outgoing,,,Read,,,,IMG_1.jpg,Image\n"
        "Bo,2025-07-01 10:02:00,,,,iMessage,Notification,,,,,,Bo left,,\n"
    )

    assert show_turns(IMAZING, content, "Messages - Bo.csv") == [
        ("Bo", "2025-07-01T10:00:00+00:00", "Bo Lind", "text", "Hello\ntwo"),
        ("Bo", "2025-07-01T10:01:00+00:00", "owner", "media", "IMG_1.jpg"),
        ("Bo", "2025-07-01T10:02:00+00:00", None, "service", "Bo left"),
    ]


def test_whatsapps_exporter_has_captions_replies_and_notices():
    def entry(second, data, own=False, **others):
        head = {"from_me": own, "timestamp": 1_700_000_000 + second, "key_id": f"k{second}"}
        return {**head, "media": False, "meta": False, "data": data, "sender": None, **others}

    content = {
        "1@s.whatsapp.net": {
            "name": "Bo",
            "messages": {
                "1": entry(1, "the gate &amp;<br>code"),
                "2": entry(2, "Media/IMG-1.jpg", own=True, media=True, caption="look", reply="k1"),
                "3": entry(3, "Bo changed number", meta=True),
            },
        },
        "9-1@g.us": {
            "name": "Crew",
            "messages": {
                "5": entry(5, "The media is missing", media=True, meta=True, sender="Ann")
            },
        },
    }

    assert [(turn[0], *turn[2:]) for turn in show_turns(WHATSAPP, content)] == [
        ("Bo", "Bo", "text", "the gate &\ncode"),
        ("Bo", "owner", "text", "look\n[IMG-1.jpg]"),
        ("Bo", None, "service", "Bo changed number"),
        ("Crew", "Ann", "media", ""),
    ]
    one_chat = {"1@s.whatsapp.net": content["1@s.whatsapp.net"]}
    assert [turn.parent for turn in parse_one(WHATSAPP, one_chat).turns] == [None, "k1", None]
