"""LoCoMo."""

import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from helpers.shared import SHARED

from memcli.domain import Clock, Conversation, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats import Document, ParseOptions, load_format, recognise_format

LOCOMO = load_format("locomo")
REAL = SHARED / "data" / "locomo10.json"

TALK = {
    "speaker_a": "Ann",
    "speaker_b": "Bea",
    "session_10_date_time": "12:05 am on 3 June, 2023",
    "session_10": [{"speaker": "Bea", "dia_id": "D10:1", "text": "Night."}],
    "session_2_date_time": "4:04 pm on 20 January, 2023",
    "session_2": [
        {"speaker": "Ann", "dia_id": "D2:1", "text": "Hi Bea!"},
        {"speaker": "Bea", "dia_id": "D2:2", "text": "See:", "blip_caption": "a red dog"},
        {"speaker": "Bea", "dia_id": "D2:3", "text": "", "blip_caption": "a cat"},
    ],
    "session_11_date_time": "5:00 pm on 4 June, 2023",
}
SAMPLE = {"qa": [], "sample_id": "conv-1", "conversation": TALK}
NOON, NIGHT = datetime(2023, 1, 20, 16, 4, tzinfo=UTC), datetime(2023, 6, 3, 0, 5, tzinfo=UTC)
SESSIONS = (
    Conversation(
        "locomo",
        "conv-1/session_2",
        "",
        (
            Turn("D2:1", Role.PERSON, "Hi Bea!", "Ann", NOON, Clock.LOCAL),
            Turn("D2:2", Role.PERSON, "See:\n[image: a red dog]", "Bea", NOON, Clock.LOCAL),
            Turn("D2:3", Role.PERSON, "[image: a cat]", "Bea", NOON, Clock.LOCAL),
        ),
    ),
    Conversation(
        "locomo",
        "conv-1/session_10",
        "",
        (Turn("D10:1", Role.PERSON, "Night.", "Bea", NIGHT, Clock.LOCAL),),
    ),
)


def document(content, name="locomo10.json"):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Document(name, lambda: BytesIO(raw))


def parse_all(content, name="locomo10.json"):
    return list(LOCOMO.parse(document(content, name), ParseOptions()))


def test_each_session_is_a_conversation_and_dates_alone_are_none():
    assert parse_all([SAMPLE]) == list(SESSIONS)


def test_the_layout_with_a_file_for_each_sample_takes_its_name_from_the_file():
    found = parse_all(TALK, name="locomo10.zip/locomo10_v2/26.json")

    assert [one.key for one in found] == ["26/session_2", "26/session_10"]
    assert [one.turns for one in found] == [one.turns for one in SESSIONS]


@pytest.mark.parametrize(
    "date", [None, 7, "", "25:00 pm on 40 May, 2023", "1:00 pm on 1 Foo, 2023"]
)
def test_a_date_that_is_none_leaves_the_turns_without_a_time(date):
    [first, *_] = parse_all([{**SAMPLE, "conversation": {**TALK, "session_2_date_time": date}}])

    assert {(turn.sent_at, turn.clock) for turn in first.turns} == {(None, Clock.NONE)}


def test_turns_without_an_id_or_with_one_twice_get_keys():
    rows = [{"speaker": "Ann", "text": "Hi", "dia_id": dia} for dia in ("D1:1", "D1:1", None)]

    [conversation] = parse_all([{"conversation": {"session_1": rows}}])

    assert len({turn.key for turn in conversation.turns}) == 3


def test_what_holds_nothing_is_skipped_but_not_lost():
    assert parse_all([None, {"sample_id": "x"}, {"conversation": {"session_1": [None]}}]) == [
        Skipped("conversation 1", "has no sessions", lost=False),
        Skipped("conversation 2", "has no sessions", lost=False),
        Skipped("conversation 3, session_1", "has nothing to import", lost=False),
    ]


def test_a_file_that_breaks_off_keeps_what_was_whole():
    raw = json.dumps([SAMPLE, SAMPLE]).encode()

    for end in range(1, len(raw) - 1, 3):
        kept = []
        with suppress(InputError):
            kept.extend(LOCOMO.parse(document(raw[:end]), ParseOptions()))

        assert kept == list(SESSIONS * 2)[: len(kept)]


def test_no_flipped_byte_is_more_than_an_input_error():
    raw = json.dumps([SAMPLE, SAMPLE]).encode()
    chance = random.Random(3)

    for _ in range(300):
        damaged = bytearray(raw)
        damaged[chance.randrange(len(raw))] = chance.randrange(256)
        with suppress(InputError):
            for one in LOCOMO.parse(document(bytes(damaged)), ParseOptions()):
                assert isinstance(one, Conversation | Skipped)


@pytest.mark.parametrize(
    ("content", "known"),
    [([SAMPLE], True), (TALK, True), ([{"conversation": {"session_1": [{}]}}], False)],
)
def test_it_is_recognised_by_a_turn_of_a_session(content, known):
    assert (recognise_format(document(content)) is LOCOMO) == known


@pytest.mark.skipif(not REAL.exists(), reason="no real LoCoMo")
def test_the_real_file_gives_every_session_and_turn():
    real = Document(REAL.name, lambda: REAL.open("rb"))

    found = list(LOCOMO.parse(real, ParseOptions()))

    assert recognise_format(real) is LOCOMO
    assert len({one.key for one in found}) == len(found) == 272
    assert sum(len(one.turns) for one in found) == 5882
    assert {turn.clock for one in found for turn in one.turns} == {Clock.LOCAL}
