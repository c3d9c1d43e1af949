"""Chats written down as text: some lines begin a message, the others go on with it."""

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

LONGEST_MESSAGE = 1 << 20  # characters; what follows is dropped and reported


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message."""

    moment: datetime | None  # a wall clock
    speaker: str  # "" where the program itself speaks
    text: str  # what the line itself says, "" where the message begins with the next one


Begun = Callable[[str], Head | None]  # of a line that begins a message
Shape = Callable[[Head, str], tuple[Kind, str]]  # what a message is, and what it says


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
        reading: in which zone its times are, and who owns it.
        chat: its key and its title.
        begun: reads the first line of a message; None for any other line.
        shape: tells words from files, calls and notices.
        owners: what the program calls the person whose export it is.
    """
    keys, clock = Keys(), WallClock(reading.timezone)
    for found in _messages(document, begun):
        if isinstance(found, Skipped):
            yield found
            continue
        head, whole = found
        kind, text = shape(head, whole)
        sent_at, trust = clock.read(head.moment)
        mine = head.speaker in owners
        role = Role.USER if mine else person(reading, head.speaker)
        if not head.speaker:
            role, kind = Role.SYSTEM, kind if kind is Kind.CALL else Kind.SERVICE
        if kind is Kind.TEXT and not text.strip():
            continue
        stamp = head.moment.isoformat() if head.moment else ""
        key = keys.key(stamp, head.speaker, text)
        yield Said(*chat, Turn(key, role, text, head.speaker.strip() or None, sent_at, trust, kind))


def _messages(document: Document, begun: Begun) -> Iterator[tuple[Head, str] | Skipped]:
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
    """Return the key and the title of a chat that is known by its name alone."""
    return normalize("NFC", name).strip().casefold() or "chat", name.strip() or "chat"


def name_of(document: Document, *general: str) -> str:
    """Return the name of a file without its ending, of its folder where it has a general name."""
    path = PurePath(document.name)
    return path.parent.name if path.stem.casefold() in general else path.stem
