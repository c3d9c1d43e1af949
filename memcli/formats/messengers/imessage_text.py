"""imessage-exporter's text files: a file a chat, named after it.

A line with the time begins a message, the next one says who speaks. A reply is written twice:
indented under what it answers, and at its own place, where it counts. Reactions follow the text.

Source: the tests of imessage-exporter's txt.rs, and its list of features.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from memcli.domain import Kind, Role, Skipped, Turn
from memcli.errors import InputError
from memcli.formats.building.long_chats import Said, WallClock, in_pieces, person
from memcli.formats.building.text_chat import LONGEST_MESSAGE, chat_named, name_of
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.text_lines import LONGEST_LINE, first_lines, lines
from memcli.formats.parsing.values import Keys

_HEAD = re.compile(
    r"( *)([A-Z][a-z]{2} \d{1,2}, \d{4} {1,2}\d{1,2}:\d\d:\d\d [AP]M)"
    r"(?: \([^()]*(?:[Rr]ead|[Dd]elivered)[^()]*\))?(?: (\S.*))?"
)
_REACTIONS = re.compile(r"^[ \t]*(?:Tapbacks|Reactions):[ \t]*$.*", re.MULTILINE | re.DOTALL)
_ANSWERS = re.compile(r"^This message responded to an earlier message\.[ \t]*$", re.MULTILINE)
_UNSENT = re.compile(r".{1,100} unsent (?:this|a) message.*", re.DOTALL)
_FILE = re.compile(r"(?:/|~/|(?:attachments|Attachments)/)[^\n]*/([^/\n]+\.\w{2,5})")
_MOST_REPLIES = 10_000  # that wait for their own place


def _recognises(sample: Sample) -> bool:
    head = next((line for line in first_lines(sample, 20) if line.strip()), "")
    return _HEAD.fullmatch(head.rstrip()) is not None and not head.startswith(" ")


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    return in_pieces("imessage_text", _Chat(document, reading).said())


@dataclass(slots=True)
class _Message:
    indent: int
    moment: str
    notice: str  # what the line itself says: an event
    lines: list[str] = field(default_factory=list)
    size: int = 0


class _Chat:
    def __init__(self, document: Document, reading: Reading) -> None:
        self._document, self._reading = document, reading
        self._chat = chat_named(name_of(document))
        self._keys, self._clock = Keys(), WallClock(reading.timezone)
        self._last: str | None = None  # key of the last message at its own place
        self._replies: dict[tuple[str, str], tuple[str | None, _Message]] = {}

    def said(self) -> Iterator[Said | Skipped]:
        try:
            for found in self._messages():
                if isinstance(found, Skipped):
                    yield found
                elif found.indent and len(self._replies) < _MOST_REPLIES:
                    self._replies[_identity(found)] = self._last, found
                elif turn := self._turn(found):
                    self._last = turn.key
                    yield Said(*self._chat, turn)
        except InputError:
            yield from self._left()
            raise
        yield from self._left()

    def _left(self) -> Iterator[Said]:
        """Yield the replies whose own place is missing."""
        for _, reply in list(self._replies.values()):
            if turn := self._turn(reply):
                yield Said(*self._chat, turn)

    def _messages(self) -> Iterator[_Message | Skipped]:
        message: _Message | None = None
        for number, line in enumerate(lines(self._document), start=1):
            if line is None:
                yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            elif match := _HEAD.fullmatch(line.rstrip()):
                if message:
                    yield message
                message = _Message(len(match[1]), match[2], match[3] or "")
            elif message and message.size <= LONGEST_MESSAGE:
                message.lines.append(line.rstrip("\r")[message.indent :])
                message.size += len(line) + 1
                if message.size > LONGEST_MESSAGE:
                    yield Skipped(f"line {number:,}", f"is past {LONGEST_MESSAGE:,} characters")
        if message:
            yield message

    def _turn(self, message: _Message) -> Turn | None:
        """Return the turn a message makes; None where it holds nothing."""
        naive = None
        with suppress(ValueError):
            naive = datetime.strptime(" ".join(message.moment.split()), "%b %d, %Y %I:%M:%S %p")
        speaker = "" if message.notice else next(iter(message.lines), "").strip()
        kind, text = _content(message)
        if kind is Kind.TEXT and not text:
            return None
        sent_at, clock = self._clock.read(naive)
        role = Role.USER if speaker == "Me" else person(self._reading, speaker)
        return Turn(
            key=self._keys.key(naive, speaker, text),
            role=Role.SYSTEM if kind is Kind.SERVICE else role,
            text=text,
            speaker=speaker or None,
            sent_at=sent_at,
            clock=clock,
            kind=kind,
            parent=self._replies.pop(_identity(message), (None, message))[0],
        )


def _content(message: _Message) -> tuple[Kind, str]:
    if message.notice:
        return Kind.SERVICE, message.notice
    text = _REACTIONS.sub("", "\n".join(message.lines[1:]))
    text = _ANSWERS.sub("", text).strip()
    if _UNSENT.fullmatch(text):
        return Kind.DELETED, ""
    if file := _FILE.fullmatch(text):
        return Kind.MEDIA, file[1]
    return Kind.TEXT, text


def _identity(message: _Message) -> tuple[str, str]:
    """Return what the two places of a reply have in common."""
    kind, text = _content(message)
    return " ".join(message.moment.split()), "\n".join((*message.lines[:1], kind, text))


FORMAT = Format(
    name="imessage_text",
    title="imessage-exporter text",
    recognises=_recognises,
    parse=_parse,
)
