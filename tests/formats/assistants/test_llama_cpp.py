"""Conversations of llama.cpp's web page."""

import json

import pytest
from helpers.assistant_exports import lines_of, llama_cpp, llama_message
from helpers.parsing import parse_all, parse_one, turn_summaries

from memcli.domain import Kind, Skipped
from memcli.formats import load_format

LLAMA = load_format("llama_cpp")
CONV = {"id": "c1", "name": "Hulls", "currNode": "m3"}


def export(*messages, **conv):
    return [{"conv": {**CONV, **conv}, "messages": list(messages)}]


ASKED = llama_message(0, "Oak or teak?", None)
ANSWERED = llama_message(1, "Oak.", "m0")
AGAIN = llama_message(3, "Teak.", "m0")


def test_answers_made_again_are_kept_and_the_current_one_is_active():
    found = parse_one(LLAMA, export(ASKED, ANSWERED, AGAIN))

    assert (found.key, found.title) == ("c1", "Hulls")
    assert [(turn.text, turn.active) for turn in found.turns] == [
        ("Oak or teak?", True),
        ("Oak.", False),
        ("Teak.", True),
    ]


def test_thoughts_tools_files_and_system_prompts_are_told_apart():
    call = {"function": {"name": "search", "arguments": '{"query": "teak"}'}}
    asked = llama_message(
        0,
        [{"type": "text", "text": "See here"}, {"type": "image_url", "image_url": {}}],
        None,
        extra=[
            {"type": "TEXT", "name": "list.txt", "content": "oak, ash"},
            {"type": "IMAGE", "name": "hull.png", "base64Url": "data:image/png;base64,AA"},
        ],
    )
    answered = llama_message(3, "Ash.", "m0", reasoningContent="Hmm.", toolCalls=json.dumps([call]))
    system = llama_message(1, "Be brief.", None, role="system")

    found = parse_one(LLAMA, export(system, asked, answered))

    assert sorted(turn_summaries(found)) == [
        ("assistant", "text", "Ash."),
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", 'search {"query": "teak"}'),
        ("system", "context", "Be brief."),
        ("user", "media", "hull.png"),
        ("user", "text", "See here\n\noak, ash"),
    ]


def test_several_sessions_in_one_file_of_lines_are_several_conversations():
    messages = [{"type": "message", "message": one} for one in (ASKED, ANSWERED)]
    raw = lines_of(
        [
            {"type": "session", "harness": "llama.app", **CONV},
            *messages,
            {"type": "session", "harness": "llama.app", "id": "c2", "name": "Masts"},
            *messages,
        ]
    )

    assert [found.title for found in parse_all(LLAMA, raw)] == ["Hulls", "Masts"]


@pytest.mark.parametrize("broken", ["x", 7, None, {"conv": {}, "messages": []}])
def test_a_conversation_without_messages_is_reported(broken):
    good, bad = parse_all(LLAMA, [llama_cpp("Why?", "So."), broken])

    assert [turn.kind for turn in good.turns] == [Kind.TEXT, Kind.TEXT]
    assert bad == Skipped("conversation", "has nothing to import", lost=False)
