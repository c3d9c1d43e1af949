"""Tasks of Cline and Roo Code."""

import json
from datetime import UTC, datetime

import pytest
from helpers import parsing
from helpers.parsing import document, shared_document, turn_summaries

from memcli.domain import Clock, Conversation, Kind, Role, Skipped
from memcli.errors import InputError
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.agents import cline
from memcli.formats.generic import any_json

BEGIN = 1_700_000_000_000
TASK = "1700000000123"


def say(what, text="", at=0, **more):
    return {"ts": BEGIN + at, "type": "say", "say": what, "text": text, **more}


def ask(what, text="", at=0):
    return {"ts": BEGIN + at, "type": "ask", "ask": what, "text": text}


def api_message(role, *parts):
    blocks = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"role": role, "content": blocks}


def parse_one(value, name=f"tasks/{TASK}/ui_messages.json"):
    """Return the one conversation of a file."""
    return parsing.parse_one(cline.FORMAT, value, name)


def test_a_task_is_recognised_by_any_of_its_files():
    ui_file = [say("text", "Fix it.")]
    history = [api_message("user", "<task>\nFix it.\n</task>")]
    session = {"version": 1, "sessionId": "s", "messages": [api_message("user", "Fix it.")]}

    assert recognise_format(document(ui_file, "x.json")) is cline.FORMAT
    assert recognise_format(document(history, "a/api_conversation_history.json")) is cline.FORMAT
    assert recognise_format(document(session, "s.messages.json")) is cline.FORMAT


def test_messages_of_any_program_are_recognised_as_its_own_only_with_what_it_adds():
    history = [api_message("user", "Fix it.", "<environment_details>\nx\n</environment_details>")]

    assert recognise_format(document(history, "x.json")) is cline.FORMAT
    assert recognise_format(document([api_message("user", "Fix it.")], "x.json")) is any_json.FORMAT
    assert recognise_format(document([{"ts": 1, "type": "say", "text": "Hi"}])) is None


def test_what_was_shown_and_typed_has_times():
    found = parse_one(
        [say("text", "Fix it."), say("text", "Done.", 1), say("user_feedback", "Ta", 2)]
    )

    assert turn_summaries(found) == [
        ("user", "text", "Fix it."),
        ("assistant", "text", "Done."),
        ("user", "text", "Ta"),
    ]
    assert found.turns[0].sent_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert {turn.clock for turn in found.turns} == {Clock.EXACT}
    assert (found.key, found.title) == (TASK, "Fix it.")


def test_thoughts_tools_and_notices_are_nobodys_words():
    found = parse_one(
        [
            say("task", "Fix it."),
            say("api_req_started", '{"request": "..."}', 1),
            say("reasoning", "Look first.", 2),
            ask("tool", '{"tool": "readFile"}', 3),
            ask("command", "ls", 4),
            say("command_output", "a.py", 5),
            say("error", "No such file", 6),
            say("checkpoint_created", "", 7),
            ask("resume_task", "", 8),
        ]
    )

    assert turn_summaries(found)[1:] == [
        ("assistant", "thought", "Look first."),
        ("assistant", "tool", '{"tool": "readFile"}'),
        ("assistant", "tool", "ls"),
        ("tool", "tool", "a.py"),
        ("system", "service", "No such file"),
    ]


def test_questions_are_read_with_their_choices():
    question = {"question": "Which?", "options": ["a", "b"]}
    found = parse_one(
        [
            say("task", "Fix it."),
            ask("followup", json.dumps(question), 1),
            say("user_feedback", "b", 2),
            ask("plan_mode_respond", '{"response": "The plan."}', 3),
            ask("followup", "Really?", 4),
            ask("followup", json.dumps({"question": "Which?", "suggest": [{"answer": "c"}]}), 5),
        ]
    )

    assert [text for _, _, text in turn_summaries(found)[1:]] == [
        "Which?\n- a\n- b",
        "b",
        "The plan.",
        "Really?",
        "Which?\n- c",
    ]


def test_an_answer_that_is_shown_and_asked_about_is_told_once():
    found = parse_one(
        [
            say("task", "Fix it."),
            say("completion_result", "Fixed.HAS_CHANGES", 1),
            ask("completion_result", "Fixed.", 2),
            ask("completion_result", "", 3),
            say("user_feedback", "More", 4),
            say("user_feedback", "More", 4),
        ]
    )

    assert [text for _, _, text in turn_summaries(found)] == ["Fix it.", "Fixed.", "More", "More"]
    assert len({turn.key for turn in found.turns}) == 4


def test_a_message_that_is_completed_keeps_its_key():
    half = parse_one([say("task", "Fix it."), say("text", "Do", 1, partial=True)])
    whole = parse_one([say("task", "Fix it."), say("text", "Done.", 1)])

    assert [turn.key for turn in half.turns] == [turn.key for turn in whole.turns]


def test_pictures_and_files_are_named():
    row = say("task", "Look", images=["data:image/png;base64,AA"], files=["/home/a/b.pdf"])

    assert [(turn.kind, turn.text) for turn in parse_one([row]).turns] == [
        (Kind.TEXT, "Look"),
        (Kind.MEDIA, ""),
        (Kind.MEDIA, "b.pdf"),
    ]


def test_without_an_id_for_a_folder_the_beginning_stands_for_the_task():
    rows = [say("task", "Fix it."), say("text", "Done.", 1)]

    short = parse_one(rows[:1], name="a/ui_messages.json")
    long = parse_one(rows, name="b.zip/c/ui_messages.json")

    assert short.key == long.key
    assert short.key != parse_one([say("task", "Else", 9)], name="a/ui_messages.json").key


def history(*rows):
    return parse_one(list(rows), name=f"{TASK}/api_conversation_history.json")


