"""SillyTavern's chats."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from helpers import parsing
from helpers.parsing import document, lines, turn_summaries

from memcli.domain import Clock, Conversation, Kind, Role, Skipped
from memcli.formats import ParseOptions, recognise_format
from memcli.formats.assistants import sillytavern

HEADER = {"user_name": "Ruth", "character_name": "Iris", "create_date": "x", "chat_metadata": {}}


def message(text, *, mine=False, name=None, **more):
    who = name or ("Ruth" if mine else "Iris")
    return {"name": who, "is_user": mine, "is_system": False, "mes": text, **more}


NAME = "chats/Iris/First - 2024.jsonl"


def parse_one(*rows, name=NAME, reading=None):
    """Return the one conversation of a chat."""
    return parsing.parse_one(sillytavern.FORMAT, lines(*rows), name, reading)


def recognise_chat(*rows):
    """Return the format of a chat."""
    return recognise_format(document(lines(*rows), NAME))


@pytest.mark.parametrize("header", [HEADER, {"chat_metadata": {"integrity": "a"}}, None])
def test_a_chat_is_recognised_by_its_messages(header):
    rows = [row for row in (header, message("Hi.")) if row]

    assert recognise_chat(*rows) is sillytavern.FORMAT
    assert recognise_chat({"mes": "Hi", "name": "Iris"}) is None


def test_the_person_and_the_character_speak_by_name():
    found = parse_one(HEADER, message("Hello."), message("Hi!", mine=True))

    assert (found.key, found.title) == ("Iris/First - 2024", "First - 2024")
    assert [(turn.role, turn.speaker, turn.text) for turn in found.turns] == [
        (Role.ASSISTANT, "Iris", "Hello."),
        (Role.USER, "Ruth", "Hi!"),
    ]
    assert found.turns[1].parent == found.turns[0].key


def test_the_character_is_that_of_the_messages_where_the_first_line_has_none():
    new = {"user_name": "unused", "character_name": "unused", "chat_metadata": {}}
    rows = (message("Hi", mine=True), message("Hello."))

    assert parse_one(new, *rows).key == parse_one(HEADER, *rows).key == parse_one(*rows).key


def test_chats_of_one_character_are_told_by_their_files():
    branch = parse_one(HEADER, message("Hello."), name="a/Branch #2.jsonl")
    first = parse_one(HEADER, message("Hello."), name="b.zip/x/First.jsonl")

    assert (branch.key, first.key) == ("Iris/Branch #2", "Iris/First")
    assert branch.turns == first.turns


@pytest.mark.parametrize(
    ("written", "expected", "clock"),
    [
        (1700000000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), Clock.EXACT),
        ("1700000000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), Clock.EXACT),
        ("2026-01-02T03:04:05.678Z", datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), Clock.EXACT),
        ("June 19, 2023 2:20pm", datetime(2023, 6, 19, 14, 20), Clock.LOCAL),
        ("2024-7-12@01h31m37s", datetime(2024, 7, 12, 1, 31, 37), Clock.LOCAL),
        ("2024-07-12@01h31m37s123ms", datetime(2024, 7, 12, 1, 31, 37, 123000), Clock.LOCAL),
        ("2024-6-5 @14h 56m 50s 682ms", datetime(2024, 6, 5, 14, 56, 50, 682000), Clock.LOCAL),
        ("2024-06-05T14:56:50", datetime(2024, 6, 5, 14, 56, 50), Clock.LOCAL),
    ],
)
def test_times_are_read_in_every_way_they_are_written(written, expected, clock):
    zone = timezone(timedelta(hours=2))

    [turn] = parse_one(HEADER, message("Hi", send_date=written), reading=ParseOptions(zone)).turns

    assert turn.sent_at == (expected if expected.tzinfo else expected.replace(tzinfo=zone))
    assert turn.clock is clock


@pytest.mark.parametrize("nonsense", ["soon", "2024-13-12@01h31m37s", 0, None, [], "31, 2023 pm"])
def test_nonsense_is_no_time_and_that_of_the_message_before_stands(nonsense):
    first = message("Hi", send_date=1700000000000)

    found = parse_one(HEADER, first, message("Well", send_date=nonsense))

    assert [turn.clock for turn in found.turns] == [Clock.EXACT, Clock.INHERITED]


def message_with_swipes(chosen):
    answers = ["Yes.", "No.", "Maybe."]
    details = [{"send_date": f"2024-7-12@01h31m0{at}s", "extra": {}} for at in range(3)]
    return message(
        answers[chosen],
        swipes=answers,
        swipe_id=chosen,
        swipe_info=details,
        send_date=details[chosen]["send_date"],
    )


def test_answers_that_do_not_count_are_kept_on_branches():
    found = parse_one(
        HEADER, message("So?", mine=True), message_with_swipes(1), message("Good.", mine=True)
    )

    assert [(turn.text, turn.active) for turn in found.turns] == [
        ("So?", True),
        ("Yes.", False),
        ("No.", True),
        ("Maybe.", False),
        ("Good.", True),
    ]
    asked, *answers, last = found.turns
    assert {answer.parent for answer in answers} == {asked.key}
    assert last.parent == answers[1].key


def test_choosing_another_answer_changes_no_key():
    keys = [
        {turn.text: turn.key for turn in parse_one(HEADER, message_with_swipes(at)).turns}
        for at in range(3)
    ]

    assert keys[0] == keys[1] == keys[2]


@pytest.mark.parametrize("chosen", [7, -1, None, "1"])
def test_where_it_is_not_said_which_answer_counts_it_is_the_message(chosen):
    found = parse_one(HEADER, message("No.", swipes=["Yes.", "No."], swipe_id=chosen))

    assert [(turn.text, turn.active) for turn in found.turns] == [("No.", True)]


def test_thoughts_pictures_and_attached_texts_are_kept():
    extra = {
        "reasoning": "Be kind.",
        "image": "/user/images/Iris/moon.png",
        "files": [{"name": "notes.txt", "text": "Remember the moon."}, {"name": "a.pdf"}],
    }

    found = parse_one(HEADER, message("Look!", extra=extra))

    assert turn_summaries(found) == [
        ("assistant", "thought", "Be kind."),
        ("assistant", "text", "Look!\n\nRemember the moon."),
        ("assistant", "media", "moon.png"),
        ("assistant", "media", "a.pdf"),
    ]


def test_the_programs_own_messages_are_nobodys_words_but_hidden_ones_are():
    found = parse_one(
        HEADER,
        message("Hidden.", is_system=True),
        message("Help!", name="SillyTavern System", is_system=True, extra={"type": "help"}),
        message("Rain falls.", name="System", extra={"type": "narrator"}),
        message("Not good.", name="Note", is_system=True, extra={"type": "comment"}),
    )

    assert turn_summaries(found) == [
        ("assistant", "text", "Hidden."),
        ("system", "service", "Help!"),
        ("user", "text", "Rain falls."),
        ("user", "text", "Not good."),
    ]


def test_calls_of_tools_are_kept_apart():
    call = {"name": "Weather", "parameters": '{"city": "Oslo"}', "result": "Rain"}
    row = message("Tool calls: Weather", name="System", is_system=True)

    found = parse_one(HEADER, message("Hi"), {**row, "extra": {"tool_invocations": [call]}})

    assert [(turn.kind, turn.text) for turn in found.turns[-2:]] == [
        (Kind.TOOL, 'Weather {"city": "Oslo"}'),
        (Kind.TOOL, "Rain"),
    ]


def test_a_broken_line_is_told_and_the_rest_read():
    parsed = parsing.parse_all(sillytavern.FORMAT, lines(HEADER, "{bro", message("Hi")))

    assert [each.where for each in parsed if isinstance(each, Skipped)] == ["line 2"]
    assert [len(each.turns) for each in parsed if isinstance(each, Conversation)] == [1]


def test_a_chat_in_which_nobody_speaks_is_passed_over():
    [found] = parsing.parse_all(sillytavern.FORMAT, lines(HEADER))

    assert isinstance(found, Skipped)
    assert not found.lost


def test_surprises_in_every_field_lose_no_words():
    odd = message("Hi", extra=[], swipes={"a": 1}, swipe_id=True, swipe_info="x", send_date={})

    assert turn_summaries(parse_one(HEADER, odd, message(7))) == [
        ("assistant", "text", "Hi"),
        ("assistant", "text", "7"),
    ]
