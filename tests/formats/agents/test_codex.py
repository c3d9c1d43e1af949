"""Session logs of Codex CLI."""

import pytest
from helpers.parsing import document, lines, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Conversation, Doubt, Kind, Skipped
from memcli.formats import LogPosition, ParseOptions, load_format, recognise_format

CODEX = load_format("codex")
PARENT = "019e3b3f-636d-7cb3-aaab-0255eb45ad4f"
CHILD = "019e3b4a-1111-7222-aaaa-bbbbccccdddd"
EARLIER_TURN = "019e3b40-0000-7000-8000-000000000001"
LATER_TURN = "019e3b4b-0000-7000-8000-000000000002"


def row(kind, second=0, **payload):
    return {"timestamp": f"2026-05-18T13:21:{second:02}.000Z", "type": kind, "payload": payload}


def message(role, *texts, second=0, part="input_text"):
    content = [{"type": part, "text": text} for text in texts]
    return row("response_item", second, type="message", role=role, content=content)


def event(kind, second=0, **payload):
    return row("event_msg", second, type=kind, **payload)


META = row("session_meta", id="s1", cwd="/work")
ASKED = message("user", "Why does it fail?", second=1)
ANSWERED = message("assistant", "A typo.", second=2, part="output_text")


@pytest.mark.parametrize("row", sample_rows("codex"), ids=lambda row: row["path"][-60:])
def test_every_sample_gives_what_its_index_says(row):
    found = shared_document(row["path"])

    known = recognise_format(found)

    if row["sessions"] == "0":
        assert known is None
        return
    assert known is CODEX
    [conversation] = CODEX.parse(found, ParseOptions())
    assert sum(turn.is_searchable for turn in conversation.turns) == int(row["messages"])


def test_prompts_and_answers_are_what_was_said():
    found = parse_one(CODEX, lines(META, ASKED, ANSWERED))

    assert (found.source, found.key, found.title) == ("codex", "s1", "Why does it fail?")
    assert turn_summaries(found) == [
        ("user", "text", "Why does it fail?"),
        ("assistant", "text", "A typo."),
    ]


def test_messages_without_envelopes_are_read_too():
    bare = [
        {"id": "s0", "timestamp": "2025-05-01T10:00:00Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "function_call", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "output": '{"output": "ok"}'},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yo"}],
        },
    ]

    found = parse_one(CODEX, lines(*bare))

    assert recognise_format(document(lines(*bare))) is CODEX
    assert found.key == "s0"
    assert [turn.text for turn in found.turns if turn.is_searchable] == ["Hi", "Yo"]


def test_what_an_event_and_a_message_both_say_is_said_once():
    found = parse_one(
        CODEX,
        lines(
            META,
            ASKED,
            event("user_message", 1, message="Why does it fail?"),
            event("agent_message", 2, message="A typo."),
            ANSWERED,
            message("assistant", "Said without an event.", second=3, part="output_text"),
        ),
    )

    assert [turn.text for turn in found.turns] == [
        "Why does it fail?",
        "A typo.",
        "Said without an event.",
    ]


def test_where_prompts_are_events_no_message_is_the_persons():
    found = parse_one(
        CODEX,
        lines(META, event("user_message", message="Fix it"), message("user", "You are Codex")),
    )

    assert turn_summaries(found) == [
        ("user", "text", "Fix it"),
        ("system", "context", "You are Codex"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<environment_context>\n<cwd>/work</cwd>\n</environment_context>",
        "<permissions instructions>none</permissions instructions>",
        "# AGENTS.md instructions for /work\n\nBe brief.",
    ],
)
def test_what_the_program_puts_in_is_not_the_persons(text):
    found = parse_one(
        CODEX, lines(META, message("user", text, "Fix it"), message("developer", "Obey"))
    )

    assert turn_summaries(found) == [
        ("system", "context", text),
        ("user", "text", "Fix it"),
        ("system", "context", "Obey"),
    ]


@pytest.mark.parametrize(
    "text", ["<div>mine</div>", "Use <my_tag>x</my_tag> here", "# Title\nBody"]
)
def test_markup_the_person_types_is_the_persons(text):
    assert turn_summaries(parse_one(CODEX, lines(META, message("user", text)))) == [
        ("user", "text", text)
    ]


