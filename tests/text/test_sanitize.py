"""Sanitizing changes nothing but what it must."""

from dataclasses import fields, replace
from datetime import timedelta

from helpers.builders import BEGIN, talk

from memcli.domain import Clock, Kind, Role, Turn
from memcli.text.sanitize import sanitize_conversation

FULL = Turn(
    key="1",
    role=Role.PERSON,
    text="text",
    speaker="Ann",
    sent_at=BEGIN,
    clock=Clock.LOCAL,
    kind=Kind.MEDIA,
    parent="0",
    active=False,
    edited_at=BEGIN + timedelta(days=1),
    missing=True,
    included=True,
)


def sanitize(turn):
    [sanitized] = sanitize_conversation(replace(talk("Talk"), turns=(turn,)), ()).turns
    return sanitized


def test_no_field_of_a_turn_is_lost_when_another_is_cleaned():
    assert all(getattr(FULL, field.name) != field.default for field in fields(Turn))

    assert sanitize(replace(FULL, text="te\x00xt")) == FULL
    assert sanitize(replace(FULL, sent_at=BEGIN + timedelta(microseconds=999))) == FULL


def test_a_turn_that_needs_no_change_is_not_copied():
    assert sanitize(FULL) is FULL
