"""Chats in VS Code."""

import pytest
from helpers.assistant_exports import lines_of, vscode_copilot, vscode_log, vscode_requests
from helpers.parsing import parse_all, parse_one, turn_summaries

from memcli.domain import Clock, Skipped
from memcli.formats import load_format

VSCODE = load_format("vscode_copilot")


def session(*parts, **request):
    [first] = vscode_requests("Why?", "")
    return {"sessionId": "v1", "requests": [{**first, "response": list(parts), **request}]}


def test_a_log_of_changes_gives_the_same_as_a_session():
    texts = ("Why?", "So.", "And then?", "Nothing.")

    assert parse_one(VSCODE, vscode_log(*texts)) == parse_one(VSCODE, vscode_copilot(*texts))


def test_a_log_sets_appends_cuts_and_deletes():
    first, second = vscode_requests("Why?", "So", "x", "y")
    raw = lines_of(
        [
            {"kind": 0, "v": {"sessionId": "v1", "requests": [first]}},
            {"kind": 2, "k": ["requests", 0, "response"], "v": [{"value": " it"}]},
            {"kind": 2, "k": ["requests", 0, "response"], "i": 1, "v": [{"value": " is."}]},
            {"kind": 2, "k": ["requests"], "v": [second]},
            {"kind": 3, "k": ["requests", 1, "response"]},
            {"kind": 1, "k": ["requests", 1, "message", "text"], "v": "Thanks"},
            {"kind": 1, "k": ["requests", 9_000_000_000, "message"], "v": "lost"},
            {"kind": 2, "k": ["nowhere", 3, "x"], "v": ["lost"]},
        ]
    )

    assert [text for *_, text in turn_summaries(parse_one(VSCODE, raw))] == [
        "Why?",
        "So is.",
        "Thanks",
    ]


def test_parts_of_a_response_are_told_apart():
    parts = [
        {"kind": "thinking", "value": "Hmm."},
        {"value": "The relay in "},
        {"kind": "inlineReference", "inlineReference": {"path": "/boat/pump.py"}},
        {"kind": "markdownContent", "content": {"value": " is wrong."}},
        {"kind": "toolInvocationSerialized", "toolId": "read", "pastTenseMessage": "Read it"},
        {"kind": "undoStop", "id": "1"},
        {"kind": "textEditGroup", "edits": []},
        {"value": "Fixed."},
        {"kind": "warning", "content": {"value": "The quota is low."}},
        {"kind": "drawing", "title": "Wiring"},
    ]

    found = parse_one(VSCODE, session(*parts))

    assert turn_summaries(found)[1:] == [
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", "read Read it"),
        ("system", "service", "The quota is low."),
        ("assistant", "media", "[drawing: Wiring]"),
        ("assistant", "text", "The relay in pump.py is wrong.\n\nFixed."),
    ]
    assert found.turns[1].clock is Clock.INHERITED


def test_attached_files_are_named_and_what_the_editor_added_is_not():
    variables = [
        {"kind": "file", "name": "pump.py"},
        {"kind": "image", "name": "relay.png"},
        {"kind": "implicit", "name": "open.py"},
    ]

    found = parse_one(VSCODE, session({"value": "So."}, variableData={"variables": variables}))

    assert turn_summaries(found)[:3] == [
        ("user", "text", "Why?"),
        ("user", "media", "pump.py"),
        ("user", "media", "relay.png"),
    ]


def test_an_error_is_no_word_of_the_assistant():
    found = parse_one(VSCODE, session(result={"errorDetails": {"message": "Sorry, no network."}}))

    assert turn_summaries(found)[-1] == ("system", "service", "Sorry, no network.")


@pytest.mark.parametrize("raw", [{"sessionId": "v1", "requests": []}, {"requests": [{}]}])
def test_a_session_without_requests_is_reported(raw):
    assert parse_all(VSCODE, raw, "a/v1.json") == [
        Skipped("session v1", "has nothing to import", lost=False)
    ]
