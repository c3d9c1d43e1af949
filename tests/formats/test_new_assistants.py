"""The formats of assistants and agents that share a shape: one talk, in each of them."""

import json

import pytest
from helpers.assistant_exports import EXPORTS
from helpers.parsing import document, parse_all, parse_one

from memcli.domain import Conversation, Role
from memcli.formats import load_format, recognise_format

TEXTS = ("Which varnish suits a deck?", "A marine one.", "How many coats?", "Three: thin ones.")


@pytest.mark.parametrize("name", EXPORTS)
def test_each_format_is_recognised_by_its_content(name):
    format_name, export = EXPORTS[name]

    assert recognise_format(document(export(*TEXTS), "x")) is load_format(format_name)


@pytest.mark.parametrize("name", EXPORTS)
def test_prompts_and_answers_come_in_order_with_their_speakers(name):
    format_name, export = EXPORTS[name]

    found = parse_one(load_format(format_name), export(*TEXTS), name)

    assert [turn.text for turn in found.turns if turn.is_searchable] == list(TEXTS)
    assert [turn.role for turn in found.turns if turn.is_searchable] == [
        Role.USER,
        Role.ASSISTANT,
    ] * 2
    assert found.title in ("Hulls", "Sailor", TEXTS[0])


@pytest.mark.parametrize("name", EXPORTS)
def test_a_longer_export_keeps_the_keys_of_its_turns(name):
    format_name, export = EXPORTS[name]

    early, late = (
        parse_one(load_format(format_name), export(*TEXTS[:count]), name) for count in (2, 4)
    )

    assert early.key == late.key
    assert [turn.key for turn in late.turns[: len(early.turns)]] == [
        turn.key for turn in early.turns
    ]


@pytest.mark.parametrize("name", [name for name in EXPORTS if name.endswith("jsonl")])
def test_an_incomplete_last_line_is_left_for_later_or_reported(name):
    format_name, export = EXPORTS[name]

    parsed = parse_all(load_format(format_name), export(*TEXTS) + '{"type": "us', name)

    [found] = [each for each in parsed if isinstance(each, Conversation)]
    assert [turn.text for turn in found.turns if turn.is_searchable] == list(TEXTS)
    assert len(parsed) == (2 if name == "llama.jsonl" else 1)


@pytest.mark.parametrize(
    "content",
    [
        {"messages": [{"role": "user", "content": "x"}]},
        {"requests": [{"id": 1}]},
        {"turns": [{"speaker": "a", "text": "b"}]},
        {"chats": [{"messages": [{"text": "b"}]}]},
        "User: hello\n\nAssistant: hi\n",
        "Notes:\n\nfirst\n\n---\n\nMore:\n\nsecond\n",
        json.dumps({"type": "message", "data": "x"}) + "\n",
        json.dumps({"role": "user", "content": "x"}) + "\n",
    ],
)
def test_other_files_are_not_taken_for_them(content):
    names = {format_name for format_name, _ in EXPORTS.values()}

    found = recognise_format(document(content, "x"))

    assert found is None or found.name not in names
