"""Markup of assistants inside of texts."""

import pytest
from helpers.parsing import parse_one, turn_summaries

from memcli.formats import load_format
from memcli.formats.building.markup import answer_blocks, replace_markup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>Hmm.</think>\n\nOak.", [("thought", "Hmm."), ("text", "Oak.")]),
        ("<thinking>\nHmm.\n</thinking>Oak.", [("thought", "Hmm."), ("text", "Oak.")]),
        (":::thinking\nHmm.\n:::\nOak.", [("thought", "Hmm."), ("text", "Oak.")]),
        ("<think></think>Oak.", [("text", "Oak.")]),
        ("<think>cut off", [("thought", "cut off")]),
        ("Write <think> before it.", [("text", "Write <think> before it.")]),
        ("Oak. \ue202turn0search1", [("text", "Oak.")]),
        ("", []),
    ],
)
def test_thoughts_at_the_beginning_of_an_answer_are_told_from_it(text, expected):
    assert [(block.kind.value, block.text) for block in answer_blocks(text)] == expected


def test_marks_around_a_cited_text_are_left_out():
    assert replace_markup("\ue203Oak is hard\ue204\ue200cite\ue202turn0search1\ue201.") == (
        "Oak is hard."
    )


def test_plain_json_has_thoughts_and_pictures_as_such():
    messages = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]},
        {"role": "assistant", "content": "<think>Hmm.</think>Oak."},
        {"role": "user", "content": "<think> is a tag"},
    ]

    assert turn_summaries(parse_one(load_format("generic_json"), {"messages": messages})) == [
        ("user", "media", "[image]"),
        ("assistant", "thought", "Hmm."),
        ("assistant", "text", "Oak."),
        ("user", "text", "<think> is a tag"),
    ]
