"""Session logs of GitHub Copilot CLI."""

from helpers.assistant_exports import copilot_cli, lines_of, stamp
from helpers.parsing import document, parse_all, parse_one, turn_summaries

from memcli.domain import Skipped
from memcli.formats import load_format, recognise_format

COPILOT_CLI = load_format("copilot_cli")


def event(at, kind, **data):
    return {"type": kind, "data": data, "id": f"e{at}", "timestamp": stamp(at)}


def test_thoughts_tools_files_and_errors_are_told_apart():
    call = {"name": "view", "arguments": {"path": "pump.py"}}
    raw = lines_of(
        [
            event(0, "session.start", sessionId="s1"),
            event(1, "user.message", content="Why?", attachments=[{"path": "/boat/pump.py"}]),
            event(2, "assistant.message", content="", reasoningText="Hmm.", toolRequests=[call]),
            event(3, "tool.execution_complete", result={"content": "pin 7"}),
            event(4, "assistant.turn_end", turnId="1"),
            event(5, "session.error", message="overloaded"),
            event(6, "assistant.message", content="The pin."),
        ]
    )

    found = parse_one(COPILOT_CLI, raw)

    assert (found.key, found.title) == ("s1", "Why?")
    assert turn_summaries(found) == [
        ("user", "text", "Why?"),
        ("user", "media", "pump.py"),
        ("assistant", "thought", "Hmm."),
        ("assistant", "tool", 'view {"path": "pump.py"}'),
        ("tool", "tool", "pin 7"),
        ("system", "service", "overloaded"),
        ("assistant", "text", "The pin."),
    ]


def test_words_between_an_agent_and_its_subagent_are_steps_of_a_tool():
    raw = lines_of(
        [
            event(1, "user.message", content="Why?"),
            {**event(2, "user.message", content="Explore"), "agentId": "sub"},
            event(3, "assistant.message", content="Found", parentToolCallId="t"),
        ]
    )

    assert turn_summaries(parse_one(COPILOT_CLI, raw)) == [
        ("user", "text", "Why?"),
        ("tool", "tool", "Explore"),
        ("tool", "tool", "Found"),
    ]


def test_a_session_without_an_id_is_named_after_its_folder():
    raw = copilot_cli("Why?", "So.").partition("\n")[2]

    assert recognise_format(document(raw)) is COPILOT_CLI
    assert parse_one(COPILOT_CLI, raw, "session-state/s7/events.jsonl").key == "s7"
    assert parse_one(COPILOT_CLI, raw, "session-state/s8.jsonl").key == "s8"


def test_a_session_without_messages_is_reported():
    raw = lines_of([event(0, "session.start", sessionId="s1")])

    assert parse_all(COPILOT_CLI, raw) == [
        Skipped("session s1", "has nothing to import", lost=False)
    ]
