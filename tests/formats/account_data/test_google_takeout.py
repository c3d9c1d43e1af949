"""Google Voice and Hangouts."""

from helpers.parsing import document, parse_all, show_turns

from memcli.formats import load_format, recognise_format

VOICE, HANGOUTS = load_format("google_voice"), load_format("hangouts")
PAGE = (
    '<?xml version="1.0" ?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd">'
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{}</title></head><body>{}'
    '<div class="tags">Labels: <a rel="tag" href="http://www.google.com/voice#sms">Text</a></div>'
    "</body></html>"
)
OWNER = '<a class="tel" href="tel:+1555"><abbr class="fn" title="">Me</abbr></a>'


def person(name, number):
    return f'<a class="tel" href="tel:{number}"><span class="fn">{name}</span></a>'


def text(minute, sender, words, rest=""):
    time = f"2024-05-22T21:{minute}:32.703-07:00"
    return (
        f'<div class="message"><abbr class="dt" title="{time}">May 22</abbr>: '
        f'<cite class="sender vcard">{sender}</cite>: <q>{words}</q>{rest}</div>\n'
    )


def chat(*parts):
    return f'<div class="hChatLog hfeed">{"".join(parts)}</div>'


def test_a_group_is_named_by_its_people_and_pictures_are_media():
    people = f"{person('Tony', '+3333')}, {person('Mike', '+8888')}"
    page = PAGE.format(
        "Group Conversation",
        chat(
            f'<div class="participants">Group conversation with: {people}</div>',
            text(48, person("Mike", "+8888"), "MMS Received", '<div><img src="Group-1-1"/></div>'),
            text(49, OWNER, "one<br>two &#39;x&#39;"),
        ),
    )
    name = "Voice/Calls/Group Conversation - 2024-05-23T04_48_32Z.html"

    assert recognise_format(document(page, name)) is VOICE
    assert show_turns(VOICE, page, name) == [
        ("Tony, Mike", "2024-05-22T21:48:32.703000-07:00", "Mike", "media", "Group-1-1"),
        ("Tony, Mike", "2024-05-22T21:49:32.703000-07:00", "owner", "text", "one\ntwo 'x'"),
    ]


def test_texts_calls_and_voicemail_of_one_number_are_one_chat():
    time = '<abbr class="published" title="2020-06-14T12:40:38.000-04:00">Jun 14</abbr><br />'
    call = (
        '<div class="haudio"><span class="fn">Placed call to\nBo</span><div class="contributor'
        f' vcard">Placed call to\n{person("Bo", "+1202")}</div>{time}'
        '<abbr class="duration" title="PT2M23S">(00:02:23)</abbr></div>'
    )
    voicemail = (
        '<div class="haudio"><span class="fn">Voicemail from\nBo</span><div class="contributor'
        f' vcard">Voicemail from\n{person("Bo", "+1202")}</div>{time}<span class="description">'
        '<span class="full-text">Call me about the gate.</span></span>'
        '<audio src="x.mp3"></audio></div>'
    )
    pages = {
        "Bo - Text - 2024.html": PAGE.format("Bo", chat(text(48, person("Bo", "+1202"), "hi"))),
        "Bo - Placed - 2020.html": PAGE.format("Placed call to Bo", call),
        "Bo - Voicemail - 2020.html": PAGE.format("Voicemail from Bo", voicemail),
    }

    parsed = [item for name, page in pages.items() for item in parse_all(VOICE, page, name)]

    assert {item.key for item in parsed} == {"+1202"}
    assert [show_turns(VOICE, page, name)[0][2:] for name, page in pages.items()] == [
        ("Bo", "text", "hi"),
        ("owner", "call", "Placed call to Bo (00:02:23)"),
        ("Bo", "media", "Call me about the gate."),
    ]


def event(second, sender, **others):
    head = {"conversation_id": {"id": "c1"}, "sender_id": {"gaia_id": sender}}
    stamp = str((1_453_000_000 + second) * 1_000_000)
    return {**head, "timestamp": stamp, "event_id": f"e{second}", **others}


def words(*segments):
    return {"message_content": {"segment": list(segments)}}


STATE = {
    "self_conversation_state": {"self_read_state": {"participant_id": {"gaia_id": "1"}}},
    "participant_data": [
        {"id": {"gaia_id": "1"}, "fallback_name": "Odile"},
        {"id": {"gaia_id": "2"}, "fallback_name": "Bo"},
    ],
}
NOTICE = "renamed the conversation Crew"
EVENTS = [
    event(
        0,
        "2",
        chat_message=words(
            {"type": "TEXT", "text": "see "},
            {"type": "LINE_BREAK", "text": "\n"},
            {"type": "LINK", "text": "https://x.org"},
        ),
    ),
    event(
        1,
        "1",
        chat_message={
            "message_content": {
                "attachment": [{"embed_item": {"plus_photo": {"url": "https://x.test/IMG.jpg"}}}]
            }
        },
    ),
    event(2, "1", event_type="HANGOUT_EVENT", hangout_event={"event_type": "END_HANGOUT"}),
    event(
        3,
        "1",
        event_type="RENAME_CONVERSATION",
        conversation_rename={"new_name": "Crew", "old_name": ""},
    ),
]


def test_both_shapes_of_hangouts_are_read():
    new = {"conversations": [{"conversation": {"conversation": STATE}, "events": EVENTS}]}
    old_state = {"conversation_state": {"conversation": STATE, "event": EVENTS}}
    old = {"conversation_state": [old_state]}

    for content in (new, old):
        assert recognise_format(document(content)) is HANGOUTS
        assert show_turns(HANGOUTS, content, "Hangouts.json") == [
            ("Bo", "2016-01-17T03:06:40+00:00", "Bo", "text", "see \nhttps://x.org"),
            ("Bo", "2016-01-17T03:06:41+00:00", "owner", "media", "IMG.jpg"),
            ("Bo", "2016-01-17T03:06:42+00:00", "owner", "call", "END_HANGOUT"),
            ("Bo", "2016-01-17T03:06:43+00:00", "Odile", "service", NOTICE),
        ]
