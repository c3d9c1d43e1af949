"""Snapchat, TikTok, Reddit, LinkedIn and Copilot."""

from helpers.parsing import account, document, parse_all, show_turns

from memcli.domain import Skipped
from memcli.formats import load_format, recognise_format

SNAPCHAT, TIKTOK = load_format("snapchat"), load_format("tiktok")
REDDIT, LINKEDIN, COPILOT = load_format("reddit"), load_format("linkedin"), load_format("copilot")


def snap(minute, text, kind="TEXT", own=False, **others):
    head = {"From": "odile" if own else "ann", "Media Type": kind, "IsSender": own}
    return {**head, "Created": f"2025-10-23 11:{minute:02}:00 UTC", "Content": text, **others}


def test_snapchat_tells_unsaved_messages_media_and_notices_apart():
    content = {
        "~group-1": [
            snap(46, "thanks", **{"Conversation Title": "Crew"}),
            snap(45, None, **{"Conversation Title": "Crew"}),
            snap(44, "", "MEDIA", own=True, **{"Conversation Title": "Crew", "Media IDs": "b~x"}),
            snap(43, "", "STATUSSAVETOCAMERAROLL", **{"Conversation Title": "Crew"}),
        ],
        "bo": [],
    }

    assert show_turns(SNAPCHAT, content, "json/chat_history.json") == [
        ("Crew", "2025-10-23T11:43:00+00:00", "ann", "service", "statussavetocameraroll"),
        ("Crew", "2025-10-23T11:44:00+00:00", "owner", "media", ""),
        ("Crew", "2025-10-23T11:46:00+00:00", "ann", "text", "thanks"),
    ]
    assert account(SNAPCHAT, content) == {"turns": 3, "empty": 1}


def test_older_exports_of_snapchat_have_lists_by_direction():
    received = {"From": "sami", "Media Type": "TEXT", "Created": "2022-02-02 12:00:00 UTC"}
    sent = {"To": "sami", "Media Type": "TEXT", "Created": "2022-02-02 12:05:00 UTC"}
    content = {
        "Received Saved Chat History": [{**received, "Text": "coming?"}],
        "Sent Saved Chat History": [{**sent, "Text": "yes"}],
        "Received Unsaved Chat History": [],
    }

    assert [turn[:1] + turn[2:] for turn in show_turns(SNAPCHAT, content)] == [
        ("sami", "sami", "text", "coming?"),
        ("sami", "owner", "text", "yes"),
    ]


def card(minute, name, kind, text=""):
    body = f"<p>{text}</p>" if text else ""
    return (
        f'<div style="background: #f2f2f2;"><span><div><h4>{name}</h4></div><span>{kind}</span>'
        f"{body}<h6>2025-10-23 11:{minute}:00 UTC</h6></span></div>"
    )


def chat_page(*cards):
    return f'<html><div class="rightpanel"><h1>Crew</h1><h3>Saved</h3>{"".join(cards)}</div>'


def test_snapchats_pages_hold_a_chat_each():
    content = chat_page(
        card(43, "ann", "TEXT", "the gate<br>is &lt;8812&gt;"),
        card(44, "odile", "MEDIA"),
        card(45, "ann", "NOTE"),
        card(46, "ann", "TEXT", "OK"),
        card(47, "ann", "TEXT"),
    )

    assert recognise_format(document(content, "html/chat_history/subpage_crew.html")) is SNAPCHAT
    assert show_turns(SNAPCHAT, content, "html/chat_history/subpage_crew.html") == [
        ("Crew", "2025-10-23T11:43:00+00:00", "ann", "text", "the gate\nis <8812>"),
        ("Crew", "2025-10-23T11:44:00+00:00", "odile", "media", ""),
        ("Crew", "2025-10-23T11:45:00+00:00", "ann", "media", "[voice message]"),
        ("Crew", "2025-10-23T11:46:00+00:00", "ann", "text", "OK"),
    ]
    assert account(SNAPCHAT, content, "subpage_crew.html") == {"turns": 4, "empty": 1}


def test_snapchats_pages_beside_the_json_are_not_read_twice():
    page = chat_page(card(43, "ann", "TEXT", "hi"))
    name, beside = "html/chat_history/subpage_crew.html", "../../json/chat_history.json"

    assert recognise_format(document(page, name, **{beside: "{}"})).is_index
    assert not recognise_format(document(page, name)).is_index


