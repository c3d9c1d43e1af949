"""Chats with Grok in an archive of X."""

import json

from helpers.assistant_exports import x_grok
from helpers.parsing import parse_all, parse_one, turn_summaries

from memcli.formats import load_format

X_GROK = load_format("x_grok")


def item(chat, text, sender, minute=0, **more):
    stamp = f"2026-01-01T10:{minute:02}:00.000Z"
    fields = {"chatId": chat, "createdAt": stamp, "sender": sender, "message": text, **more}
    return {"grokChatItem": fields}


def archive(*items):
    return "window.YTD.grok_chat_item.part0 = " + json.dumps(items)


def test_items_of_several_chats_are_sorted_out():
    raw = archive(item("b", "Ash?", "user"), item("a", "Oak?", "user"), item("b", "No.", "grok", 1))

    found = {each.key: turn_summaries(each) for each in parse_all(X_GROK, raw)}

    assert found == {
        "a": [("user", "text", "Oak?")],
        "b": [("user", "text", "Ash?"), ("assistant", "text", "No.")],
    }


def test_a_question_and_its_answer_of_one_second_are_in_order():
    person = {"name": "User", "originalName": "USER"}
    raw = archive(item("a", "A.", {"name": "Agent"}), item("a", "Why?", person))

    assert [text for *_, text in turn_summaries(parse_one(X_GROK, raw))] == ["Why?", "A."]


def test_files_are_named_and_cards_are_left_out():
    card = '<grok:render card_id="1">x</grok:render>'
    raw = archive(
        item("a", "", "user", attachments=[{"fileName": "hull.jpg"}]),
        item("a", f"A hull.{card}", "grok", 1),
    )

    assert turn_summaries(parse_one(X_GROK, raw)) == [
        ("user", "media", "hull.jpg"),
        ("assistant", "text", "A hull."),
    ]


def test_the_same_chat_has_the_same_keys_in_a_later_archive():
    early, late = parse_one(X_GROK, x_grok("a", "b")), parse_one(X_GROK, x_grok("a", "b", "c"))

    assert [turn.key for turn in early.turns] == [turn.key for turn in late.turns[:2]]
