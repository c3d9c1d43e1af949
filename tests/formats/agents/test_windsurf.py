"""Transcripts of Windsurf's Cascade."""

from helpers.assistant_exports import lines_of
from helpers.parsing import parse_all, parse_one, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format

WINDSURF = load_format("windsurf")


def step(kind, **fields):
    return {"type": kind, "status": "done", kind: fields}


def test_actions_and_errors_are_no_words_of_the_assistant():
    raw = lines_of(
        [
            step("user_input", user_response="Why?", rules_applied={"always_on": ["brief"]}),
            step("planner_response", thinking="Hmm.", response="I will look."),
            step("code_action", path="pump.py", new_content="pin = 8"),
            step("error_message", error={"user_error_message": "no network"}),
            step("planner_response", response="Fixed."),
        ]
    )

    found = parse_one(WINDSURF, raw, "transcripts/t7.jsonl")

    assert (found.key, found.title) == ("t7", "Why?")
    assert turn_summaries(found) == [
        ("user", "text", "Why?"),
        ("assistant", "thought", "Hmm."),
        ("assistant", "text", "I will look."),
        ("assistant", "tool", 'code_action {"new_content": "pin = 8", "path": "pump.py"}'),
        ("system", "service", "no network"),
        ("assistant", "text", "Fixed."),
    ]


def test_a_broken_line_is_reported_and_the_others_are_read():
    raw = lines_of([step("user_input", user_response="Why?")]) + "{x}\n"

    found = parse_all(WINDSURF, raw)

    assert [each.where for each in found if isinstance(each, Skipped)] == ["line 2"]
    assert turn_summaries(found[-1]) == [("user", "text", "Why?")]
