"""DiscordChatExporter's HTML, CSV and text."""

from helpers.parsing import account, document, parse_one, show_turns

from memcli.domain import Doubt, Role
from memcli.formats import load_format, recognise_format

HTML, TABLE = load_format("discord_html"), load_format("discord_csv")
TEXT = load_format("discord_text")
NAME = "Club - Text - general [12345].html"


def page(*groups):
    return (
        "<!DOCTYPE html><html><head><title>x</title><script>var a = '<p data-message-id=1>'"
        "</script></head><body><div class=preamble><div class=preamble__entry>Club</div>"
        "<div class=preamble__entry>Text / general</div></div><div class=chatlog>"
        + "".join(f"<div class=chatlog__message-group>{group}</div>" for group in groups)
        + "</div><div class=postamble><div class=postamble__entry>2 messages</div></div></html>"
    )


def message(number, *parts):
    return (
        f'<div id=chatlog__message-container-{number} class="chatlog__message-container "'
        f" data-message-id={number}><div class=chatlog__message><div"
        f" class=chatlog__message-primary>{''.join(parts)}</div></div></div>"
    )


def header(name, time, account="", bot=""):
    return (
        f'<div class=chatlog__header><span class=chatlog__author title="{account}" data-user-id=1>'
        f'{name}</span>{bot} <span class=chatlog__timestamp title="{time}"><a href=#x>x</a></span>'
        "</div>"
    )


def content(text):
    return (
        '<div class="chatlog__content chatlog__markdown"><span class=chatlog__markdown-preserve>'
        f"{text}</span></div>"
    )


def turns(*groups, name=NAME):
    return [turn[1:] for turn in show_turns(HTML, page(*groups), name)]


def test_a_group_shares_the_author_and_texts_keep_their_lines():
    short = (
        '<div class=chatlog__short-timestamp title="Thursday, October 23, 2025 11:45 AM">x</div>'
    )
    first = header("Odile K", "Thursday, October 23, 2025 11:44 AM", "odile")
    emoji = '<img class="chatlog__emoji" alt="😀" src=x.svg>'
    reactions = "<div class=chatlog__reactions><div class=chatlog__reaction>2</div></div>"

    assert turns(
        message(1, first, content(f"the <b>gate</b>\n{emoji}"), reactions)
        + message(2, short, content("more<span class=chatlog__edited-timestamp>(edited)</span>"))
    ) == [
        ("2025-10-23T11:44:00+00:00", "Odile K", "text", "the gate\n😀"),
        ("2025-10-23T11:45:00+00:00", "Odile K", "text", "more"),
    ]


def test_files_stickers_notices_bots_and_replies():
    time = "Friday, October 24, 2025 11:46 AM"
    link = "https://x.test/1/map.png?ex=1"
    file = f'<div class=chatlog__attachment><a href="{link}"><img src="{link}"></a></div>'
    sticker = '<div class=chatlog__sticker title=wave><img src="https://x.test/wave.png"></div>'
    notice = (
        "<span class=chatlog__system-notification-author title=zed>zed</span><span> </span>"
        "<span class=chatlog__system-notification-content><span>joined the server.</span></span>"
        "<span class=chatlog__system-notification-timestamp><a>10/24/2025 11:45 AM</a></span>"
    )
    bot = "<span class=chatlog__author-tag>BOT</span>"
    embed = "<div class=chatlog__embed><div class=chatlog__embed-title>Rain</div></div>"
    reply = (
        "<div class=chatlog__reply><div class=chatlog__reply-content><span"
        " class=chatlog__reply-link onclick=\"scrollToMessage(event, '1')\">old words</span>"
        "</div></div>"
    )
    groups = (
        message(1, header("bo", time), file),
        message(2, header("bo", time), sticker),
        message(3, notice),
        message(4, header("Helper", time, bot=bot), embed),
        message(5, reply, header("bo", time), content("yes")),
        message(6, header("bo", time)),
    )

    found = parse_one(HTML, page(*groups[:-1]), NAME).turns

    shown = show_turns(HTML, page(*groups), NAME)
    assert account(HTML, page(*groups), NAME) == {"turns": 5, "empty": 1}
    assert [turn[1:] for turn in shown] == [
        ("2025-10-24T11:45:00+00:00", "zed", "service", "joined the server."),
        ("2025-10-24T11:46:00+00:00", "bo", "media", "map.png"),
        ("2025-10-24T11:46:00+00:00", "bo", "media", "wave.png"),
        ("2025-10-24T11:46:00+00:00", "Helper", "text", "Rain"),
        ("2025-10-24T11:46:00+00:00", "bo", "text", "yes"),
    ]
    assert [turn.parent for turn in found if turn.text == "yes"] == ["1"]
    assert [turn.role for turn in found if turn.text == "Rain"] == [Role.ASSISTANT]


