"""Cursor's database and transcripts."""

import json
import sqlite3

import pytest
from helpers.assistant_exports import STARTED, lines_of
from helpers.every_format import cursor_store, database_bytes
from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Clock, Skipped
from memcli.formats import load_format, recognise_format

CURSOR = load_format("cursor")


def database(path, values, items=None):
    """Return the bytes of a `state.vscdb` with these values."""
    connection = sqlite3.connect(path)
    connection.execute("create table ItemTable (key text, value blob)")
    connection.execute("create table cursorDiskKV (key text, value blob)")
    for table, rows in (("cursorDiskKV", values), ("ItemTable", items or {})):
        for key, value in rows.items():
            text = value if isinstance(value, str) else json.dumps(value)
            connection.execute(f"insert into {table} values (?, ?)", (key, text))
    connection.commit()
    connection.close()
    return path.read_bytes()


def chat(*names, **more):
    heads = [{"bubbleId": name} for name in names]
    return {"name": "Pump", "createdAt": STARTED, "fullConversationHeadersOnly": heads, **more}


def bubble(kind, text, **more):
    return {"type": kind, "text": text, **more}


ASKED, ANSWERED = bubble(1, "Why?", createdAt="2026-05-28T10:00:00Z"), bubble(2, "So.")


def test_messages_come_in_the_order_that_the_chat_names(tmp_path):
    raw = database(
        tmp_path / "state.vscdb",
        {
            "composerData:c1": chat("b9", "b1"),
            "bubbleId:c1:b1": ANSWERED,
            "bubbleId:c1:b9": ASKED,
        },
    )

    found = parse_one(CURSOR, raw)

    assert recognise_format(document(raw)) is CURSOR
    assert (found.key, found.title) == ("c1", "Pump")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert [turn.key for turn in found.turns] == ["b9", "b1"]
    assert found.turns[1].clock is Clock.INHERITED


@pytest.mark.parametrize(
    "values",
    [
        {"composerData:c1": {"conversation": [ASKED, ANSWERED]}},
        {"bubbleId:c1:b1": ASKED, "bubbleId:c1:b2": ANSWERED},
        {
            "composerData:c1": {
                **chat("b1", "b2"),
                "conversationMap": {"b1": ASKED, "b2": ANSWERED},
            }
        },
    ],
)
def test_messages_inside_of_a_chat_or_without_one_are_read(values, tmp_path):
    found = parse_one(CURSOR, database(tmp_path / "state.vscdb", values))

    assert [text for *_, text in turn_summaries(found)] == ["Why?", "So."]
    assert found.key == "c1"


def test_tabs_of_the_oldest_versions_are_chats(tmp_path):
    bubbles = [
        {"type": "user", "text": "Why?", "timingInfo": {"clientStartTime": STARTED}},
        {"type": "ai", "rawText": "So."},
    ]
    tabs = {"tabs": [{"tabId": "t1", "chatTitle": "Pump", "bubbles": bubbles}]}
    raw = database(
        tmp_path / "state.vscdb", {}, {"workbench.panel.aichat.view.aichat.chatdata": tabs}
    )

    found = parse_one(CURSOR, raw)

    assert (found.key, found.title) == ("t1", "Pump")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]


def test_thoughts_tools_files_and_rich_texts_are_told_apart(tmp_path):
    rich = {"root": {"children": [{"children": [{"text": "Why "}, {"text": "so?"}]}]}}
    files = {"fileSelections": [{"uri": {"path": "/boat/pump.py"}}]}
    tool = {"name": "read_file", "rawArgs": '{"path": "pump.py"}', "result": "pin 7"}
    raw = database(
        tmp_path / "state.vscdb",
        {
            "composerData:c1": chat("b1", "b2", "b3"),
            "bubbleId:c1:b1": bubble(1, "", richText=json.dumps(rich), context=files, images=[{}]),
            "bubbleId:c1:b2": bubble(2, "", thinking={"text": "Hmm."}, toolFormerData=tool),
            "bubbleId:c1:b3": bubble(2, "", codeBlocks=[{"content": "pin = 8"}]),
        },
    )

    assert turn_summaries(parse_one(CURSOR, raw)) == [
        ("user", "text", "Why so?"),
        ("user", "media", "pump.py"),
        ("user", "media", "[image]"),
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", 'read_file {"path": "pump.py"}'),
        ("tool", "tool", "pin 7"),
        ("assistant", "text", "pin = 8"),
    ]


