"""Damaged databases of other programs raise nothing but InputError."""

import sqlite3
from contextlib import closing
from random import Random

import pytest
from helpers.parsing import document, parse_until_error

from memcli.formats import load_format, recognise_format

ROUNDS = 50
DATABASES = {
    "open_webui": [
        "create table chat (id text, user_id text, title text, chat json)",
        """insert into chat values ('c1', 'u', 'Cats', '{"history": {"messages": {"q":
        {"id": "q", "role": "user", "content": "Why is the sky blue?"}}}}')""",
    ],
    "llm_logs": [
        "create table responses (id text primary key, prompt text, system text, response text,"
        " conversation_id text, datetime_utc text)",
        "insert into responses values ('r1', 'Why?', 'Be brief', 'So.', 'c1', '2026-01-01T10:00')",
    ],
    "opencode": [
        "create table session (id text, title text)",
        "create table message (id text, session_id text, data text)",
        "create table part (id text, message_id text, data text)",
        "insert into session values ('s1', 'Cats')",
        """insert into message values ('m1', 's1', '{"role": "user"}')""",
        """insert into part values ('p1', 'm1', '{"type": "text", "text": "Why?"}')""",
    ],
    "cursor": [
        "create table ItemTable (key text, value blob)",
        "create table cursorDiskKV (key text, value blob)",
        """insert into cursorDiskKV values ('composerData:c1', '{"name": "Pump",
        "fullConversationHeadersOnly": [{"bubbleId": "b1"}]}')""",
        """insert into cursorDiskKV values ('bubbleId:c1:b1', '{"type": 1, "text": "Why?"}')""",
    ],
}


@pytest.mark.parametrize("name", DATABASES)
def test_a_damaged_database_is_no_more_than_an_input_error(name, tmp_path):
    with closing(sqlite3.connect(tmp_path / "some.db")) as connection:
        connection.execute("pragma page_size = 512")
        for statement in DATABASES[name]:
            connection.execute(statement)
        connection.commit()
    raw = (tmp_path / "some.db").read_bytes()
    known, random = load_format(name), Random(name)
    assert recognise_format(document(raw)) is known
    assert parse_until_error(known, raw)

    for _ in range(ROUNDS):
        damaged = bytearray(raw)
        for _ in range(random.choice((1, 3, 30))):
            damaged[random.randrange(len(raw))] = random.randrange(256)

        recognise_format(document(bytes(damaged)))
        parse_until_error(known, bytes(damaged))
        parse_until_error(known, raw[: random.randrange(len(raw))])
