"""Aider's chat history."""

from datetime import datetime, timedelta, timezone
from io import BytesIO

import pytest
from helpers import parsing
from helpers.parsing import document, shared_document, turn_summaries

from memcli.domain import Clock, Conversation, Role, Skipped
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, recognise_format
from memcli.formats.agents import aider

BEGIN = "\n# aider chat started at 2026-03-10 14:23:01\n\n"


def prompt(*typed):
    """Return lines of a prompt as Aider writes them."""
    return "\n" + "".join(f"#### {line}  \n" for line in typed)


def note(*noted):
    return "".join(f"> {line}  \n" for line in noted)


def answer(text):
    return f"\n{text}\n\n"


def parse_one(*parts, reading=None):
    """Return the one conversation of a file."""
    return parsing.parse_one(aider.FORMAT, "".join(parts), ".aider.chat.history.md", reading)


def parse_all(*parts):
    """Return all results of a file."""
    return parsing.parse_all(aider.FORMAT, "".join(parts))


@pytest.mark.parametrize("first", [prompt("Fix it."), note("Aider v0.60")])
def test_a_history_is_recognised_by_how_it_begins(first):
    assert recognise_format(document(BEGIN + first)) is aider.FORMAT
    assert recognise_format(document("Notes\n" + BEGIN + first)) is not aider.FORMAT
    assert recognise_format(document(BEGIN + "Nothing more.\n")) is not aider.FORMAT


def test_prompts_answers_and_notices_are_told_apart():
    found = parse_one(
        BEGIN,
        note("Aider v0.60", "Main model: x"),
        prompt("Fix it.", "", "Soon."),
        answer("Fixed.\n\n```python\nx = 1\n```"),
        note("Applied edit to a.py"),
        prompt("Thanks"),
    )

    assert turn_summaries(found) == [
        ("tool", "tool", "Aider v0.60\nMain model: x"),
        ("user", "text", "Fix it.\n\nSoon."),
        ("assistant", "text", "Fixed.\n\n```python\nx = 1\n```"),
        ("tool", "tool", "Applied edit to a.py"),
        ("user", "text", "Thanks"),
    ]
    assert found.title == "Fix it. Soon."


def test_marks_in_an_answer_are_markdown():
    text = "#### Heading\n\n> Quotation\n\n# Title"

    found = parse_one(BEGIN, prompt("Write it."), answer(text), prompt("Thanks"))

    assert turn_summaries(found)[1] == ("assistant", "text", text)


def test_without_spaces_at_the_ends_of_lines_what_lies_in_a_fence_is_the_answers():
    text = "So:\n\n```md\n#### Heading\n> Quotation\n```"
    raw = BEGIN + prompt("Write it.") + answer(text) + note("Applied") + prompt("a", "b")
    bare = "\n".join(line.rstrip() for line in raw.splitlines())

    assert turn_summaries(parse_one(bare)) == turn_summaries(parse_one(raw))


def test_two_prompts_in_a_row_are_two():
    assert [
        text for *_, text in turn_summaries(parse_one(BEGIN, prompt("One"), prompt("Two")))
    ] == [
        "One",
        "Two",
    ]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("/add a.py", "tool"),
        ("/undo", "tool"),
        ("!ls", "tool"),
        ("/ask why is it slow?", "text"),
        ("/ask", "tool"),
        ("/home/a/b.py fails", "text"),
    ],
)
def test_a_command_is_nobodys_words_but_a_question_is(typed, kind):
    assert turn_summaries(parse_one(BEGIN, prompt("Hi"), prompt(typed)))[1] == ("user", kind, typed)


def test_typing_nothing_is_nothing():
    assert turn_summaries(parse_one(BEGIN, prompt("Hi"), prompt("<blank>"))) == [
        ("user", "text", "Hi")
    ]


def test_thoughts_are_kept_apart():
    thought = "--------------\n► **THINKING**\n\nHm.\n\n"
    text = f"{thought}------------\n► **ANSWER**\n\nYes.\n\n---\n\nOr no."

    assert turn_summaries(parse_one(BEGIN, prompt("So?"), answer(text)))[1:] == [
        ("assistant", "thought", "Hm."),
        ("assistant", "text", "Yes.\n\n---\n\nOr no."),
    ]


def test_only_the_beginning_of_a_session_has_a_time():
    zone = timezone(timedelta(hours=2))

    found = parse_one(BEGIN, prompt("Hi"), answer("Hello"), reading=ParseOptions(zone))

    assert {turn.sent_at for turn in found.turns} == {datetime(2026, 3, 10, 14, 23, 1, tzinfo=zone)}
    assert {turn.clock for turn in found.turns} == {Clock.INHERITED}


@pytest.mark.parametrize("nonsense", ["9999-99-99 14:23:01", "1970-01-01 00:00:00", "0"])
def test_nonsense_for_a_time_is_none(nonsense):
    [turn] = parse_one(BEGIN.replace("2026-03-10 14:23:01", nonsense), prompt("Hi")).turns

    assert (turn.sent_at, turn.clock) == (None, Clock.NONE)


def test_every_session_is_a_conversation_and_keeps_its_key_when_it_grows():
    first, later = BEGIN + prompt("Hi"), BEGIN.replace("14:", "15:") + prompt("Hi")

    short = parse_all(first, later)
    long = parse_all(first, answer("Hello"), later, prompt("So?"))

    assert [one.key for one in short] == [one.key for one in long]
    assert len({one.key for one in short}) == 2
    assert [len(one.turns) for one in long] == [2, 2]


def test_a_session_in_which_nobody_speaks_is_passed_over():
    assert parse_all(BEGIN, note("Aider v0.60")) == []


def test_a_line_that_is_too_long_is_told_and_the_rest_read():
    long = "x" * ((1 << 20) + 1)

    skipped, found = parse_all(BEGIN, prompt("Hi"), answer(long), "End\n")

    assert isinstance(skipped, Skipped)
    assert [text for *_, text in turn_summaries(found)] == ["Hi", "End"]


def test_a_session_that_is_too_long_does_not_take_the_next_one_with_it(monkeypatch):
    monkeypatch.setattr(aider, "LARGEST_SESSION", 100)
    lines = "".join(f"{number} {'x' * 30}\n" for number in range(9))

    skipped, first, second = parse_all(BEGIN, prompt("Hi"), lines, BEGIN, prompt("So?"))

    assert skipped.where == "line 8 and the rest of its session"
    assert [turn.text[:2] for turn in first.turns] == ["Hi", "0 "]
    assert [turn.text for turn in second.turns] == ["So?"]


def test_a_file_that_breaks_off_gives_what_came_before():
    class Damaged(BytesIO):
        def read1(self, size=-1):
            return super().read1(size) or self.fail()

        def fail(self):
            raise InputError("it is damaged")

    raw = (BEGIN + prompt("Hi")).encode()
    found = aider.FORMAT.parse(Document("x", lambda: Damaged(raw)), ParseOptions())

    first = next(found)

    assert isinstance(first, Conversation)
    with pytest.raises(InputError):
        next(found)


def test_the_real_history(samples):
    found = shared_document("aider/ctxray__ctxray/tests/fixtures/aider_chat_history.md")

    assert recognise_format(found) is aider.FORMAT
    prompts = [
        [turn.text for turn in conversation.turns if turn.role is Role.USER]
        for conversation in aider.FORMAT.parse(found, ParseOptions())
    ]
    assert [len(each) for each in prompts] == [2, 3]
    assert prompts[1][1:] == ["ok", "y"]
