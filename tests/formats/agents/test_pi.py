"""Session logs of pi."""

import pytest
from helpers.parsing import document, lines, parse_all, parse_one, shared_document, turn_summaries
from helpers.shared import sample_rows

from memcli.domain import Conversation, Skipped
from memcli.formats import ParseOptions, load_format, recognise_format

PI = load_format("pi")
HEAD = {"type": "session", "version": 3, "id": "s1", "timestamp": "2026-01-01T10:00:00Z"}


def entry(key, parent, role, content, second=0):
    stamp = f"2026-01-01T10:00:{second:02}Z"
    message = {"role": role, "content": content}
    place = {"type": "message", "id": key, "parentId": parent, "timestamp": stamp}
    return {**place, "message": message}


ASKED = entry("q", None, "user", [{"type": "text", "text": "Why?"}])
ANSWERED = entry("a", "q", "assistant", [{"type": "text", "text": "So."}], 1)


@pytest.mark.parametrize("row", sample_rows("pi"), ids=lambda row: row["path"][-40:])
def test_the_sample_is_read(row):
    found = shared_document(row["path"])

    parsed = list(PI.parse(found, ParseOptions()))

    assert recognise_format(found) is PI
    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["line 10"]
    [conversation] = [each for each in parsed if isinstance(each, Conversation)]
    assert [turn.text for turn in conversation.turns if turn.is_searchable] == [
        "Fix the login bug",
        "Looking at the auth module.",
        "Look good to you?",
        "Looks good!",
    ]


def test_prompts_and_answers_are_what_was_said():
    found = parse_one(PI, lines(HEAD, ASKED, ANSWERED))

    assert (found.key, found.title) == ("s1", "Why?")
    assert turn_summaries(found) == [("user", "text", "Why?"), ("assistant", "text", "So.")]
    assert [turn.key for turn in found.turns] == ["q", "a"]


def test_going_back_makes_another_branch_and_the_last_one_counts():
    found = parse_one(PI, lines(HEAD, ASKED, ANSWERED, entry("b", "q", "user", "Else", 2)))

    assert {turn.key: turn.active for turn in found.turns} == {"q": True, "a": False, "b": True}


def test_thoughts_tools_and_summaries_are_kept_apart():
    blocks = [
        {"type": "thinking", "thinking": "Hm"},
        {"type": "toolCall", "name": "read", "arguments": {"path": "a"}},
    ]
    compaction = {"type": "compaction", "id": "c", "parentId": "t", "summary": "So far"}

    found = parse_one(
        PI,
        lines(
            HEAD,
            ASKED,
            entry("a", "q", "assistant", blocks, 1),
            entry("t", "a", "toolResult", [{"type": "text", "text": "x"}], 2),
            compaction,
        ),
    )

    assert turn_summaries(found)[1:] == [
        ("assistant", "thought", "Hm"),
        ("assistant", "tool", 'read {"path": "a"}'),
        ("tool", "tool", "x"),
        ("system", "context", "So far"),
    ]


def test_a_session_that_was_named_has_its_name():
    assert (
        parse_one(PI, lines(HEAD, ASKED, {"type": "session_info", "name": "Causes"})).title
        == "Causes"
    )


def test_entries_without_ids_are_a_line():
    rows = [{"type": "message", "message": {"role": "user", "content": "Hi"}}] * 2

    found = parse_one(PI, lines(HEAD, *rows))

    assert len({turn.key for turn in found.turns}) == 2
    assert found.turns[1].parent == found.turns[0].key


def test_a_broken_line_is_told_and_a_half_written_last_one_left():
    parsed = parse_all(PI, lines(HEAD, "{broken", ASKED, '{"type": "mes', ended=False))

    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["line 2"]


def test_lines_that_name_a_session_alone_are_not_taken_for_it():
    assert recognise_format(document(lines(HEAD, {"type": "message", "text": "Hi"}))) is not PI
