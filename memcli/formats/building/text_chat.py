"""Chats written as text, in which some lines begin a message and the others continue it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from unicodedata import normalize

from memcli.domain import Kind, Role, Skipped, Turn
from memcli.formats.building.long_chats import Said, WallClock, person
from memcli.formats.format import Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.text_lines import LONGEST_LINE, lines
from memcli.formats.parsing.values import Keys

LONGEST_MESSAGE = 1 << 20  # characters; the rest is dropped and reported


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message."""

    moment: datetime | None  # wall clock time
    speaker: str  # "" for a notice of the program
    text: str  # the text in this line; "" if the text begins with the next line
    chat: tuple[str, str] | None = None  # key and title, in a file of several chats


Begun = Callable[[str], Head | None]  # parses a line; None if it does not begin a message
Shape = Callable[[Head, str], tuple[Kind, str]]  # returns the kind and the text of a message


def written(
    document: Document,
    reading: Reading,
    chat: tuple[str, str],
    begun: Begun,
    shape: Shape,
    owners: tuple[str, ...] = (),
) -> Iterator[Said | Skipped]:
    """Yield the messages of one chat.

    Args:
        document: the text.
        reading: gives the zone of its times and the names of its owner.
        chat: key and title of the chat, for messages whose first line names no other.
        begun: parses the first line of a message; returns None for any other line.
        shape: returns the kind and the text of a message, from its first line and its whole text.
        owners: names that the program uses for the person whose export it is.
    """
    keys: defaultdict[str, Keys] = defaultdict(Keys)
    clocks: dict[str, WallClock] = {}
    for found in _messages(document, begun):
        if isinstance(found, Skipped):
            yield found
            continue
        head, body = found
        kind, text = shape(head, body)
        chat_key, title = head.chat or chat
        clock = clocks.setdefault(chat_key, WallClock(reading.timezone))
        sent_at, precision = clock.read(head.moment)
        is_owner = head.speaker in owners
        role = Role.USER if is_owner else person(reading, head.speaker)
        if not head.speaker:
            role, kind = Role.SYSTEM, kind if kind is Kind.CALL else Kind.SERVICE
        if kind is Kind.TEXT and not text.strip():
            continue
        stamp = head.moment.isoformat() if head.moment else ""
        key = keys[chat_key].key(stamp, head.speaker, text)
        speaker = head.speaker.strip() or None
        turn = Turn(key, role, text, speaker, sent_at, precision, kind)
        yield Said(chat_key, title, turn)


def _messages(document: Document, begun: Begun) -> Iterator[tuple[Head, str] | Skipped]:
    """Yield the first line and the whole text of each message."""
    head: Head | None = None
    body: list[str] = []
    size = 0
    for number, line in enumerate(lines(document), start=1):
        if line is None:
            yield Skipped(f"line {number:,}", f"has more than {LONGEST_LINE:,} characters")
            continue
        line = line.rstrip("\r")
        if found := begun(line):
            if head:
                yield head, "\n".join(body).rstrip()
            head, body, size = found, [found.text] if found.text else [], 0
        elif head and size <= LONGEST_MESSAGE:
            body.append(line)
            size += len(line) + 1
            if size > LONGEST_MESSAGE:
                yield Skipped(f"line {number:,}", f"is past {LONGEST_MESSAGE:,} characters")
    if head:
        yield head, "\n".join(body).rstrip()


def chat_named(name: str) -> tuple[str, str]:
    """Return the key and the title of a chat that has a name but no id."""
    return normalize("NFC", name).strip().casefold() or "chat", name.strip() or "chat"


def name_of(document: Document, *general: str) -> str:
    """Return the name of a file without its suffix, or of its folder if the name is general.

    Args:
        document: a file named after its chat.
        general: names that all files of the format have, in lower case.
    """
    path = PurePath(document.name)
    return path.parent.name if path.stem.casefold() in general else path.stem
