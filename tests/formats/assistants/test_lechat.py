"""Mistral Le Chat exports."""

import json

import pytest
from helpers.parsing import document, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Clock
from memcli.formats import ParseOptions, load_format, recognise_format

LECHAT = load_format("lechat")


def message(key, role, text, minute=0, chunks=None, **more):
    stamp = f"2026-01-01T10:{minute:02}:00.000Z"
    where = {"id": key, "chatId": "c1", "createdAt": stamp}
    return {**where, "role": role, "content": text, "contentChunks": chunks, **more}


ASKED, ANSWERED = message("q", "user", "Why?"), message("a", "assistant", "So.", 1)


@pytest.mark.parametrize("row", sample_rows("lechat"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    [conversation] = LECHAT.parse(found, ParseOptions())

    assert recognise_format(found) is LECHAT
    assert conversation.key == "chat-123"
    assert len(conversation.turns) == int(row["messages"])


def test_messages_stand_by_time_and_the_first_prompt_is_the_title():
    found = parse_one(LECHAT, [ANSWERED, ASKED])

    assert (found.key, found.title) == ("c1", "Why?")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert found == parse_one(LECHAT, [ASKED, ANSWERED])


def test_chunks_are_read_where_there_is_no_content():
    chunks = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "tool_call", "name": "web_search", "arguments": '{"q":1}'},
        {"type": "text", "text": "See "},
        {"type": "reference", "referenceIds": [1]},
        {"type": "text", "text": "here."},
    ]

    assert turn_summaries(parse_one(LECHAT, [message("a", "assistant", "", chunks=chunks)])) == [
        ("assistant", "thought", "Hm"),
        ("assistant", "tool", 'web_search {"q":1}'),
        ("assistant", "text", "See here."),
    ]


def test_files_are_kept_by_name():
    question = message("q", "user", "Read", files=[{"name": "a.pdf"}])

    assert turn_summaries(parse_one(LECHAT, [question]))[1] == ("user", "media", "a.pdf")


def test_a_message_without_a_time_follows_the_one_before_it():
    found = parse_one(LECHAT, [ASKED, message("b", "user", "More", createdAt=None), ANSWERED])

    assert [turn.key for turn in found.turns] == ["q", "b", "a"]
    assert found.turns[1].clock is Clock.INHERITED


def test_a_broken_message_is_told_and_the_rest_read():
    [skipped, found] = parse_all(LECHAT, f"[{{nope}},{json.dumps(ASKED)}]")

    assert (skipped.where, len(found.turns)) == ("message 1", 1)


def test_messages_with_roles_alone_are_not_taken_for_it():
    assert recognise_format(document([{"role": "user", "content": "Hi"}])) is not LECHAT