def test_of_a_prompt_from_an_editor_the_request_is_the_persons():
    text = (
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nFix it"
    )

    found = parse_one(CODEX, lines(META, event("user_message", message=text)))

    assert [turn.kind for turn in found.turns] == [Kind.CONTEXT, Kind.TEXT]
    assert (found.turns[1].text, found.title) == ("Fix it", "Fix it")


def test_thoughts_tools_and_summaries_are_kept_apart():
    found = parse_one(
        CODEX,
        lines(
            META,
            row("response_item", type="reasoning", summary=[{"type": "t", "text": "Hm"}]),
            event("agent_reasoning", text="Hm"),
            row("response_item", type="function_call", name="shell", arguments='{"cmd":"ls"}'),
            row("response_item", type="function_call_output", output=[{"text": "a.py"}]),
            row("response_item", type="web_search_call", action={"query": "x"}),
            row("compacted", message="So far", replacement_history=[{"role": "user"}]),
        ),
    )

    assert turn_summaries(found) == [
        ("assistant", "thought", "Hm"),
        ("assistant", "tool", 'shell {"cmd":"ls"}'),
        ("tool", "tool", "a.py"),
        ("assistant", "tool", 'web_search {"query": "x"}'),
        ("system", "context", "So far"),
    ]


def test_pictures_are_kept_by_name():
    prompt = event("user_message", message="Look", local_images=["/tmp/a.png"], images=["data:x"])

    assert turn_summaries(parse_one(CODEX, lines(META, prompt)))[1:] == [
        ("user", "media", ""),
        ("user", "media", "a.png"),
    ]


def test_a_thread_that_was_named_has_its_name():
    index = lines({"id": "s2", "thread_name": "Else"}, {"id": "s1", "thread_name": "Causes"})

    found = parse_one(CODEX, lines(META, ASKED), **{"../../../../session_index.jsonl": index})

    assert found.title == "Causes"
    named = event("thread_name_updated", thread_id="s1", thread_name="Reasons")
    assert parse_one(CODEX, lines(META, ASKED, named)).title == "Reasons"


def test_what_was_rolled_back_is_not_on_the_branch_that_counts():
    second = message("user", "Never mind", second=5)

    found = parse_one(
        CODEX,
        lines(META, ASKED, ANSWERED, second, event("thread_rolled_back", num_turns=1), ASKED),
    )

    assert [turn.active for turn in found.turns] == [True, True, False, True]


def test_a_spawned_session_is_its_own_without_the_copy_of_its_parents():
    begin = row("session_meta", id=CHILD, session_id=PARENT, thread_source="subagent")
    rows = [
        begin,
        row("session_meta", id=PARENT),
        row("turn_context", turn_id=EARLIER_TURN),
        ASKED,
        row("turn_context", turn_id=LATER_TURN),
        message("user", "Search"),
    ]

    found = parse_one(CODEX, lines(*rows))

    assert (found.key, [turn.text for turn in found.turns]) == (CHILD, ["Search"])


def test_a_forked_session_has_the_keys_of_its_parent_under_other_times():
    begun = row("turn_context", turn_id=EARLIER_TURN)
    fork = row("session_meta", id=CHILD, forked_from_id=PARENT, thread_source="user")

    parent = parse_one(CODEX, lines(row("session_meta", id=PARENT), begun, ASKED))
    child = parse_one(CODEX, lines(fork, begun, {**ASKED, "timestamp": "2026-06-01T00:00:00Z"}))

    assert [turn.key for turn in parent.turns] == [turn.key for turn in child.turns]
    assert CODEX.unique_keys


def test_a_log_that_grew_keeps_its_keys_wherever_it_was_read_to():
    first = parse_one(CODEX, lines(META, ASKED, ANSWERED))
    log = document(lines(META, ASKED, ANSWERED, ASKED))

    [again] = CODEX.parse(
        type(log)(log.name, log.open, log_position=LogPosition(offset=len(lines(META)), line=1)),
        ParseOptions(),
    )

    assert again.turns[:2] == first.turns
    assert len({turn.key for turn in again.turns}) == 3


def test_a_broken_line_is_told_and_a_half_written_last_one_left():
    parsed = parse_all(CODEX, lines(META, "{broken", ASKED, '{"type": "res', ended=False))

    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["line 2"]
    assert [len(each.turns) for each in parsed if isinstance(each, Conversation)] == [1]


