"""Session logs of Gemini CLI."""

import json

import pytest
from helpers.parsing import document, lines, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Clock, Conversation, Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

GEMINI = load_format("gemini_cli")
HEAD = {"sessionId": "s1", "projectHash": "p", "startTime": "2026-01-01T10:00:00Z"}
MISCOUNTED = "gemini/hash123/chats/session-test.json"  # the role `model` also counts: two messages


def message(key, text, kind="user", second=0, **more):
    stamp = f"2026-01-01T10:00:{second:02}Z"
    return {"id": key, "timestamp": stamp, "type": kind, "content": text, **more}


ASKED, ANSWERED = message("u1", "Why?"), message("a1", "So.", "gemini", 1)


@pytest.mark.parametrize("row", sample_rows("gemini_cli"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])
    messages = 2 if row["path"].endswith(MISCOUNTED) else int(row["messages"])

    parsed = [one for one in GEMINI.parse(found, ParseOptions()) if isinstance(one, Conversation)]

    assert recognise_format(found) is GEMINI
    assert len(parsed) == int(row["sessions"])
    assert sum(turn.is_searchable for one in parsed for turn in one.turns) == messages


@pytest.mark.parametrize(
    "content",
    [
        {**HEAD, "messages": [ASKED, ANSWERED]},
        json.dumps({"messages": [ASKED, ANSWERED], **HEAD}, indent=2),
        lines(HEAD, ASKED, ANSWERED),
        lines(HEAD, {"$set": {"messages": [ASKED, ANSWERED]}}),
    ],
    ids=["object", "over many lines", "lines", "set"],
)
def test_old_and_new_logs_give_the_same(content):
    found = parse_one(GEMINI, content)

    assert recognise_format(document(content)) is GEMINI
    assert (found.key, found.title) == ("s1", "Why?")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert [turn.key for turn in found.turns] == ["u1", "a1"]


def test_a_summary_is_the_title():
    assert parse_one(GEMINI, lines(HEAD, ASKED, {"$set": {"summary": "Causes"}})).title == "Causes"


def test_a_message_written_again_is_what_it_was_last():
    found = parse_one(GEMINI, lines(HEAD, ASKED, ANSWERED, message("a1", "So it is.", "gemini", 1)))

    assert [turn.text for turn in found.turns] == ["Why?", "So it is."]


@pytest.mark.parametrize(
    ("target", "active"), [("a1", [True, False, True]), ("gone", [False, False, True])]
)
def test_what_was_rewound_is_not_on_the_branch_that_counts(target, active):
    found = parse_one(
        GEMINI, lines(HEAD, ASKED, ANSWERED, {"$rewindTo": target}, message("u2", "Else", second=5))
    )

    assert [turn.active for turn in found.turns] == active


def test_a_list_that_is_set_replaces_what_was_there():
    found = parse_one(GEMINI, lines(HEAD, ASKED, ANSWERED, {"$set": {"messages": [ASKED]}}))

    assert {turn.key: turn.active for turn in found.turns} == {"u1": True, "a1": False}


def test_thoughts_tools_and_notices_are_kept_apart():
    call = {
        "name": "read",
        "args": {"path": "a"},
        "result": [{"functionResponse": {"response": {"output": "text"}}}],
    }
    answer = {**ANSWERED, "thoughts": [{"subject": "Plan", "description": "Look"}]}

    found = parse_one(
        GEMINI, lines(HEAD, ASKED, {**answer, "toolCalls": [call]}, message("i", "Oops", "error"))
    )

    assert turn_summaries(found)[1:] == [
        ("assistant", "thought", "Plan\nLook"),
        ("assistant", "text", "So."),
        ("assistant", "tool", 'read {"path": "a"}'),
        ("tool", "tool", "text"),
        ("system", "service", "Oops"),
    ]


def test_what_the_person_saw_is_told_from_what_the_model_was_sent():
    prompt = message("u1", ["See @a.py", {"text": "x = 1"}], displayContent="See @a.py")

    assert turn_summaries(parse_one(GEMINI, lines(HEAD, prompt))) == [
        ("user", "text", "See @a.py"),
        ("system", "context", "See @a.py\nx = 1"),
    ]


def test_content_has_several_shapes():
    parts = ["One", {"text": "two"}, {"inlineData": {"mimeType": "image/png"}}, None, 3]

    found = parse_one(GEMINI, lines(HEAD, message("u1", parts), message("u2", {"text": "three"})))

    assert turn_summaries(found) == [
        ("user", "text", "One\ntwo\n3"),
        ("user", "media", ""),
        ("user", "text", "three"),
    ]


def test_messages_without_ids_and_times_get_stable_keys():
    rows = [{"type": "user", "content": "Hi"}, {"type": "user", "content": "Hi"}]

    found = parse_one(GEMINI, {**HEAD, "messages": [ASKED, *rows]})

    assert len({turn.key for turn in found.turns}) == 3
    assert [turn.clock for turn in found.turns] == [Clock.EXACT, Clock.INHERITED, Clock.INHERITED]


def test_a_session_of_notices_is_empty_but_not_lost():
    notices = {**HEAD, "messages": [message("i", "Hi", "info")]}

    assert parse_all(GEMINI, notices) == [
        Skipped("session s1", "has nothing to import", lost=False)
    ]


def test_a_broken_message_is_told_and_the_rest_read():
    raw = f'{{"sessionId":"s1","projectHash":"p","messages":[{{nope}},{json.dumps(ASKED)}]}}'

    [skipped, found] = parse_all(GEMINI, raw)

    assert (skipped.where, skipped.lost) == ("message 1", True)
    assert [turn.key for turn in found.turns] == ["u1"]