def test_a_broken_message_is_reported_and_the_others_are_read(tmp_path):
    values = {
        "composerData:c1": chat("b1", "b2"),
        "bubbleId:c1:b1": ASKED,
        "bubbleId:c1:b2": "{",
        "composerData:c2": "{",
    }

    broken, found, *others = parse_all(CURSOR, database(tmp_path / "state.vscdb", values))

    assert broken.where == "message 2 of chat c1"
    assert [text for *_, text in turn_summaries(found)] == ["Why?"]
    assert [each.where for each in others] == ["title of chat c2", "chat c2"]


def test_a_database_without_chats_is_reported(tmp_path):
    [found] = parse_all(CURSOR, database(tmp_path / "state.vscdb", {}), "state.vscdb")

    assert found == Skipped("state.vscdb", "holds no chats", lost=False)


def test_a_prompt_is_told_from_the_context_around_it():
    text = "<open_files>\npump.py\n</open_files>\n<user_query>\nWhy?\n</user_query>"
    raw = lines_of(
        [
            {"role": "user", "message": {"content": [{"type": "text", "text": text}]}},
            {"role": "user", "message": {"content": "Say it <b>again</b>"}},
        ]
    )

    assert turn_summaries(parse_one(CURSOR, raw)) == [
        ("system", "context", "<open_files>\npump.py\n</open_files>"),
        ("user", "text", "Why?"),
        ("user", "text", "Say it <b>again</b>"),
    ]


def test_marks_in_a_text_begin_thoughts_and_tools():
    raw = (
        "user:\n<user_query>\nWhy?\n</user_query>\n\nassistant:\n[Thinking] Hmm.\n"
        "[Tool call] Read\n  path: pump.py\nThe relay.\n\n[Tool result] Read\n  pin 7\n"
    )

    assert turn_summaries(parse_one(CURSOR, raw, "x/9f.txt")) == [
        ("user", "text", "Why?"),
        ("assistant", "thought", "Hmm."),
        ("tool", "tool", "Read\n  path: pump.py"),
        ("assistant", "text", "The relay."),
        ("tool", "tool", "Read\n  pin 7"),
    ]


def test_the_database_of_the_command_line_agent_has_the_turns_of_its_transcript():
    messages = [
        {"role": "system", "content": "You are an agent"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "<user_query>\nWhy?\n</user_query>"}],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "reasoning", "text": "Hm"},
                {"type": "text", "text": "So."},
                {"type": "tool-call", "toolName": "Read", "args": {"path": "a"}},
            ],
        },
        {"role": "tool", "content": [{"type": "tool-result", "result": "text of a"}]},
    ]

    found = parse_one(CURSOR, database_bytes(cursor_store(*messages, name="Pump")), "store.db")

    assert (found.key, found.title) == ("a1", "Pump")
    assert turn_summaries(found) == [
        ("system", "context", "You are an agent"),
        ("user", "text", "Why?"),
        ("assistant", "thought", "Hm"),
        ("assistant", "text", "So."),
        ("assistant", "tool", 'Read {"path": "a"}'),
        ("tool", "tool", "text of a"),
    ]
    rows = [{"role": "user", "message": {"content": messages[1]["content"]}}]
    transcript = parse_one(CURSOR, lines_of(rows), "a1.jsonl")
    assert {turn.key for turn in transcript.turns} <= {turn.key for turn in found.turns}


def test_a_message_that_is_missing_in_the_database_is_reported():
    statements = cursor_store({"role": "user", "content": "Why?"}, {"role": "user", "content": "x"})

    found = parse_all(CURSOR, database_bytes(statements[:-1]), "store.db")

    assert [each.where for each in found if isinstance(each, Skipped)] == ["message 2"]
