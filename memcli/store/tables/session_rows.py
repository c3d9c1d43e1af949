"""Conversion between turns and rows of the table `turns`, which leave out their texts."""

from collections.abc import Sequence
from typing import Any

from memcli.domain import Clock, Kind, Role, Turn
from memcli.store.sqlite.times import optional_milliseconds, to_datetime, utc_offset_minutes

TURN_COLUMNS = (
    "key, role, speaker, sent_at, utc_offset, clock, kind, parent, active, edited_at, missing,"
    " included, characters"
)
# The same condition as `Turn.is_searchable`.
SEARCHABLE = "active and (included or kind in ('text', 'media')) and characters"

# By name: calling the enum takes five times as long, for every turn that is read.
_ROLES, _CLOCKS = {str(one): one for one in Role}, {str(one): one for one in Clock}
_KINDS = {str(one): one for one in Kind}


def turn_values(turn: Turn) -> list[object]:
    """Return the values of a turn in the order of TURN_COLUMNS, as SQLite returns them."""
    return [
        turn.key,
        turn.role,
        turn.speaker,
        optional_milliseconds(turn.sent_at),
        utc_offset_minutes(turn.sent_at),
        turn.clock,
        turn.kind,
        turn.parent,
        int(turn.active),
        optional_milliseconds(turn.edited_at),
        int(turn.missing),
        int(turn.included),
        len(turn.text) if turn.text.strip() else 0,
    ]


def to_turn(row: Sequence[Any], text: str) -> Turn:
    """Return the turn of a row of TURN_COLUMNS and a text.

    Raises:
        ValueError: a value is none that memcli writes.
    """
    key, role, speaker, sent_at, offset, clock, kind, parent, active, *rest = row
    edited_at, missing, included, _characters = rest
    return Turn(
        key=key,
        role=_ROLES.get(role) or Role(role),
        text=text,
        speaker=speaker,
        sent_at=to_datetime(sent_at, offset),
        clock=_CLOCKS.get(clock) or Clock(clock),
        kind=_KINDS.get(kind) or Kind(kind),
        parent=parent,
        active=bool(active),
        edited_at=to_datetime(edited_at, offset),
        missing=bool(missing),
        included=bool(included),
    )