def test_the_person_is_told_from_the_program_that_writes_in_their_name():
    found = history(
        api_message(
            "user",
            "<task>\nFix it.\n</task>",
            "<environment_details>\nOpen: a.py\n</environment_details>",
        ),
        api_message(
            "assistant", "<thinking>Look.</thinking>\n\nI look.\n<read_file>a.py</read_file>"
        ),
        api_message("user", "[read_file for 'a.py'] Result:", "<task>not a task</task>"),
        api_message(
            "assistant", "<attempt_completion>\n<result>\nDone.\n</result>\n</attempt_completion>"
        ),
        api_message(
            "user",
            "[attempt_completion] Result:",
            "The user has provided the following feedback:\n<feedback>\nMore.\n</feedback>",
            "[TASK RESUMPTION] This task was interrupted.",
        ),
    )

    assert turn_summaries(found) == [
        ("user", "text", "Fix it."),
        ("system", "context", "Open: a.py"),
        ("assistant", "thought", "Look."),
        ("assistant", "text", "I look."),
        ("assistant", "tool", "read_file a.py"),
        ("tool", "tool", "[read_file for 'a.py'] Result:"),
        ("tool", "tool", "<task>not a task</task>"),
        ("assistant", "text", "Done."),
        ("tool", "tool", "[attempt_completion] Result:"),
        ("tool", "tool", "The user has provided the following feedback:"),
        ("user", "text", "More."),
        ("system", "context", "[TASK RESUMPTION] This task was interrupted."),
    ]
    assert (found.key, found.title) == (TASK, "Fix it.")


def test_models_with_tools_of_their_own_speak_through_them_too():
    question = {"type": "tool_use", "name": "ask_followup_question", "input": {"question": "Why?"}}
    call = {"type": "tool_use", "name": "execute_command", "input": {"command": "ls"}}
    answer = {"type": "tool_result", "content": [{"type": "text", "text": "<answer>So</answer>"}]}
    output = {"type": "tool_result", "content": "a.py: <answer>42</answer>"}

    found = history(
        api_message("user", "Hi"),
        api_message("assistant", {"type": "thinking", "thinking": "Hm."}, question, call),
        api_message("user", answer, output),
    )

    assert turn_summaries(found)[1:] == [
        ("assistant", "thought", "Hm."),
        ("assistant", "text", "Why?"),
        ("assistant", "tool", 'execute_command {"command": "ls"}'),
        ("user", "text", "So"),
        ("tool", "tool", "a.py: <answer>42</answer>"),
    ]


def test_a_tag_that_is_never_closed_is_text():
    found = history(
        api_message("user", "What is <task> for?"), api_message("assistant", "<thinking>\nIt is")
    )

    assert [text for _, _, text in turn_summaries(found)] == [
        "What is <task> for?",
        "<thinking>\nIt is",
    ]


def test_many_open_tags_take_no_time():
    text = "<task> <environment_details>\n<read_file>\n" * 100_000

    found = history(api_message("user", text), api_message("assistant", text))

    assert [len(turn.text) for turn in found.turns] == [len(text) - 1] * 2


def test_newer_versions_have_ids_and_some_times():
    rows = [
        {"id": "m1", **api_message("user", "Fix it.")},
        {"id": "m2", "ts": BEGIN, **api_message("assistant", "Done.")},
        {"id": "m3", **api_message("user", "Ta")},
    ]

    found = parse_one({"version": 1, "messages": rows, "sessionId": "s1"}, name="s1.messages.json")

    assert found.key == "s1"
    assert [(turn.key, turn.clock) for turn in found.turns] == [
        ("m1", Clock.NONE),
        ("m2", Clock.EXACT),
        ("m3", Clock.INHERITED),
    ]


def test_of_the_two_files_of_a_task_one_is_read():
    ui_file = [say("task", "Fix it.")]
    written = [api_message("user", "<task>\nFix it.\n</task>")]
    name = f"{TASK}/api_conversation_history.json"

    assert parsing.parse_all(cline.FORMAT, written, name, **{"ui_messages.json": ui_file}) == []
    assert parse_one(written, name).key == parse_one(ui_file).key


def test_a_file_that_breaks_off_gives_what_came_before():
    raw = json.dumps([say("task", "Fix it."), say("text", "Done.", 1)])[:-10]
    parsed = cline.FORMAT.parse(document(raw), ParseOptions())

    first = next(parsed)

    assert isinstance(first, Conversation)
    assert [turn.text for turn in first.turns] == ["Fix it."]
    with pytest.raises(InputError):
        next(parsed)


def test_a_broken_message_is_told_and_the_rest_read():
    raw = (
        f'[{json.dumps(say("task", "Fix it."))}, {{"ts": bro}}, 7, {json.dumps(say("text", "A"))}]'
    )

    skipped, found = parsing.parse_all(cline.FORMAT, raw)

    assert (skipped.where, skipped.lost) == ("message 2", True)
    assert [turn.text for turn in found.turns] == ["Fix it.", "A"]


def test_a_task_in_which_nobody_speaks_is_passed_over():
    [found] = parsing.parse_all(cline.FORMAT, [say("api_req_started", "{}")])

    assert isinstance(found, Skipped)
    assert not found.lost


def test_the_real_task(samples):
    folder = "cline/Dicklesworthstone__coding_agent_session_search/tests/fixtures/cline"
    found = shared_document(f"{folder}/task1/api_conversation_history.json")

    assert recognise_format(found) is cline.FORMAT
    [conversation] = cline.FORMAT.parse(found, ParseOptions())
    [turn] = conversation.turns
    assert (turn.role, turn.text, turn.clock) == (Role.ASSISTANT, "API reply", Clock.EXACT)
