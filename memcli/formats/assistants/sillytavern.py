"""SillyTavern's chats: JSON lines, a message a line after one that says whose chat it is.

An answer can be made again: `swipes` has all of them, `swipe_id` says which one counts. A chat has
no id of its own: copies made by "branch" and "checkpoint" share every id with the original, so it
is told by its character and the name of its file, as in the program. Times are written in four
ways, of which some are wall clocks.

Source: `public/script.js`, `utils.js` and `bookmarks.js` of SillyTavern.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    media_block,
    text_block,
    tool_call,
    tool_result,
    with_keys,
)
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import first_rows, rows
from memcli.formats.parsing.json_stream import Broken
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    Keys,
    instant,
    mapping,
    sequence,
    string,
    wall_clock,
    with_inherited_times,
)

_WRITTEN_BY_THE_PERSON = ("comment", "narrator")  # with /comment and /sys
_PROGRAM = ("SillyTavern System", "System")
_NO_NAME = ("", "unused")  # what newer versions write into the first line
_HUMANIZED = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?) ?@(\d\d?)h ?(\d\d?)m ?(\d\d?)s(?: ?(\d{1,3})ms)?", re.ASCII
)
_TWELVE_HOURS = "%B %d, %Y %I:%M%p"

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(_is_message(row) for row in first_rows(sample))


def _is_message(row: Row) -> bool:
    return isinstance(row.get("mes"), str) and isinstance(row.get("is_user"), bool)


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    stem = PurePath(document.name).stem
    chat, character = _Chat(reading), ""
    for number, value in rows(document):
        row = mapping(value)
        if isinstance(value, Broken):
            yield Skipped(f"line {number}", value.why)
        elif "mes" in row:
            chat.read(row)
        else:
            character = character or string(row.get("character_name"))
    if chat.turns:
        character = chat.character if character in _NO_NAME else character
        turns = tuple(with_inherited_times(chat.turns))
        yield Conversation(FORMAT.name, f"{character}/{stem}", stem, turns)
    else:
        yield Skipped(stem, "nobody says anything", lost=False)


@dataclass(frozen=True, slots=True)
class _Version:
    """One of the answers that were made in the same place."""

    text: str
    extra: Row
    sent: object
    active: bool


class _Chat:
    """The messages of a file, as they are read."""

    def __init__(self, reading: Reading) -> None:
        self.turns: list[Turn] = []
        self.character = ""
        self._reading, self._keys = reading, Keys()
        self._before: str | None = None  # key of the turn that the next one answers

    def read(self, row: Row) -> None:
        """Take in one message, with what it could have been."""
        role, kind = _who(row)
        speaker = string(row.get("name")) or None
        if role is Role.ASSISTANT:
            self.character = self.character or speaker or ""
        answered_one = self._before
        for version in _versions(row):
            own = self._keys.key(version.sent, speaker, version.text)
            sent_at, clock = _time(version.sent, self._reading)
            parent = answered_one
            for key, block in with_keys(own, _blocks(role, kind, version)):
                named = speaker if block.role is role else None
                self.turns.append(
                    Turn(
                        *(key, block.role, block.text, named, sent_at, clock, block.kind),
                        parent=parent,
                        active=version.active,
                    )
                )
                parent = key
            if version.active:
                self._before = parent


def _who(row: Row) -> tuple[Role, Kind]:
    """Return who wrote a message; one that is hidden from the model is still somebody's."""
    kind = mapping(row.get("extra")).get("type")
    if kind in _WRITTEN_BY_THE_PERSON or row.get("is_user"):
        return Role.USER, Kind.TEXT
    if row.get("is_system") and (kind or row.get("name") in _PROGRAM):
        return Role.SYSTEM, Kind.SERVICE
    return Role.ASSISTANT, Kind.TEXT


def _versions(row: Row) -> Iterator[_Version]:
    """Yield all answers in the order they were made, the one that counts in its place."""
    chosen, swipes = row.get("swipe_id"), sequence(row.get("swipes"))
    own = _Version(string(row.get("mes")), mapping(row.get("extra")), row.get("send_date"), True)
    details = sequence(row.get("swipe_info"))
    if not isinstance(chosen, int) or not 0 <= chosen < len(swipes):
        chosen, swipes = 0, [own.text]
    for at, text in enumerate(map(string, swipes)):
        detail = mapping(details[at] if at < len(details) else None)
        if at == chosen:
            yield own
        elif text.strip():
            sent = detail.get("send_date") or own.sent
            yield _Version(text, mapping(detail.get("extra")), sent, False)


def _blocks(role: Role, kind: Kind, version: _Version) -> list[Block]:
    extra = version.extra
    files = [mapping(extra.get("file")), *map(mapping, sequence(extra.get("files")))]
    texts = [version.text, *(string(file.get("text")) for file in files)]
    found = text_block(role, string(extra.get("reasoning")), Kind.THOUGHT)
    found += text_block(role, "\n\n".join(text for text in texts if text.strip()), kind)
    for call in map(mapping, sequence(extra.get("tool_invocations"))):
        found.append(tool_call(call.get("name"), call.get("parameters")))
        found += tool_result(call.get("result"))
    pictures = [mapping(one).get("url") for one in sequence(extra.get("media"))]
    for path in (extra.get("image"), *sequence(extra.get("image_swipes")), *pictures):
        if string(path) and media_block(role, path) not in found:
            found.append(media_block(role, path))
    names = (string(file.get("name")) for file in files if not string(file.get("text")).strip())
    return found + [media_block(role, name) for name in names if name]


def _time(value: object, reading: Reading) -> tuple[datetime | None, Clock]:
    """Read a time: an instant, or a wall clock in any of three ways."""
    written = string(value).strip()
    naive: datetime | None = None
    try:
        if match := _HUMANIZED.fullmatch(written):
            year, month, day, hour, minute, second, thousandths = (
                int(part or 0) for part in match.groups()
            )
            naive = datetime(year, month, day, hour, minute, second, 1000 * thousandths)
        elif written.endswith(("am", "pm", "AM", "PM")):
            naive = datetime.strptime(written, _TWELVE_HOURS)
        elif "-" in written:
            naive = datetime.fromisoformat(written)
    except ValueError:
        return None, Clock.NONE
    if naive is not None and naive.tzinfo is None:
        sane = instant(naive.isoformat())
        return (wall_clock(naive, reading.timezone), Clock.LOCAL) if sane else (None, Clock.NONE)
    exact = instant(value)
    return exact, Clock.EXACT if exact else Clock.NONE


FORMAT = Format(
    name="sillytavern",
    title="SillyTavern chat",
    recognises=_recognises,
    parse=_parse,
)
