"""The database of simonw/llm."""

import json
import sqlite3

import pytest
from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format, recognise_format

LLM = load_format("llm_logs")
OLD = """
create table conversations (id text primary key, name text, model text);
create table responses (id text primary key, model text, prompt text, system text, response text,
    conversation_id text, duration_ms integer, datetime_utc text);
create table fragments (id integer primary key, content text);
create table prompt_fragments (response_id text, fragment_id integer, `order` integer);
create table tool_calls (id integer primary key, response_id text, name text, arguments text);
create table tool_results (id integer primary key, response_id text, name text, output text);
"""
NEW = """
create table threads (id text primary key, name text, tip_message_hash text, forked_from text);
create table turns (id text primary key, thread_id text, parent_message_hash text,
    tip_message_hash text, datetime_utc text);
create table messages (hash text primary key, parent_hash text, role text);
create table parts (id integer primary key, message_hash text, position integer, type text,
    tool_name text, text text, payload text);
"""
TIME = "2026-01-01T10:00:0{}.000000+00:00"


@pytest.fixture
def database(tmp_path):
    """Return a function that makes a database of a schema and rows: (table, *values)."""

    def make(schema, *rows):
        path = tmp_path / "logs.db"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        connection.executescript(schema)
        for table, *values in rows:
            places = ", ".join("?" * len(values))
            connection.execute(f"insert into {table} values ({places})", values)
        connection.commit()
        connection.close()
        return path.read_bytes()

    return make


def response(key, prompt, answer, second=0, system=None, conversation="c1"):
    stamp = TIME.format(second)
    return ("responses", key, "m", prompt, system, answer, conversation, 9, stamp)


def message(name, parent, role, *parts):
    rows = [
        ("parts", None, name, at, kind, None, text, payload and json.dumps(payload))
        for at, (kind, text, payload) in enumerate(parts)
    ]
    return [("messages", name, parent, role), *rows]


def turn(key, tip, second=0, thread="c1"):
    return ("turns", key, thread, None, tip, TIME.format(second))


NAMED = ("conversations", "c1", "Cats", "m")
THREAD = ("threads", "c1", "Cats", None, None)
QUESTION = message("h1", None, "user", ("text", "One", None))
ANSWER = message("h2", "h1", "assistant", ("text", "1", None))


def test_old_logs_are_calls_in_the_order_of_their_ids(database):
    raw = database(
        OLD, NAMED, response("r2", "Two", "2", 1), response("r1", "One", "1", 0, "Brief")
    )

    found = parse_one(LLM, raw)

    assert recognise_format(document(raw)) is LLM
    assert (found.key, found.title) == ("c1", "Cats")
    assert turn_summaries(found) == [
        ("system", "context", "Brief"),
        ("user", "text", "One"),
        ("assistant", "text", "1"),
        ("user", "text", "Two"),
        ("assistant", "text", "2"),
    ]


def test_new_logs_give_the_same(database):
    rows = [
        *message("h0", None, "system", ("text", "Brief", None)),
        *message("h1", "h0", "user", ("text", "One", None)),
        *message("h2", "h1", "assistant", ("text", "1", None)),
        *message("h3", "h2", "user", ("text", "Two", None)),
        *message("h4", "h3", "assistant", ("text", "2", None)),
    ]
    old = database(
        OLD, NAMED, response("r1", "One", "1", 0, "Brief"), response("r2", "Two", "2", 1)
    )
    new = database(NEW, THREAD, *rows, turn("r1", "h2"), turn("r2", "h4", 1))

    assert recognise_format(document(new)) is LLM
    assert parse_all(LLM, new) == parse_all(LLM, old)


def test_a_call_in_both_tables_is_told_once(database):
    raw = database(
        OLD + NEW,
        *(NAMED, THREAD, response("r0", "Zero", "0"), response("r1", "One", "1", 1)),
        *(*QUESTION, *ANSWER, turn("r1", "h2", 1)),
    )

    assert [turn.text for turn in parse_one(LLM, raw).turns] == ["Zero", "0", "One", "1"]


def test_what_was_attached_belongs_to_the_prompt(database):
    old = database(
        OLD,
        *(NAMED, response("r1", "Explain", "x"), ("fragments", 7, "pasted")),
        ("prompt_fragments", "r1", 7, 0),
    )
    pieces = {"text_ref": [{"fragment": 7}, {"literal": "\nExplain"}]}
    new = database(
        NEW + "create table fragments (id integer primary key, content text);",
        *(THREAD, ("fragments", 7, "pasted"), turn("r1", "h1")),
        *message("h1", None, "user", ("text", None, pieces)),
    )

    assert (
        parse_one(LLM, old).turns[0].text == parse_one(LLM, new).turns[0].text == "pasted\nExplain"
    )


def test_thoughts_tools_and_files_are_kept_apart(database):
    parts = [
        ("reasoning", "Hm", None),
        ("tool_call", None, {"name": "ls", "arguments": {"path": "."}}),
    ]
    raw = database(
        NEW,
        THREAD,
        *message("h1", None, "user", ("attachment", None, {"attachment": {"path": "/a/b.png"}})),
        *message("h2", "h1", "assistant", *parts),
        *message("h3", "h2", "tool", ("tool_result", None, {"name": "ls", "output": "a.py"})),
        turn("r1", "h3"),
    )

    assert turn_summaries(parse_one(LLM, raw)) == [
        ("user", "media", "b.png"),
        ("assistant", "thought", "Hm"),
        ("assistant", "tool", 'ls {"path": "."}'),
        ("tool", "tool", "a.py"),
    ]


def test_tools_of_old_logs_are_kept_apart(database):
    raw = database(
        OLD,
        *(NAMED, response("r1", "List", "Done")),
        ("tool_calls", None, "r1", "ls", '{"path": "."}'),
        ("tool_results", None, "r1", "ls", "a.py"),
    )

    assert turn_summaries(parse_one(LLM, raw))[1:3] == [
        ("assistant", "tool", 'ls {"path": "."}'),
        ("tool", "tool", "a.py"),
    ]


def test_a_fork_has_what_was_said_after_it(database):
    rows = [
        *(*QUESTION, *ANSWER, turn("r1", "h2")),
        *message("h3", "h2", "user", ("text", "Two", None)),
        ("threads", "c2", "Fork", None, "c1"),
        turn("r2", "h3", 1, "c2"),
    ]

    parent, fork = parse_all(LLM, database(NEW, THREAD, *rows))

    assert [turn.text for turn in parent.turns] == ["One", "1"]
    assert (fork.key, [turn.text for turn in fork.turns]) == ("c2", ["Two"])


def test_a_call_without_a_conversation_is_one(database):
    found = parse_one(LLM, database(OLD, response("r1", "Why?", "So.", conversation=None)))

    assert (found.key, found.title) == ("r1", "Why?")


def test_messages_in_a_circle_end(database):
    rows = [("messages", "h1", "h2", "user"), ("messages", "h2", "h1", "user")]

    assert parse_all(LLM, database(NEW, THREAD, *rows, turn("r1", "h1"))) == [
        Skipped("conversation c1", "has nothing to import", lost=False)
    ]


def test_another_database_is_not_taken_for_it(database):
    assert (
        recognise_format(document(database("create table responses (id text, prompt text)")))
        is None
    )
