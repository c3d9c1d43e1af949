"""SillyTavern's chats: JSON lines with one message each, after a line that names the character.

An answer can be generated again: `swipes` has all versions, and `swipe_id` selects one. A chat has
no id of its own: copies made by "branch" and "checkpoint" share every id with the original, so its
key is its character and the name of its file, as in the program. Times are written in four ways, of
which some are wall clock times.

Source: `public/script.js`, `utils.js` and `bookmarks.js` of SillyTavern.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from memcli.domain import Clock, Conversation, Kind, Omission, Role, Skipped, Turn
from memcli.formats.building.blocks import (
    Block,
    count_message,
    media_block,
    text_block,
    tool_call,
    tool_result,
    with_keys,
)
from memcli.formats.building.markup import answer_blocks
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_lines import read_json_lines, sample_objects
from memcli.formats.parsing.json_stream import BrokenValue
from memcli.formats.parsing.message_counter import MessageCounter
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import (
    MessageKeys,
    is_plausible_time,
    localize,
    mapping,
    parse_timestamp,
    sequence,
    string,
    with_inherited_times,
)
from memcli.lazy_dataclasses import dataclass

_PERSON_TYPES = ("comment", "narrator")  # messages written with /comment and /sys
_PROGRAM_NAMES = ("SillyTavern System", "System")
_NO_NAME = ("", "unused")  # written by newer versions into the first line
_HUMANIZED_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?) ?@(\d\d?)h ?(\d\d?)m ?(\d\d?)s(?: ?(\d{1,3})ms)?", re.ASCII
)
_TWELVE_HOUR_TIME = "%B %d, %Y %I:%M%p"

Row = Mapping[str, Any]


def _recognises(sample: Sample) -> bool:
    return any(_is_message(row) for row in sample_objects(sample))


def _is_message(row: Row) -> bool:
    return isinstance(row.get("mes"), str) and isinstance(row.get("is_user"), bool)


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    stem = PurePath(document.name).stem
    chat, character = _Chat(options, document.counter), ""
    for number, value in read_json_lines(document):
        row = mapping(value)
        if isinstance(value, BrokenValue):
            yield Skipped(f"line {number}", value.reason)
            count_message(document.counter, [], Omission.UNREADABLE)
        elif "mes" in row:
            chat.read(row)
        else:
            character = character or string(row.get("character_name"))
    if chat.turns:
        character = chat.character if character in _NO_NAME else character
        turns = tuple(with_inherited_times(chat.turns))
        yield Conversation(FORMAT.name, f"{character}/{stem}", stem, turns)
    else:
        yield Skipped(stem, "has nothing to import", lost=False)


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of a message."""

    text: str
    extra: Row
    send_date: object
    active: bool


class _Chat:
    """The messages of a file, as they are read."""

    def __init__(self, options: ParseOptions, counter: MessageCounter) -> None:
        self._counter = counter
        self.turns: list[Turn] = []
        self.character = ""
        self._options, self._keys = options, MessageKeys()
        self._previous: str | None = None  # key of the turn that the next one replies to

    def read(self, row: Row) -> None:
        """Read one message with all its versions."""
        role, kind = _role_and_kind(row)
        speaker = string(row.get("name")) or None
        if role is Role.ASSISTANT:
            self.character = self.character or speaker or ""
        previous = self._previous
        for version in _versions(row):
            version_key = self._keys.next_key(version.send_date, speaker, version.text)
            sent_at, clock = _parse_time(version.send_date, self._options)
            parent = previous
            blocks = _blocks(role, kind, version)
            count_message(self._counter, blocks)
            for key, block in with_keys(version_key, blocks):
                self.turns.append(
                    Turn(
                        key=key,
                        role=block.role,
                        text=block.text,
                        speaker=speaker if block.role is role else None,
                        sent_at=sent_at,
                        clock=clock,
                        kind=block.kind,
                        parent=parent,
                        active=version.active,
                    )
                )
                parent = key
            if version.active:
                self._previous = parent


def _role_and_kind(row: Row) -> tuple[Role, Kind]:
    """Return the role and the kind of a message; hidden messages keep their author's role."""
    kind = mapping(row.get("extra")).get("type")
    if kind in _PERSON_TYPES or row.get("is_user"):
        return Role.USER, Kind.TEXT
    if row.get("is_system") and (kind or row.get("name") in _PROGRAM_NAMES):
        return Role.SYSTEM, Kind.SERVICE
    return Role.ASSISTANT, Kind.TEXT


def _versions(row: Row) -> Iterator[_Version]:
    """Yield all versions of a message in order, with the active one at its position."""
    active, swipes = row.get("swipe_id"), sequence(row.get("swipes"))
    text, extra = string(row.get("mes")), mapping(row.get("extra"))
    current = _Version(text, extra, send_date=row.get("send_date"), active=True)
    details = sequence(row.get("swipe_info"))
    if not isinstance(active, int) or not 0 <= active < len(swipes):
        active, swipes = 0, [text]
    for number, swipe in enumerate(map(string, swipes)):
        detail = mapping(details[number] if number < len(details) else None)
        if number == active:
            yield current
        elif swipe.strip():
            send_date = detail.get("send_date") or current.send_date
            extra = mapping(detail.get("extra"))
            yield _Version(swipe, extra, send_date=send_date, active=False)


def _blocks(role: Role, kind: Kind, version: _Version) -> list[Block]:
    extra = version.extra
    files = [mapping(extra.get("file")), *map(mapping, sequence(extra.get("files")))]
    texts = [version.text, *(string(file.get("text")) for file in files)]
    blocks = text_block(role, string(extra.get("reasoning")), Kind.THOUGHT)
    text = "\n\n".join(text for text in texts if text.strip())
    is_answer = role is Role.ASSISTANT and kind is Kind.TEXT
    blocks += answer_blocks(text) if is_answer else text_block(role, text, kind)
    for call in map(mapping, sequence(extra.get("tool_invocations"))):
        blocks.append(tool_call(call.get("name"), call.get("parameters")))
        blocks += tool_result(call.get("result"))
    pictures = [mapping(file).get("url") for file in sequence(extra.get("media"))]
    for path in (extra.get("image"), *sequence(extra.get("image_swipes")), *pictures):
        if string(path) and media_block(role, path) not in blocks:
            blocks.append(media_block(role, path))
    names = (string(file.get("name")) for file in files if not string(file.get("text")).strip())
    return blocks + [media_block(role, name) for name in names if name]


def _parse_time(value: object, options: ParseOptions) -> tuple[datetime | None, Clock]:
    """Parse an exact time, or a wall clock time in any of three forms."""
    text = string(value).strip()
    naive: datetime | None = None
    try:
        if match := _HUMANIZED_TIME.fullmatch(text):
            year, month, day, hour, minute, second, thousandths = (
                int(part or 0) for part in match.groups()
            )
            naive = datetime(year, month, day, hour, minute, second, 1000 * thousandths)
        elif text.endswith(("am", "pm", "AM", "PM")):
            naive = datetime.strptime(text, _TWELVE_HOUR_TIME)
        elif "-" in text:
            naive = datetime.fromisoformat(text)
    except ValueError:
        return None, Clock.NONE
    if naive is not None and naive.tzinfo is None:
        if not is_plausible_time(naive):
            return None, Clock.NONE
        return localize(naive, options.timezone), Clock.LOCAL
    exact = parse_timestamp(value)
    return exact, Clock.EXACT if exact else Clock.NONE


FORMAT = Format(name="sillytavern", recognises=_recognises, parse=_parse)