def completed(kind, second=0, **item):
    return event("item_completed", second, item={"type": kind, **item})


def said(conversation):
    return [
        (role, text)
        for role, kind, text in turn_summaries(conversation)
        if kind in ("text", "media")
    ]


def test_completed_items_are_what_was_said():
    found = parse_one(
        CODEX,
        lines(
            META,
            completed("UserMessage", 1, content=[
                {"type": "text", "text": "Why?"}, {"type": "local_image", "path": "/tmp/pump.png"},
            ]),
            completed("Reasoning", 2, summary_text=["Hmm."]),
            completed("AgentMessage", 3, content=[{"type": "Text", "text": "I will look."}]),
            completed("CommandExecution", 4, command="ls"),
            completed("AgentMessage", 5, content=[{"type": "Text", "text": "A typo."}]),
            event("task_complete", 6, last_agent_message="A typo."),
        ),
    )  # fmt: skip

    assert said(found) == [
        ("user", "Why?"),
        ("user", "pump.png"),
        ("assistant", "I will look."),
        ("assistant", "A typo."),
    ]
    assert ("assistant", "thought", "Hmm.") in turn_summaries(found)


def test_words_that_are_there_in_three_ways_count_once():
    rows = []
    for second, (prompt, answer) in enumerate([("Why?", "A typo."), ("Why?", "Still a typo.")]):
        rows += [
            message("user", prompt, second=second),
            event("user_message", second, message=prompt),
            completed("UserMessage", second, content=[{"type": "text", "text": prompt}]),
            message("assistant", answer, second=second, part="output_text"),
            event("agent_message", second, message=answer),
            completed("AgentMessage", second, content=[{"type": "Text", "text": answer}]),
        ]

    found = parse_one(CODEX, lines(META, *rows))

    assert [text for _, text in said(found)] == ["Why?", "A typo.", "Why?", "Still a typo."]


def test_an_answer_that_only_the_end_of_an_exchange_has_is_kept():
    end = event("task_complete", 2, last_agent_message="A typo.")

    assert said(parse_one(CODEX, lines(META, ASKED, end)))[1] == ("assistant", "A typo.")


def test_a_time_inside_of_a_payload_and_a_role_of_the_parts_count():
    parts = [{"type": "output_text", "text": "A typo."}]
    answer = {
        "type": "response_item",
        "payload": {"type": "message", "content": parts, "timestamp": "2026-05-18T13:21:09Z"},
    }

    found = parse_one(CODEX, lines(META, ASKED, answer))

    assert said(found)[1] == ("assistant", "A typo.")
    assert found.turns[1].sent_at.second == 9


LIST = "../../../../external_agent_session_imports.json"
SOURCE = "/home/o/.claude/projects/-boat/c1.jsonl"
ORIGINAL = "../../../../../.claude/projects/-boat/c1.jsonl"
IMPORTS = {"records": [{"source_path": SOURCE, "imported_thread_id": "s1"}]}
CLAUDE_LOG = lines(
    *(
        {
            "type": role,
            "uuid": role,
            "sessionId": "c1",
            "message": {"role": role, "content": text},
        }
        for role, text in (("user", "Why does it fail?"), ("assistant", "A typo."))
    )
)


def test_a_copy_of_a_session_of_another_program_gives_the_original_where_that_is_there():
    beside = {LIST: IMPORTS, ORIGINAL: CLAUDE_LOG}

    found = parse_one(CODEX, lines(META, ASKED, ANSWERED), "a/b/c/d/r.jsonl", **beside)

    assert found == parse_one(load_format("claude_code"), CLAUDE_LOG)
    assert found.source == "claude_code"


def test_what_was_said_after_a_copy_is_kept():
    more = message("user", "Fix it", second=9)
    beside = {LIST: IMPORTS, ORIGINAL: CLAUDE_LOG}

    found = parse_one(CODEX, lines(META, ASKED, ANSWERED, more), "a/b/c/d/r.jsonl", **beside)

    assert said(found) == [("user", "Fix it")]


def test_a_copy_whose_original_is_not_there_is_kept_and_the_doubt_is_told():
    found, doubt = parse_all(
        CODEX, lines(META, ASKED, ANSWERED), "a/b/c/d/r.jsonl", **{LIST: IMPORTS}
    )

    assert len(said(found)) == 2
    assert isinstance(doubt, Doubt)