def test_snapchats_index_of_pages_is_a_manifest():
    content = '<div class="rightpanel"><a href="chat_history/subpage_ann.html">ann</a></div>'
    manifest = load_format("export_manifests")

    assert recognise_format(document(content, "html/chat_history.html")) is manifest
    assert show_turns(manifest, content, "html/chat_history.html") == []


def test_older_pages_of_snapchat_have_tables_by_direction():
    def table(head, minute, text, kind="TEXT"):
        return (
            f"<table><tr><th>{head}</th><th>Media Type</th><th>Created</th></tr><tr><td>sami</td>"
            f"<td>{kind}</td><td>2022-02-02 12:{minute}:00 UTC</td></tr>"
            f'<tr><td colspan="3">{text}</td></tr></table>'
        )

    for heads in (("From", "To"), ("Von", "An")):
        content = table(heads[0], 10, "coming?") + table(heads[1], 15, "", "MEDIA")
        content += table(heads[0], 20, "") + table(heads[1], 25, "yes")
        assert recognise_format(document(content, "chat_history.html")) is SNAPCHAT
        assert [turn[0:1] + turn[2:] for turn in show_turns(SNAPCHAT, content)] == [
            ("sami", "sami", "text", "coming?"),
            ("sami", "owner", "media", ""),
            ("sami", "owner", "text", "yes"),
        ]


def test_tiktoks_groups_have_changed_and_the_owner_stands_behind_the_messages():
    def dated(minute, sender, text):
        return {"Date": f"2025-10-23 11:{minute}:00", "From": sender, "Content": text}

    chats = {
        "Chat History with bo.lind:": [
            dated(44, "odile", "the gate is 8812"),
            dated(45, "bo.lind", "ok"),
        ],
        "Chat History with zed:": [],
    }
    profile = {"Profile Info": {"ProfileMap": {"userName": "odile"}}}
    for group in (
        {"Direct Messages": {"Chat History": {"ChatHistory": chats}}},
        {"Direct Message": {"Direct Messages": {"ChatHistory": chats}}},
    ):
        content = {"Activity": {"Likes": [{"Date": "x"}]}, **group, "Profile And Settings": profile}
        assert recognise_format(document(content)) is TIKTOK
        assert show_turns(TIKTOK, content) == [
            ("bo.lind", "2025-10-23T11:44:00+00:00", "owner", "text", "the gate is 8812"),
            ("bo.lind", "2025-10-23T11:45:00+00:00", "bo.lind", "text", "ok"),
        ]


def test_tiktoks_text_holds_all_chats_with_times_in_utc():
    content = (
        ">>> Chat History with bo.lind::\n\n"
        "2025-10-23 11:44:00 UTC odile: the gate: 8812\n"
        "2025-10-23 11:45:00 UTC bo.lind: ok\nsecond\n\n"
        ">>> Chat History with zed::\n\n"
        "2025-10-23 11:46:00 UTC odile: hi\n"
    )

    assert recognise_format(document(content, "Direct Messages.txt")) is TIKTOK
    assert show_turns(TIKTOK, content, "Direct Messages.txt") == [
        ("bo.lind", "2025-10-23T11:44:00+00:00", "odile", "text", "the gate: 8812"),
        ("bo.lind", "2025-10-23T11:45:00+00:00", "bo.lind", "text", "ok\nsecond"),
        ("zed", "2025-10-23T11:46:00+00:00", "odile", "text", "hi"),
    ]


def test_an_export_of_tiktok_without_messages_is_not_taken():
    assert recognise_format(document({"Profile": {"ProfileMap": {"userName": "odile"}}})) is None


def test_reddit_has_private_messages_with_subjects():
    content = (
        "id,permalink,thread_id,date,ip,from,to,subject,body\n"
        'm1,,t1,2025-01-01 00:00:00 UTC,,bo,odile,Gate,"is it\n8812?"\n'
        "m2,,t1,2025-01-01 01:00:00 UTC,,odile,bo,re: Gate,yes\n"
    )
    beside = {"statistics.csv": "statistic,value\naccount name,odile\n"}

    assert show_turns(REDDIT, content, "messages.csv", **beside) == [
        ("bo", "2025-01-01T00:00:00+00:00", "bo", "text", "Gate\nis it\n8812?"),
        ("bo", "2025-01-01T01:00:00+00:00", "owner", "text", "yes"),
    ]


