"""LM Studio's conversations."""

import json

import pytest
from helpers.parsing import (
    document,
    parse_all,
    parse_one,
    parse_until_error,
    shared_document,
    turn_summaries,
)
from helpers.shared import sample_rows

from memcli.domain import Clock
from memcli.formats import ParseOptions, load_format, recognise_format

STUDIO = load_format("lm_studio")


def prompt_versions(*texts, selected=0):
    versions = [
        {"type": "singleStep", "role": "user", "content": [{"type": "text", "text": text}]}
        for text in texts
    ]
    return {"versions": versions, "currentlySelected": selected}


def answer_versions(*steps):
    versions = [{"type": "multiStep", "role": "assistant", "steps": list(steps)}]
    return {"versions": versions, "currentlySelected": 0}


def step(text, thinking=False):
    style = {"style": {"type": "thinking"}} if thinking else {}
    return {"type": "contentBlock", "content": [{"type": "text", "text": text}], **style}


def conversation_json(*messages, **about):
    return {"name": "Cats", "createdAt": 1767261600000, "messages": list(messages), **about}


@pytest.mark.parametrize("row", sample_rows("lmstudio"), ids=lambda row: row["path"][-40:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    [conversation] = STUDIO.parse(found, ParseOptions())

    assert recognise_format(found) is STUDIO
    assert len(conversation.turns) == int(row["messages"])


def test_a_conversation_is_told_by_when_it_began():
    found = parse_one(
        STUDIO,
        conversation_json(
            prompt_versions("Why?"), answer_versions(step("Hm", thinking=True), step("So."))
        ),
    )

    assert (found.key, found.title) == ("1767261600000", "Cats")
    assert turn_summaries(found) == [
        ("user", "text", "Why?"),
        ("assistant", "thought", "Hm"),
        ("assistant", "text", "So."),
    ]
    assert {turn.clock for turn in found.turns} == {Clock.INHERITED}


def test_versions_that_are_not_selected_are_other_branches():
    found = parse_one(
        STUDIO,
        conversation_json(prompt_versions("One", "Two", selected=1), answer_versions(step("So."))),
    )

    assert [(turn.text, turn.active) for turn in found.turns] == [
        ("One", False),
        ("Two", True),
        ("So.", True),
    ]
    assert found.turns[2].parent == found.turns[1].key


def test_tools_and_files_are_kept_apart():
    request = {"type": "toolCallRequest", "name": "ls", "parameters": {"path": "."}}
    result = {"type": "toolCallResult", "content": "a.py"}
    file = {"type": "file", "name": "a.pdf", "fileIdentifier": "17.pdf"}
    question = prompt_versions("List")
    question["versions"][0]["content"].append(file)

    assert turn_summaries(
        parse_one(
            STUDIO, conversation_json(question, answer_versions({"content": [request, result]}))
        )
    ) == [
        ("user", "text", "List"),
        ("user", "media", "a.pdf"),
        ("assistant", "tool", 'ls {"path": "."}'),
        ("tool", "tool", "a.py"),
    ]


def test_equal_messages_have_keys_that_last():
    first = parse_one(
        STUDIO,
        conversation_json(
            prompt_versions("Go on"), answer_versions(step("A")), prompt_versions("Go on")
        ),
    )
    grown = parse_one(
        STUDIO,
        conversation_json(
            prompt_versions("Go on"),
            answer_versions(step("A")),
            prompt_versions("Go on"),
            prompt_versions("B"),
        ),
    )

    assert len({turn.key for turn in first.turns}) == 3
    assert [turn.key for turn in grown.turns[:3]] == [turn.key for turn in first.turns]


def test_the_order_of_keys_does_not_matter():
    content = conversation_json(prompt_versions("Why?"), id="c1")

    assert parse_all(STUDIO, dict(reversed(content.items()))) == parse_all(STUDIO, content)


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = json.dumps(conversation_json(prompt_versions("One"), answer_versions(step("Two"))))

    [found] = parse_until_error(STUDIO, raw[:-20])

    assert [turn.text for turn in found.turns] == ["One"]


def test_messages_without_versions_are_not_taken_for_it():
    assert (
        recognise_format(document({"messages": [{"role": "user", "content": "Hi"}]})) is not STUDIO
    )
