"""Session logs of Qwen Code."""

import pytest
from helpers.assistant_exports import lines_of, stamp
from helpers.parsing import parse_all, parse_one, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format

QWEN = load_format("qwen_code")


def record(at, kind, *parts, **more):
    role = {"user": "user", "assistant": "model"}.get(kind, "user")
    return {
        "uuid": f"u{at}",
        "parentUuid": f"u{at - 1}" if at else None,
        "sessionId": "q1",
        "timestamp": stamp(at),
        "type": kind,
        "message": {"role": role, "parts": list(parts)},
        **more,
    }


ASKED = record(0, "user", {"text": "Why?"})


def test_thoughts_tools_and_files_are_told_apart():
    raw = lines_of(
        [
            record(
                0,
                "user",
                {"text": "Why?"},
                {"inlineData": {"mimeType": "image/png", "data": "AA"}},
            ),
            record(
                1,
                "assistant",
                {"text": "Hmm.", "thought": True},
                {"functionCall": {"name": "read_file", "args": {"path": "pump.py"}}},
            ),
            record(2, "tool_result", {"functionResponse": {"response": {"output": "pin 7"}}}),
            record(3, "assistant", {"text": "The pin."}),
        ]
    )

    found = parse_one(QWEN, raw)

    assert found.key == "q1"
    assert turn_summaries(found) == [
        ("user", "text", "Why?"),
        ("user", "media", "[image]"),
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", 'read_file {"path": "pump.py"}'),
        ("tool", "tool", "pin 7"),
        ("assistant", "text", "The pin."),
    ]


def test_a_rewound_session_branches_and_keeps_both():
    again = {**record(2, "user", {"text": "And now?"}), "parentUuid": None}
    raw = lines_of([ASKED, record(1, "assistant", {"text": "So."}), again])

    found = parse_one(QWEN, raw)

    assert [(turn.text, turn.active) for turn in found.turns] == [
        ("Why?", False),
        ("So.", False),
        ("And now?", True),
    ]


@pytest.mark.parametrize(
    ("kind", "subtype", "role"),
    [
        ("system", "mid_turn_user_message", "user"),
        ("user", "cron", "system"),
        ("user", "notification", "system"),
    ],
)
def test_the_person_and_the_program_are_told_apart(kind, subtype, role):
    raw = lines_of([ASKED, record(1, kind, {"text": "Go on"}, subtype=subtype)])

    assert turn_summaries(parse_one(QWEN, raw))[1][::2] == (role, "Go on")


def test_the_title_that_the_person_gave_wins():
    title = {"uuid": "u1", "type": "system", "subtype": "custom_title"}
    raw = lines_of([ASKED, {**title, "systemPayload": {"customTitle": "Pumps"}}])

    assert parse_one(QWEN, raw).title == "Pumps"


def test_a_session_without_messages_is_reported():
    raw = lines_of([{"uuid": "u1", "type": "system", "sessionId": "q1"}])

    assert parse_all(QWEN, raw) == [Skipped("session q1", "has nothing to import", lost=False)]