def test_reddit_has_chats_with_threads_and_edits():
    content = (
        "message_id,created_at,updated_at,username,message,thread_parent_message_id,channel_url,"
        "subreddit,channel_name,conversation_type\n"
        "7,2025-01-01 00:00:00 UTC,2025-01-01 00:00:00 UTC,bo,the gate?,,c1,,,direct\n"
        "8,2025-01-01 00:01:00 UTC,2025-01-01 00:02:00 UTC,odile,8812,7,c1,,,direct\n"
    )

    [conversation] = parse_all(REDDIT, content, "chat_history.csv")

    assert (conversation.key, conversation.title) == ("c1", "bo")
    assert [(turn.key, turn.parent, turn.edited_at is not None) for turn in conversation.turns] == [
        ("7", None, False),
        ("8", "7", True),
    ]


def test_reddit_compares_no_times_of_which_one_lost_its_zone():
    content = (
        "message_id,created_at,updated_at,username,message,channel_url\n"
        "7,2025-01-01 00:00:00,2025-01-01 00:02:00 UTC,bo,the gate?,c1\n"
        "8,2025-01-01 00:01:00 UTC,2025-01-01 00:02:00,odile,8812,c1\n"
    )

    [conversation] = parse_all(REDDIT, content, "chat_history.csv")

    assert [(turn.text, turn.edited_at) for turn in conversation.turns] == [
        ("the gate?", None),
        ("8812", None),
    ]


def test_linkedin_has_html_attachments_and_drafts():
    content = (
        "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,"
        "SUBJECT,CONTENT,FOLDER,ATTACHMENTS,IS MESSAGE DRAFT\n"
        '2-b,Crew,Zed,u,"Odile K,Bo",u,2025-10-23 11:47:00 UTC,,"<p class=""x"">Hi &amp; '
        "<b>ho</b></p>"
        '<p>two</p>",INBOX,https://x.test/prv/a.pdf,No\n'
        "2-a,,Bo Lind,u,Odile K,u,2025-10-23 11:45:00 UTC,,yes,INBOX,,No\n"
        "2-a,,Odile K,u,Bo Lind,u,2025-10-23 11:44:00 UTC,Mooring,Shall we?,INBOX,,No\n"
        "2-a,,Odile K,u,Bo Lind,u,2025-10-23 11:48:00 UTC,,unsent,INBOX,,Yes\n"
    )
    beside = {"Profile.csv": "First Name,Last Name,Maiden Name\nOdile,K,\n"}

    assert show_turns(LINKEDIN, content, "messages.csv", **beside) == [
        Skipped("line 5", "is a draft that was not sent", lost=False),
        ("Crew", "2025-10-23T11:47:00+00:00", "Zed", "text", "Hi & ho\ntwo\n[a.pdf]"),
        ("Bo Lind", "2025-10-23T11:44:00+00:00", "owner", "text", "Mooring\nShall we?"),
        ("Bo Lind", "2025-10-23T11:45:00+00:00", "Bo Lind", "text", "yes"),
    ]


def test_copilots_conversations_are_whole_and_begin_with_the_question():
    content = (
        '\ufeff"Conversation","Time","Author","Message"\n'
        '"Hulls","2025-11-09T07:16:22","AI","A ketch,\ntwo masts."\n'
        '"Hulls","2025-11-09T07:16:22","Human","And a ketch?"\n'
        '"Knots","2025-11-07T10:00:00","AI","A bowline."\n'
        '"Knots","2025-11-07T10:00:00","Human","Which knot?"\n'
        '"Hulls","2025-11-06T07:16:22","AI","Fibreglass."\n'
        '"Hulls","2025-11-06T07:16:22","Human","Which hull?"\n'
    )

    conversations = parse_all(COPILOT, content)

    assert [
        (each.title, each.endless, [turn.text for turn in each.turns]) for each in conversations
    ] == [
        ("Hulls", False, ["Which hull?", "Fibreglass.", "And a ketch?", "A ketch,\ntwo masts."]),
        ("Knots", False, ["Which knot?", "A bowline."]),
    ]
