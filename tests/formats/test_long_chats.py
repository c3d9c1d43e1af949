"""Chats of any length, in pieces."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from memcli.domain import Clock, Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import (
    PIECE_TURNS,
    ChatTurn,
    WallClock,
    sender_role,
    split_chats,
    text_with_files,
)
from memcli.formats.format import ParseOptions

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def chat_turn(minute, chat="a", text=""):
    sent_at = None if minute is None else NOON + timedelta(minutes=minute)
    clock = Clock.EXACT if sent_at else Clock.NONE
    return ChatTurn(chat, chat, Turn(f"{minute}{text}", Role.PERSON, text, None, sent_at, clock))


def test_a_piece_is_full_after_a_thousand_turns():
    pieces = list(split_chats("x", map(chat_turn, range(2 * PIECE_TURNS + 1))))

    assert [len(piece.turns) for piece in pieces] == [PIECE_TURNS, PIECE_TURNS, 1]


def test_long_texts_make_shorter_pieces():
    pieces = split_chats("x", (chat_turn(minute, text="x" * 1_000_000) for minute in range(9)))

    assert [len(piece.turns) for piece in pieces] == [5, 4]


def test_of_many_chats_only_so_much_is_held():
    chats = iter(range(20_001))
    pieces = split_chats("x", (chat_turn(1, f"chat {at}") for at in chats))

    read = 0
    for read, _ in enumerate(pieces, start=1):
        if read == 1:
            assert next(chats) == 10_000  # turns that were read before the first piece
    assert read == 20_000


@pytest.mark.parametrize(
    "order", [list, reversed, lambda turns: random.Random(1).sample(turns, 50)]
)
def test_a_piece_is_in_order_of_time_whatever_the_order_of_the_file(order):
    mixed = order([chat_turn(minute) for minute in range(50)])

    [piece] = split_chats("x", mixed)

    assert [turn.key for turn in piece.turns] == [str(minute) for minute in range(50)]


def test_a_turn_without_a_time_follows_the_one_before_it_in_time():
    for turns in (
        [chat_turn(1), chat_turn(None), chat_turn(2)],
        [chat_turn(2), chat_turn(None), chat_turn(1)],
    ):
        [piece] = split_chats("x", turns)

        assert [(turn.key, turn.clock) for turn in piece.turns] == [
            ("1", Clock.EXACT),
            ("None", Clock.INHERITED),
            ("2", Clock.EXACT),
        ]


def test_what_came_before_an_error_is_yielded_first():
    def damaged_turns():
        yield chat_turn(1)
        yield Skipped("message 2", "is broken")
        raise InputError("ends in the middle")

    found = []
    with pytest.raises(InputError):
        found.extend(split_chats("x", damaged_turns()))  # extend keeps the pieces before an error

    assert found[0] == Skipped("message 2", "is broken")
    assert len(found[1].turns) == 1


def test_in_the_night_the_clocks_go_back_time_does_not():
    clock = WallClock(ZoneInfo("Europe/Berlin"))

    read = [clock.read(datetime(2024, 10, 27, 2, minute))[0] for minute in (50, 10)]

    assert [moment.utcoffset().total_seconds() / 3600 for moment in read] == [2, 1]


@pytest.mark.parametrize("naive", [None, datetime(1970, 1, 1), datetime(2999, 1, 1)])
def test_nonsense_is_no_time(naive):
    assert WallClock(UTC).read(naive) == (None, Clock.NONE)


def test_the_person_has_any_of_their_names():
    reading = ParseOptions(me=" Ann ")

    assert sender_role(reading, None, "ANN") is Role.USER
    assert sender_role(reading, "Bob") is Role.PERSON
    assert sender_role(ParseOptions(), "", None) is Role.PERSON


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("Hi", [], (Kind.TEXT, "Hi")),
        ("Hi", ["a.pdf", ""], (Kind.TEXT, "Hi\n[a.pdf]")),
        ("", ["a.pdf", "b.pdf"], (Kind.MEDIA, "a.pdf, b.pdf")),
        ("", [""], (Kind.MEDIA, "")),
        ("", [], (Kind.TEXT, "")),
    ],
)
def test_files_are_named_beside_the_words(text, names, found):
    assert text_with_files(text, names) == found
