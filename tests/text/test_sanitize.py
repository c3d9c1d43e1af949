"""What is made sound stays what it was otherwise."""

from dataclasses import fields, replace
from datetime import timedelta

from helpers.builders import BEGIN, talk

from memcli.domain import Clock, Kind, Role, Turn
from memcli.text.sanitize import sound_conversation

FULL = Turn(
    *("1", Role.PERSON, "text", "Ann", BEGIN, Clock.LOCAL, Kind.MEDIA, "0", False),
    *(BEGIN + timedelta(days=1), True, True),
)


def sound(turn):
    [made] = sound_conversation(replace(talk("Talk"), turns=(turn,)), ()).turns
    return made


def test_no_field_of_a_turn_is_lost_when_another_is_cleaned():
    assert all(getattr(FULL, field.name) != field.default for field in fields(Turn))

    assert sound(replace(FULL, text="te\x00xt")) == FULL
    assert sound(replace(FULL, sent_at=BEGIN + timedelta(microseconds=999))) == FULL


def test_a_turn_that_is_sound_is_not_copied():
    assert sound(FULL) is FULL
