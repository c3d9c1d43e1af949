"""Skype's export."""

from helpers.parsing import account, parse_one, show_turns

from memcli.formats import load_format

SKYPE = load_format("skype")


def message(minute, content, kind="RichText", sender="8:bo.lind", name="Bo Lind", **others):
    time = f"2024-03-01T10:{minute:02}:00.123Z"
    head = {"id": str(minute), "displayName": name, "originalarrivaltime": time}
    return {**head, "messagetype": kind, "content": content, "from": sender, **others}


def export(*messages, name="Bo Lind", **others):
    conversation = {"id": "8:bo.lind", "displayName": name, **others, "MessageList": messages}
    return {"userId": "8:live:odile.k", "conversations": [conversation]}


def shown(*messages):
    return [turn[2:] for turn in show_turns(SKYPE, export(*messages), "messages.json")]


def test_texts_are_a_kind_of_html_with_plain_line_breaks():
    text = 'It is <b raw_pre="*">8812</b>\nsee <a href="https://x.org">https://x.org</a> &amp; ok'

    assert shown(message(1, text)) == [
        ("Bo Lind", "text", "It is 8812\nsee https://x.org & ok"),
    ]


def test_a_quote_is_marked_and_its_frame_is_left_out():
    text = (
        '<quote author="o" authorname="Odile" timestamp="1"><legacyquote>[1] Odile: </legacyquote>'
        "the gate?<legacyquote>\n\n&lt;&lt;&lt; </legacyquote></quote>8812"
    )

    assert shown(message(1, text)) == [("Bo Lind", "text", "> Odile: the gate?\n8812")]


def test_the_newest_comes_first_and_the_kinds_are_told_apart():
    file = '<URIObject uri="u"><a/><OriginalName v="map.pdf"></OriginalName></URIObject>'
    call = '<partlist type="ended"><part><name>Bo</name><duration>12.3</duration></part></partlist>'
    contact = '<contacts><c t="s" s="zed" f="Zed Zorn"/></contacts>'

    assert shown(
        message(9, "mine", sender="8:live:odile.k", name=None),
        message(8, file, "RichText/Media_GenericFile"),
        message(7, call, "Event/Call"),
        message(6, "<topicupdate><value>Crew</value></topicupdate>", "ThreadActivity/TopicUpdate"),
        message(5, "", properties={"deletetime": "1"}),
        message(4, contact, "RichText/Contacts"),
        message(3, "some words", "RichText/NewKind"),
    ) == [
        ("Bo Lind", "text", "some words"),
        ("Bo Lind", "media", "Zed Zorn"),
        ("Bo Lind", "deleted", ""),
        ("Bo Lind", "service", "Crew"),
        ("Bo Lind", "call", "Bo (12 s)"),
        ("Bo Lind", "media", "map.pdf"),
        ("owner", "text", "mine"),
    ]


def test_a_group_is_named_by_its_topic_and_empty_messages_are_counted():
    content = export(
        message(1, "hi"), message(2, ""), name=None, threadProperties={"topic": "Crew"}
    )

    assert [turn[0] for turn in show_turns(SKYPE, content)] == ["Crew"]
    assert account(SKYPE, content) == {"turns": 1, "empty": 1}


def test_keys_and_times_are_the_services_own():
    [turn] = parse_one(SKYPE, export(message(1, "hi"))).turns

    assert (turn.key, turn.sent_at.isoformat()) == ("1", "2024-03-01T10:01:00.123000+00:00")
