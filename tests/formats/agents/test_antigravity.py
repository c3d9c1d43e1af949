"""Transcripts of Antigravity."""

from helpers.parsing import document, lines, parse_one, turn_summaries

from memcli.formats import load_format, recognise_format

ANTIGRAVITY = load_format("antigravity")
NAME = "brain/c1/.system_generated/logs/transcript.jsonl"


def step(at, source, kind, content="", **fields):
    head = {"step_index": at, "source": source, "type": kind, "content": content}
    return {**head, "created_at": f"2026-07-01T20:19:{at:02}Z", **fields}


ASKED = step(
    0,
    "USER_EXPLICIT",
    "USER_INPUT",
    "<USER_REQUEST>\nFix the pump\n</USER_REQUEST>\n<ADDITIONAL>\nx\n</ADDITIONAL>",
)
CALLS = [{"name": "run_command", "args": {"CommandLine": "make"}}]
STEPS = (
    ASKED,
    step(1, "MODEL", "PLANNER_RESPONSE", "I look.", thinking="Hm", tool_calls=CALLS),
    step(2, "MODEL", "RUN_COMMAND", "exit 0"),
    step(3, "SYSTEM", "SYSTEM_MESSAGE", "task done"),
    step(4, "SYSTEM", "ERROR_MESSAGE", "overloaded"),
    step(5, "MODEL", "PLANNER_RESPONSE", "Fixed."),
)


def test_prompts_answers_thoughts_tools_and_context_are_kept_apart():
    found = parse_one(ANTIGRAVITY, lines(*STEPS), NAME)

    assert recognise_format(document(lines(*STEPS), NAME)) is ANTIGRAVITY
    assert (found.key, found.title) == ("c1", "Fix the pump")
    assert turn_summaries(found) == [
        ("user", "text", "Fix the pump"),
        ("system", "context", "<ADDITIONAL>\nx\n</ADDITIONAL>"),
        ("assistant", "thought", "Hm"),
        ("assistant", "text", "I look."),
        ("assistant", "tool", 'run_command {"CommandLine": "make"}'),
        ("tool", "tool", "exit 0"),
        ("system", "context", "task done"),
        ("system", "service", "overloaded"),
        ("assistant", "text", "Fixed."),
    ]


def test_the_log_with_whole_texts_is_read_instead():
    whole = lines(step(0, "USER_EXPLICIT", "USER_INPUT", "Fix the pump and the relay"))

    found = parse_one(ANTIGRAVITY, lines(ASKED), NAME, **{"transcript_full.jsonl": whole})

    assert [turn.text for turn in found.turns] == ["Fix the pump and the relay"]
