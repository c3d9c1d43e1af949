"""LongMemEval."""

import json
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from helpers.shared import SHARED

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, load_format, recognise_format

LONGMEMEVAL = load_format("longmemeval")
REAL = SHARED / "data" / "longmemeval_s_dev.json"


def document(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Document("longmemeval_s.json", lambda: BytesIO(raw))


def parse_all(content, **reading):
    return list(LONGMEMEVAL.parse(document(content), ParseOptions(**reading)))


def question(name="q1", **keys):
    return {
        "question_id": name,
        "question": "Where did I fly?",
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "nonsense"],
        "haystack_session_ids": ["s1", "s2"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I flew to Lisbon.", "has_answer": True},
                {"role": "assistant", "content": ""},
                {"role": "assistant", "content": "Lovely."},
            ],
            [{"role": "user", "content": "Hi"}],
        ],
        **keys,
    }


def test_each_session_of_a_haystack_is_a_conversation():
    at = datetime.fromisoformat("2023-05-20T02:21:00+02:00")

    assert parse_all([question()], timezone=ZoneInfo("Europe/Berlin")) == [
        Conversation(
            "longmemeval",
            "q1/s1",
            "",
            (
                Turn("1", Role.USER, "I flew to Lisbon.", None, at, Clock.LOCAL),
                Turn("3", Role.ASSISTANT, "Lovely.", None, at, Clock.LOCAL),
            ),
        ),
        Conversation("longmemeval", "q1/s2", "", (Turn("1", Role.USER, "Hi"),)),
    ]


def test_dates_and_ids_are_optional():
    found = parse_all([question(haystack_dates=None, haystack_session_ids=["only"])])

    assert [one.key for one in found] == ["q1/only", "q1/2"]
    assert {turn.clock for one in found for turn in one.turns} == {Clock.NONE}


def test_a_session_that_is_in_a_haystack_twice_has_two_keys():
    found = parse_all([question(haystack_session_ids=["s1", "s1"])])

    assert [one.key for one in found] == ["q1/s1", "q1/s1#2"]


def test_sessions_and_questions_without_anything_are_skipped_but_not_lost():
    assert parse_all([None, question(haystack_sessions=[[], None]), {"question_id": "q"}]) == [
        Skipped("question 1", "has no haystack", lost=False),
        Skipped("question 2, session s1", "has nothing to import", lost=False),
        Skipped("question 2, session s2", "has nothing to import", lost=False),
        Skipped("question 3", "has no haystack", lost=False),
    ]


def test_one_damaged_question_does_not_cost_the_others():
    good = json.dumps(question()).encode()

    found = parse_all(b"[" + good + b', {"haystack_sessions": [nonsense]}, ' + good + b"]")

    assert [getattr(one, "key", None) for one in found] == [
        "q1/s1",
        "q1/s2",
        None,
        "q1/s1",
        "q1/s2",
    ]
    assert (found[2].where, found[2].lost) == ("question 2, session 1", True)


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = json.dumps([question("a"), question("b")]).encode()
    whole = parse_all(raw)

    for end in range(1, len(raw) - 1, 3):
        kept = []
        with suppress(InputError):
            kept.extend(LONGMEMEVAL.parse(document(raw[:end]), ParseOptions()))

        assert kept == whole[: len(kept)]


@pytest.mark.parametrize(
    ("content", "known"),
    [
        ([question()], True),
        (question(), True),
        ([{"haystack_sessions": [[]]}], False),
        ([{"question_id": "q", "question": "Where?", "answer": "Here"}], False),
    ],
)
def test_it_is_recognised_by_a_turn_of_a_haystack(content, known):
    assert (recognise_format(document(content)) is LONGMEMEVAL) == known


@pytest.mark.skipif(not REAL.exists(), reason="no real LongMemEval")
def test_the_real_file_gives_every_session_under_its_own_key():
    real = Document(REAL.name, lambda: REAL.open("rb"))

    keys = [one.key for one in LONGMEMEVAL.parse(real, ParseOptions())]

    assert recognise_format(real) is LONGMEMEVAL
    assert len(keys) == len(set(keys)) == 2356


def test_a_haystack_whose_ids_alone_are_longer_than_the_head_is_recognised():
    count = 40_000
    element = question(
        haystack_dates=["2023/05/20 (Sat) 02:21"] * count,
        haystack_session_ids=[f"session_{number}" for number in range(count)],
        haystack_sessions=[[{"role": "user", "content": "hi"}]] * count,
    )

    assert recognise_format(document([element])) == LONGMEMEVAL


def test_days_without_a_question_are_no_haystack():
    found = recognise_format(document([{"haystack_dates": ["2023/05/20"], "size": 3}]))

    assert found != LONGMEMEVAL


def test_ids_and_days_may_follow_the_sessions():
    first = question()
    late = {name: first[name] for name in reversed(first)}
    raw = json.dumps([late, late | {"question_id": "q2"}]).encode()

    found = parse_all(raw)

    assert found == parse_all([first, question("q2")])
    for end in range(1, len(raw) - 1, 7):  # a question whose id was cut off is left out
        kept = []
        with suppress(InputError):
            kept.extend(LONGMEMEVAL.parse(document(raw[:end]), ParseOptions()))
        assert kept == found[: len(kept)]


def test_a_haystack_larger_than_any_value_is_read_session_by_session(tmp_path):
    session = json.dumps([{"role": "user", "content": "x" * (1 << 19)}])
    path = tmp_path / "haystack.json"
    with path.open("w") as file:
        file.write('[{"question": "Where?", "haystack_sessions": [')
        file.writelines(f"{', ' if number else ''}{session}" for number in range(130))
        file.write("]}]")
    large = Document(path.name, lambda: path.open("rb"))

    assert recognise_format(large) is LONGMEMEVAL
    assert sum(1 for _ in LONGMEMEVAL.parse(large, ParseOptions())) == 130