def test_the_channel_is_the_one_of_the_json_export():
    found = parse_one(
        HTML, page(message(7, header("bo", "23-Oct-25 11:44 AM"), content("x"))), NAME
    )

    assert (found.source, found.key, found.title) == ("discord", "12345", "general (Club)")
    assert found.turns[0].key == "7"


def test_pages_of_2018_have_the_author_outside_of_the_messages():
    old = (
        '<html><body><div class="chatlog"><div class="chatlog__message-group"><div'
        ' class="chatlog__messages"><span class="chatlog__author-name" title="odile#1">odile</span>'
        ' <span class="chatlog__timestamp">23-Oct-20 11:44 AM</span><div class="chatlog__message"'
        ' data-message-id="7"><div class="chatlog__content"><div class="markdown">one</div></div>'
        '</div><div class="chatlog__message" data-message-id="8"><div class="chatlog__content">'
        '<div class="markdown">two</div></div></div></div></div></div></body></html>'
    )

    assert recognise_format(document(old, "x.html")) is HTML
    assert [turn[1:] for turn in show_turns(HTML, old, "x.html")] == [
        ("2020-10-23T11:44:00+00:00", "odile", "text", "one"),
        ("2020-10-23T11:44:00+00:00", "odile", "text", "two"),
    ]


def test_the_table_names_files_and_counts_empty_messages():
    table = (
        "AuthorID,Author,Date,Content,Attachments,Reactions\n"
        '"1","odile#0001","23/10/2025 11:44","a ""gate""\n8812",'
        '"https://x.test/1/map.png,https://x.test/2/b.png?x=1","👍 (1)"\n'
        '"2","bo","2025-10-23T11:45:00.0000000+02:00","","",""\n'
        '"2","bo","23/10/2025 11:46","Started a call that lasted 5 minutes.","",""\n'
        '"3","zed","23/10/2025 11:47","Joined the server.","",""\n'
    )

    assert show_turns(TABLE, table, "Direct Messages - bo [111].csv") == [
        ("bo", "2025-10-23T11:44:00+00:00", "odile", "text", 'a "gate"\n8812\n[map.png, b.png]'),
        ("bo", "2025-10-23T11:46:00+00:00", "bo", "call", "Started a call that lasted 5 minutes."),
        ("bo", "2025-10-23T11:47:00+00:00", "zed", "service", "Joined the server."),
    ]


def test_the_text_has_parts_in_braces_and_a_frame():
    rule = "=" * 62
    text = f"""{rule}
Guild: Club
Channel: Text / general
Topic: boats
{rule}

[10/11/2025 11:44 AM] odile
the gate
[no date] x

{{Reactions}}
👍 (2)

[10/11/2025 11:45 AM] bo (pinned)

{{Attachments}}
https://x.test/1/map.png?ex=1

[10/11/2025 11:46 AM] Helper#1234
{{Embed}}
Rain


{rule}
Exported 3 message(s)
{rule}
"""

    assert show_turns(TEXT, text, "Club - Text - general [12].txt") == [
        Doubt("dates", "day and month cannot be told apart, read as month/day"),
        ("general (Club)", "2025-10-11T11:44:00+00:00", "odile", "text", "the gate\n[no date] x"),
        ("general (Club)", "2025-10-11T11:45:00+00:00", "bo", "media", "map.png"),
        ("general (Club)", "2025-10-11T11:46:00+00:00", "Helper", "text", "Rain"),
    ]
