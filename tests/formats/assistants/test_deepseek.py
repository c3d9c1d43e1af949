"""DeepSeek exports."""

import pytest
from helpers.parsing import document, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Clock, Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

DEEPSEEK = load_format("deepseek")


def node(name, parent, *fragments, minute=0, **more):
    stamp = f"2026-01-01T18:{minute:02}:00.000000+08:00"
    told = [{"type": kind, "content": text} for kind, text in fragments]
    message = {"files": [], "inserted_at": stamp, "fragments": told, **more}
    return {"id": name, "parent": parent, "children": [], "message": message}


def conversation_json(*nodes, **keys):
    root = {"id": "root", "parent": None, "children": [], "message": None}
    tree = {"root": root, **{node["id"]: node for node in nodes}}
    return {"id": "c1", "title": "Cats", "inserted_at": "x", "mapping": tree, **keys}


ASKED = node("1", "root", ("REQUEST", "A name for a cat?"))
THOUGHT = node("2", "1", ("THINK", "Hm."), ("RESPONSE", "Biscuit."), minute=1)
AGAIN = node("3", "1", ("SEARCH", "cat names"), ("RESPONSE", "Pixel."), minute=2)


@pytest.mark.parametrize("row", sample_rows("deepseek"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    [conversation] = DEEPSEEK.parse(found, ParseOptions())

    assert recognise_format(found) is DEEPSEEK
    said = [turn for turn in conversation.turns if turn.kind.is_message]
    assert len(said) == int(row["messages"])
    assert [turn.key for turn in said if turn.active] == ["3", "4", "5"]


def test_who_speaks_is_told_by_fragments_and_branches_are_kept():
    found = parse_one(DEEPSEEK, [conversation_json(ASKED, THOUGHT, AGAIN)])

    assert (found.key, found.title) == ("c1", "Cats")
    assert turn_summaries(found) == [
        ("user", "text", "A name for a cat?"),
        ("assistant", "thought", "Hm."),
        ("assistant", "text", "Biscuit."),
        ("tool", "tool", "cat names"),
        ("assistant", "text", "Pixel."),
    ]
    assert [turn.active for turn in found.turns] == [True, False, False, True, True]
    assert [turn.key for turn in found.turns if turn.kind.value == "text"] == ["1", "2", "3"]


def test_the_current_node_wins_over_the_newest():
    found = parse_one(DEEPSEEK, [conversation_json(ASKED, THOUGHT, AGAIN, current_node="2")])

    assert [turn.text for turn in found.turns if turn.is_searchable] == [
        "A name for a cat?",
        "Biscuit.",
    ]


def test_the_order_of_nodes_does_not_matter():
    assert parse_all(DEEPSEEK, [conversation_json(AGAIN, THOUGHT, ASKED)]) == parse_all(
        DEEPSEEK, [conversation_json(ASKED, THOUGHT, AGAIN)]
    )


def test_attached_files_are_kept_by_name():
    question = node("1", "root", ("REQUEST", "Read it"), files=[{"file_name": "a.pdf"}, None])

    assert turn_summaries(parse_one(DEEPSEEK, [conversation_json(question)])) == [
        ("user", "media", "a.pdf"),
        ("user", "text", "Read it"),
    ]


def test_what_the_web_page_gets_is_read_too():
    rows = [
        {"message_id": 1, "parent_id": None, "role": "USER", "inserted_at": 1767261600.0},
        {"message_id": 2, "parent_id": 1, "role": "ASSISTANT", "inserted_at": 1767261660.0},
    ]
    rows[0]["fragments"] = [{"type": "REQUEST", "content": "Hi"}]
    rows[1]["fragments"] = [{"type": "RESPONSE", "content": "Yo"}]
    about = {"id": "c9", "title": "Hi", "current_message_id": 2}
    capture = {"code": 0, "data": {"biz_data": {"chat_session": about, "chat_messages": rows}}}

    found = parse_one(DEEPSEEK, capture)

    assert recognise_format(document(capture)) is DEEPSEEK
    assert (found.key, found.title, [turn.text for turn in found.turns]) == (
        *("c9", "Hi"),
        ["Hi", "Yo"],
    )
    assert all(turn.active and turn.clock is Clock.EXACT for turn in found.turns)


def test_conversations_without_anything_are_skipped_but_not_lost():
    assert parse_all(DEEPSEEK, [None, conversation_json()]) == [
        Skipped("conversation 1", "has nothing to import", lost=False),
        Skipped("conversation 2 (Cats)", "has nothing to import", lost=False),
    ]
